"""One photo explained: its prediction, variants, nearest training photos, novelty and saliency maps.

``explain_photo`` (explain_photo.py) explains one; image_context.py computes everything about a photo
once; plot_image.py draws it.
"""
