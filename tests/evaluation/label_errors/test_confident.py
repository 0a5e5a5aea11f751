"""Which labels are contradicted, given probabilities: by hand, and by cleanlab where it is installed."""

import numpy as np
import pytest

from pellucid.evaluation.label_errors.confident import confident_classes, contradicted


def noisy(seed: int, k: int = 4, m: int = 300) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, k, m)
    Z = rng.normal(size=(m, k)) + 3 * np.eye(k)[truth]
    P = np.exp(Z) / np.exp(Z).sum(axis=1, keepdims=True)
    y = truth.copy()
    y[rng.choice(m, m // 10, replace=False)] = rng.integers(0, k, m // 10)
    return P, y


def test_a_label_is_contradicted_by_a_class_that_reaches_its_threshold() -> None:
    P = np.array([[0.9, 0.1, 0.0], [0.7, 0.3, 0.0], [0.2, 0.8, 0.0], [0.45, 0.55, 0.0], [0.79, 0.21, 0.0]])
    y = np.array([0, 0, 1, 1, 1])
    classes, thresholds = confident_classes(P, y)
    np.testing.assert_allclose(thresholds, [0.8, 0.52, np.inf])
    assert classes.tolist() == [0, -1, 1, 1, -1]  # 0.79 is likely class 0, but not as sure as that usually is
    assert not len(contradicted(P, y)[0])
    P[4] = 0.81, 0.19, 0.0
    rows, likely = contradicted(P, y)
    assert rows.tolist() == [4]
    assert likely.tolist() == [0]


def test_the_clearest_comes_first() -> None:
    P, y = noisy(1)
    rows, likely = contradicted(P, y)
    margins = P[rows, likely] - P[rows, y[rows]]
    assert len(rows) > 10
    assert (np.diff(margins) <= 0).all()
    assert (y[rows] != likely).all()


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_cleanlab_finds_the_same(seed: int) -> None:
    filters = pytest.importorskip("cleanlab.filter")
    P, y = noisy(seed)
    theirs = filters.find_label_issues(y, P, filter_by="confident_learning", n_jobs=1)
    assert sorted(contradicted(P, y)[0].tolist()) == np.flatnonzero(theirs).tolist()
