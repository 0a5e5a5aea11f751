"""Samples held out of a fit, and what a fit keeps in memory."""

import gc
import weakref
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sklearn.neural_network as theirs
from sklearn.datasets import load_digits
from tests.every import every

import pellucid.estimators as ours
from pellucid.estimators import MLPClassifier, MLPRegressor, NetworkClassifier
from pellucid.estimators.validation import Samples, hold_out
from pellucid.training.events import TrainStart
from pellucid.types import Array

OPTIONS = {"early_stopping": True, "shuffle": False, "max_iter": 8, "learning_rate_init": 0.01}


def digits(n_classes: int) -> tuple[Array, Array]:
    X, y = load_digits(n_class=n_classes, return_X_y=True)
    return X[:200] / 16, y[:200]


NAMES = np.array(["owl", "cat", "newt", "bee", "ant"])
QUARTER = {"random_state": 1, "validation_fraction": 0.25}


def sets() -> Iterator[tuple[Array, Array, dict[str, Any]]]:
    """Yield samples, labels and options: of several classes, in float32, of strings, of rare classes among many."""
    for n_classes, seed in ((2, 0), (3, 1), (5, 2)):
        yield *digits(n_classes), {"random_state": seed}
    for n_classes in (2, 3):
        X, y = digits(n_classes)
        yield X.astype(np.float32), y, {}
    for n_classes, dtype in ((2, str), (5, object)):
        X, y = digits(n_classes)
        yield X, NAMES.astype(dtype)[y], QUARTER
    X, y = digits(3)
    yield X, np.r_[7, 8, y[2:]], {}


@pytest.mark.filterwarnings("ignore:Stochastic Optimizer")
@every(("X", "y", "options"), sets(), ids=lambda value: str(value)[:20])
def test_probabilities_and_scores_are_scikit_learns(X: Array, y: Any, options: dict[str, Any]) -> None:
    options = {"random_state": 0, **OPTIONS, **options}
    a, b = (module.MLPClassifier((12, 7), **options).fit(X, y) for module in (theirs, ours))
    atol = 2e-6 if X.dtype == np.float32 else 1e-12
    np.testing.assert_allclose(b.predict_proba(X), a.predict_proba(X), rtol=0, atol=atol)
    np.testing.assert_allclose(b.validation_scores_, a.validation_scores_, rtol=1e-12)
    np.testing.assert_array_equal(b.predict(X), a.predict(X))
    assert b.n_iter_ == a.n_iter_


@every("part", ["training", "validation"])
def test_a_part_that_does_not_count_is_refused(part: str) -> None:
    X = np.arange(20.0)[:, None]
    parts = dict(
        zip(("training", "validation"), hold_out(Samples(X, X, X), 0.2, 0, stratify=False), strict=True)
    )
    weights = np.ones(20)
    weights[parts[part].X[:, 0].astype(int)] = 0
    with pytest.raises(ValueError, match=f"The {part} set has only samples of weight 0"):
        hold_out(Samples(X, X, X, weights), 0.2, 0, stratify=False)


STATM = Path("/proc/self/statm")
RNG = np.random.default_rng(0)
X, Y = RNG.standard_normal((60, 5)), np.arange(60) % 3
WIDE = RNG.standard_normal((30, 2000))
FITS: dict[str, Callable[..., Any]] = {
    "adam": lambda **k: MLPClassifier(8, max_iter=2, **k).fit(X, Y),
    "early stopping, batch norm, dropout": lambda **k: MLPClassifier(
        (8, 4), max_iter=2, early_stopping=True, batch_norm=True, dropout=0.1, **k
    ).fit(X, Y),
    "lbfgs": lambda **k: MLPRegressor(hidden_layer_sizes=8, solver="lbfgs", max_iter=2, **k).fit(X, X[:, 0]),
    "dual form": lambda **k: MLPClassifier(4, solver="sgd", max_iter=2, form="dual", **k).fit(
        WIDE, Y[:30] > 0
    ),
    "any network": lambda **k: NetworkClassifier(n_epochs=2, **k).fit(X, Y),
}


@pytest.mark.filterwarnings("ignore")
@every("name", FITS)
def test_a_fit_leaves_nothing_to_the_collector_of_cycles(name: str) -> None:
    """Else a loop of fits would hold many dead networks and copies of their data, until Python looks for cycles."""
    runs: list[Any] = []

    def note(event: Any) -> None:
        if isinstance(event, TrainStart):
            runs.extend([weakref.ref(event.run), weakref.ref(event.run.model)])

    FITS[name]()  # where kernels run, the first one compiles them
    gc.collect()
    gc.disable()
    try:
        FITS[name](callbacks=[note])
        assert [run() for run in runs] == [None, None]
    finally:
        gc.enable()


@pytest.mark.filterwarnings("ignore")
@pytest.mark.skipif(not STATM.exists(), reason="reads /proc")
@pytest.mark.slow
@pytest.mark.parametrize("name", FITS)
def test_memory_stays_flat_over_many_fits(name: str) -> None:
    def repeat(n: int) -> int:
        """Fit that often, predict with each, and return the pages that are resident then."""
        for seed in range(n):
            FITS[name](random_state=seed).predict(WIDE if name == "dual form" else X)
        return int(STATM.read_text().split()[1])

    n = 30 if name == "dual form" else 100
    pages = [repeat(n)]
    while len(pages) < 8:  # what leaks grows each time
        pages.append(repeat(n))
        if sum(b - a < n for a, b in pairwise(pages)) == 2:  # less than a page a fit, twice
            return
    raise AssertionError(f"pages after each {n} fits: {pages}")
