"""Layers and models: thin shells over the ops that keep their parameters in one flat array.

A layer is one dataclass with ``@register``; ``pellucid.nn.layer.LAYERS`` finds the modules of this folder itself.
"""

from pellucid.registry import module_attributes

__getattr__, __dir__ = module_attributes("pellucid.nn.layer.LAYERS")
