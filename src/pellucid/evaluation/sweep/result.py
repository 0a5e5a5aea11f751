"""What a sweep found: its trials, which is best, and the table of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from pellucid.plotting.types import Figure
from pellucid.text import in_seconds, join_some, plural, shorten
from pellucid.text_blocks import Block, Result, as_json

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
        return options_in_words(self.options)


def options_in_words(options: Mapping[str, Any]) -> str:
    """Return options as they are written in the space."""
    return " ".join(f"{name}={option_in_words(value)}" for name, value in options.items())


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
class Sweep(Result):
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
    about_folds : tuple of str
        What to mind.
    """

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
    about_folds: tuple[str, ...] = ()

    in_json = (
        "data model search metric objectives n_samples n_folds seed n_trials n_trainings seconds "
        "is_complete headline"
    )

    @property
    def metric(self) -> str:
        """What trials are ranked by."""
        return self.objectives[0]

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
        done = [trial for trial in self.ranked if not trial.is_pruned]
        return pareto_front(done, objectives or self._front_of)

    @property
    def _front_of(self) -> tuple[str, ...]:
        return self.objectives if len(self.objectives) > 1 else (self.metric, "seconds")

    @property
    def headline(self) -> str:
        """Which options are best."""
        if self.best is None:
            return "No trial could be trained."
        over = f"mean of {plural(self.n_folds, 'fold')}" if self.n_folds > 1 else "on samples held out"
        score = f"{title_of(self.metric)} {self.best.score(self.metric):.4f} ({over})"
        return f"Best of {plural(len(self.ranked), 'trial')}: {self.best.in_words()}, {score}."

    @property
    def notes(self) -> tuple[str, ...]:
        """The Pareto front, how much was trained, and what to mind of the folds."""
        numbers = join_some([f"trial {trial.number}" for trial in self.front()])
        n, of = len(self.trials), self.n_trials
        return (
            f"Pareto front of {join_some([title_of(name) for name in self._front_of])}: {numbers}.",
            f"{plural(self.n_trainings, 'training')}, {in_seconds(self.seconds)} together.",
            *([] if self.is_complete else [f"Stopped with {n} of {of} trials."]),
            *self.about_folds,
        )

    def to_rows(self) -> list[dict[str, Any]]:
        """Return a row for each trial, the best first, those that failed last."""
        failed = [trial for trial in self.trials if trial not in self.ranked]
        return [
            {
                "number": trial.number,
                **{name: trial.score(name) for name in self.objectives},
                "folds": trial.scores(self.metric),
                "n_epochs": trial.n_epochs,
                "seconds": trial.seconds,
                "n_parameters": trial.n_parameters,
                "options": trial.options,
                "is_pruned": trial.is_pruned,
                "fault": trial.fault or None,
            }
            for trial in [*self.ranked, *failed]
        ]

    @property
    def columns(self) -> tuple[str, ...]:
        """The heading: a column for each metric, and of several folds their range."""
        metrics = [title_of(name) for name in self.objectives if name not in COSTS]
        spread = ["folds"] if self.n_folds > 1 else []
        return ("trial", *metrics, *spread, "epochs", "a training", "parameters", "options")

    def cells(self, row: dict[str, Any]) -> tuple[str, ...]:
        """Return a row as it is printed."""
        scores = [row[name] for name in self.objectives if name not in COSTS]
        folds = row["folds"]
        spread = [f"{min(folds):.4f} to {max(folds):.4f}" if folds else ""] if self.n_folds > 1 else []
        fault = f": {shorten(row['fault'], LONGEST_FAULT)}" if row["fault"] else ""
        return (
            f"{row['number']}",
            *("failed" if fault else "none" if score is None else f"{score:.4f}" for score in scores),
            *spread,
            f"{row['n_epochs']}" + (" (pruned)" if row["is_pruned"] else ""),
            in_seconds(row["seconds"]),
            f"{row['n_parameters']:,}",
            options_in_words(row["options"]) + fault,
        )

    def blocks(self) -> list[Block]:
        """Return the headline, the first trials, and notes."""
        rows = self.to_rows()
        more = [f"And {len(rows) - MOST_LISTED} more."] if len(rows) > MOST_LISTED else []
        return [self.headline, (self.columns, [*map(self.cells, rows[:MOST_LISTED])]), *more, *self.notes]

    def to_dict(self) -> dict[str, Any]:
        """Return every trial and training as JSON can hold them."""
        trainings = {trial.number: as_json(trial.trainings) for trial in self.trials}
        rows = sorted(self.to_rows(), key=lambda row: row["number"])
        return super().to_dict() | {
            "best": None if self.best is None else self.best.number,
            "front": [trial.number for trial in self.front()],
            "trials": [{**row, "trainings": trainings[row["number"]]} for row in rows],
            "notes": list(self.about_folds),
        }

    def figures(self) -> dict[str, Figure]:
        """Return the figures: score against cost, and score against each option."""
        from pellucid.evaluation.sweep.plot_sweep import options_figure, tradeoff_figure

        return {"sweep": tradeoff_figure(self), "options": options_figure(self)}


def title_of(objective: str) -> str:
    """Return an objective in words.

    Examples
    --------
    >>> title_of("log_loss"), title_of("n_parameters")
    ('log loss', 'parameters')
    """
    return objective.removeprefix("n_").replace("_", " ")


def rank(trials: Sequence[Trial], metric: str) -> list[Trial]:
    """Return the trials that have a score, the best first; of equals the smaller network, then the earlier.

    Those that were pruned come last, of them those that got more epochs before those that got fewer.
    """
    sign = 1 if metric in LOWER_IS_BETTER else -1

    def place(trial: Trial) -> tuple[float, ...]:
        cost = sign * float(trial.score(metric) or 0.0)  # less is better
        return trial.is_pruned, -trial.is_pruned * trial.n_epochs, cost, trial.n_parameters, trial.number

    return sorted((trial for trial in trials if trial.score(metric) is not None), key=place)


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
