"""Optimizers: how a gradient moves the parameters. One family per file; ``OPTIMIZERS`` has them by name.

One is made by ``pellucid.training.optimizers.Adam(learning_rate=0.01)``.
To add one, see docs/extending.md.
"""

from pellucid.registry import module_attributes

__getattr__, __dir__ = module_attributes("pellucid.training.optimizers.base.OPTIMIZERS")
