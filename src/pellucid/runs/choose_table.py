"""Which model suits a table: a linear one or a network, by what each predicts of rows that were held out."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from pellucid.data.dataset import Dataset, Split
from pellucid.data.source import DataSource
from pellucid.errors import PellucidError
from pellucid.nn.presets import LINEAR, REALMLP, REALMLP_MEAN
from pellucid.prediction.predict import predict
from pellucid.progress import ProgressCallback, no_progress
from pellucid.runs.config import RunConfig
from pellucid.text import plural
from pellucid.training.executor.choose_decay import Fold, folds_for_decay
from pellucid.training.options import TrainingOptions
from pellucid.training.recipes import recipe
from pellucid.training.recommend import Recommendation
from pellucid.types import Array

MOST_ROWS = 10_000  # that are looked at
MANY_ROWS = 2000  # from which on one fold decides: its held-out rows are as many as all of a smaller table
N_FOLDS = 5
SURE = 1.0  # standard errors that a network must be better by


@dataclass(frozen=True)
class Choice:
    """What models scored on held-out rows of a table.

    Attributes
    ----------
    names : tuple of str
        Presets, the linear one first.
    scores : tuple of float
        Accuracy, or R squared.
    is_better : tuple of bool
        Than the linear one, by more than one standard error of the difference.
    n_rows : int
        That were held out, in all.
    """

    names: tuple[str, ...]
    scores: tuple[float, ...]
    is_better: tuple[bool, ...]
    n_rows: int

    @property
    def best(self) -> str:
        """The best of the networks that are better than the linear model; that one where none is."""
        found = [
            (score, name)
            for name, score, better in zip(self.names, self.scores, self.is_better, strict=True)
            if better
        ]
        return max(found)[1] if found else self.names[0]

    @property
    def reason(self) -> str:
        """What each scored."""
        shown = ", ".join(f"{name} {score:.3f}" for name, score in zip(self.names, self.scores, strict=True))
        why = "as good as a network" if self.best == LINEAR else "better than a linear model"
        return f"{why} on {plural(self.n_rows, 'held-out training row')} ({shown})"


def choose_for_table(
    split: Split,
    networks: Sequence[Recommendation],
    seed: int = 1,
    *,
    progress: ProgressCallback = no_progress,
    **options: Any,
) -> Recommendation:
    """Return what predicts held-out training rows best; a linear model where no network is surely better.

    Parameters
    ----------
    split : Split
        Of a table; its test part is not looked at.
    networks : sequence of Recommendation
        Presets with their recipes, tried next to "linear".
    seed : int, optional
    progress : callable, optional
    **options
        Fields of :class:`.TrainingOptions` that all are trained with.

    Notes
    -----
    Five folds of tables of under 2,000 rows, one of larger ones, of 10,000 rows at most. Networks count as better
    where the mean of their errors (0 or 1, or squared) is lower than the linear model's by more than its standard
    error over the held-out rows. Groups and copies stay together. Where "realmlp" is best for a table of under
    2,000 rows, "realmlp-mean" is returned: folds of four trainings each would take as long again.
    """
    data, linear = split.train, Recommendation(LINEAR, recipe(LINEAR), "")
    if len(data) > MOST_ROWS:
        data = data.take(np.sort(np.random.default_rng(seed).permutation(len(data))[:MOST_ROWS]))
    folds = folds_for_decay(data, N_FOLDS, seed)[: None if len(data) < MANY_ROWS else 1]
    if not folds:
        return replace(
            linear, reason=f"a linear model for {plural(len(data), 'row')}: too few to try others on"
        )
    tried, errors = [linear, *networks], []
    for i, one in enumerate(tried):
        progress("which model", i, len(tried), one.model)
        errors.append(_errors(one, data, folds, split, options | {"seed": seed}))
    progress("which model", len(tried), len(tried))
    found = np.array(errors)
    difference = found - found[0]
    standard = difference.std(axis=1, ddof=1) / np.sqrt(found.shape[1])
    spread = 1.0
    if not split.classes:
        spread = float(np.concatenate([data.y[held] for _, held in folds]).var(axis=0).mean()) or 1.0
    scores = 1 - found.mean(axis=1) / spread
    is_better = difference.mean(axis=1) < -SURE * standard
    names = tuple(one.model for one in tried)
    choice = Choice(names, tuple(scores.tolist()), tuple(is_better.tolist()), found.shape[1])
    best = tried[names.index(choice.best)]
    if best.model == REALMLP and len(split.train) < MANY_ROWS:
        best = Recommendation(REALMLP_MEAN, recipe(REALMLP_MEAN), "")
    return replace(best, reason=choice.reason)


def _errors(
    tried: Recommendation, data: Dataset, folds: Sequence[Fold], split: Split, options: dict[str, Any]
) -> Array:
    """Return the error of each held-out row: 0 or 1, or the squared one; infinite where a training fails."""
    from pellucid.runs.build import fit_run, make_model

    config = RunConfig(DataSource("table"), tried.model, TrainingOptions.resolve(tried.recipe, **options))
    found = []
    for rows, held in folds:
        part = Split(data.take(rows), data.take(held), split.name, (), split.schema)
        try:
            model = make_model(config, None, part)
            fit_run(model, part, config)
            told = predict(model, part.test)
        except PellucidError:
            return np.full(sum(len(held) for _, held in folds), np.inf)
        squares = (told.y_pred - told.y_true).reshape(len(held), -1) ** 2
        found.append((~told.is_correct).astype(np.float64) if split.classes else squares.mean(axis=1))
    return np.concatenate(found)
