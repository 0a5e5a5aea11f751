"""Held-out samples: how they are set aside, and the score for early stopping."""

import inspect
from dataclasses import dataclass
from functools import partial
from numbers import Real
from typing import Any

import numpy as np
from sklearn.metrics import get_scorer
from sklearn.utils import check_random_state

from pellucid.data.dataset import Dataset
from pellucid.data.groups import divide_groups, find_groups
from pellucid.estimators.checks import r2_score, train_test_split
from pellucid.nn.model import Model, read
from pellucid.ops.losses.base import Loss
from pellucid.training.events import EpochEnd, TrainingState
from pellucid.types import Array


@dataclass(eq=False)
class Samples:
    """Samples, read and checked.

    Attributes
    ----------
    X : Array or SparseRows
    Y : Array
        Training targets: codes of labels, or continuous.
    y : Array
        As it was given, for a scorer.
    weights : Array or None, shape (m,)
    """

    X: Any
    Y: Array
    y: Any
    weights: Array | None = None

    def __len__(self) -> int:
        return len(self.Y)

    def take(self, rows: Array) -> "Samples":
        """Return the chosen ones."""
        weights = None if self.weights is None else self.weights[rows]
        return Samples(self.X[rows], self.Y[rows], self.y[rows], weights)


def hold_out(samples: Samples, fraction: float, random: Any, *, stratify: bool) -> tuple[Samples, Samples]:
    """Hold out a fraction of the samples, by ``random``; stratified, of many classes only if possible.

    Copies of a picture stay together.

    Raises
    ------
    ValueError
        With scikit-learn's message, if fewer than two would be held out, or a class of two has one sample only;
        if all samples of a part have weight 0.
    """
    split = partial(train_test_split, np.arange(len(samples)), random_state=random, test_size=fraction)
    groups = find_groups(Dataset(samples.X, samples.Y)).numbers
    if groups is not None:
        labels = samples.Y.astype(np.int64) if stratify else np.zeros(len(samples), np.int64)
        n_held, seed = int(np.ceil(fraction * len(samples))), check_random_state(random).randint(2**31)
        rows, held = divide_groups(groups, labels, n_held, seed)
    elif not stratify:
        rows, held = split()
    elif samples.Y.max() > 1:
        try:
            rows, held = split(stratify=samples.Y)
        except ValueError:
            rows, held = split()  # some class is too small to be in both parts
    else:
        try:
            rows, held = split(stratify=samples.Y[:, None] == 1)  # in scikit-learn's form, for its message
        except ValueError as error:  # scikit-learn's message says only whether it is the second label
            labels, counts = np.unique(samples.y, return_counts=True)
            single = f" Only one sample has the label '{labels[counts == 1][0]}'." if 1 in counts else ""
            raise ValueError(f"{error}{single}") from None
    if len(held) < 2:
        raise ValueError(
            "The validation set is too small. Increase 'validation_fraction' or the size of your dataset."
        )
    training, validation = samples.take(rows), samples.take(held)
    for name, part in (("training", training), ("validation", validation)):
        if part.weights is not None and not part.weights.any():
            raise ValueError(
                f"The {name} set has only samples of weight 0. Leave them out, or change 'validation_fraction'."
            )
    return training, validation


class Score:
    """The score of an epoch on held-out samples: accuracy or R^2, or a scorer's result.

    Parameters
    ----------
    estimator : estimator
        In training; a scorer gets a twin of it that predicts with the current network.
    held : Samples
    rule : Loss
        How outputs become predictions.
    scoring : str, callable or None
        As scikit-learn takes it; passed the weights if it takes them.
    """

    def __init__(self, estimator: Any, held: Samples, rule: Loss, scoring: Any) -> None:
        self.held, self.rule = held, rule
        self.scorer = get_scorer(scoring) if isinstance(scoring, str) else scoring
        self.twin: Any = None if self.scorer is None else twin_of(estimator)
        self.weighs = self.scorer is not None and held.weights is not None and takes_weights(self.scorer)

    def __call__(self, run: TrainingState, event: EpochEnd) -> float:
        """Return the score; NaN where an output is not finite."""
        Z = run.model._last_outputs
        if not np.isfinite(Z).all():
            return float("nan")
        if self.scorer is not None:
            return self._by_scorer(run.model)
        outputs = read(self.rule, Z[:, 0] if Z.shape[1] == 1 else Z)
        if self.rule.kind == "regression":
            return r_squared(self.held.Y, outputs, self.held.weights)
        is_right = outputs == self.held.Y
        if is_right.ndim == 2:
            is_right = is_right.all(axis=1)
        return float(np.average(is_right, weights=self.held.weights))

    def _by_scorer(self, model: Model) -> float:
        self.twin._lent_network = model
        weights = {"sample_weight": self.held.weights} if self.weighs else {}
        score = self.scorer(self.twin, getattr(self.held.X, "matrix", self.held.X), self.held.y, **weights)
        if not isinstance(score, Real):
            raise ValueError(f"scoring must return a number, got {score!r} ({type(score)}) instead.")
        return float(score)


def takes_weights(scorer: Any) -> bool:
    """Return whether a scorer, or what it is made of, has an argument ``sample_weight``.

    Examples
    --------
    >>> takes_weights(get_scorer("accuracy")), takes_weights(get_scorer("neg_max_error"))
    (True, False)
    >>> takes_weights(lambda estimator, X, y: 0.0)
    False
    """
    parameters = inspect.signature(getattr(scorer, "_score_func", scorer)).parameters
    return "sample_weight" in parameters or any(p.kind is p.VAR_KEYWORD for p in parameters.values())


def twin_of(estimator: Any) -> Any:
    """Return a shallow copy that ignores the names of columns."""
    twin = object.__new__(type(estimator))
    twin.__dict__.update(estimator.__dict__)
    twin.__dict__.pop("feature_names_in_", None)
    return twin


def r_squared(y: Array, outputs: Array, weights: Array | None) -> float:
    """Return R^2, like ``sklearn.metrics.r2_score`` without the cost of its checks.

    Examples
    --------
    >>> r_squared(np.array([1.0, 2.0, 3.0]), np.array([1.0, 2.0, 2.0]), None)
    0.5
    """
    if y.ndim == 1 and outputs.ndim == 1:
        away = y - np.average(y, weights=weights)
        error = y - outputs
        w = np.ones(len(y)) if weights is None else weights
        total = float(np.dot(w, away * away))
        if total > 0:
            return 1 - float(np.dot(w, error * error)) / total
    return float(r2_score(y, outputs, sample_weight=weights))
