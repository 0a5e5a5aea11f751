"""What a search for a learning rate found: the short trainings, and the rate that they suggest."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Trial:
    """A short training at one rate.

    Attributes
    ----------
    rate : float
    n_steps : int
    loss : float or None
        Its training loss over the last quarter of the steps; None where it became NaN or infinite.
    has_learned : bool
        Whether that is lower than any constant prediction's.
    is_dead : bool
        Whether the network gives every sample the same outputs at the end, as one whose relus are all 0 does.
    """

    rate: float
    n_steps: int
    loss: float | None
    has_learned: bool
    is_dead: bool

    @property
    def rank(self) -> tuple[bool, float]:
        """What the best trial has the lowest of."""
        return self.is_dead, math.inf if self.loss is None else self.loss


@dataclass(frozen=True, eq=False, repr=False)
class RateSearch:
    """What a search for a learning rate found.

    Attributes
    ----------
    rounds : tuple of tuple of Trial
        The short trainings: all rates first, then longer ones at the best. In the order of their rates.
    constant : float
        The training loss of the best constant prediction.
    suggestion : float or None
        The rate of the lowest loss in the last round; None where nothing was learned at any.
    n_steps : int
        Of the whole training that a rate was sought for.
    """

    rounds: tuple[tuple[Trial, ...], ...]
    constant: float
    suggestion: float | None
    n_steps: int

    @property
    def is_at_edge(self) -> bool:
        """Whether the suggestion is the lowest or the highest rate that was tried."""
        rates = [trial.rate for trial in self.rounds[0]]
        return self.suggestion in (rates[0], rates[-1])

    def to_dict(self) -> dict[str, Any]:
        """Return what was found as JSON can hold it; the loss of a training that diverged is None."""
        return {
            "suggestion": self.suggestion,
            "constant_loss": self.constant,
            "n_steps": self.n_steps,
            "rounds": [[asdict(trial) for trial in trials] for trials in self.rounds],
        }

    def plot(self) -> Figure:
        """Return a figure: the loss at each rate after each round, and the suggestion."""
        from pellucid.plotting.learning_rate import learning_rate_curves  # when a picture is asked for

        rounds = [
            (trials[0].n_steps, [(trial.rate, trial.loss) for trial in trials]) for trials in self.rounds
        ]
        return learning_rate_curves(rounds, constant=self.constant, suggestion=self.suggestion)

    def __str__(self) -> str:
        first, last = self.rounds[0], self.rounds[-1]
        if self.suggestion is None:
            return (
                f"Nothing was learned at any rate from {first[0].rate:.2g} to {first[-1].rate:.2g}: after up to "
                f"{last[0].n_steps} steps no loss is below that of one answer for all, {self.constant:.3g}."
            )
        best = min(last, key=lambda trial: trial.rank)
        words = (
            f"Learning rate {self.suggestion:.2g}: after {best.n_steps} steps the lowest loss, {best.loss:.3g}; "
            f"one answer for all has {self.constant:.3g}."
        )
        if self.is_at_edge:
            which, bound = ("lowest", "lower") if self.suggestion == first[0].rate else ("highest", "higher")
            words += f" It is the {which} rate that was tried: a {bound} one may be better still."
        return words

    def __repr__(self) -> str:
        found = "none" if self.suggestion is None else f"{self.suggestion:.2g}"
        return f"RateSearch({len(self.rounds[0])} rates, suggestion: {found})"

    def _repr_html_(self) -> str:
        from pellucid.plotting.saving import figure_html  # when a picture is asked for

        return f"<p>{self}</p>{figure_html(self.plot())}"
