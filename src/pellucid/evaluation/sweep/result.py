"""What a sweep found: its trials, which is best, and the table of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from pellucid.evaluation.comparison.comparison import Comparison
from pellucid.text import in_seconds, join_some, plural, shorten
from pellucid.text_blocks import Block

if TYPE_CHECKING:
    from matplotlib.figure import Figure

METRICS: Mapping[str, tuple[str, ...]] = {  # the first is the usual one
    "classification": ("balanced_accuracy", "accuracy", "log_loss"),
    "multi_label": ("label_accuracy", "exact_match"),
    "regression": ("root_mean_squared_error", "mean_absolute_error", "r_squared"),
}
COSTS = ("seconds", "n_parameters")  # further objectives, of all data
LOWER_IS_BETTER = ("log_loss", "root_mean_squared_error", "mean_absolute_error", *COSTS)
MOST_LISTED = 20
LONGEST_FAULT = 100


class Training(NamedTuple):
    """One training of a trial, and its scores on the samples that were held out."""

    fold: int
    n_epochs: int  # made
    asked_epochs: int  # of Hyperband those of its round
    scores: dict[str, float | None]
    seconds: float
    n_parameters: int


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
        One a fold.
    fault : str
        Why it failed; "" where it did not.
    is_pruned : bool
        Whether Hyperband stopped it before its last epoch.
    """

    number: int
    options: dict[str, Any]
    trainings: tuple[Training, ...]
    fault: str = ""
    is_pruned: bool = False

    @property
    def n_epochs(self) -> int:
        """Epochs of the longest training."""
        return max((one.n_epochs for one in self.trainings), default=0)

    @property
    def seconds(self) -> float:
        """The mean time of a training."""
        return float(np.mean([one.seconds for one in self.trainings])) if self.trainings else 0.0

    @property
    def n_parameters(self) -> int:
        """Numbers that were trained."""
        return self.trainings[0].n_parameters if self.trainings else 0

    def scores(self, metric: str) -> list[float]:
        """Return a metric of each fold; empty where the trial failed or one has none."""
        found = [one.scores.get(metric) for one in self.trainings]
        return [] if self.fault or None in found else [float(value) for value in found if value is not None]

    def score(self, objective: str) -> float | None:
        """Return a cost, or the mean of a metric over folds; None where there is none."""
        scores = self.scores(objective)
        if objective in COSTS:
            return None if self.fault else float(getattr(self, objective))
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
    search : {"random", "grid", "tpe", "hyperband"}
    objectives : tuple of str
        The metric that trials are ranked by, and where there are several objectives the others.
    n_samples : int
        Of the training part; the test part is not looked at.
    n_folds : int
        Trainings of each trial: each is tested on other samples that it was not trained on. 1: one part held out.
    seed : int
    trials : tuple of Trial
        Those that are done, by their number.
    n_trials : int
        As asked for.
    is_complete : bool
        False after Ctrl-C, or where a process was lost.
    notes : tuple of str
        What to mind.
    """

    name = "sweep"

    data: str
    model: str
    search: str
    objectives: tuple[str, ...]
    n_samples: int
    n_folds: int
    seed: int
    trials: tuple[Trial, ...]
    n_trials: int
    is_complete: bool = True
    notes: tuple[str, ...] = ()

    @property
    def metric(self) -> str:
        """What trials are ranked by."""
        return self.objectives[0]

    @property
    def title(self) -> str:
        """The metric in words."""
        return title_of(self.metric)

    @property
    def n_trainings(self) -> int:
        """Trainings that were made."""
        return sum(len(trial.trainings) for trial in self.trials)

    @property
    def seconds(self) -> float:
        """Of all trainings together."""
        return sum(one.seconds for trial in self.trials for one in trial.trainings)

    @cached_property
    def ranked(self) -> list[Trial]:
        """The trials that have a score, the best first; those that were pruned last."""
        return rank(self.trials, self.metric)

    @property
    def best(self) -> Trial | None:
        """The best trial; None where all failed."""
        return self.ranked[0] if self.ranked else None

    def front(self, *objectives: str) -> list[Trial]:
        """Return the Pareto front: the trials that no other beats in all objectives, the cheapest first.

        Parameters
        ----------
        *objectives : str, optional
            Default: those of the sweep; where it has one alone, its metric and "seconds".
        """
        return pareto_front(
            [trial for trial in self.ranked if not trial.is_pruned], objectives or self._front_of
        )

    @property
    def _front_of(self) -> tuple[str, ...]:
        return self.objectives if len(self.objectives) > 1 else (self.metric, "seconds")

    @property
    def finding(self) -> str:
        """Which options are best."""
        if self.best is None:
            return "No trial could be trained."
        over = f"mean of {plural(self.n_folds, 'fold')}" if self.n_folds > 1 else "on samples held out"
        at_end = "" if self.is_complete else f" Stopped with {len(self.trials)} of {self.n_trials} trials."
        score = f"{self.title} {score_in_words(self.best, self.metric)} ({over})"
        return f"Best of {plural(len(self.ranked), 'trial')}: {self.best.in_words()}, {score}.{at_end}"

    def rows(self, trials: Sequence[Trial], most: int | None = None) -> list[tuple[str | int, ...]]:
        """Return a row for each of some trials: see ``header``."""
        return [
            (
                trial.number,
                score_in_words(trial, self.metric),
                *([_spread(trial, self.metric)] if self.n_folds > 1 else []),
                *(score_in_words(trial, name) for name in self.objectives[1:] if name not in COSTS),
                f"{trial.n_epochs} (pruned)" if trial.is_pruned else trial.n_epochs,
                in_seconds(trial.seconds),
                trial.n_parameters,
                trial.in_words(),
            )
            for trial in trials[:most]
        ]

    @property
    def header(self) -> tuple[str, ...]:
        """The names of the columns of ``rows``."""
        spread = ("folds",) if self.n_folds > 1 else ()
        others = [title_of(name) for name in self.objectives[1:] if name not in COSTS]
        return ("trial", self.title, *spread, *others, "epochs", "a training", "parameters", "options")

    @property
    def failures(self) -> list[str]:
        """A sentence for each trial that failed, and why."""
        return [
            f"Trial {one.number} ({one.in_words()}) failed: {shorten(one.fault, LONGEST_FAULT)}"
            for one in self.trials
            if one.fault
        ]

    def blocks(self) -> list[Block]:
        """Return the trials, the best first, the Pareto front, those that failed, and the finding."""
        found: list[Block] = [(self.header, _with_commas(self.rows(self.ranked, MOST_LISTED)))]
        if len(self.ranked) > MOST_LISTED:
            found.append(f"And {len(self.ranked) - MOST_LISTED} more.")
        found += [*self.failures[:MOST_LISTED], *self.notes]
        numbers = join_some([f"trial {trial.number}" for trial in self.front()])
        names = join_some([title_of(name) for name in self._front_of])
        found.append(f"Pareto front of {names}: {numbers}.")
        found.append(f"{plural(self.n_trainings, 'training')}, {in_seconds(self.seconds)} together.")
        return [*found, self.finding]

    def figures(self) -> dict[str, Figure]:
        """Return the figures: score against cost, and score against each option."""
        from pellucid.evaluation.sweep.plot_sweep import options_figure, tradeoff_figure

        return {self.name: tradeoff_figure(self), "options": options_figure(self)}

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON can hold it."""
        own = ("data", "model", "search", "metric", "n_samples", "n_folds", "seed", "n_trials", "n_trainings")
        return {
            **{name: getattr(self, name) for name in own},
            "objectives": list(self.objectives),
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
            "is_pruned": trial.is_pruned,
            "fault": trial.fault or None,
            "trainings": [one._asdict() for one in trial.trainings],
        }


def title_of(objective: str) -> str:
    """Return an objective in words.

    Examples
    --------
    >>> title_of("log_loss"), title_of("n_parameters")
    ('log loss', 'parameters')
    """
    return objective.removeprefix("n_").replace("_", " ")


def score_in_words(trial: Trial, metric: str) -> str:
    """Return a trial's score."""
    score = trial.score(metric)
    return "failed" if trial.fault else "none" if score is None else f"{score:.4f}"


def _spread(trial: Trial, metric: str) -> str:
    scores = trial.scores(metric)
    return f"{min(scores):.4f} to {max(scores):.4f}" if scores else ""


def _with_commas(rows: Sequence[tuple[str | int, ...]]) -> list[tuple[str, ...]]:
    return [tuple(f"{cell:,}" if isinstance(cell, int) else cell for cell in row) for row in rows]


def rank(trials: Sequence[Trial], metric: str) -> list[Trial]:
    """Return the trials that have a score, the best first; of equals the smaller network, then the earlier.

    Those that were pruned come last, of them those that got more epochs before those that got fewer.
    """
    sign = 1 if metric in LOWER_IS_BETTER else -1
    scored = [
        (
            trial.is_pruned,
            -trial.n_epochs * trial.is_pruned,
            sign * score,
            trial.n_parameters,
            trial.number,
            trial,
        )
        for trial in trials
        if (score := trial.score(metric)) is not None
    ]
    return [one[-1] for one in sorted(scored, key=lambda one: one[:-1])]


def pareto_front(trials: Sequence[Trial], objectives: Sequence[str]) -> list[Trial]:
    """Return those that no other beats in all objectives, the best in the last one first; of equals the first."""
    signs = [1 if name in LOWER_IS_BETTER else -1 for name in objectives]
    losses: dict[tuple[float, ...], Trial] = {}
    for trial in trials:
        scores = [trial.score(name) for name in objectives]
        if None not in scores:
            losses.setdefault(tuple(s * (x or 0.0) for s, x in zip(signs, scores, strict=True)), trial)
    found = [
        own
        for own in losses
        if all(own is one or any(a < b for a, b in zip(own, one, strict=True)) for one in losses)
    ]
    return [losses[own] for own in sorted(found, key=lambda own: own[::-1])]
