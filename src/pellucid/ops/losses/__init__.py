"""Losses, from raw outputs (logits) to one number and its gradient, one family per file; ``LOSSES`` by name.

One is made by ``pellucid.ops.losses.Huber(delta=2)``. To add one, see docs/extending.md.
"""

from pellucid.registry import module_attributes

__getattr__, __dir__ = module_attributes("pellucid.ops.losses.base.LOSSES")
