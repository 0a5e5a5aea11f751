"""The sum behind a weight average, in one pass; plain: :mod:`pellucid.training.callbacks.weight_ema`."""

from typing import Any

from pellucid.kernels.compiled import compiled
from pellucid.types import Array


@compiled
def _add_decayed(total: Array, theta: Array, decay: Any) -> None:
    """S <- d S + theta."""
    for i in range(total.size):
        total[i] = decay * total[i] + theta[i]


def add_decayed(total: Array, theta: Array, decay: float) -> None:
    """S <- d S + theta, in place."""
    _add_decayed(total, theta, total.dtype.type(decay))
