"""What a model said of each sample: which ones are worth looking at, and in which order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from pellucid.data.dataset import Dataset
from pellucid.errors import OptionError, ShapeError, unknown_name
from pellucid.plotting.style import class_name
from pellucid.types import Array

GALLERIES: Mapping[str, str] = MappingProxyType(
    {
        "mistakes": "The mistakes",
        "confident mistakes": "The most confident mistakes",
        "highest losses": "The highest losses",
        "confident hits": "The most confident hits",
    }
)


@dataclass(frozen=True)
class SamplePrediction:
    """What was said of one sample, and what is true.

    Attributes
    ----------
    index : int
        Of the sample in its dataset.
    predicted, actual : str
        Class names.
    probability : float
        That the model gave to the class it predicted.
    loss : float
        Minus the logarithm of the probability that it gave to the true class: 0 is sure and right; infinite, sure
        and wrong.
    is_right : bool
    """

    index: int
    predicted: str
    actual: str
    probability: float
    loss: float
    is_right: bool


def verdicts(
    dataset: Dataset, probabilities: Array, *, losses: Array | None = None, predicted: Array | None = None
) -> list[SamplePrediction]:
    """Return what a model said of every sample of a dataset, in the order of the data.

    Parameters
    ----------
    dataset : Dataset
        Its X may be anything: only the labels are read.
    probabilities : Array, shape (m, k), or (m,) or (m, 1)
        Of each class; one column is the probability of class 1 of two.
    losses : Array, shape (m,), optional
        From :func:`sample_losses`, which stays exact where a probability is rounded to 0 or 1.
    predicted : Array, shape (m,), optional
        The classes that were answered; default: the likeliest.

    Raises
    ------
    ShapeError
        If the arrays do not fit the data.

    Examples
    --------
    >>> data = Dataset(np.zeros((2, 2)), np.array([0, 1]), ("non-cat", "cat"))
    >>> verdicts(data, np.array([0.75, 0.75]))[0]
    Verdict(index=0, predicted='cat', actual='non-cat', probability=0.75, loss=1.38..., is_right=False)
    """
    P = two_columns("verdicts", len(dataset), probabilities)
    answered = P.argmax(axis=1) if predicted is None else predicted
    costs = _losses("verdicts", dataset.y, P, losses)
    names = [class_name(dataset.classes, label, 80) for label in range(P.shape[1])]
    return [
        SamplePrediction(
            i, names[guess], names[true], float(P[i, guess]), float(costs[i]), bool(guess == true)
        )
        for i, (guess, true) in enumerate(zip(answered, dataset.y, strict=True))
    ]


def pick(
    kind: str, y: Array, probabilities: Array, n: int | None = None, *, losses: Array | None = None
) -> Array:
    """Return which samples belong into a gallery, in the order in which to show them.

    Parameters
    ----------
    kind : {"mistakes", "confident mistakes", "highest losses", "confident hits"}
        Misread samples in the order of the data; those that the model was surest of first; samples whose true class
        it thought least likely, right ones too if there are no others; rightly read ones, the surest first.
    y : Array, shape (m,)
        True labels.
    probabilities : Array, shape (m, k), or (m,) or (m, 1)
        As for :func:`verdicts`.
    n : int, optional
        No more than these; default: all that there are.
    losses : Array, shape (m,), optional

    Returns
    -------
    Array, shape (n or fewer,), dtype int64
        Numbers of samples. Equally sure ones stay in the order of the data; NaN comes last.

    Raises
    ------
    OptionError
        If the kind is not known or n is below 1.
    ShapeError
        If the arrays do not fit each other.

    Examples
    --------
    >>> y, P = np.array([0, 1, 1, 0]), np.array([0.6, 0.9, 0.2, 0.1])
    >>> [pick(kind, y, P, 2).tolist() for kind in GALLERIES]
    [[0, 2], [2, 0], [2, 0], [1, 3]]
    """
    if kind not in GALLERIES:
        raise OptionError(unknown_name("gallery", kind, GALLERIES))
    if n is not None and n < 1:
        raise OptionError(f"pick: expected n of at least 1, or None for all, got {n}.")
    P = two_columns("pick", len(y), probabilities)
    predicted = P.argmax(axis=1)
    if kind == "highest losses":
        return _highest_first(_losses("pick", y, P, losses), np.arange(len(y)))[:n]
    rows = np.flatnonzero(predicted == y if kind == "confident hits" else predicted != y)
    if kind == "mistakes":
        return rows[:n]
    given = P[np.arange(len(y)), predicted]
    return _highest_first(given, rows)[:n]


def confusion_cells(y: Array, probabilities: Array) -> dict[tuple[int, int], Array]:
    """Return the samples behind each cell of the confusion matrix, the surest first.

    Parameters
    ----------
    y : Array, shape (m,)
    probabilities : Array, shape (m, k), or (m,) or (m, 1)

    Returns
    -------
    dict of (true class, predicted class) to Array
        Only cells that hold samples.

    Examples
    --------
    >>> confusion_cells(np.array([0, 1, 1]), np.array([0.1, 0.3, 0.2]))
    {(0, 0): array([0]), (1, 0): array([2, 1])}
    """
    P = two_columns("confusion_cells", len(y), probabilities)
    predicted = P.argmax(axis=1)
    given = P[np.arange(len(y)), predicted]
    cells = sorted({(int(true), int(guess)) for true, guess in zip(y, predicted, strict=True)})
    return {
        (true, guess): _highest_first(given, np.flatnonzero((y == true) & (predicted == guess)))
        for true, guess in cells
    }


def sample_losses(Z: Array, y: Array) -> Array:
    """Return each sample's cross-entropy from the model's raw outputs, exact for a sure mistake too.

    Parameters
    ----------
    Z : Array, shape (m,), (m, 1) or (m, k)
        What ``decision_function`` returns: one logit for two classes, or one a class.
    y : Array, shape (m,)
        True labels.

    Returns
    -------
    Array, shape (m,), float64

    Examples
    --------
    >>> sample_losses(np.array([-1000.0, 0.0]), np.array([1, 1])).round(4).tolist()
    [1000.0, 0.6931]
    """
    S = np.asarray(Z, np.float64).reshape(len(y), -1)
    if S.shape[1] == 1:
        S = np.concatenate([np.zeros_like(S), S], axis=1)  # a sigmoid is a softmax beside a 0
    S = S - S.max(axis=1, keepdims=True)
    losses: Array = np.log(np.exp(S).sum(axis=1)) - S[np.arange(len(y)), y]
    return losses


def two_columns(where: str, m: int, probabilities: Array) -> Array:
    """Return probabilities as (m, k): one column becomes that of class 0 and that of class 1."""
    P = np.asarray(probabilities, dtype=float)
    if P.shape in ((m,), (m, 1)):
        P = np.stack([1 - P.reshape(m), P.reshape(m)], axis=1)
    if P.ndim != 2 or len(P) != m:
        raise ShapeError(
            f"{where}: expected probabilities of shape ({m}, k), or ({m},) for two classes, got {P.shape}. "
            "Pass predict_proba's result for this dataset."
        )
    return P


def _losses(where: str, y: Array, P: Array, losses: Array | None) -> Array:
    if losses is not None:
        if losses.shape != (len(y),):
            raise ShapeError(f"{where}: expected losses of shape ({len(y)},), got {losses.shape}.")
        return losses
    if len(y) and not 0 <= y.min() <= y.max() < P.shape[1]:
        raise ShapeError(
            f"{where}: expected labels from 0 to {P.shape[1] - 1} for probabilities of shape {P.shape}, got "
            f"labels from {y.min()} to {y.max()}. Are the probabilities those of this dataset?"
        )
    with np.errstate(divide="ignore"):  # a probability of 0: an infinite loss, which is what it is
        return -np.log(P[np.arange(len(y)), y])


def _highest_first(values: Array, rows: Array) -> Array:
    chosen: Array = rows[np.argsort(-values[rows], kind="stable")]
    return chosen
