"""What is found out about one verdict: who pushed it, and what it would be without them."""

from dataclasses import asdict, dataclass
from typing import Any

FEW = 0.25  # the share of random orders up to which changing a verdict is seldom


@dataclass(frozen=True)
class Retrained:
    """What a verdict came to in another training.

    Attributes
    ----------
    label : str
        What the network says then.
    probability : float
        Of the class that it said before.
    log_odds : float
        log(p / (1 - p)) of that.
    is_changed : bool
        Whether it says another class than before.
    """

    label: str
    probability: float
    log_odds: float
    is_changed: bool


@dataclass(frozen=True)
class InfluentialSample:
    """A training sample and its part in a verdict.

    Attributes
    ----------
    row : int
        Of the training part.
    label : str
    score : float
        What it is ranked by; above 0: towards the verdict.
    tracin, renormalized : float
        See :class:`Influence`.
    alone : Outcome or None
        The verdict of a training without it alone.
    is_same : bool
        Whether it is the asked sample itself, number for number.
    """

    row: int
    label: str
    score: float
    tracin: float
    renormalized: float
    alone: Retrained | None = None
    is_same: bool = False


@dataclass(frozen=True)
class GroupRemoval:
    """A training without a group of samples.

    Attributes
    ----------
    rows : tuple of int
        The group, the hardest push first.
    outcome : Outcome
    by_chance : tuple of Outcome
        Of trainings without as many samples drawn at random: one for each order in which they were drawn, the same
        orders for every size.
    """

    rows: tuple[int, ...]
    outcome: Retrained
    by_chance: tuple[Retrained, ...] = ()


@dataclass(frozen=True)
class Explanation:
    """Why an asked sample got its verdict.

    Attributes
    ----------
    index : int
        Of the asked sample in the test part.
    verdict, actual : str
        Class names.
    probability, log_odds : float
        Of the verdict.
    towards, against : tuple of Pusher
        The training samples that pushed hardest, each way.
    removals : tuple of Removal
        Ever larger groups of those that pushed towards the verdict, left out together; empty: not trained again.
    without_against : Removal or None
        The shown samples that pushed against it, left out together.
    n_single_changes, n_single : int or None
        Where every training sample was left out alone: how many of so many times the verdict changed.
    """

    index: int
    verdict: str
    actual: str
    probability: float
    log_odds: float
    towards: tuple[InfluentialSample, ...]
    against: tuple[InfluentialSample, ...]
    removals: tuple[GroupRemoval, ...] = ()
    without_against: GroupRemoval | None = None
    n_single_changes: int | None = None
    n_single: int | None = None

    @property
    def is_right(self) -> bool:
        """Whether the verdict is the true class."""
        return self.verdict == self.actual

    @property
    def decisive(self) -> GroupRemoval | None:
        """The smallest of the groups without which the verdict is another; None if there is none."""
        return next((removal for removal in self.removals if removal.outcome.is_changed), None)

    @property
    def told(self) -> GroupRemoval | None:
        """The group worth telling of: the decisive one, else the largest; None where nothing was trained again."""
        return self.decisive or (self.removals[-1] if self.removals else None)

    @property
    def n_chance(self) -> int:
        """In how many random orders samples were left out, to compare with."""
        return 0 if self.told is None else len(self.told.by_chance)

    @property
    def n_changed_by_chance(self) -> int:
        """In how many of these the verdict changed too, without as many as were told of, or fewer on the way there.

        The groups grow until the verdict changes; so what they are compared with must have as many chances.
        """
        told = self.told
        if told is None:
            return 0
        steps = self.removals[: self.removals.index(told) + 1]
        return sum(
            any(outcome.is_changed for step in steps for outcome in step.by_chance[i : i + 1])
            for i in range(self.n_chance)
        )

    @property
    def is_beyond_chance(self) -> bool:
        """Whether a group decides, and samples drawn at random seldom do."""
        return (
            self.decisive is not None
            and self.n_chance > 0
            and self.n_changed_by_chance <= FEW * self.n_chance
        )

    def to_dict(self) -> dict[str, Any]:
        """Return all of it as JSON can hold it."""
        decisive = self.decisive
        return {
            **asdict(self),
            "is_right": self.is_right,
            "is_beyond_chance": self.is_beyond_chance,
            "n_chance": self.n_chance,
            "n_changed_by_chance": self.n_changed_by_chance,
            "decisive": None if decisive is None else asdict(decisive),
        }
