"""Random changes of photos for training: transforms, registered by name, and Augment, which applies them in turn.

Training, estimators and the contact sheet import it; a new transform is a class with ``@register`` in a file here.
"""
