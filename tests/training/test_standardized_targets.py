"""A preset learns quantities in any unit: its outputs are standardized targets, its predictions are not."""

from pathlib import Path

import numpy as np
import pytest
from tests.every import every

import pellucid as pl
from pellucid.errors import OptionError, ShapeError


def prices(rng: np.random.Generator, unit: float) -> pl.Dataset:
    X = rng.standard_normal((200, 4))
    return pl.Dataset(X, unit * (3.0 + X[:, 0] + X[:, 1] * X[:, 2] / 2))


def trained(data: pl.Dataset, **options: object) -> pl.Model:
    model = pl.preset("mlp-wide", n_outputs=1)
    pl.train(model, data, n_epochs=30, kernels="numpy", **options)  # type: ignore[arg-type]
    return model


@every("unit", [1e-6, 1.0, 1e6])
def test_any_unit_is_learned(rng: np.random.Generator, unit: float) -> None:
    data = prices(rng, unit)
    assert (trained(data).predict(data.X) - data.y).var() < 0.1 * data.y.var()


def test_the_file_keeps_the_unit(rng: np.random.Generator, tmp_path: Path) -> None:
    data = prices(rng, 1e5)
    model = trained(data)
    pl.save(model, tmp_path / "prices.safetensors")
    loaded = pl.load(tmp_path / "prices.safetensors")
    np.testing.assert_array_equal(loaded.predict(data.X), model.predict(data.X))


def test_a_network_of_ones_own_and_a_chosen_loss_stay_as_they_are(rng: np.random.Generator) -> None:
    data = prices(rng, 10.0)
    own = pl.Sequential([pl.Dense(1)])
    pl.train(own, data, n_epochs=1)
    assert own.loss_config == {"type": "mean_squared_error"}
    assert trained(data, loss="mean_squared_error").loss_config == {"type": "mean_squared_error"}
    assert trained(data, loss="auto").loss_config == trained(data).loss_config != own.loss_config


def test_metrics_of_ones_own_see_the_unit(rng: np.random.Generator) -> None:
    data = prices(rng, 1000.0)
    seen: list[np.ndarray] = []

    def mean_of_truth(y_true: np.ndarray, y_pred: np.ndarray) -> float:
        seen.append(y_true)
        return float(y_true.mean())

    model = pl.preset("mlp-wide", n_outputs=1)
    pl.train(model, data, n_epochs=1, validation=data, metrics=[mean_of_truth])
    np.testing.assert_allclose(seen[0], data.y, rtol=1e-4)


def test_centre_and_spread_belong_together() -> None:
    with pytest.raises(OptionError, match="as many numbers in centre as in spread"):
        pl.losses.MeanSquaredError(centre=(1.0,))
    with pytest.raises(ShapeError, match="2 numbers in centre"):
        pl.losses.MeanSquaredError(centre=(1.0,), spread=(2.0,)).encode(np.ones((3, 2)), 2, np.float64)


def test_the_loss_is_the_same_in_every_form_of_the_targets(rng: np.random.Generator) -> None:
    data = prices(rng, 1e5)
    model = trained(data)
    X = data.X.astype(np.float32)
    expected = model._measure(X, model._encode(data.y))["loss"]
    forms = data.y, data.y[:, None], data.y[:, None].astype(np.float32)
    for y in forms:
        assert model._loss.forward(model.forward(X), model._encode(y))[0] == pytest.approx(expected, rel=1e-4)
    losses = []
    for y in forms:
        model._seed_step(1, 0)  # of its dropout
        losses.append(model.loss_and_grad(X, y))
    assert losses == pytest.approx([losses[0]] * 3, rel=1e-4)
