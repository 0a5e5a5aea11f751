"""The classes of both parts: how many of each, whether their shares differ, and what a constant answer scores."""

from typing import Any

import numpy as np

from pellucid.checks.records import ConstantScore, Finding, Homogeneity
from pellucid.data.dataset import Dataset, Split
from pellucid.errors import DataError
from pellucid.rng import stream
from pellucid.stats.intervals import wilson_interval
from pellucid.text import join_some, printable
from pellucid.types import Array

SURE = 0.01  # a shift is told where chance alone would make one as large in fewer than 1 of 100 draws ...
_MATTERS = (
    0.03  # ... and where the shares differ by 3 points or more: of very many samples any difference is sure
)
_UNEQUAL = 10  # times more of the commonest class than of the rarest
_FEW = 10  # samples of a class in the training part
_DRAWS = 9_999  # of the permutation test


def has_classes(data: Dataset) -> bool:
    """Return whether each sample has one class."""
    return data.y.ndim == 1 and data.y.dtype.kind != "f"


def class_counts(data: Dataset, k: int) -> Array:
    """Return how many samples each of k classes has, shape (k,)."""
    return np.bincount(data.y, minlength=k)


def n_classes(split: Split) -> int:
    """Return the number of classes, named or only occurring."""
    labels = [int(part.y.max()) + 1 for part in (split.train, split.test) if len(part)]
    return max([len(split.classes), *labels])


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
        (Cochran, 1954); otherwise by Fisher's exact test (1934) for two classes, and by 9,999 random permutations
        of the samples over the parts, always the same ones, for more.

    Examples
    --------
    >>> result = homogeneity(np.array([137, 72]), np.array([17, 33]))
    >>> result.method, f"{result.p_value:.1e}", round(result.distance, 3)
    ('chi-squared', '4.5e-05', 0.316)
    """
    from scipy import stats

    table = np.stack([train, test])[:, (train + test) > 0].astype(np.int64)
    shares = table / table.sum(axis=1, keepdims=True)
    distance = float(np.abs(shares[0] - shares[1]).sum() / 2)
    if table.shape[1] == 1:
        return Homogeneity("chi-squared", 0.0, 1.0, 0.0)
    expected = table.sum(axis=1, keepdims=True) * table.sum(axis=0) / table.sum()
    statistic = float(((table - expected) ** 2 / expected).sum())
    if expected.min() >= 5:
        p_value = float(stats.chi2.sf(statistic, table.shape[1] - 1))
        return Homogeneity("chi-squared", statistic, p_value, distance)
    if table.shape[1] == 2:
        return Homogeneity("Fisher's exact", None, float(stats.fisher_exact(table).pvalue), distance)
    return Homogeneity("permutation", statistic, _permutation(table, expected, statistic), distance)


def _permutation(table: Array, expected: Array, statistic: float) -> float:
    """Return how often a random division of the same samples gives a chi-squared as large."""
    pool, n_test = table.sum(axis=0), int(table[1].sum())
    draws = stream(0, "homogeneity").multivariate_hypergeometric(
        pool, n_test, size=_DRAWS, method="marginals"
    )
    drawn = ((draws - expected[1]) ** 2 * (1 / expected[1] + 1 / expected[0])).sum(axis=1)
    return float((1 + np.count_nonzero(drawn >= statistic * (1 - 1e-9))) / (1 + _DRAWS))


def constant_scores(split: Split) -> dict[str, ConstantScore]:
    """Return what two constant answers score on the test part, with 95 % intervals.

    Returns
    -------
    dict
        "train_majority": the class most common in training, as somebody without the test labels would answer.
        "best_constant": the class most common in the test part, the most that a constant answer can score.

    Examples
    --------
    >>> train, test = [Dataset(np.zeros((m, 1)), np.arange(m) % 3 // 2, ("no", "yes")) for m in (9, 5)]
    >>> constant_scores(Split(train, test))["train_majority"].to_dict()["class"]
    'no'
    """
    k = n_classes(split)
    train, test = class_counts(split.train, k), class_counts(split.test, k)
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


def called(split: Split, label: int) -> str:
    """Return the name of a class, or its number."""
    return printable(split.classes[label]) if label < len(split.classes) else str(label)


def balance_findings(split: Split, result: Homogeneity) -> list[Finding]:
    """Return what is odd about the classes of both parts."""
    k = n_classes(split)
    train, test = class_counts(split.train, k), class_counts(split.test, k)
    found = [_absent(split, "training", train), _absent(split, "test", test)]
    present = np.flatnonzero(train)
    few = [int(i) for i in present if train[i] < _FEW]
    if few and len(split.train) >= _FEW * len(present):  # where every class is small, the set is
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
        found.append(Finding("prior_shift", shift_words(split, result)))
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


def shift_words(split: Split, result: Homogeneity) -> str:
    """Return in a sentence by how much the shares of the classes differ, and whether that can be chance."""
    k = n_classes(split)
    train, test = class_counts(split.train, k), class_counts(split.test, k)
    shares = train / len(split.train), test / len(split.test)
    most = int(np.abs(shares[0] - shares[1]).argmax())
    percent = [f"{100 * share[most]:.0f} %" for share in shares]
    name = repr(called(split, most))
    if result.p_value >= SURE:
        return (
            "The shares of the classes in both parts differ no more than chance explains "
            f"({percent[0]} and {percent[1]} for {name}, p = {result.p_value:.2g})."
        )
    return (
        f"{percent[0]} of the training samples and {percent[1]} of the test samples are {name}. "
        f"Were both drawn from one pool, they would differ as much {odds(result.p_value)}."
    )


def odds(p: float) -> str:
    """Return a small probability in words.

    Examples
    --------
    >>> odds(0.004), odds(4.6e-05), odds(1e-30)
    ('about 4 times in 1,000 (p = 0.004)', 'about 5 times in 100,000 (p = 4.6e-05)',
     'less than once in a million times (p = 1e-30)')
    """
    if p < 1e-6:
        return f"less than once in a million times (p = {p:.2g})"
    scale = 10 ** int(np.ceil(-np.log10(p)))
    times = max(1, round(p * scale))
    if times == 10:
        times, scale = 1, scale // 10
    return f"about {'once' if times == 1 else f'{times} times'} in {scale:,} (p = {p:.2g})"


def no_classes(split: Split) -> str:
    """Return why nothing is said of classes, or "" where they are."""
    if all(has_classes(part) for part in (split.train, split.test)):
        return ""
    what = "several yes-or-no questions" if split.train.y.ndim == 2 else "quantities"
    return f"The labels are {what}: class balance, conflicts and constant answers were left out."


def check_parts(split: Split) -> None:
    """Raise unless both parts hold samples, with one label each, of the same kind and shape."""
    for name, part in (("training", split.train), ("test", split.test)):
        if len(part) == 0:
            raise DataError(
                f"{split.name or 'data'}: expected samples in both parts, got none in the {name} part. "
                "Give it samples, or hold some out of the other part."
            )
        if len(part.y) == len(part) and part.y.dtype.kind not in "buif":
            raise DataError(
                f"{split.name or 'data'}: expected numbers as labels, got dtype {part.y.dtype} in the {name} part. "
                "Give indices into the class names."
            )
        if has_classes(part) and part.y.min() < 0:
            raise DataError(
                f"{split.name or 'data'}: expected labels from 0 up, got {part.y.min()} in the {name} part. "
                "Give indices into the class names."
            )
        if len(part.y) != len(part):
            raise DataError(
                f"{split.name or 'data'}: expected one label a sample, got {len(part.y)} labels for {len(part)} "
                f"samples in the {name} part. Check that they belong together."
            )
    shapes = [_shapes(part.X) for part in (split.train, split.test)]
    if shapes[0] != shapes[1]:
        raise DataError(
            f"{split.name or 'data'}: training samples have shape {shapes[0]} and test samples {shapes[1]}. "
            "Bring them to one shape."
        )


def _shapes(X: Any) -> Any:
    return {name: array.shape[1:] for name, array in X.items()} if isinstance(X, dict) else X.shape[1:]
