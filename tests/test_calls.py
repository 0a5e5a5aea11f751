"""The doors of the library: each public function and class says in one line what was wrong with a call."""

import sys
from doctest import DocTestFinder
from typing import Any

import numpy as np
import pytest

import pellucid as pl
from pellucid.errors import CallError, DataError, OptionError, OutOfMemoryError, PellucidError, unknown_name
from pellucid.registry import validate_call
from tests.every import every

X = np.random.default_rng(0).standard_normal((20, 3)).astype(np.float32)
y = (X.sum(axis=1) > 0).astype(np.int64)


def model() -> pl.Sequential:
    return pl.Sequential([pl.Dense(1)])


def train(**options: Any) -> Any:
    return pl.train(model(), (X, y), **{"n_epochs": 1, **options})


@every(
    ("call", "words"),
    [
        (lambda: pl.Dense(1.0), "units to be a whole number"),
        (lambda: pl.Dense("3"), "units to be a whole number"),
        (lambda: pl.Dense(True), "units to be a whole number"),
        (lambda: pl.Augment("flip"), "transforms to be a list"),
        (lambda: pl.Augment(3), "transforms to be a list"),
        (lambda: pl.preset("mlp", n_classes=2.0), "n_classes to be a whole number"),
        (lambda: train(n_epochs=2.5), "n_epochs to be a whole number"),
        (lambda: train(n_epochs=2.0), "n_epochs to be a whole number"),
        (lambda: train(batch_size="4"), "batch_size to be a whole number"),
        (lambda: train(seed=1.5), "seed to be a whole number"),
        (lambda: train(n_threads=100_000), "of at most 256"),
        (lambda: train(optimizer=3), "optimizer to be"),
        (lambda: train(schedule=3), "schedule to be"),
        (lambda: train(callbacks=3), "callbacks to be a list"),
        (lambda: train(callbacks=[3]), "callbacks to be a list"),
        (lambda: train(resume=3), "resume to be"),
        (lambda: train(sample_weight="x"), "one number for each sample"),
        (lambda: pl.train(3, (X, y)), "model to be a Model"),
        (lambda: pl.load(3), "path to be"),
        (lambda: pl.save(3, "x"), "model to be a Model"),
        (lambda: pl.compare("mlp", data="drawn-cats", cv="5"), "cv: expected a number of folds"),
        (lambda: pl.saliency(model(), X[0], methods="gradient"), "methods to be a list"),
        (lambda: pl.Dataset(3, 4), "X to be an array"),
        (lambda: model().initialize(3), "input_shape to be a list"),
        (lambda: model().initialize((3.0,)), "input_shape to be a list"),
        (lambda: model().initialize((-3,)), "input_shape to be a list"),
        (lambda: model().initialize((3,), seed=1.5), "seed to be a whole number"),
    ],
)
def test_a_wrong_argument_is_named(call: Any, words: str) -> None:
    with pytest.raises((OptionError, DataError)) as caught:
        call()
    assert words in str(caught.value)
    assert isinstance(caught.value, ValueError)  # as callers of NumPy and scikit-learn expect


def test_an_argument_that_does_not_exist_or_is_missing_is_named() -> None:
    for call, words in (
        (lambda: pl.preset("mlp", n_class=3), "unknown argument 'n_class'. Did you mean 'n_classes'?"),
        (lambda: pl.load_data(), "missing a required argument: 'source'"),
    ):
        with pytest.raises(CallError) as caught:
            call()
        assert words in str(caught.value)
        assert isinstance(caught.value, TypeError)  # as Python itself raises


def test_integers_of_numpy_are_integers() -> None:
    layers = [
        pl.Conv2D(np.int64(4), np.int32(3)),
        pl.MaxPool2D(np.uint8(2)),
        pl.Flatten(),
        pl.Dense(np.int16(1)),
    ]
    network = pl.Sequential(layers)
    network.initialize(tuple(np.array([8, 8, 3])), seed=np.int64(1))
    plain = pl.Sequential(pl.Conv2D(4, 3), pl.MaxPool2D(2), pl.Flatten(), pl.Dense(1))
    assert network.config() == plain.config()
    assert train(n_epochs=np.int64(2), batch_size=np.int32(5)).n_steps == 8


def test_what_does_not_fit_in_memory_says_what_to_try() -> None:
    for units in (2**40, 2**62, 10**40):
        words = r"parameters do not fit in memory\. Make it smaller"
        with pytest.raises(OutOfMemoryError, match=words) as caught:
            pl.Sequential(pl.Dense(units)).initialize((3,))
        assert isinstance(caught.value, MemoryError)
    network = pl.Sequential(pl.UpSample2D(2**20), pl.UpSample2D(2**20), pl.GlobalAvgPool2D(), pl.Dense(1))
    network.initialize((64, 64, 3))
    with pytest.raises(OutOfMemoryError, match="Try a smaller batch"):
        network.forward(np.zeros((1, 64, 64, 3), np.float32))


def test_a_checked_function_keeps_its_name_examples_and_errors() -> None:
    @validate_call("n")
    def half(n: int) -> float:
        """Return half of n."""
        raise TypeError("from inside")

    assert (half.__name__, half.__doc__) == ("half", "Return half of n.")
    with pytest.raises(TypeError, match="from inside") as caught:
        half(3)
    assert not isinstance(caught.value, PellucidError)
    found = DocTestFinder().find(sys.modules[pl.train.__module__])
    assert any(test.name.endswith("fit.train") and test.examples for test in found)


def test_initials_and_endless_names_in_messages() -> None:
    assert "Did you mean 'learning_rate'?" in unknown_name("option", "lr", ["learning_rate", "momentum"])
    assert len(unknown_name("output", "n" * 10_000, ["a"])) < 200
