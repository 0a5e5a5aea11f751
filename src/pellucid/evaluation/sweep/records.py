"""The trials of a sweep: their options, trainings and scores, and which is best."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from pellucid.evaluation.comparison.records import Comparison
from pellucid.text_blocks import Block

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from pellucid.runs.config import RunConfig

METRICS: Mapping[str, tuple[str, ...]] = {  # the first is the usual one
    "classification": ("balanced_accuracy", "accuracy", "log_loss"),
    "multi_label": ("label_accuracy", "exact_match"),
    "regression": ("root_mean_squared_error", "mean_absolute_error", "r_squared"),
}
LOWER_IS_BETTER = ("log_loss", "root_mean_squared_error", "mean_absolute_error")


class Training(NamedTuple):
    """One training of a trial, and its scores on the samples that were held out."""

    fold: int
    round: int  # of successive halving, from 0; of other searches 0
    n_epochs: int
    scores: dict[str, float | None]
    seconds: float
    n_parameters: int
    fault: str = ""  # why it failed


@dataclass(frozen=True)
class Trial:
    """One choice of options, and its trainings.

    Attributes
    ----------
    number : int
        From 1.
    options : dict of str to object
        By the names of the space.
    trainings : tuple of Training
        One a fold, of as many epochs as it got at last.
    """

    number: int
    options: dict[str, Any]
    trainings: tuple[Training, ...]

    @property
    def fault(self) -> str:
        """Why it failed; "" where it did not."""
        return next((one.fault for one in self.trainings if one.fault), "")

    @property
    def round(self) -> int:
        """The last round of successive halving that it reached."""
        return self.trainings[0].round

    @property
    def n_epochs(self) -> int:
        """Of each training."""
        return self.trainings[0].n_epochs

    @property
    def seconds(self) -> float:
        """The mean time of a training."""
        return float(np.mean([one.seconds for one in self.trainings]))

    @property
    def n_parameters(self) -> int:
        """Numbers that were trained."""
        return self.trainings[0].n_parameters

    def scores(self, metric: str) -> list[float]:
        """Return a metric of each fold; empty where one failed or has none."""
        found = [one.scores.get(metric) for one in self.trainings]
        return [] if self.fault or None in found else [float(value) for value in found if value is not None]

    def score(self, metric: str) -> float | None:
        """Return the mean of a metric over folds; None where there is none."""
        scores = self.scores(metric)
        return float(np.mean(scores)) if scores else None

    def in_words(self) -> str:
        """Return the options as they are written in the space.

        Examples
        --------
        >>> Trial(1, {"learning_rate": 0.01, "optimizer": "adam"}, ()).in_words()
        'learning_rate=0.01 optimizer=adam'
        """
        return " ".join(f"{name}={option_in_words(value)}" for name, value in self.options.items())


def option_in_words(value: Any) -> str:
    """Return an option's value, short.

    Examples
    --------
    >>> option_in_words({"type": "sgd", "momentum": 0.9}), option_in_words(0.0001), option_in_words(True)
    ('sgd(momentum=0.9)', '0.0001', 'true')
    """
    if isinstance(value, Mapping):
        own = ", ".join(f"{name}={option_in_words(one)}" for name, one in value.items() if name != "type")
        return f"{value.get('type', '')}({own})" if own else str(value.get("type", ""))
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(option_in_words, value))}]"
    return f"{value:g}" if isinstance(value, float) else str(value)


@dataclass(frozen=True, eq=False, repr=False)
class Sweep(Comparison):
    """What a sweep found.

    Attributes
    ----------
    data, model : str
    search : {"random", "grid", "halving"}
    metric : str
        What trials are ranked by.
    n_samples : int
        Of the training part; the test part is not looked at.
    n_folds : int
        Trainings of each trial: each is tested on other samples that it was not trained on. 1: one part held out.
    seed : int
    trials : tuple of Trial
        Those whose trainings are all done, by their number.
    n_trials : int
        As asked for.
    n_trainings : int
        That were made, in all rounds.
    seconds : float
        Of all these trainings together.
    is_complete : bool
        False after Ctrl-C, or where workers were lost.
    configs : dict of int to RunConfig
        How each trial was trained, by its number.
    notes : tuple of str
        What to mind.
    """

    name = "sweep"

    data: str
    model: str
    search: str
    metric: str
    n_samples: int
    n_folds: int
    seed: int
    trials: tuple[Trial, ...]
    n_trials: int
    n_trainings: int
    seconds: float
    is_complete: bool = True
    configs: Mapping[int, RunConfig] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def is_lower_better(self) -> bool:
        """Whether a lower score is a better one."""
        return self.metric in LOWER_IS_BETTER

    @property
    def title(self) -> str:
        """The metric in words."""
        return self.metric.replace("_", " ")

    @cached_property
    def ranked(self) -> list[Trial]:
        """The trials that did not fail, the best first; those that got more epochs before those that got fewer."""
        return rank(self.trials, self.metric)

    @property
    def best(self) -> Trial | None:
        """The best trial; None where all failed."""
        return self.ranked[0] if self.ranked else None

    def front(self, cost: str = "seconds") -> list[Trial]:
        """Return the trials that no other beats in both score and cost, the cheapest first.

        Parameters
        ----------
        cost : {"seconds", "n_parameters"}, optional

        Notes
        -----
        The Pareto front.
        """
        return pareto_front(self.ranked, self.metric, cost)

    @property
    def finding(self) -> str:
        """Which options are best, and by how much."""
        from pellucid.evaluation.sweep.text import finding

        return finding(self)

    def blocks(self) -> list[Block]:
        """Return the trials, the best first, what they cost, and the finding."""
        from pellucid.evaluation.sweep.text import blocks

        return blocks(self)

    def figures(self) -> dict[str, Figure]:
        """Return the figures: score against cost, and score against each option."""
        from pellucid.evaluation.sweep.figures import options_figure, tradeoff_figure

        return {self.name: tradeoff_figure(self), "options": options_figure(self)}

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON can hold it."""
        own = ("data", "model", "search", "metric", "n_samples", "n_folds", "seed", "n_trials", "n_trainings")
        return {
            **{name: getattr(self, name) for name in own},
            "seconds": self.seconds,
            "is_complete": self.is_complete,
            "best": None if self.best is None else self.best.number,
            "front": [trial.number for trial in self.front()],
            "trials": [self._trial(trial) for trial in self.trials],
            "notes": list(self.notes),
            "finding": self.finding,
        }

    def _trial(self, trial: Trial) -> dict[str, Any]:
        return {
            "number": trial.number,
            "options": trial.options,
            "score": trial.score(self.metric),
            "n_epochs": trial.n_epochs,
            "seconds": trial.seconds,
            "n_parameters": trial.n_parameters,
            "fault": trial.fault or None,
            "trainings": [one._asdict() for one in trial.trainings],
        }


def rank(trials: Sequence[Trial], metric: str) -> list[Trial]:
    """Return the trials that have a score, the best first; of equals the smaller network, then the earlier."""
    sign = 1 if metric in LOWER_IS_BETTER else -1
    scored = [(trial, score) for trial in trials if (score := trial.score(metric)) is not None]
    scored.sort(key=lambda one: (-one[0].round, sign * one[1], one[0].n_parameters, one[0].number))
    return [trial for trial, _ in scored]


def pareto_front(trials: Sequence[Trial], metric: str, cost: str) -> list[Trial]:
    """Return those that none beats in both, the cheapest first."""
    sign = 1 if metric in LOWER_IS_BETTER else -1
    loss = {trial.number: sign * (trial.score(metric) or 0.0) for trial in trials}
    found: list[Trial] = []
    for trial in sorted(trials, key=lambda one: (getattr(one, cost), loss[one.number])):
        if not found or loss[trial.number] < loss[found[-1].number]:
            found.append(trial)
    return found
