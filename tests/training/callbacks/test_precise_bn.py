"""Running statistics at the end of a training are those of the samples as they are."""

from typing import Any

import numpy as np
import pytest
from tests.every import every
from tests.ops.cases import HAS_NUMBA

import pellucid as pl
from pellucid import dispatch
from pellucid.data.augmentation.colour import Brightness
from pellucid.nn.model import PREDICT_ROWS
from pellucid.training.callbacks.precise_bn import PreciseBatchNorm, measure_batch_norms
from pellucid.training.callbacks.weight_ema import WeightEMA
from pellucid.training.optimizers.sgd import SGD


@pytest.fixture
def data(rng: np.random.Generator) -> pl.Dataset:
    return pl.Dataset(rng.integers(0, 256, (45, 4, 4, 3), dtype=np.uint8), np.arange(45) % 2)


def network() -> pl.Sequential:
    return pl.Sequential(
        [pl.Flatten(), pl.Dense(6), pl.BatchNorm(), pl.Dropout(0.3), pl.Dense(4), pl.BatchNorm(), pl.Dense(1)]
    )


def trained(data: pl.Dataset, *callbacks: Any, n_threads: int = 1) -> pl.Sequential:
    model = network()
    options: Any = {"optimizer": SGD(0.1), "n_epochs": 4, "batch_size": 16, "n_threads": n_threads}
    pl.train(model, data, augment=pl.Augment([Brightness(0.9)]), callbacks=list(callbacks), **options)
    return model


def plain_means(model: pl.Sequential, X: Any) -> tuple[Any, Any]:
    """Return mean and unbiased variance of what the first norm is fed, over all samples."""
    Z = model.layers[1].forward(X.reshape(len(X), -1).astype("float32") / np.float32(255))
    return Z.mean(axis=0), Z.var(axis=0, ddof=1)


@every("n_threads", [1, 2])
def test_statistics_are_those_of_the_samples_as_they_are(data: pl.Dataset, n_threads: int) -> None:
    model = trained(data, PreciseBatchNorm(data), n_threads=n_threads)
    mean, var = plain_means(model, data.X)
    np.testing.assert_allclose(model.layers[2].state["running_mean"], mean, atol=1e-6)
    np.testing.assert_allclose(model.layers[2].state["running_var"], var, rtol=1e-4)
    followed = trained(data, n_threads=n_threads)
    assert np.abs(followed.layers[2].state["running_mean"] - mean).max() > 0.01  # bright and dark ones


def test_deeper_layers_are_measured_as_prediction_feeds_them(data: pl.Dataset) -> None:
    """Behind the first norm as it was measured just before, and without dropout."""
    model = trained(data, PreciseBatchNorm(data))
    Z = data.X.astype("float32") / np.float32(255)
    for layer in model.layers[:5]:
        Z = layer.forward(Z).copy()
    np.testing.assert_allclose(model.layers[5].state["running_mean"], Z.mean(axis=0), atol=1e-6)
    np.testing.assert_allclose(model.layers[5].state["running_var"], Z.var(axis=0, ddof=1), rtol=1e-4)


def test_parameters_are_left_alone(data: pl.Dataset) -> None:
    with_it, without = trained(data, PreciseBatchNorm(data)), trained(data)
    np.testing.assert_array_equal(with_it.theta, without.theta)
    assert "forward" not in vars(with_it.layers[2])  # nothing listens any more


def test_it_comes_after_the_average_of_the_weights(data: pl.Dataset) -> None:
    model = trained(data, PreciseBatchNorm(data), WeightEMA(0.5))
    np.testing.assert_allclose(
        model.layers[2].state["running_mean"], plain_means(model, data.X)[0], atol=1e-6
    )


@every("kernels", ["numpy", "numba"] if HAS_NUMBA else ["numpy"])
def test_a_small_deviation_far_from_zero(kernels: str, rng: np.random.Generator) -> None:
    """Where E[x^2] - mean^2 cancels: to -0.02 here, and then to NaN."""
    m = 2 * PREDICT_ROWS + 50
    X = 1e7 + 1e-3 * rng.standard_normal((m, 3))
    model = pl.Sequential([pl.BatchNorm(), pl.Dense(1)], dtype="float64")
    model.initialize((3,))
    model.preprocessing = pl.Preprocessing()
    with dispatch.use(kernels):
        measure_batch_norms(model, pl.Dataset(X, np.arange(m) % 2))
        assert np.isfinite(model.decision_function(X)).all()
    state = model.layers[0].state
    np.testing.assert_allclose(state["running_mean"], X.mean(axis=0), rtol=1e-15)
    np.testing.assert_allclose(state["running_var"], X.var(axis=0, ddof=1), rtol=1e-5)


def test_a_norm_in_several_places_is_measured_over_all(rng: np.random.Generator) -> None:
    encoder = pl.Sequential([pl.Dense(4), pl.BatchNorm()])
    model = pl.Graph(
        inputs=["one", "two"],
        nodes={"a": (encoder, "one"), "b": (encoder, "two"), "both": ("concat", ["a", "b"])},
        outputs="both",
    )
    model.initialize({"one": (3,), "two": (3,)}, dtype="float64")
    model.preprocessing = pl.Preprocessing()
    X = {"one": rng.standard_normal((300, 3)), "two": 2 + rng.standard_normal((300, 3))}
    measure_batch_norms(model, pl.Dataset(X, np.arange(300) % 2))
    Z = np.concatenate(list(X.values())) @ encoder.layers[0].params["W"]
    np.testing.assert_allclose(encoder.layers[1].state["running_mean"], Z.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(encoder.layers[1].state["running_var"], Z.var(axis=0, ddof=1), rtol=1e-12)
