"""The classes of both parts: how many of each, whether their proportions differ, and what a constant scores."""

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
    train, test = counts = class_counts(split)
    shift = homogeneity(train, test)
    fields = {
        "counts": {
            part: {called(split, i): int(n) for i, n in enumerate(its)}
            for part, its in zip(("train", "test"), counts, strict=True)
        },
        "shift": shift,
        "baseline": constant_scores(split),
    }
    return fields, balance_findings(split, counts, shift), []


def class_counts(split: Split) -> Array:
    """Return how many samples each class has, named or not, in the training and in the test part, shape (2, k)."""
    labels = [part.y for part in (split.train, split.test)]
    k = max([len(split.classes), *(int(y.max()) + 1 for y in labels if len(y))])
    return np.stack([np.bincount(y, minlength=k) for y in labels])


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


def constant_scores(split: Split) -> dict[str, ConstantScore]:
    """Return what two constant predictions score on the test part, with 95 % intervals.

    Returns
    -------
    dict
        "train_majority": the class most common in training, the usual majority-class baseline.
        "best_constant": the class most common in the test part, the highest score of a constant prediction.

    Examples
    --------
    >>> from pellucid.data.dataset import Dataset
    >>> train, test = [Dataset(np.zeros((m, 1)), np.arange(m) % 3 // 2, ("no", "yes")) for m in (9, 5)]
    >>> constant_scores(Split(train, test))["train_majority"].to_dict()["class"]
    'no'
    """
    train, test = class_counts(split)
    answers = {"train_majority": int(train.argmax()), "best_constant": int(test.argmax())}
    return {
        name: ConstantScore(
            called(split, label),
            int(test[label]),
            len(split.test),
            wilson_interval(int(test[label]), len(split.test)),
        )
        for name, label in answers.items()
    }


def balance_findings(split: Split, counts: Array, result: Homogeneity) -> list[Finding]:
    """Return the findings on the classes of both parts."""
    train, test = counts
    found = [_absent(split, "training", train), _absent(split, "test", test)]
    present = np.flatnonzero(train)
    few = [int(i) for i in present if train[i] < _FEW]
    if few and len(split.train) >= _FEW * len(present):  # where every class is small, the data set is
        words = join_some([f"{called(split, i)} ({train[i]})" for i in few])
        found.append(Finding("few_samples", f"Fewer than {_FEW} training samples of: {words}."))
    rarest, commonest = int(present[train[present].argmin()]), int(train.argmax())
    if train[commonest] >= _UNEQUAL * train[rarest]:
        found.append(
            Finding(
                "imbalance",
                f"The training part holds {train[commonest]} samples of {called(split, commonest)!r} and "
                f"{train[rarest]} of {called(split, rarest)!r}.",
            )
        )
    if result.p_value < SURE and result.distance >= _MATTERS:
        of_train, of_test = train / train.sum(), test / test.sum()
        most, n = int(np.abs(of_train - of_test).argmax()), int(min(train.sum(), test.sum()))
        shares = [share(part[most], n) for part in (of_train, of_test)]
        where = f"{shares[0]} of the training samples, {shares[1]} of the test samples"
        text = f"{called(split, most)!r}: {where} (p = {result.p_value:.2g})."
        found.append(Finding("prior_shift", text))
    return [finding for finding in found if finding is not None]


def _absent(split: Split, part: str, counts: Array) -> Finding | None:
    missing = np.flatnonzero(counts == 0)
    if not len(missing):
        return None
    names = join_some([called(split, int(i)) for i in missing])
    only = np.flatnonzero(counts)
    if len(only) == 1:
        return Finding(
            "absent_class", f"Every {part} sample is {called(split, int(only[0]))!r}; none is {names}."
        )
    return Finding("absent_class", f"The {part} part has no sample of: {names}.")


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
