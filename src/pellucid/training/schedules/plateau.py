"""A schedule that follows a metric: the learning rate falls when the metric has stopped improving."""

import math
from dataclasses import dataclass
from typing import Literal, final

from pellucid.registry import option, register
from pellucid.training.schedules.base import Schedule


@final
@register("reduce_on_plateau")
@dataclass
class ReduceOnPlateau(Schedule):
    """Multiply the rate by ``factor`` whenever the epochs' metric has stopped improving.

    Notes
    -----
    The rate falls where more than ``patience`` epochs in a row are without improvement. The factor is::

        max(factor^k, lowest)    k the number of falls so far

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

    factor: float = option(0.1, above=0, below=1, help="What each fall multiplies the rate by.")
    patience: int = option(
        10,
        at_least=0,
        help="Epochs in a row without improvement that are allowed; the next one cuts the rate.",
    )
    threshold: float = option(
        1e-4,
        at_least=0,
        below=1,
        help="By what fraction of the best so far a metric must be better to count as an improvement.",
    )
    cooldown: int = option(0, at_least=0, help="Epochs after a cut that do not count against the patience.")
    lowest: float = option(0.0, at_least=0, at_most=1, help="The factor never falls below it.")
    mode: Literal["min", "max"] = option("min", help="Whether less or more is better.")

    def __post_init__(self) -> None:
        super().__post_init__()
        self._forget()

    def _forget(self) -> None:
        self.best = math.inf if self.mode == "min" else -math.inf
        self.n_worse = self.n_cooling = 0
        self.reached = 1.0

    def start(self, base_rate: float, n_steps: int) -> None:
        """Begin again at the full rate."""
        super().start(base_rate, n_steps)
        self._forget()

    def __call__(self, step: int, n_steps: int) -> float:
        """Return the factor reached so far, whatever the step."""
        return self.reached

    def observe(self, metric: float) -> None:
        """Take note of the epoch's metric; NaN is not better than anything."""
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
