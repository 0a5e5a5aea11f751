"""The classes of both parts: how many of each, whether their proportions differ, and what a constant scores."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pellucid.checks.findings import Finding, called
from pellucid.data.dataset import Split
from pellucid.data.labels import has_classes
from pellucid.errors import DataError
from pellucid.shares import share
from pellucid.stats.intervals import wilson_interval
from pellucid.text import join_some
from pellucid.text_blocks import InJson
from pellucid.types import Array, map_arrays

SURE = 0.01  # a shift is reported where chance alone makes one as large in fewer than 1 of 100 draws ...
_MATTERS = (
    0.03  # ... and where they differ by 3 points or more: with many samples any difference is significant
)
_UNEQUAL = 10  # times more of the commonest class than of the rarest
_FEW = 10  # samples of a class in the training part


@dataclass(frozen=True)
class ConstantScore(InJson):
    """What always predicting one class scores on the test part.

    Attributes
    ----------
    answer : str
        The predicted class.
    n_correct, n_samples : int
    interval : tuple of float
        95 % interval of the accuracy, by Wilson's method (1927).
    """

    answer: str
    n_correct: int
    n_samples: int
    interval: tuple[float, float]

    in_json = "class=answer n_correct n_samples accuracy interval"

    @property
    def accuracy(self) -> float:
        """The fraction of test samples that it classifies correctly."""
        return self.n_correct / self.n_samples


@dataclass(frozen=True)
class Homogeneity:
    """Whether both parts hold the classes in the same proportions.

    Attributes
    ----------
    method : str
        "chi-squared" or "Fisher's exact".
    statistic : float or None
        Pearson's chi-squared; None for Fisher's test.
    p_value : float
        The probability that two parts drawn from one pool differ at least as much.
    distance : float
        Half the sum of the differences between the proportions: 0 for the same ones, 1 for no class in common.
    """

    method: str
    statistic: float | None
    p_value: float
    distance: float


def check_classes(split: Split) -> tuple[dict[str, Any], list[Finding], list[str]]:
    """Return the class statistics of a report, the findings on them, and a note where there are none."""
    if not all(has_classes(part.y) for part in (split.train, split.test)):
        what = "multi-label" if split.train.y.ndim == 2 else "numbers"
        return {}, [], [f"The targets are {what}: class balance, conflicts and baselines were left out."]
    labels = [split.train.y, split.test.y]
    k = max(len(split.classes), *(int(y.max()) + 1 for y in labels))
    names = [called(split, i) for i in range(k)]
    train, test = (np.bincount(y, minlength=k) for y in labels)
    shift = homogeneity(train, test)
    fields = {
        "counts": {
            part: dict(zip(names, its.tolist(), strict=True))
            for part, its in (("train", train), ("test", test))
        },
        "shift": shift,
        "baseline": constant_scores(names, train, test),
    }
    return fields, balance_findings(names, train, test, shift), []


def homogeneity(train: Array, test: Array) -> Homogeneity:
    """Test whether two rows of counts come from one pool.

    Parameters
    ----------
    train, test : Array, shape (k,), whole numbers
        Samples of each class in each part; neither part is empty.

    Returns
    -------
    Homogeneity
        By Pearson's chi-squared (1900, without correction) where at least 5 samples are expected in each cell
        (Cochran, 1954). Rarer classes are merged first; if two columns are left and one is still too rare,
        by Fisher's exact test (1934).

    Examples
    --------
    >>> result = homogeneity(np.array([137, 72]), np.array([17, 33]))
    >>> result.method, f"{result.p_value:.1e}", round(result.distance, 3)
    ('chi-squared', '4.5e-05', 0.316)
    """
    from scipy import stats
    from scipy.stats.contingency import expected_freq

    table = np.stack([train, test])[:, (train + test) > 0].astype(np.int64)
    proportions = table / table.sum(axis=1, keepdims=True)
    distance = float(np.abs(proportions[0] - proportions[1]).sum() / 2)
    while table.shape[1] > 2 and expected_freq(table).min() < 5:  # merge the two rarest
        table = table[:, np.argsort(table.sum(axis=0), kind="stable")]
        table = np.hstack([table[:, :2].sum(axis=1, keepdims=True), table[:, 2:]])
    if table.shape[1] == 1:
        return Homogeneity("chi-squared", 0.0, 1.0, distance)
    if expected_freq(table).min() < 5:
        return Homogeneity("Fisher's exact", None, float(stats.fisher_exact(table).pvalue), distance)
    result = stats.chi2_contingency(table, correction=False)
    return Homogeneity("chi-squared", float(result.statistic), float(result.pvalue), distance)


def constant_scores(names: Sequence[str], train: Array, test: Array) -> dict[str, ConstantScore]:
    """Return what two constant predictions score on the test part, with 95 % intervals.

    Parameters
    ----------
    names : sequence of k str
    train, test : Array, shape (k,), whole numbers
        Samples of each class in each part.

    Returns
    -------
    dict
        "train_majority": the class most common in training, the usual majority-class baseline.
        "best_constant": the class most common in the test part, the highest score of a constant prediction.

    Examples
    --------
    >>> scores = constant_scores(["no", "yes"], np.array([6, 3]), np.array([4, 1]))
    >>> scores["train_majority"].answer, scores["train_majority"].accuracy
    ('no', 0.8)
    """
    answers = {"train_majority": int(train.argmax()), "best_constant": int(test.argmax())}
    correct, n = test.tolist(), int(test.sum())
    return {
        which: ConstantScore(names[label], correct[label], n, wilson_interval(correct[label], n))
        for which, label in answers.items()
    }


def balance_findings(names: Sequence[str], train: Array, test: Array, shift: Homogeneity) -> list[Finding]:
    """Return the findings on the classes of both parts."""
    found = []
    for part, counts in (("training", train), ("test", test)):
        if absent := [name for name, n in zip(names, counts, strict=True) if not n]:
            text = f"The {part} part has no sample of: {join_some(absent)}."
            if len(absent) == len(names) - 1:
                text = f"Every {part} sample is {names[int(counts.argmax())]!r}; none is {join_some(absent)}."
            found.append(Finding("absent_class", text))
    present = np.flatnonzero(train).tolist()
    few = [f"{names[i]} ({train[i]})" for i in present if train[i] < _FEW]
    if few and train.sum() >= _FEW * len(present):  # where every class is small, the data set is
        found.append(Finding("few_samples", f"Fewer than {_FEW} training samples of: {join_some(few)}."))
    rarest, commonest = min(present, key=lambda i: train[i]), int(train.argmax())
    if train[commonest] >= _UNEQUAL * train[rarest]:
        text = (
            f"The training part holds {train[commonest]} samples of {names[commonest]!r} and {train[rarest]} of "
            f"{names[rarest]!r}."
        )
        found.append(Finding("imbalance", text))
    if shift.p_value < SURE and shift.distance >= _MATTERS:
        of_train, of_test = train / train.sum(), test / test.sum()
        most, n = int(np.abs(of_train - of_test).argmax()), int(min(train.sum(), test.sum()))
        shares = [share(part[most], n) for part in (of_train, of_test)]
        where = f"{shares[0]} of the training samples, {shares[1]} of the test samples"
        found.append(Finding("prior_shift", f"{names[most]!r}: {where} (p = {shift.p_value:.2g})."))
    return found


def check_parts(split: Split) -> None:
    """Raise unless both parts hold samples, with one label each, of the same kind and shape."""
    where = split.name or "data"
    for name, part in (("training", split.train), ("test", split.test)):
        if len(part) == 0:
            raise DataError(
                f"{where}: expected samples in both parts, got none in the {name} part. Give it samples, or "
                "hold some out of the other part."
            )
        if has_classes(part.y) and part.y.min() < 0:
            raise DataError(
                f"{where}: expected labels from 0 up, got {part.y.min()} in the {name} part. Give indices into the "
                "class names."
            )
        if len(part.y) != len(part):
            raise DataError(
                f"{where}: expected one label per sample, got {len(part.y)} labels for {len(part)} samples in the "
                f"{name} part. Check that they belong together."
            )
    shapes = [map_arrays(lambda array: array.shape[1:], part.X) for part in (split.train, split.test)]
    if shapes[0] != shapes[1]:
        raise DataError(
            f"{where}: training samples have shape {shapes[0]} and test samples {shapes[1]}. Convert them to "
            "one shape."
        )
