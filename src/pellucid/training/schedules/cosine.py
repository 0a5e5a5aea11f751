"""A cosine, after a warm-up, waves of it, and one cycle: up and then far down, the momentum the other way round."""

import math
from dataclasses import dataclass
from typing import final

from pellucid.errors import OptionError
from pellucid.registry import option, register
from pellucid.training.optimizers.base import Optimizer
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


def _lower_first(momentum_range: tuple[float, float] | None) -> tuple[float, float] | None:
    if momentum_range is not None and momentum_range[0] > momentum_range[1]:
        raise ValueError("two numbers, (at the peak, at both ends), the lower number first")
    return momentum_range


@final
@register("one_cycle")
@dataclass
class OneCycle(Schedule):
    """Up to a peak and then far down, each along a cosine; optionally with the momentum the other way round.

    The optimizer's learning rate is the peak. It needs no other schedule and allows higher rates than a constant.

    Notes
    -----
    Smith and Topin (2018), section 3, with the cosine in place of the straight lines, as PyTorch has it. With a
    warm-up of w steps of n, the factor at step t is::

        start + (1 - start) (1 - cos(pi t / (w - 1))) / 2                  t < w - 1
        final + (1 - final) (1 + cos(pi (t - w + 1) / (n - w))) / 2        t >= w - 1

    start and final being ``start_factor`` and ``final_factor``. The momentum goes from the higher number of its
    range to the lower and back along the same cosines.

    Examples
    --------
    >>> [round(OneCycle(warmup=3, start_factor=0.1)(t, 6), 3) for t in range(6)]
    [0.1, 0.55, 1.0, 0.75, 0.25, 0.0]
    """

    warmup: float = duration(0.3, help="Steps, or fraction of the training, up to the peak.")
    start_factor: float = option(
        0.04, above=0, at_most=1, help="The first step's rate, as a fraction of the peak."
    )
    final_factor: float = option(
        4e-6, above=0, at_most=1, help="The last step's rate, as a fraction of the peak."
    )
    momentum_range: tuple[float, float] | None = option(
        None,
        above=0,
        below=1,
        check=_lower_first,
        help="Momentum (Adam's beta1) at the peak and at both ends, such as (0.85, 0.95); None leaves it alone.",
    )

    def __call__(self, step: int, n_steps: int) -> float:
        """Return the factor at a step."""
        return self._wave(step, n_steps, self.start_factor, 1.0, self.final_factor)

    def apply(self, optimizer: Optimizer, step: int) -> None:
        """Set the optimizer's learning rate and, where there is a range for it, its momentum or beta1."""
        super().apply(optimizer, step)
        if self.momentum_range is None:
            return
        name = next((name for name in ("beta1", "momentum") if getattr(optimizer, name, 0)), None)
        if name is None:
            raise OptionError(
                f"OneCycle: momentum_range needs an optimizer with momentum above 0, or beta1; "
                f"{type(optimizer).__name__} has none here."
            )
        low, high = self.momentum_range
        optimizer._keep(name, self._wave(step, self.n_steps, high, low, high))

    def _wave(self, step: int, n_steps: int, start: float, peak: float, end: float) -> float:
        top, last = max(in_steps(self.warmup, n_steps) - 1, 0.0), n_steps - 1
        if step < top:
            return start + (peak - start) * (1 - math.cos(math.pi * step / top)) / 2
        progress = min((step - top) / (last - top), 1.0) if last > top else 0.0
        return end + (peak - end) * (1 + math.cos(math.pi * progress)) / 2
