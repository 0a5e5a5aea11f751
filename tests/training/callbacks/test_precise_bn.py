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
    layers = [pl.Flatten(), pl.Dense(6), pl.BatchNorm(), pl.Dropout(0.3), pl.Dense(4), pl.BatchNorm()]
    return pl.Sequential([*layers, pl.Dense(1)])


def trained(data: pl.Dataset, *callbacks: Any, n_threads: int = 1) -> pl.Sequential:
    model = network()
    options: Any = {"optimizer": SGD(0.1), "n_epochs": 4, "batch_size": 16, "n_threads": n_threads}
    pl.train(model, data, augment=pl.Augment([Brightness(0.9)]), callbacks=list(callbacks), **options)
    return model


def statistics(model: pl.Sequential, X: Any, n_layers: int) -> list[Any]:
    """Return mean and unbiased variance over all samples of what comes out of the first layers in prediction."""
    Z = X.astype("float32") / np.float32(255)
    for layer in model.layers[:n_layers]:
        Z = layer.forward(Z).copy()
    return [Z.mean(axis=0), Z.var(axis=0, ddof=1)]


@every("n_threads", [1, 2])
def test_statistics_are_those_of_the_samples_as_they_are(data: pl.Dataset, n_threads: int) -> None:
    """Of deeper layers as prediction feeds them: behind the first norm as it was measured, without dropout."""
    model, followed = (trained(data, *more, n_threads=n_threads) for more in ([PreciseBatchNorm(data)], []))
    for at in (2, 5):
        found, (mean, var) = model.layers[at].state, statistics(model, data.X, at)
        np.testing.assert_allclose(found["running_mean"], mean, atol=1e-6)
        np.testing.assert_allclose(found["running_var"], var, rtol=1e-4)
    first = statistics(model, data.X, 2)[0]
    assert np.abs(followed.layers[2].state["running_mean"] - first).max() > 0.01  # bright and dark ones
    np.testing.assert_array_equal(model.theta, followed.theta)
    assert "forward" not in vars(model.layers[2])  # nothing listens any more


def test_it_comes_after_the_average_of_the_weights(data: pl.Dataset) -> None:
    model = trained(data, PreciseBatchNorm(data), WeightEMA(0.5))
    mean = statistics(model, data.X, 2)[0]
    np.testing.assert_allclose(model.layers[2].state["running_mean"], mean, atol=1e-6)


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
    nodes = {"a": (encoder, "one"), "b": (encoder, "two"), "both": ("concat", ["a", "b"])}
    model = pl.Graph(inputs=["one", "two"], nodes=nodes, outputs="both")
    model.initialize({"one": (3,), "two": (3,)}, dtype="float64")
    model.preprocessing = pl.Preprocessing()
    X = {"one": rng.standard_normal((300, 3)), "two": 2 + rng.standard_normal((300, 3))}
    measure_batch_norms(model, pl.Dataset(X, np.arange(300) % 2))
    Z = np.concatenate(list(X.values())) @ encoder.layers[0].params["W"]
    np.testing.assert_allclose(encoder.layers[1].state["running_mean"], Z.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(encoder.layers[1].state["running_var"], Z.var(axis=0, ddof=1), rtol=1e-12)
