"""A schedule that listens: the learning rate falls when the metric has stopped getting better."""

import math
from typing import Any, final

from pellucid.errors import OptionError
from pellucid.training.schedules import Schedule
from pellucid.training.validate import check_count, check_number


@final
class ReduceOnPlateau(Schedule):
    """Times ``factor`` whenever the epochs' metric has stopped getting better.

    Parameters
    ----------
    factor : float, optional
        Above 0 and below 1.
    patience : int, optional
        So many epochs in a row without a better metric are borne; the next one cuts the rate.
    threshold : float, optional
        By what share of the best so far a metric must be better to count, from 0 to below 1.
    cooldown : int, optional
        Epochs after a cut that do not count against the patience.
    lowest : float, optional
        The factor never falls below it, from 0 to 1.
    mode : {"min", "max"}, optional
        Whether less or more is better.

    Examples
    --------
    >>> plateau = ReduceOnPlateau(factor=0.5, patience=1)
    >>> plateau.start(0.1, 100)
    >>> for loss in (1.0, 0.9, 0.9, 0.9):
    ...     plateau.observe(loss)
    >>> plateau.rate(4)
    0.05
    """

    number_names = (*Schedule.number_names, "best", "n_worse", "n_cooling", "reached")

    def __init__(
        self,
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        cooldown: int = 0,
        lowest: float = 0.0,
        mode: str = "min",
    ) -> None:
        super().__init__()
        self.factor = check_number("factor", factor, above=0, below=1)
        self.patience = check_count("patience", patience, at_least=0)
        self.threshold = check_number("threshold", threshold, at_least=0, below=1)
        self.cooldown = check_count("cooldown", cooldown, at_least=0)
        self.lowest = check_number("lowest", lowest, at_least=0, at_most=1)
        if mode not in ("min", "max"):
            raise OptionError(f"mode: expected 'min' or 'max', got {mode!r}.")
        self.mode = mode
        self._forget()

    def _forget(self) -> None:
        self.best = math.inf if self.mode == "min" else -math.inf
        self.n_worse = self.n_cooling = 0
        self.reached = 1.0

    def start(self, base_rate: float, n_steps: int) -> None:
        """Begin anew at the full rate."""
        super().start(base_rate, n_steps)
        self._forget()

    def __call__(self, step: int, n_steps: int) -> float:
        """Return the factor reached so far, whatever the step."""
        return self.reached

    def observe(self, metric: float) -> None:
        """Hear the epoch's metric; NaN is not better than anything."""
        margin = self.threshold * abs(self.best) if math.isfinite(self.best) else 0.0
        is_better = metric < self.best - margin if self.mode == "min" else metric > self.best + margin
        if is_better:
            self.best, self.n_worse = float(metric), 0
        else:
            self.n_worse += 1
        if self.n_cooling:
            self.n_cooling -= 1
            self.n_worse = 0
        if self.n_worse > self.patience:
            self.reached = max(self.reached * self.factor, self.lowest)
            self.n_cooling, self.n_worse = self.cooldown, 0

    def config(self) -> dict[str, Any]:
        """Return the options by name."""
        names = ("factor", "patience", "threshold", "cooldown", "lowest", "mode")
        return {**super().config(), **{name: getattr(self, name) for name in names}}
