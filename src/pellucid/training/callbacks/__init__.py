"""Callbacks: what happens during training. One subject per file; ``CALLBACKS`` has them by name.

One is made by ``pellucid.training.callbacks.EarlyStopping(patience=5)``. Any callable that takes an event is a
callback: see :mod:`pellucid.training.events`.
"""

from pellucid.registry import module_attributes

__getattr__, __dir__ = module_attributes("pellucid.training.callbacks.base.CALLBACKS")
