"""The weight average equals its closed form, swaps in and out, and resumes bit for bit."""

from typing import Any

import numpy as np
import pytest
from tests.every import every

import pellucid as pl
from pellucid.errors import FormatError, OptionError
from pellucid.training.callbacks.weight_ema import WeightEMA
from pellucid.training.events import Event, StepEnd
from pellucid.training.optimizers.base import BLOCK_BYTES
from pellucid.training.optimizers.sgd import SGD


@every("decay", [0.0, 0.5, 0.9, 0.999])
@every("n_steps", [1, 2, 40])
def test_equals_the_weighted_mean(decay: float, n_steps: int, rng: np.random.Generator) -> None:
    path = rng.standard_normal((n_steps, BLOCK_BYTES // 8 + 5))
    average = WeightEMA(decay)
    average.start(path[0])
    for theta in path:
        average.update(theta)
    weights = decay ** np.arange(n_steps - 1, -1, -1.0)
    np.testing.assert_allclose(average.theta, weights / weights.sum() @ path, rtol=1e-11, atol=1e-13)


def test_swaps_in_and_out_even_after_an_error(rng: np.random.Generator) -> None:
    theta = rng.standard_normal(4).astype(np.float32)
    average = WeightEMA(0.5)
    average.start(theta)
    average.update(theta + 1)
    kept = theta.copy()

    def fail_inside() -> None:
        with average.swapped(theta):
            np.testing.assert_array_equal(theta, average.theta)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_inside()
    np.testing.assert_array_equal(theta, kept)
    average.write(theta)
    np.testing.assert_array_equal(theta, average.theta)
    assert theta.dtype == np.float32


@every("form", ["direct", "dual"])
def test_as_a_callback_the_model_ends_with_the_average(form: str, rng: np.random.Generator) -> None:
    data = pl.Dataset(rng.standard_normal((12, 40)), np.arange(12) % 2)

    def run(*callbacks: Any, form: str = form, n_epochs: int = 15) -> np.ndarray:
        model = pl.Sequential([pl.Dense(3, activation="relu"), pl.Dense(1)], dtype="float64")
        how: dict[str, Any] = {"form": form, "n_epochs": n_epochs, "callbacks": callbacks}
        pl.train(model, data, optimizer=SGD(0.3), seed=2, **how)
        return model.theta

    # The direct form, one step further each time, from the same start.
    seen = [run(form="direct", n_epochs=n) for n in range(1, 16)]
    weights = 0.8 ** np.arange(14, -1, -1.0)
    averaged = run(WeightEMA(0.8))
    np.testing.assert_allclose(averaged, weights / weights.sum() @ np.array(seen), rtol=0, atol=1e-12)
    assert np.abs(averaged - run()).max() > 1e-3


def test_running_statistics_are_averaged_with_the_weights(rng: np.random.Generator) -> None:
    data = pl.Dataset(rng.standard_normal((40, 3)), np.arange(40) % 2)
    average, seen = WeightEMA(0.7), []

    def watch(event: Event) -> None:
        if isinstance(event, StepEnd):
            seen.append({key: array.copy() for key, array in model.layers[1].state.items()})

    model = pl.Sequential([pl.Dense(4), pl.BatchNorm(), pl.Dense(1)], dtype="float64")
    pl.train(model, data, optimizer=SGD(0.3), n_epochs=3, batch_size=10, callbacks=[average, watch])
    weights = 0.7 ** np.arange(len(seen) - 1, -1, -1.0)
    for key, array in model.layers[1].state.items():
        mean = weights / weights.sum() @ np.array([state[key] for state in seen])
        np.testing.assert_allclose(array, mean, rtol=1e-12)
        assert np.abs(array - seen[-1][key]).max() > 1e-3


def test_wrong_use_is_told() -> None:
    for decay in (1.0, -0.1, float("nan")):
        with pytest.raises(OptionError, match="decay"):
            WeightEMA(decay)
    average = WeightEMA()
    with pytest.raises(pl.PellucidError, match="call start first"):
        average.update(np.ones(2))
    average.start(np.ones(2))
    with pytest.raises(pl.PellucidError, match="before the first update"):
        average.write(np.ones(2))
    for state, words in (
        (
            {"n_steps": 1, "average": np.ones(3)},
            r"average: expected .* of shape \(2,\), got .* of shape \(3,\)",
        ),
        ({"n_steps": 1, "sum": np.ones(3)}, r"sum: expected .* of shape \(2,\), got .* of shape \(3,\)"),
        ({"total": 1}, "expected n_steps, average, got total"),
        ({"n_steps": float("inf"), "average": np.ones(2)}, "n_steps: expected a count"),
    ):
        with pytest.raises(FormatError, match=words):
            average.load_state(state)


def test_states_of_the_form_before_are_read(rng: np.random.Generator) -> None:
    """S <- d S + theta, in the dtype of the model."""
    path = rng.standard_normal((6, 4)).astype(np.float32)
    before, average = np.zeros(4, np.float32), WeightEMA(0.9)
    average.start(path[0])
    for theta in path[:5]:
        before *= 0.9
        before += theta
    average.load_state({"n_steps": 5, "sum": before})
    expected = WeightEMA(0.9)
    expected.start(path[0])
    for theta in path:
        expected.update(theta)
    average.update(path[5])
    np.testing.assert_allclose(average.theta, expected.theta, rtol=1e-6)
