"""A model that begins from a trained one keeps what suits the new data, and says what does not."""

from typing import Any

import numpy as np
import pytest
from tests.every import every

from pellucid.data.dataset import Dataset, Split
from pellucid.errors import DataError, OptionError, PellucidError, ShapeError
from pellucid.nn.activation import Activation
from pellucid.nn.blocks import Residual
from pellucid.nn.conv import Conv2D
from pellucid.nn.dense import Dense, Flatten
from pellucid.nn.freezing import freeze, frozen_names
from pellucid.nn.graph import Graph
from pellucid.nn.model import Model
from pellucid.nn.norm import BatchNorm
from pellucid.nn.pooling import GlobalAvgPool2D
from pellucid.nn.presets import preset
from pellucid.nn.rebuild import named_arrays
from pellucid.nn.sequential import Sequential
from pellucid.nn.transfer import transfer
from pellucid.training.fit import train


def samples(classes: tuple[str, ...], m: int = 24, *, seed: int = 1) -> Dataset:
    rng = np.random.default_rng(seed)
    y = np.arange(m) % max(2, len(classes))
    X = rng.integers(0, 100, (m, 6, 6, 1), dtype=np.uint8) + (40 * y)[:, None, None, None].astype(np.uint8)
    return Dataset(X, y, classes)


ABC, DE = ("a", "b", "c"), ("d", "e")


@pytest.fixture
def trained() -> Model:
    body = Residual(Sequential([Conv2D(4), BatchNorm()]))
    model = Sequential(
        [Conv2D(4), BatchNorm(), Activation("relu"), body, GlobalAvgPool2D(), Dense(5, "relu"), Dense(3)]
    )
    train(model, samples(ABC), n_epochs=5, optimizer="adam", batch_size=8)
    return model


def test_the_same_classes_keep_every_weight(trained: Model) -> None:
    data = samples(ABC, seed=2)
    other = transfer(trained, data)
    for key, array in named_arrays(other).items():
        np.testing.assert_array_equal(array, named_arrays(trained)[key])
        assert not np.may_share_memory(array, named_arrays(trained)[key])
    np.testing.assert_array_equal(other.predict_proba(data.X), trained.predict_proba(data.X))
    assert (other.classes, other.loss, other._n_frozen) == (ABC, trained.loss, 0)
    before = trained.theta.copy()
    history = train(other, data, n_epochs=2, optimizer="adam")
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
    trained: Model, classes: tuple[str, ...], n_out: int, loss: str
) -> None:
    data = samples(classes)
    other = transfer(trained, data, freeze="dense_1", seed=4)
    assert (other.output_shape, other.loss, other.classes) == ((n_out,), loss, classes)
    new = {"dense_2.W", "dense_2.b"}
    for key, array in named_arrays(other).items():
        same = array.shape == named_arrays(trained)[key].shape and np.array_equal(
            array, named_arrays(trained)[key]
        )
        assert same is (key not in new)
    assert frozen_names(other)[-1] == "dense_1"
    assert other.preprocessing == trained.preprocessing
    again = transfer(trained, Split(data, data), freeze="dense_1", seed=4)
    np.testing.assert_array_equal(again.theta, other.theta)
    features = other.layers[:-1]  # type: ignore[attr-defined]
    train(other, data, n_epochs=3)
    assert other.theta.size == 6 * n_out
    assert features[0].params["W"].tolist() == trained.layers[0].params["W"].tolist()  # type: ignore[attr-defined]


def test_what_is_left_out_of_its_training_is_the_recipe_of_transfers(trained: Model) -> None:
    other = transfer(trained, samples(DE))
    history = train(other, samples(DE))
    assert (len(history.losses), "learning_rate" in history.columns) == (50, True)


def test_numbers_and_several_labels(trained: Model) -> None:
    X = samples(ABC).X
    quantity = np.linspace(-1, 1, len(X))
    other = transfer(trained, (X, quantity))
    assert (other.output_shape, other.loss, other.classes) == ((1,), "mean_squared_error", ())
    train(other, (X, quantity), n_epochs=3)
    kept = transfer(other, (X, 2 * quantity))
    np.testing.assert_array_equal(kept.theta, other.theta)
    back = transfer(other, samples(DE))
    assert (back.loss, back.classes) == ("binary_cross_entropy", DE)
    labels = transfer(trained, Dataset(X, np.eye(4, dtype=np.int64)[np.arange(24) % 4], tuple("wxyz")))
    assert (labels.output_shape, labels.loss) == ((4,), "multi_label")
    plain = transfer(trained, (X, np.arange(24) % 3))  # without names: three classes, as it knows
    np.testing.assert_array_equal(plain.theta, trained.theta)
    assert plain.classes == ABC


def test_quantities_in_another_unit_begin_as_the_old_ones_ended() -> None:
    X = np.random.default_rng(1).standard_normal((200, 4))
    y = 3.0 + X[:, 0] + X[:, 1] / 2
    model = preset("mlp-wide", n_outputs=1)
    last = train(model, (X, y), n_epochs=30, kernels="numpy").losses[-1]
    for unit in (1e-3, 1.0, 1e3):
        other = transfer(model, (X, unit * y))
        np.testing.assert_array_equal(other.theta, model.theta)
        np.testing.assert_allclose(other.predict(X), unit * model.predict(X), rtol=1e-4, atol=1e-3 * unit)
        assert (other.loss_config == model.loss_config) is (unit == 1.0)
        assert train(other, (X, unit * y), n_epochs=1, kernels="numpy").losses[0] < 2 * last + 0.1
    near = transfer(model, (X, y + 2))  # other samples in the same unit
    assert near.loss_config == model.loss_config


def test_the_last_layer_is_found_inside_structures() -> None:
    data = samples(ABC)
    nodes: dict[str, Any] = {
        "flat": (Flatten(), "x"),
        "out": (Dense(3), "flat"),
        "beside": (Dense(2), "flat"),
    }
    inner = Sequential([Flatten(), Sequential([Dense(4), Dense(3), Activation("tanh")])])
    for model in (Graph(["x"], nodes, "out"), inner):
        train(model, data, n_epochs=2)
        other = transfer(model, samples(DE))
        assert other.output_shape == (1,)
        train(other, samples(DE), n_epochs=2)
        assert other.predict(data.X).shape == (24,)


def test_nothing_frozen_is_taken_over_unasked(trained: Model) -> None:
    freeze(trained, "conv2d_1")
    assert transfer(trained, samples(ABC))._n_frozen == 0
    assert frozen_names(trained) == ["conv2d_1"]


def test_what_does_not_fit_is_said_in_one_line(trained: Model) -> None:
    data = samples(ABC)
    with pytest.raises(
        ShapeError, match=r"takes samples of shape \(6, 6, 1\), .* \(5, 6, 1\)\. .* image_size=\(6, 6\)"
    ):
        transfer(trained, (data.X[:, :5], data.y))
    with pytest.raises(PellucidError, match="no weights yet"):
        transfer(preset("mlp"), data)
    with pytest.raises(OptionError, match=r"freeze: unknown layer 'conv2'. Did you mean 'conv2d_2'"):
        transfer(trained, data, freeze="conv2")
    with pytest.raises(OptionError, match=r"no layer after dense_2 is left to train\. Freeze up to dense_1"):
        transfer(trained, data, freeze="dense_2")
    with pytest.raises(DataError, match="several by name"):
        transfer(trained, Dataset(data.X, {"a": data.y, "b": data.y}))  # type: ignore[arg-type]
    ends = Sequential([Flatten(), Dense(3), BatchNorm()])
    train(ends, data, n_epochs=1)
    with pytest.raises(OptionError, match=r"must be a Dense; this model ends in batchnorm_1 \(BatchNorm\)"):
        transfer(ends, samples(DE))
    assert transfer(ends, data).theta.size == ends.theta.size
