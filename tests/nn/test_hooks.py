"""Watching layers changes nothing, and the gradient for the input is the slope of the outputs."""

import copy
import pickle

import numpy as np
import pytest
from tests.every import every
from tests.nn.networks import graph

from pellucid.errors import OptionError, ShapeError
from pellucid.nn.activation import Activation, Dropout
from pellucid.nn.blocks import Parallel, Residual
from pellucid.nn.conv import Conv2D
from pellucid.nn.dense import Dense, Flatten
from pellucid.nn.graph import Graph
from pellucid.nn.hooks import all_layers, hook, input_gradient, record
from pellucid.nn.model import Model
from pellucid.nn.norm import BatchNorm
from pellucid.nn.pooling import MaxPool2D
from pellucid.nn.presets import preset
from pellucid.nn.sequential import Sequential


def small_cnn() -> Sequential:
    return Sequential(
        [
            Conv2D(5, use_bias=False),
            BatchNorm(),
            Activation("relu"),
            MaxPool2D(),
            Dropout(0.5),
            Residual(Sequential([Conv2D(5), BatchNorm(), Activation("tanh"), Conv2D(5)])),
            Parallel([Conv2D(3, activation="sigmoid"), Conv2D(2, 1)]),
            Flatten(),
            Dense(4, activation="tanh"),
            Dense(3),
        ]
    )


MODELS = {
    "mlp": lambda: preset("mlp", 3),
    "cnn": small_cnn,
    "graph": graph,
    "resnet": lambda: preset("resnet-small", 3),
}


def made(name: str) -> Model:
    """A network in float64 that is nowhere special."""
    rng = np.random.default_rng(3)
    model: Model = MODELS[name]()
    model.initialize((8, 8, 3), seed=2, dtype="float64")
    for leaf in model._leaves():
        for array in leaf.params.values():
            array += 0.1 * rng.standard_normal(array.shape)
        for key, array in leaf.state.items():
            array[...] = 0.1 * rng.standard_normal(array.shape) + (key == "running_var")
    return model


@every("name", MODELS)
def test_the_input_gradient_is_the_slope(name: str, rng: np.random.Generator) -> None:
    model = made(name)
    X, V = rng.random((3, 8, 8, 3)), rng.standard_normal((3, 8, 8, 3))
    upstream = rng.standard_normal((3, 3))
    outputs, dX = input_gradient(model, X, upstream)
    assert outputs == pytest.approx(model.forward(X), rel=1e-12)
    h = 1e-6
    slopes = (model.forward(X + h * V).copy() - model.forward(X - h * V).copy()) * upstream / (2 * h)
    claimed = (dX * V).sum(axis=(1, 2, 3))
    assert claimed == pytest.approx(slopes.sum(axis=1), rel=1e-6, abs=1e-8)


@every("name", MODELS)
def test_looking_leaves_the_model_as_it_was(name: str, rng: np.random.Generator) -> None:
    model = made(name)
    X, y = rng.random((3, 8, 8, 3)), np.array([0, 1, 2])
    before = X.copy()
    theta, states = model.theta.copy(), [leaf.state for leaf in model._leaves()]
    kept = [{key: value.copy() for key, value in state.items()} for state in states]
    needs = [leaf._needs_input_gradient for leaf in model._leaves()]
    with record(model._leaves()[0]):
        input_gradient(model, X, np.ones(3))
    assert (before == X).all()
    assert (model.theta == theta).all()
    assert needs == [leaf._needs_input_gradient for leaf in model._leaves()]
    for state, old in zip(states, kept, strict=True):
        assert all((state[key] == old[key]).all() for key in old)
    assert "forward" not in vars(model._leaves()[0])
    model.set_loss("categorical_cross_entropy")
    if not any(hasattr(leaf, "set_step_rng") for leaf in model._leaves()):
        model.loss_and_grad(X, y)  # trains as before


def test_one_row_of_weights_serves_all_samples(rng: np.random.Generator) -> None:
    model, X, row = made("cnn"), rng.random((4, 8, 8, 3)), rng.standard_normal(3)
    assert (input_gradient(model, X, row)[1] == input_gradient(model, X, np.tile(row, (4, 1)))[1]).all()


def test_a_watch_keeps_what_passes(rng: np.random.Generator) -> None:
    model, X = made("cnn"), rng.random((2, 8, 8, 3))
    layer = model.children()[5]
    with record(layer) as outer, record(layer) as inner:
        outputs, dX = input_gradient(model, X, np.ones(3))
    assert outer.output is not None
    assert outer.gradient is not None
    assert outer.input is not None
    assert (outer.output == inner.output).all()
    assert outer.input.shape[1:] == layer.input_shape
    rest = Sequential(model.children()[6:])  # the layers behind, alone, give the same from there
    A = outer.output
    for part in rest.layers:
        A = part.forward(A)
    assert pytest.approx(outputs, rel=1e-12) == A
    assert dX.shape == X.shape
    with record(layer) as again:
        pass
    assert again.output is None


def test_a_watch_is_taken_away_after_a_failure() -> None:
    model = made("mlp")
    layer = model._leaves()[1]
    with pytest.raises(RuntimeError), record(layer):
        raise RuntimeError
    assert "forward" not in vars(layer)
    assert "backward" not in vars(layer)


def test_hooks_stay_with_the_original(rng: np.random.Generator) -> None:
    model, X = made("mlp"), rng.random((2, 8, 8, 3))
    plain = model.predict_proba(X)
    with hook(model._leaves()[1], forward=lambda inner, A, training: 0 * inner(A, training=training)):
        twins = [copy.deepcopy(model), pickle.loads(pickle.dumps(model)), copy.copy(model._leaves()[1])]
        assert not np.array_equal(model.predict_proba(X), plain)
        assert all((twin.predict_proba(X) == plain).all() for twin in twins[:2])
    assert not any(
        {"forward", "_unhooked"} & vars(layer).keys() for twin in twins for layer in all_layers(twin)
    )
    layer = model._leaves()[1]
    layer.forward = own = lambda X, *, training=False: type(layer).forward(layer, X, training=training)  # type: ignore[method-assign]
    with record(layer):
        assert vars(copy.copy(layer))["forward"] is own
    assert vars(layer)["forward"] is own


def test_several_inputs_and_wrong_shapes_are_refused() -> None:
    model = Graph(["a", "b"], {"both": ("concat", ["a", "b"]), "out": (Dense(1), "both")}, "out")
    model.initialize({"a": (2,), "b": (3,)})
    with pytest.raises(ShapeError, match="one input and one output"):
        input_gradient(model, np.zeros((1, 5)), np.ones(1))
    with pytest.raises(ShapeError, match=r"samples of shape \(8, 8, 3\), got \(9, 9, 3\)"):
        input_gradient(made("mlp"), np.zeros((1, 9, 9, 3)), np.ones(3))


@every("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0), (1, 0, 2), (0, 2, 1)])
def test_hooks_end_in_any_order(order: tuple[int, ...], rng: np.random.Generator) -> None:
    model = Sequential([Dense(3), Dense(1)])
    model.initialize((4,))
    layer, X, told = model.layers[0], np.ones((2, 4), np.float32), []
    plain = set(vars(layer))
    hooks = [
        hook(
            layer,
            forward=lambda inner, A, training, i=i: told.append(i) or inner(A, training=training),
            backward=(lambda inner, dY: inner(dY)) if i else None,
        )
        for i in range(3)
    ]
    for each in hooks:
        each.__enter__()
    left = [2, 1, 0]
    for i in order:
        told.clear()
        model.loss_and_grad(X, np.array([0, 1]))
        assert told == left
        hooks[i].__exit__(None, None, None)
        left.remove(i)
    assert set(vars(layer)) == plain | {"_linear"}


def test_hooks_are_public_and_a_watch_says_what_it_saw() -> None:
    import pellucid as pl

    model = pl.Sequential([pl.Dense(3, "relu"), pl.Dense(1)])
    model.initialize((2,), dtype="float64")
    with pl.record(model.layers[0]) as watch:
        assert repr(watch) == "Watch(nothing has passed through yet)"
        model.loss_and_grad(np.ones((4, 2)), np.array([0, 1, 0, 1]))
    assert repr(watch) == "Watch(input (4, 2), output (4, 3), gradient (4, 3))"
    for look in (pl.record, pl.hook):
        with pytest.raises(OptionError, match="expected a layer, got the text 'dense_1'"), look("dense_1"):
            pass
