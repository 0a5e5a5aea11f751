"""One photo explained: its prediction, variants, nearest training photos, novelty and saliency maps.

``explain_photo`` (explain_photo.py) explains one; context.py computes everything about a photo once; text.py
has its sentences, plot_photo.py its page. Imported by the report and workflows; imports saliency and below.
"""
