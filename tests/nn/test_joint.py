"""Graphs with several outputs: joint losses, training, prediction, model files."""

from pathlib import Path

import numpy as np
import pytest
from tests.every import every

import pellucid as pl
from pellucid.errors import DataError, OptionError
from pellucid.ops.finite_difference import gradcheck
from pellucid.training.optimizers.adam import Adam

LOSSES = {
    "kind": {"type": "categorical_cross_entropy", "label_smoothing": 0.1},
    "size": {"type": "huber", "weight": 0.5},
}


def network() -> pl.Graph:
    return pl.Graph(
        ["photo", "facts"],
        {
            "flat": (pl.Flatten(), "photo"),
            "seen": (pl.Dense(6, activation="relu"), "flat"),
            "both": ("concat", ["seen", "facts"]),
            "kind": (pl.Dense(3), "both"),
            "size": (pl.Dense(1), "both"),
        },
        ["kind", "size"],
        dtype="float64",
    )


@pytest.fixture
def data(rng: np.random.Generator) -> pl.Dataset:
    X = {"photo": rng.standard_normal((30, 2, 2)), "facts": rng.standard_normal((30, 3))}
    kind = X["facts"].argmax(axis=1)
    return pl.Dataset(X, {"kind": kind, "size": X["photo"].sum(axis=(1, 2))})


def test_the_gradient_is_of_the_weighted_sum(data: pl.Dataset, rng: np.random.Generator) -> None:
    model = network()
    model.initialize({"photo": (2, 2), "facts": (3,)}, seed=1)
    model.set_loss(LOSSES)
    Y = model._encode(data.y)
    theta = model.theta.copy()
    model.loss_and_grad(data.X, Y)

    def loss(theta: np.ndarray) -> float:
        model.theta[...] = theta
        return model._loss.forward(model.forward(data.X), model._encode(Y))[0]

    assert gradcheck(loss, {"theta": model.grad.copy()}, {"theta": theta}, rng)["theta"] < 1e-6


def test_it_trains_predicts_and_is_saved(data: pl.Dataset, tmp_path: Path) -> None:
    model = network()
    history = pl.train(
        model, data, loss=LOSSES, optimizer=Adam(0.02), n_epochs=150, batch_size=10, validation=data
    )
    assert history.losses[-1] < 0.5 * history.losses[0]
    predicted = model.predict(data.X)
    assert (predicted["kind"] == data.y["kind"]).mean() > 0.9
    assert predicted["size"].shape == (30,)
    assert set(model.predict_proba(data.X)) == {"kind"}
    pl.save(model, tmp_path / "model")
    again = pl.load(tmp_path / "model")
    assert again.loss_config == model.loss_config
    np.testing.assert_array_equal(again.predict(data.X)["size"], predicted["size"])


def test_losses_are_chosen_by_the_targets(data: pl.Dataset) -> None:
    model = network()
    pl.train(model, data, n_epochs=1)
    assert model.loss_config["losses"] == {
        "kind": {"type": "categorical_cross_entropy"},
        "size": {"type": "mean_squared_error"},
    }


def test_what_does_not_fit_is_named(data: pl.Dataset) -> None:
    model = network()
    with pytest.raises(OptionError, match="a loss for each of the outputs kind, size"):
        model.set_loss({"kind": "hinge"})
    for loss in (LOSSES, None):  # given, and chosen by the targets
        with pytest.raises(
            DataError, match="expected y as a dictionary of kind, size, got an array of shape"
        ):
            pl.train(network(), (data.X, data.y["kind"]), loss=loss, n_epochs=1)
    assert "30 samples" in repr(data)  # of several targets none is counted


@every("loss", [None, LOSSES])
def test_labels_are_smoothed_by_the_loss_of_an_output(data: pl.Dataset, loss: object) -> None:
    with pytest.raises(OptionError, match="set it for each output's loss"):
        pl.train(network(), data, loss=loss, label_smoothing=0.1, n_epochs=1)
