"""Averages and running statistics in float32 are those of float64, however many steps they look back."""

import importlib.util
from typing import Any

import numpy as np
from tests.every import every

import pellucid as pl
from pellucid import dispatch
from pellucid.nn.initializers import StartRandom
from pellucid.training.callbacks import PreciseBatchNorm, WeightEMA
from pellucid.training.optimizers.base import OPTIMIZERS
from pellucid.types import Array

N_STEPS, SIZE = 10_000, 40
WAYS = ("plain", "numpy", *(("numba",) if importlib.util.find_spec("numba") else ()))
# Each with the longest memory that is of use.
KEEPING = {
    "adam": {"beta1": 0.999, "beta2": 0.9999},
    "adamw": {"beta1": 0.999, "beta2": 0.9999, "weight_decay": 0.0},
    "adagrad": {},
    "rmsprop": {"decay": 0.9999, "momentum": 0.999},
    "sgd": {"momentum": 0.999},
}


def gradients(n_steps: int) -> Array:
    """Return gradients of each step: constant in the first half of the parameters, else noisy about 1."""
    grads = np.random.default_rng(5).normal(1, 0.5, (n_steps, SIZE))
    grads[:, : SIZE // 2] = np.linspace(0.1, 3, SIZE // 2)
    return grads.astype(np.float32).astype(np.float64)


def slots_after(name: str, options: dict[str, Any], dtype: str) -> dict[str, Array]:
    """Return an optimizer's averages after all steps on parameters of this dtype, and the parameters."""
    optimizer, theta = OPTIMIZERS[name](**options, learning_rate=1e-4), np.ones(SIZE, dtype)
    optimizer.start(theta, np.ones(SIZE))
    for grad in gradients(N_STEPS):
        optimizer.step(theta, grad.astype(dtype))
    return {"theta": theta, **dict(zip(optimizer.slot_names, optimizer.slots, strict=True))}


def test_every_optimizer_with_averages_is_here() -> None:
    assert {name for name, kind in OPTIMIZERS.items() if not kind.is_full_batch} == set(KEEPING)


@every("way", WAYS)
@every("name", KEEPING)
def test_optimizers_average_as_in_float64(name: str, way: str) -> None:
    with dispatch.use(way):
        expected, found = (slots_after(name, KEEPING[name], dtype) for dtype in ("float64", "float32"))
    for key, values in found.items():
        atol = 1e-4 if key == "theta" else 0.0  # it has moved by 1
        np.testing.assert_allclose(values, expected[key], rtol=2e-4, atol=atol, err_msg=f"{name}: {key}")


@every("decay", [0.0, 0.9, 0.999, 0.9999, 0.99999])
def test_the_weights_average_of_constants_is_those_constants(decay: float, rng: np.random.Generator) -> None:
    theta = rng.standard_normal(1000).astype(np.float32)
    average = WeightEMA(decay)
    average.start(theta)
    for _ in range(3000):
        average.update(theta)
    np.testing.assert_array_equal(average.theta, theta)


@every("decay", [0.9, 0.999, 0.9999, 0.99999])
def test_the_weights_average_follows_slow_drifts_in_float32(decay: float, rng: np.random.Generator) -> None:
    """Steps of (1 - d) times a small distance, each of which float32 would lose."""
    start, averages = rng.standard_normal(50), [WeightEMA(decay), WeightEMA(decay)]
    for average, dtype in zip(averages, ("float32", "float64"), strict=True):
        average.start(start.astype(dtype))
        for step in range(N_STEPS):
            average.update((start * (1 + 1e-7 * step)).astype(dtype))
    np.testing.assert_allclose(averages[0].theta, averages[1].theta, rtol=2e-7)


def batch_norm(dtype: str, offset: float, momentum: float) -> dict[str, Array]:
    """Return running statistics after batches with this mean, of parts that are constant and parts that are not."""
    layer = pl.BatchNorm(momentum=momentum)
    layer.build((6,), StartRandom(np.random.PCG64(1)))
    layer.params = {key: value.astype(dtype) for key, value in layer.params.items()}
    layer.state = {key: value.astype(dtype) for key, value in layer.state.items()}
    rng = np.random.default_rng(2)
    for _ in range(2000):
        X = offset + rng.standard_normal((16, 6))
        X[:, 0] = offset
        layer.forward(X.astype(np.float32).astype(dtype), training=True)
    return layer.state


@every("way", WAYS)
@every("offset", [0.0, 30.0, 1000.0])
@every("momentum", [0.1, 0.001])
def test_running_statistics_are_those_of_float64(way: str, offset: float, momentum: float) -> None:
    with dispatch.use(way):
        expected, found = (batch_norm(dtype, offset, momentum) for dtype in ("float64", "float32"))
    for key, values in found.items():
        assert values.dtype == np.float32
        np.testing.assert_allclose(values, expected[key], rtol=2e-4, atol=1e-4, err_msg=key)


@every("way", WAYS)
def test_precise_statistics_and_the_loss_of_an_epoch_are_those_of_float64(way: str) -> None:
    rng = np.random.default_rng(3)
    data = pl.Dataset(50 + rng.standard_normal((20_000, 3)).astype(np.float32), rng.integers(0, 2, 20_000))
    found = {}
    for dtype in ("float64", "float32"):
        model = pl.Sequential([pl.BatchNorm(), pl.Dense(1)], dtype=dtype)
        how: dict[str, Any] = {
            "n_epochs": 1,
            "batch_size": 10,
            "kernels": way,
            "seed": 1,
            "learning_rate": 1e-4,
        }
        history = pl.train(model, data, callbacks=[PreciseBatchNorm(data)], **how)
        found[dtype] = {"loss": np.array(history["loss"]), **model.layers[0].state}
    for key, expected in found["float64"].items():
        np.testing.assert_allclose(found["float32"][key], expected, rtol=2e-5, err_msg=key)
