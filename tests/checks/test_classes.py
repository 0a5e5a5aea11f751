"""Classes of both parts: tests and intervals against SciPy and statsmodels, and when something is said."""

import numpy as np
import pytest
from scipy import stats
from tests.every import every

from pellucid.checks.check import check_data
from pellucid.checks.classes import constant_scores, homogeneity
from pellucid.data.dataset import Dataset, Split
from pellucid.stats.intervals import wilson_interval


def split_of(train: list[int], test: list[int], classes: tuple[str, ...] = ()) -> Split:
    """Return distinct rows with these numbers of each class in each part."""
    parts, start = [], 0
    for counts in (train, test):
        y = np.repeat(np.arange(len(counts)), counts)
        parts.append(Dataset(np.arange(start, start + len(y) * 2.0).reshape(-1, 2), y, classes))
        start += len(y) * 2
    return Split(*parts)


def kinds(split: Split) -> list[str]:
    return [finding.kind for finding in check_data(split).findings]


@every("counts", [([137, 72], [17, 33]), ([50, 60, 70], [20, 20, 20])])
def test_chi_squared_is_scipys(counts: tuple[list[int], list[int]]) -> None:
    ours = homogeneity(*map(np.array, counts))
    theirs = stats.chi2_contingency(np.array(counts), correction=False)
    assert ours.method == "chi-squared"
    assert ours.statistic == pytest.approx(theirs.statistic, rel=1e-12)
    assert ours.p_value == pytest.approx(theirs.pvalue, rel=1e-9)


def test_few_samples_are_tested_exactly() -> None:
    two = homogeneity(np.array([8, 2]), np.array([1, 5]))
    assert two.method == "Fisher's exact"
    assert two.p_value == pytest.approx(0.03497, abs=1e-4)  # the example of SciPy's documentation


def test_rare_classes_are_taken_together() -> None:
    rare = homogeneity(np.array([60, 50, 7, 8, 3]), np.array([20, 40, 3, 4, 0]))
    theirs = stats.chi2_contingency(np.array([[60, 50, 18], [20, 40, 7]]), correction=False)
    assert rare.method == "chi-squared"
    assert rare.p_value == pytest.approx(theirs.pvalue, rel=1e-9)
    few = homogeneity(np.array([9, 9, 0, 0]), np.array([0, 0, 9, 9]))
    assert few.method in ("chi-squared", "Fisher's exact")
    assert few.distance == 1


def test_the_same_proportions_are_no_shift() -> None:
    assert homogeneity(np.array([50, 50]), np.array([20, 20])).p_value == 1
    assert homogeneity(np.array([50, 0]), np.array([20, 0])).p_value == 1
    assert "prior_shift" not in kinds(split_of([100, 100], [50, 45]))


def test_a_shift_is_told_with_its_probability_if_it_is_sure_and_matters() -> None:
    split = split_of([137, 72], [17, 33], ("non-cat", "cat"))
    (shift,) = check_data(split).of_kind("prior_shift")
    assert shift.found == "'cat': 34 % of the training samples, 66 % of the test samples (p = 4.5e-05)."
    sure_but_small = split_of([20_000, 20_000], [10_000, 10_600])
    assert homogeneity(np.array([20_000, 20_000]), np.array([10_000, 10_600])).p_value < 0.01
    assert "prior_shift" not in kinds(sure_but_small)


@every(
    ("train", "test", "expected"),
    [
        ([100, 10], [20, 2], ["imbalance"]),
        ([99, 10], [20, 2], []),
        ([50, 50, 0], [10, 10, 2], ["absent_class"]),
        ([50, 50, 20], [10, 10, 0], ["absent_class"]),
        ([60, 60, 9], [10, 10, 2], ["few_samples"]),
        ([5, 5], [2, 2], []),  # all is small
    ],
)
def test_sizes_of_classes(train: list[int], test: list[int], expected: list[str]) -> None:
    assert kinds(split_of(train, test)) == expected


def test_one_class_only_is_said_and_does_not_crash() -> None:
    report = check_data(split_of([30, 0], [10, 0], ("cat", "dog")))
    texts = [finding.found for finding in report.of_kind("absent_class")]
    assert texts == [
        "Every training sample is 'cat'; none is dog.",
        "Every test sample is 'cat'; none is dog.",
    ]
    assert report.baseline["best_constant"].accuracy == 1


def test_constant_answers() -> None:
    scores = constant_scores(split_of([10, 20, 5], [5, 2, 9], ("a", "b", "c")))
    assert (scores["train_majority"].answer, scores["train_majority"].n_correct) == ("b", 2)
    assert (scores["best_constant"].answer, scores["best_constant"].n_correct) == ("c", 9)
    assert scores["best_constant"].interval == wilson_interval(9, 16)


@every("y", ["quantities", "questions"])
def test_labels_that_are_no_classes(rng: np.random.Generator, y: str) -> None:
    X = rng.standard_normal((40, 3))
    labels = rng.standard_normal(40) if y == "quantities" else rng.integers(0, 2, (40, 3))
    X[5] = X[4]
    report = check_data(Split(Dataset(X[:30], labels[:30], ()), Dataset(X[30:], labels[30:], ())))
    assert report.baseline == {}
    assert report.shift is None
    assert any("were left out" in note for note in report.notes)
    assert report.of_kind("duplicate" if y == "quantities" else "conflict")
