"""Callbacks: what happens while a training runs. One subject a file; ``CALLBACKS`` has them by name.

For whoever trains: ``pellucid.training.callbacks.EarlyStopping(patience=5)``. Any callable that takes an event is a
callback: see :mod:`pellucid.training.events`.
"""

from pellucid.registry import module_attributes

__getattr__, __dir__ = module_attributes("pellucid.training.callbacks.base.CALLBACKS")
