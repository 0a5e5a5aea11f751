"""The one-cycle schedule: the learning rate up and then far down, the momentum the other way round."""

from typing import Any, final

from pellucid.errors import OptionError
from pellucid.training.optimizers.base import Optimizer
from pellucid.training.schedules import Schedule, check_length, half_wave, length
from pellucid.training.validate import check_number


@final
class OneCycle(Schedule):
    """Up and then far down, each along a cosine; the momentum, by choice, the other way round.

    The optimizer's learning rate is the peak. Needs no other schedule and allows higher rates than a constant one.

    Parameters
    ----------
    warmup : int or float, optional
        Steps, or a share of the training, up to the peak.
    start_factor, final_factor : float, optional
        Of the peak, above 0 and at most 1, at the first and the last step.
    momentum_range : tuple of float, optional
        The momentum (Adam's beta1) at the peak and at both ends, such as (0.85, 0.95). None leaves it alone.

    Notes
    -----
    Smith and Topin (2018), section 3, with the cosine in place of the straight lines, as PyTorch has it: the peak
    is at step w - 1 for a warm-up of w steps, the end at step n - 1.

    Examples
    --------
    >>> [round(OneCycle(warmup=3, start_factor=0.1)(t, 6), 3) for t in range(6)]
    [0.1, 0.55, 1.0, 0.75, 0.25, 0.0]
    """

    def __init__(
        self,
        warmup: float = 0.3,
        start_factor: float = 0.04,
        final_factor: float = 4e-6,
        momentum_range: tuple[float, float] | None = None,
    ) -> None:
        super().__init__()
        self.warmup = check_length("warmup", warmup)
        self.start_factor = check_number("start_factor", start_factor, above=0, at_most=1)
        self.final_factor = check_number("final_factor", final_factor, above=0, at_most=1)
        self.momentum_range = None if momentum_range is None else _check_range(momentum_range)

    def __call__(self, step: int, n_steps: int) -> float:
        """Return the factor at a step."""
        return self._wave(step, n_steps, self.start_factor, 1.0, self.final_factor)

    def apply(self, optimizer: Optimizer, step: int) -> None:
        """Set the optimizer's learning rate and, by choice, its momentum or beta1."""
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
        setattr(optimizer, name, self._wave(step, self.n_steps, high, low, high))

    def _wave(self, step: int, n_steps: int, start: float, peak: float, end: float) -> float:
        top, last = max(length(self.warmup, n_steps) - 1, 0.0), n_steps - 1
        if step < top:
            return half_wave(start, peak, step / top)
        return half_wave(peak, end, min((step - top) / (last - top), 1.0) if last > top else 0.0)

    def config(self) -> dict[str, Any]:
        """Return the options by name."""
        return {
            **super().config(),
            "warmup": self.warmup,
            "start_factor": self.start_factor,
            "final_factor": self.final_factor,
            "momentum_range": self.momentum_range and list(self.momentum_range),
        }


def _check_range(value: Any) -> tuple[float, float]:
    if not isinstance(value, list | tuple) or len(value) != 2:
        raise OptionError(f"momentum_range: expected two numbers, (at the peak, at the ends), got {value!r}.")
    low, high = (check_number("momentum_range", number, above=0, below=1) for number in value)
    if low > high:
        raise OptionError(f"momentum_range: expected the lower number first, got {value!r}.")
    return low, high
