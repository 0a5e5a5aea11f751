"""Schedules: how the learning rate changes from step to step. One family per file; ``SCHEDULES`` has them by name.

One is made by ``pellucid.training.schedules.cosine.Cosine(warmup=0.1)``.
To add one, see docs/extending.md.
"""

from pellucid.registry import module_attributes

__getattr__, __dir__ = module_attributes("pellucid.training.schedules.base.SCHEDULES")
