"""A cosine, after a warm-up, and waves of it."""

import math
from dataclasses import dataclass
from typing import final

from pellucid.registry import option, register
from pellucid.training.schedules.base import Schedule, duration, in_steps


@final
@register("cosine")
@dataclass
class Cosine(Schedule):
    """Half a wave of the cosine, from the full rate to ``final``, after a linear warm-up.

    Notes
    -----
    Loshchilov and Hutter (2017), equation 5, one cycle; with w steps of warm-up (Goyal et al., 2017, section 2.2)
    of n, the factor at step t is::

        (t + 1) / (w + 1)                                                  t < w
        final + (1 - final) (1 + cos(pi (t - w) / (n - w))) / 2            t >= w

    Examples
    --------
    >>> [round(Cosine(warmup=1)(t, 5), 3) for t in range(5)]
    [0.5, 1.0, 0.854, 0.5, 0.146]
    """

    warmup: float = duration(0, help="Steps, or fraction of the training, over which the rate climbs.")
    final: float = option(0.0, at_least=0, at_most=1, help="The factor that the end approaches.")

    def __call__(self, step: int, n_steps: int) -> float:
        """Return the factor at a step."""
        warmup = round(in_steps(self.warmup, n_steps))
        if step < warmup:
            return (step + 1) / (warmup + 1)
        progress = (step - warmup) / max(n_steps - warmup, 1)
        return self.final + (1 - self.final) * (1 + math.cos(math.pi * progress)) / 2


@final
@register("coslog")
@dataclass
class CosLog(Schedule):
    """Waves of the cosine from 0 to the full rate and back, each about twice as long as the one before.

    Notes
    -----
    Holzmueller et al. (2024), section 3; at step t of n, with k waves, the factor is::

        (1 - cos(2 pi log2(1 + (2^k - 1) t / n))) / 2

    Examples
    --------
    >>> [round(CosLog(waves=2)(t, 6), 3) for t in range(6)]
    [0.0, 0.93, 0.0, 0.718, 0.93, 0.324]
    """

    waves: int = option(4, at_least=1, at_most=30, help="Number of waves.")

    def __call__(self, step: int, n_steps: int) -> float:
        """Return the factor at a step."""
        progress = (2**self.waves - 1) * step / n_steps
        return (1 - math.cos(2 * math.pi * math.log2(1 + progress))) / 2
