"""One prediction, the training samples that influenced it, and what it would be without them."""

import html
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pellucid.data.dataset import Split
from pellucid.evaluation.influence.retraining import LeaveOneOut
from pellucid.evaluation.influence.tracin import Influence
from pellucid.text import one_line

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FEW = 0.25  # the fraction of random orders up to which changing a prediction is seldom


@dataclass(frozen=True)
class Retrained:
    """The prediction of another training.

    Attributes
    ----------
    label : str
        What the network predicts then.
    probability : float
        Of the class that it predicted before.
    log_odds : float
        log(p / (1 - p)) of that.
    is_changed : bool
        Whether it predicts another class than before.
    """

    label: str
    probability: float
    log_odds: float
    is_changed: bool


@dataclass(frozen=True)
class InfluentialSample:
    """A training sample and its part in a prediction.

    Attributes
    ----------
    row : int
        Of the training part.
    label : str
    score : float
        What it is ranked by; above 0: towards the prediction.
    tracin, renormalized : float
        See :class:`Influence`.
    alone : Retrained or None
        The prediction of a training without it alone.
    is_same : bool
        Whether it is the query sample itself, number for number.
    name : str
        Its file; "" where samples are no files.
    """

    row: int
    label: str
    score: float
    tracin: float
    renormalized: float
    alone: Retrained | None = None
    is_same: bool = False
    name: str = ""


@dataclass(frozen=True)
class GroupRemoval:
    """A training without a group of samples.

    Attributes
    ----------
    rows : tuple of int
        The group, the most influential first.
    outcome : Retrained
    by_chance : tuple of Retrained
        Of trainings without as many samples drawn at random: one for each order in which they were drawn, the same
        orders for every size.
    """

    rows: tuple[int, ...]
    outcome: Retrained
    by_chance: tuple[Retrained, ...] = ()


@dataclass(frozen=True)
class ExplainedPrediction:
    """Why an query sample got its prediction.

    Attributes
    ----------
    index : int
        Of the query sample in the test part.
    predicted, actual : str
        Class names.
    probability, log_odds : float
        Of the prediction.
    towards, against : tuple of InfluentialSample
        The most influential training samples, each way.
    removals : tuple of GroupRemoval
        Ever larger groups of those that speak for the prediction, left out together; empty: not trained again.
    without_against : GroupRemoval or None
        The shown samples that influenced it the other way, left out together.
    n_single_changes, n_single : int or None
        Where every training sample was left out alone: how many times, and of how many, the prediction changed.
    name : str
        The file of the query sample; "" where samples are no files.
    """

    index: int
    predicted: str
    actual: str
    probability: float
    log_odds: float
    towards: tuple[InfluentialSample, ...]
    against: tuple[InfluentialSample, ...]
    removals: tuple[GroupRemoval, ...] = ()
    without_against: GroupRemoval | None = None
    n_single_changes: int | None = None
    n_single: int | None = None
    name: str = ""

    @property
    def is_right(self) -> bool:
        """Whether the prediction is the true class."""
        return self.predicted == self.actual

    @property
    def decisive(self) -> GroupRemoval | None:
        """The smallest of the groups without which the prediction is another; None if there is none."""
        return next((removal for removal in self.removals if removal.outcome.is_changed), None)

    @property
    def reported(self) -> GroupRemoval | None:
        """The group to report: the decisive one, else the largest; None where nothing was trained again."""
        return self.decisive or (self.removals[-1] if self.removals else None)

    @property
    def n_chance(self) -> int:
        """In how many random orders samples were left out, to compare with."""
        return 0 if self.reported is None else len(self.reported.by_chance)

    @property
    def n_changed_by_chance(self) -> int:
        """In how many of these the prediction changed too, without as many samples or fewer.

        The groups grow until the prediction changes; so what they are compared with must have as many chances.
        """
        reported = self.reported
        if reported is None:
            return 0
        steps = self.removals[: self.removals.index(reported) + 1]
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


@dataclass(frozen=True, eq=False, repr=False)
class InfluenceOutcome:
    """Why a run gave some of its predictions.

    Attributes
    ----------
    method : str
        What training samples are ranked by: a key of ``METHODS``.
    influence : Influence
    left_out : LeaveOneOut or None
        Every training sample left out alone, where that is the method.
    explanations : list of ExplainedPrediction
    is_proved : bool
        Whether trainings without them were run.
    agreement : dict of str to float, or None
        The mean rank correlation of each estimate with leave-one-out, where that is known.
    n_trainings : int
    seconds : float
    notes : tuple of str
        What a reader must know of how it was found out.
    files : tuple of Path
        What was written.
    target : float
        The probability that the training asked of the true class: below 1 with label smoothing.
    """

    run: str
    split: Split
    method: str
    influence: Influence
    left_out: LeaveOneOut | None
    explanations: list[ExplainedPrediction]
    is_proved: bool
    agreement: dict[str, float] | None
    n_trainings: int
    seconds: float
    notes: tuple[str, ...]
    files: tuple[Path, ...] = ()
    target: float = 1.0

    @property
    def noun(self) -> str:
        """What a sample is called."""
        return self.split.noun

    def sentences(self, explanation: ExplainedPrediction) -> tuple[str, ...]:
        """Return one explanation in words."""
        from pellucid.evaluation.influence.text import in_words

        return in_words(explanation, self.noun, self.target)

    def plot(self, at: int = 0) -> "Figure":
        """Return a figure of one explained prediction, by its place in ``explanations``."""
        from pellucid.evaluation.influence.figures import influence_figure

        return influence_figure(self.explanations[at], self.split.train, self.split.test)

    def to_dict(self) -> dict[str, Any]:
        """Return all of it as JSON can hold it."""
        from pellucid.evaluation.influence.text import METHODS

        return {
            "run": self.run,
            "method": self.method,
            "score": METHODS[self.method],
            "gradients": self.influence.gradients,
            "snapshots": list(self.influence.steps),
            "is_proved": self.is_proved,
            "n_trainings": self.n_trainings,
            "seconds": self.seconds,
            "agreement": self.agreement,
            "notes": list(self.notes),
            "explanations": [
                {**one.to_dict(), "in_words": list(self.sentences(one))} for one in self.explanations
            ],
            "files": [str(path) for path in self.files],
        }

    def __str__(self) -> str:
        return "\n".join(one_line(line) for one in self.explanations for line in self.sentences(one))

    def __repr__(self) -> str:
        return f"InfluenceOutcome({self.run}: {len(self.explanations)} predictions, {self.n_trainings} trainings)"

    def _repr_html_(self) -> str:
        from pellucid.plotting.saving import figure_html

        parts = []
        for at, one in enumerate(self.explanations):
            parts += [f"<p>{html.escape(sentence)}</p>" for sentence in self.sentences(one)]
            if self.split.train.has_pictures:
                parts.append(figure_html(self.plot(at)))
        return "".join(parts)
