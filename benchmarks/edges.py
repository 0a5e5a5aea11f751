"""What happens at the edges: the figures of docs/limits.md, each measured.

::

    python -m benchmarks.edges

Every function of ``EDGES`` returns the figure as the page has it; tests/test_edges.py compares the two.
"""

import gc
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import pellucid as pl
from pellucid.data.preprocess import Preprocessing
from pellucid.estimators import MLPClassifier
from pellucid.types import Array

EDGES: dict[str, Callable[[], str]] = {}
N = 40


def edge(function: Callable[[], str]) -> Callable[[], str]:
    """Enter a function under its name."""
    EDGES[function.__name__] = function
    return function


def rows(offset: float = 0.0) -> tuple[Array, Array]:
    """Return 40 rows of three numbers around ``offset``, and whether the first of them is above it."""
    X = np.random.default_rng(0).standard_normal((N, 3))
    return X + offset, (X[:, 0] > 0).astype(int)


def accuracy(layers: list[Any], X: Array, y: Array, dtype: str, **options: Any) -> str:
    """Return the training accuracy of a network, as a fraction of the rows."""
    model = pl.Sequential(layers, dtype=dtype)
    pl.train(model, (X, y), optimizer="sgd", seed=1, **options)
    n_right = int(((model._raw_outputs(X.astype(dtype))[:, 0] > 0) == y).sum())
    return f"{n_right} of {N} rows"


def _normed(batch_size: int) -> str:
    layers = [pl.Dense(8), pl.BatchNorm(), pl.Activation("relu"), pl.Dense(1)]
    return accuracy(layers, *rows(), "float64", n_epochs=30, batch_size=batch_size)


@edge
def batches_of_one_and_batch_norm() -> str:
    """Batches of one sample next to batches of ten."""
    return f"{_normed(1)} after 30 epochs, {_normed(10)} with batches of ten"


@edge
def a_channel_that_is_constant_in_training() -> str:
    """How many times batch norm multiplies a departure from a channel that never moved in training."""
    layer = pl.BatchNorm()
    model = pl.Sequential([layer], dtype="float64")
    model.initialize((1,))
    for _ in range(500):
        model.forward(np.full((4, 1), 7.0), training=True)
    change = model._raw_outputs(np.array([[8.0]])) - model._raw_outputs(np.array([[7.0]]))
    return f"{change[0, 0]:.0f} times"


@edge
def columns_that_differ_by_rounding() -> str:
    """The scale of a column of 0.1 + 0.2 and 0.3, and of one with a true deviation of 1e-12."""
    X = np.array([[0.1 + 0.2, 1.0], [0.3, 1.0 + 2e-12]])
    rule = Preprocessing.standardize(X)
    near = rule.apply(np.array([[0.3, 1.1]]), np.float64)[0, 1]
    return f"a scale of {rule.scale[0]:g}; the number 1.1 becomes {near:.0e}"


@edge
def rows_far_from_zero() -> str:
    """What rows around 10,000 are learned to behind a BatchNorm in float32, and without it."""
    X, y = rows(1e4)
    hidden: list[pl.Layer] = [pl.Dense(8, activation="relu"), pl.Dense(1)]
    plain = accuracy(hidden, X, y, "float64", n_epochs=300)
    hidden = [pl.BatchNorm(), pl.Dense(8, activation="relu"), pl.Dense(1)]
    return f"{accuracy(hidden, X, y, 'float32', n_epochs=300)}, without it {plain}"


@edge
def float32_at_a_million() -> str:
    """How far apart numbers are there."""
    return f"{np.spacing(np.float32(1e6)):g} apart"


def memory_over_fits(n: int = 3000) -> str:
    """Print by how much the process has grown after many fits of an estimator."""
    X, y = rows()
    sizes = []
    for i in range(1, n + n // 10 + 1):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            MLPClassifier(8, max_iter=3, random_state=i).fit(X, y).predict(X)
        if i in (n // 10, n + n // 10):
            gc.collect()
            sizes.append(int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 1e6)
    return f"{sizes[1] - sizes[0]:+.1f} MB after {n:,} fits ({sizes[1]:.0f} MB in all)"


def main() -> None:
    """Print them all."""
    for name, function in EDGES.items():
        print(f"{name.replace('_', ' ')}: {function()}")
    print(f"memory over fits: {memory_over_fits()}")


if __name__ == "__main__":
    main()
