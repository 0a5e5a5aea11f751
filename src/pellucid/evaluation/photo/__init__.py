"""One photo explained: its prediction, variants, nearest training photos, novelty and saliency maps.

``explain_photo`` (measure.py) is what the command does; context.py computes everything about a photo once; text.py
has its sentences, figures.py its page. Imported by the report and the command line; imports saliency and below.
"""
