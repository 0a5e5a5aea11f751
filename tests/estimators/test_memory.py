"""Fits by the thousand in one process: each gives back what it took, at once."""

import gc
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.every import every

from pellucid.estimators import MLPClassifier, MLPRegressor, NetworkClassifier
from pellucid.training.events import TrainStart

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
    repeat(n)
    before = repeat(n)
    grown = min(repeat(n) - before for _ in range(2)) * 4096 / n
    assert grown < 4096, f"{grown:.0f} bytes a fit"
