"""Random changes of photos for training: transforms, registered by name, and Augment, which applies them in turn.

Training, estimators and plotting import it; a new transform is a class with ``@register`` in a file here.
"""

from pellucid.registry import module_attributes

__getattr__, __dir__ = module_attributes("pellucid.data.augmentation.transform.TRANSFORMS")
