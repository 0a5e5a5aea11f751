"""One photo explained: its prediction, variants, nearest training photos, novelty and saliency maps.

``explain_photo`` (measure.py) explains one; context.py computes everything about a photo once; text.py
has its sentences, figures.py its page. Imported by the report and workflows; imports saliency and below.
"""
