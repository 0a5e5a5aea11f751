"""One photo explained: its prediction, variants, nearest training photos, novelty and saliency maps.

``explain_photo`` (explain_photo.py) explains one; image_context.py computes everything about a photo once; text.py
has its sentences, plot_image.py its page. Imported by the report and workflows; imports saliency and below.
"""
