"""A model that begins from a trained one keeps what suits the new data, and says what does not."""

from typing import Any

import numpy as np
import pytest
from tests.every import every

import pellucid as pl
from pellucid.errors import DataError, OptionError, ShapeError
from pellucid.nn.freezing import frozen_names
from pellucid.nn.rebuild import named_arrays


def samples(classes: tuple[str, ...], m: int = 24, *, seed: int = 1) -> pl.Dataset:
    rng = np.random.default_rng(seed)
    y = np.arange(m) % max(2, len(classes))
    X = rng.integers(0, 100, (m, 6, 6, 1), dtype=np.uint8) + (40 * y)[:, None, None, None].astype(np.uint8)
    return pl.Dataset(X, y, classes)


ABC, DE = ("a", "b", "c"), ("d", "e")


@pytest.fixture
def trained() -> pl.Model:
    body = pl.Residual(pl.Sequential([pl.Conv2D(4), pl.BatchNorm()]))
    model = pl.Sequential(
        [
            pl.Conv2D(4),
            pl.BatchNorm(),
            pl.Activation("relu"),
            body,
            pl.GlobalAvgPool2D(),
            pl.Dense(5, "relu"),
            pl.Dense(3),
        ]
    )
    pl.train(model, samples(ABC), n_epochs=5, optimizer="adam", batch_size=8)
    return model


def test_the_same_classes_keep_every_weight(trained: pl.Model) -> None:
    data = samples(ABC, seed=2)
    other = pl.transfer(trained, data)
    for key, array in named_arrays(other).items():
        np.testing.assert_array_equal(array, named_arrays(trained)[key])
        assert not np.may_share_memory(array, named_arrays(trained)[key])
    np.testing.assert_array_equal(other.predict_proba(data.X), trained.predict_proba(data.X))
    assert (other.classes, other.loss, other._n_frozen) == (ABC, trained.loss, 0)
    before = trained.theta.copy()
    history = pl.train(other, data, n_epochs=2, optimizer="adam")
    assert history.n_steps == 2
    np.testing.assert_array_equal(trained.theta, before)


@every(
    ("classes", "n_out", "loss"),
    [
        (DE, 1, "binary_cross_entropy"),
        (("c", "a", "b"), 3, "categorical_cross_entropy"),
        (tuple("abcde"), 5, "categorical_cross_entropy"),
    ],
)
def test_other_classes_get_a_new_last_layer(
    trained: pl.Model, classes: tuple[str, ...], n_out: int, loss: str
) -> None:
    data = samples(classes)
    other = pl.transfer(trained, data, freeze="dense_1", seed=4)
    assert (other.output_shape, other.loss, other.classes) == ((n_out,), loss, classes)
    new = {"dense_2.W", "dense_2.b"}
    for key, array in named_arrays(other).items():
        same = array.shape == named_arrays(trained)[key].shape and np.array_equal(
            array, named_arrays(trained)[key]
        )
        assert same is (key not in new)
    assert frozen_names(other)[-1] == "dense_1"
    assert other.preprocessing == trained.preprocessing
    again = pl.transfer(trained, pl.Split(data, data), freeze="dense_1", seed=4)
    np.testing.assert_array_equal(again.theta, other.theta)
    features = other.layers[:-1]  # type: ignore[attr-defined]
    pl.train(other, data, n_epochs=3)
    assert other.theta.size == 6 * n_out
    assert features[0].params["W"].tolist() == trained.layers[0].params["W"].tolist()  # type: ignore[attr-defined]


def test_what_is_left_out_of_its_training_is_the_recipe_of_transfers(trained: pl.Model) -> None:
    other = pl.transfer(trained, samples(DE))
    history = pl.train(other, samples(DE))
    assert (len(history.losses), "learning_rate" in history.columns) == (50, True)


def test_numbers_and_several_labels(trained: pl.Model) -> None:
    X = samples(ABC).X
    quantity = np.linspace(-1, 1, len(X))
    other = pl.transfer(trained, (X, quantity))
    assert (other.output_shape, other.loss, other.classes) == ((1,), "mean_squared_error", ())
    pl.train(other, (X, quantity), n_epochs=3)
    kept = pl.transfer(other, (X, 2 * quantity))
    np.testing.assert_array_equal(kept.theta, other.theta)
    back = pl.transfer(other, samples(DE))
    assert (back.loss, back.classes) == ("binary_cross_entropy", DE)
    labels = pl.transfer(trained, pl.Dataset(X, np.eye(4, dtype=np.int64)[np.arange(24) % 4], tuple("wxyz")))
    assert (labels.output_shape, labels.loss) == ((4,), "multi_label")
    plain = pl.transfer(trained, (X, np.arange(24) % 3))  # without names: three classes, as it knows
    np.testing.assert_array_equal(plain.theta, trained.theta)
    assert plain.classes == ABC


def test_quantities_in_another_unit_begin_as_the_old_ones_ended() -> None:
    X = np.random.default_rng(1).standard_normal((200, 4))
    y = 3.0 + X[:, 0] + X[:, 1] / 2
    model = pl.preset("mlp-wide", n_outputs=1)
    last = pl.train(model, (X, y), n_epochs=30, kernels="numpy").losses[-1]
    for unit in (1e-3, 1.0, 1e3):
        other = pl.transfer(model, (X, unit * y))
        np.testing.assert_array_equal(other.theta, model.theta)
        np.testing.assert_allclose(other.predict(X), unit * model.predict(X), rtol=1e-4, atol=1e-3 * unit)
        assert (other.loss_config == model.loss_config) is (unit == 1.0)
        assert pl.train(other, (X, unit * y), n_epochs=1, kernels="numpy").losses[0] < 2 * last + 0.1
    near = pl.transfer(model, (X, y + 2))  # other samples in the same unit
    assert near.loss_config == model.loss_config


def test_the_last_layer_is_found_inside_structures() -> None:
    data = samples(ABC)
    nodes: dict[str, Any] = {
        "flat": (pl.Flatten(), "x"),
        "out": (pl.Dense(3), "flat"),
        "beside": (pl.Dense(2), "flat"),
    }
    inner = pl.Sequential([pl.Flatten(), pl.Sequential([pl.Dense(4), pl.Dense(3), pl.Activation("tanh")])])
    for model in (pl.Graph(["x"], nodes, "out"), inner):
        pl.train(model, data, n_epochs=2)
        other = pl.transfer(model, samples(DE))
        assert other.output_shape == (1,)
        pl.train(other, samples(DE), n_epochs=2)
        assert other.predict(data.X).shape == (24,)


def test_nothing_frozen_is_taken_over_unasked(trained: pl.Model) -> None:
    pl.freeze(trained, "conv2d_1")
    assert pl.transfer(trained, samples(ABC))._n_frozen == 0
    assert frozen_names(trained) == ["conv2d_1"]


def test_what_does_not_fit_is_said_in_one_line(trained: pl.Model) -> None:
    data = samples(ABC)
    with pytest.raises(
        ShapeError, match=r"takes samples of shape \(6, 6, 1\), .* \(5, 6, 1\)\. .* image_size=\(6, 6\)"
    ):
        pl.transfer(trained, (data.X[:, :5], data.y))
    with pytest.raises(pl.PellucidError, match="no weights yet"):
        pl.transfer(pl.preset("mlp"), data)
    with pytest.raises(OptionError, match=r"freeze: unknown layer 'conv2'. Did you mean 'conv2d_2'"):
        pl.transfer(trained, data, freeze="conv2")
    with pytest.raises(DataError, match="several by name"):
        pl.transfer(trained, pl.Dataset(data.X, {"a": data.y, "b": data.y}))  # type: ignore[arg-type]
    ends = pl.Sequential([pl.Flatten(), pl.Dense(3), pl.BatchNorm()])
    pl.train(ends, data, n_epochs=1)
    with pytest.raises(OptionError, match=r"must be a Dense; this model ends in batchnorm_1 \(BatchNorm\)"):
        pl.transfer(ends, samples(DE))
    assert pl.transfer(ends, data).theta.size == ends.theta.size
