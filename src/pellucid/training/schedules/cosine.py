"""A cosine, after a warm-up."""

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
