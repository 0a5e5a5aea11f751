import copy
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.every import every

import pellucid as pl
from pellucid.errors import DataError, OptionError, ShapeError
from pellucid.nn.presets import PRESETS

pytestmark = pytest.mark.kernels


def small(dtype: str = "float64") -> pl.Sequential:
    model = pl.Sequential([pl.Flatten(), pl.Dense(4, activation="relu"), pl.Dense(1)], dtype=dtype)
    model.initialize((2, 3, 1), seed=2)
    return model


def test_what_a_model_shows(rng: np.random.Generator, tmp_path: Path) -> None:
    model = small()
    shown = """backward build children classes config decision_function dtype forward grad grads initialize
    input_shape inputs_seen layers loss loss_and_grad loss_config n_params name output_shape params plot predict
    predict_proba
    preprocessing save set_loss state summary theta"""
    assert [name for name in dir(model) if not name.startswith("_")] == shown.split()
    X = rng.standard_normal((5, 2, 3, 1))
    np.testing.assert_array_equal(model(X), model.forward(X))
    assert model(X).base is None
    model.save(tmp_path / "model.safetensors")
    np.testing.assert_array_equal(pl.load(tmp_path / "model.safetensors")(X), model(X))
    with pytest.raises(pl.PellucidError, match=r"model\(X\): the model is not trained yet"):
        pl.Sequential([pl.Dense(1)])(X)


@every("X", [np.ones((2, 2, 3, 1)), np.ones((2, 2, 3, 1), int).tolist(), np.ones((1, 2, 3, 1), np.uint8)])
def test_a_call_takes_what_predictions_take(X: Any) -> None:
    model = small("float32")
    Z = model(X)
    assert Z.dtype == np.float32
    np.testing.assert_array_equal(Z[:, 0], model.decision_function(X))


@every(
    "X, said",
    [
        (
            np.zeros((2, 3)),
            r"model\(X\): expected samples of shape \(2, 3, 1\), as the model was .* got \(3,\)",
        ),
        (np.zeros((2, 3, 1)), r"model\(X\): .* For one sample: X\[None\]"),
        ("cat.png", r"model\(X\): expected an array of samples"),
        (np.full((1, 2, 3, 1), "a"), r"model\(X\): expected an array of numbers"),
    ],
)
def test_a_call_refuses_others_in_its_own_name(X: Any, said: str) -> None:
    with pytest.raises((ShapeError, DataError), match=said):
        small("float32")(X)


def test_the_first_layer_computes_no_input_gradient() -> None:
    model = small()
    assert [layer._needs_input_gradient for layer in model.layers] == [False, False, True]


def test_predictions_agree_with_each_other(rng: np.random.Generator) -> None:
    model = small()
    X = rng.standard_normal((600, 2, 3, 1))  # more than are predicted at a time
    Z, P, labels = model.decision_function(X), model.predict_proba(X), model.predict(X)
    assert Z.shape == (600,)
    assert P.shape == (600, 2)
    np.testing.assert_allclose(P[:, 1], 1 / (1 + np.exp(-Z)), rtol=1e-14)
    np.testing.assert_allclose(P.sum(axis=1), 1, rtol=1e-15)
    np.testing.assert_array_equal(labels, P.argmax(axis=1))
    np.testing.assert_array_equal(labels[7:8], model.predict(X[7:8]))


def test_predicting_before_training_or_another_shape_is_refused() -> None:
    with pytest.raises(pl.PellucidError, match="predict: the model is not trained yet"):
        pl.Sequential([pl.Dense(1)]).predict(np.zeros((1, 2)))
    with pytest.raises(ShapeError, match=r"expected samples of shape \(2, 3, 1\).*got \(3, 2, 1\)"):
        small().predict(np.zeros((1, 3, 2, 1)))


@every("name", sorted(PRESETS.keys() - {"pretrained"}))
@every("n_classes", [2, 5])
def test_every_preset_takes_photos_and_any_number_of_classes(name: str, n_classes: int) -> None:
    model = pl.preset(name, n_classes)
    model.initialize((32, 32, 3))
    assert model.output_shape == ((1,) if n_classes == 2 else (5,))
    assert model.forward(np.zeros((2, 32, 32, 3), model.dtype)).shape == (2, *model.output_shape)
    assert pl.preset(name, n_outputs=3).layers[-1]._leaves()[-1].units == 3


def test_unknown_presets_dtypes_and_losses_name_the_nearest() -> None:
    with pytest.raises(OptionError, match="Did you mean 'two-layer'"):
        pl.preset("twolayer")
    with pytest.raises(OptionError, match="Did you mean 'binary_cross_entropy'"):
        small().set_loss("binary_crossentropy")
    with pytest.raises(OptionError, match="at least one layer"):
        pl.Sequential([])


@every("twin_of", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))])
def test_a_copys_parameters_are_views_of_its_own_theta(twin_of: Any) -> None:
    model = pl.Sequential(
        [pl.Dense(3, activation="relu"), pl.Sequential([pl.Dense(2), pl.BatchNorm()]), pl.Dense(1)]
    )
    model.initialize((4,), dtype="float64")
    X, y = np.random.default_rng(0).standard_normal((5, 4)), np.array([0, 1, 0, 1, 1])
    model.loss_and_grad(X, y)
    twin, before = twin_of(model), model.theta.copy()
    np.testing.assert_array_equal(twin._raw_outputs(X), model._raw_outputs(X))
    twin.theta *= 2
    assert not np.allclose(twin._raw_outputs(X), model._raw_outputs(X))
    np.testing.assert_array_equal(model.theta, before)
    twin.loss_and_grad(X, y)
    assert np.abs(twin.grad).max() > 0


def test_names_for_other_classes_than_there_are_outputs_are_refused_before_training() -> None:
    X, y = np.zeros((6, 2)), np.arange(6) % 3
    with pytest.raises(DataError, match=r"5 classes .* got 3: a, b, c"):
        pl.train(pl.Sequential([pl.Dense(5)]), pl.Dataset(X, y, ("a", "b", "c")), n_epochs=1)
