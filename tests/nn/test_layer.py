"""One table for all layers: what is declared in their fields makes constructor, config, repr and messages."""

import copy
import json
import pickle
import sys

import numpy as np
import pytest
from tests.every import every
from tests.nn.examples import EXAMPLES, IDS

from pellucid import dispatch
from pellucid.errors import OptionError, ShapeError
from pellucid.nn.activation import Activation
from pellucid.nn.blocks import Parallel, Residual
from pellucid.nn.conv import Conv2D
from pellucid.nn.dense import Dense, Flatten
from pellucid.nn.graph import Graph
from pellucid.nn.initializers import StartRandom
from pellucid.nn.layer import LAYERS, Layer
from pellucid.nn.norm import BatchNorm
from pellucid.nn.sequential import Sequential
from pellucid.ops.losses import LOSSES
from pellucid.registry import check_option, options_of
from pellucid.types import Shape
from pellucid.workspace import Workspace

every_layer = every(("layer", "shape"), EXAMPLES, ids=IDS)


def test_every_layer_is_in_the_table_and_here() -> None:
    ours = {
        cls
        for name, cls in LAYERS.items()
        if cls.__module__.startswith("pellucid.nn")
        and getattr(sys.modules[cls.__module__], name, None) is cls
    }
    assert {type(layer) for layer, _ in EXAMPLES} == ours


@every_layer
def test_config_and_repr_make_the_layer_again(layer: Layer, shape: Shape) -> None:
    config = json.loads(json.dumps(layer.config()))
    assert LAYERS.from_config(config).config() == layer.config()
    again = eval(repr(layer), dict(LAYERS.items()))
    assert (again.config(), repr(again)) == (layer.config(), repr(layer))
    for copied in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        assert copied.config() == layer.config()


@every_layer
def test_every_option_has_help_and_a_default_that_is_right(layer: Layer, shape: Shape) -> None:
    if isinstance(layer, Activation):  # whose options are those of its function
        return
    for name, (hint, limits) in options_of(type(layer)).items():
        assert limits.help.endswith("."), name
        check_option("here", name, getattr(layer, name), hint, limits)


@pytest.mark.parametrize("kernels", ["plain", "numpy", "numba"])
def test_no_samples_have_no_outputs_in_the_shape_and_dtype_of_some(kernels: str) -> None:
    if kernels == "numba":
        pytest.importorskip("numba", reason="needs Numba")
    cnn: list[Layer] = [Conv2D(32), Conv2D(32), BatchNorm(), Activation("relu")]
    parts: list[tuple[list[Layer], Shape]] = [(cnn, (8, 6, 4))]
    parts += [([layer], shape) for layer, shape in EXAMPLES if not isinstance(layer, Graph | Sequential)]
    networks = [([*layers, Flatten(), Dense(2)], shape, "mean_squared_error") for layers, shape in parts]
    for n_out, other in ((1, "categorical_cross_entropy"), (3, "binary_cross_entropy")):
        networks += [([Flatten(), Dense(n_out)], (8, 6, 4), loss) for loss in LOSSES if loss != other]
    wrong = []
    for layers, shape, loss in networks:
        model = Sequential(copy.deepcopy(layers))
        model.initialize(shape, seed=1)
        model.set_loss(loss)
        for name in ("decision_function", "predict", "predict_proba"):
            if name == "predict_proba" and not model._loss.gives_probabilities:
                continue
            with dispatch.use(kernels):
                some, none = (getattr(model, name)(np.ones((m, *shape), np.float32)) for m in (2, 0))
            if none.dtype != some.dtype or none.shape != (0, *some.shape[1:]):
                wrong.append(f"{layers}, {loss}, {name}: {none.dtype} {none.shape}")
    assert not wrong, "\n".join(wrong)
    assert Flatten().forward(np.ones((0, 2, 3))).shape == (0, 6)


def test_a_print_is_what_one_would_write() -> None:
    assert str(Dense(20, activation="relu")) == "Dense(units=20, activation='relu')"
    assert str(Conv2D(8, 3, padding="same")) == "Conv2D(filters=8)"
    model = Sequential([Flatten(), *(Dense(n, activation="relu") for n in (20, 7, 5)), Dense(1)])
    assert str(model).splitlines() == [
        "Sequential(",
        "    layers=[",
        "        Flatten(),",
        "        Dense(units=20, activation='relu'),",
        "        Dense(units=7, activation='relu'),",
        "        Dense(units=5, activation='relu'),",
        "        Dense(units=1),",
        "    ],",
        ")",
    ]


def test_layers_and_dtypes_of_the_wrong_kind_are_refused() -> None:
    with pytest.raises(OptionError, match="Sequential: expected layers to be a list"):
        Sequential("Dense")  # type: ignore[arg-type]
    assert Sequential(Dense(2), Dense(1)).config() == Sequential([Dense(2), Dense(1)]).config()
    assert Parallel(Dense(2), Dense(2), "add").config() == Parallel([Dense(2), Dense(2)], "add").config()
    with pytest.raises(OptionError, match="Residual: expected body to be a Layer"):
        Residual("Dense")  # type: ignore[arg-type]
    with pytest.raises(OptionError, match=r"Sequential: unknown dtype 'float16'.*float32, float64"):
        Sequential([Dense(1)], dtype="float16")


def test_a_layer_without_its_passes_cannot_be_made() -> None:
    class Nothing(Layer):
        """Neither forward nor backward."""

    with pytest.raises(TypeError, match="forward"):
        Nothing()  # type: ignore[abstract]


def test_flatten_is_row_column_channel_order_and_undone_by_backward(rng: np.random.Generator) -> None:
    layer = Flatten()
    layer.build((4, 5, 3), StartRandom(np.random.PCG64(0)))
    X = rng.standard_normal((2, 4, 5, 3))
    flat = layer.forward(X)
    assert flat.shape == (2, 60)
    assert flat[1, (2 * 5 + 3) * 3 + 1] == X[1, 2, 3, 1]
    np.testing.assert_array_equal(layer.backward(flat), X)


def test_dense_on_images_says_to_flatten() -> None:
    with pytest.raises(
        ShapeError, match=r"dense_1: expected samples of shape \(n_in,\), got \(4, 4, 3\).*Flatten"
    ):
        Sequential([Dense(2)]).initialize((4, 4, 3))


def test_a_workspace_gives_the_same_array_until_shape_or_dtype_change() -> None:
    workspace = Workspace()
    first = workspace.take("Z", (2, 3), np.float32)
    assert workspace.take("Z", (2, 3), np.float32) is first
    assert workspace.take("Z", (4, 3), np.float32).shape == (4, 3)
    assert workspace.take("Z", (4, 3), np.float64).dtype == np.float64
    assert workspace.take("other", (4, 3), np.float64) is not workspace.take("Z", (4, 3), np.float64)
