"""Derivations in a browser: each is the stored number but for rounding, and differences are near gradients."""

import base64
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.every import every
from tests.formats.networks import NETWORKS, Reversed, activated, of_images, shaken, two_inputs

import pellucid as pl
from pellucid.formats.html.inline import join_modules
from pellucid.formats.html.network import network_modules
from pellucid.formats.steps import steps_of
from pellucid.nn.freezing import freeze
from pellucid.ops.activations import ACTIVATIONS
from pellucid.ops.losses.base import RegressionLoss
from pellucid.replaying.formulas import FORMULAS, mathematics_of, mathml
from pellucid.replaying.record import Replay, replay_of
from pellucid.training.optimizers.base import OPTIMIZERS
from pellucid.training.trace import take_step, trace_prediction

GIVEN = {"W", "b", "gamma", "beta", "running_mean", "running_var", "mask", "Y"}
CORE = "math mrow mi mn mo mtext mspace mfrac msqrt msub msup msubsup munder mover mtable mtr mtd"


class Stretched(pl.Layer):
    """A layer of one's own that computes each number by itself, so that exports can write it."""

    def forward(self, X: Any, *, training: bool = False) -> Any:
        return 2 * X + 1

    def backward(self, dY: Any) -> Any:
        return 2 * dY


class Quartic(RegressionLoss):
    """A loss of one's own: (Z - Y)^4."""

    def pair(self, n_out: int) -> Any:
        def forward(Z: Any, Y: Any) -> Any:
            return (Z - Y) ** 4, Z - Y

        def backward(D: Any, *, dZ: Any = None) -> Any:
            return 4 * D**3

        return forward, backward


@pytest.fixture(scope="module")
def blank(chromium: Any) -> Iterator[Any]:
    """A page with nothing on it, on which pauses for a person's clicks take no time."""
    page = chromium.new_page()
    page.evaluate("() => { globalThis.setTimeout = queueMicrotask; }")
    yield page
    page.close()


def check(
    blank: Any, replay: Replay, *, most: int = 30, differences: int = 0, own: tuple[str, ...] = ()
) -> list[dict[str, Any]]:
    """Return what the page derives of each array; fail where a number is not the stored one, or has no derivation.

    ``own`` names arrays that have none, of layers of one's own.
    """
    header, views = replay.header, files("pellucid.replaying") / "views"
    modules = {path.name: path.read_text() for path in views.iterdir() if path.name.endswith(".js")}
    modules |= network_modules(header["activations"], header["slopes"])
    modules["check.js"] = (Path(__file__).parent / "check.js").read_text()
    given = {"header": header, "content": base64.b64encode(replay.content).decode()}
    rows: list[dict[str, Any]] = blank.evaluate(
        f"async (given) => {{ {join_modules(modules, 'check.js')}\nreturn checkReplay(given); }}",
        {**given, "most": most, "differences": differences},
    )
    faults = [f"{row['step']}.{row['name']}{fault}" for row in rows for fault in row["faults"]]
    assert not faults, "\n".join(faults[:20])
    not_derived = set(own)
    names = [each["name"] for each in header["steps"]]
    for name, step in zip(names, header["network"]["steps"], strict=True):
        inputs = [k for k, source in enumerate(step["from"]) if not source.startswith("#")]
        not_derived |= {f"{name}.X.{k}" if len(step["from"]) > 1 else f"{name}.X" for k in inputs}
        if step["do"] is None:
            not_derived |= {f"{name}.{row['name']}" for row in rows if row["step"] == name}
    for row in rows:  # all that is not given is derived
        if row["given"] and f"{row['step']}.{row['name']}" not in not_derived:
            is_given = row["name"].split(".")[0] in GIVEN or row["name"].startswith("memory_")
            assert is_given or (row["name"] == "value" and header["kind"] == "prediction"), row
    return rows


def row_of(rows: list[dict[str, Any]], step: str, name: str) -> dict[str, Any]:
    (found,) = [row for row in rows if (row["step"], row["name"]) == (step, name)]
    return found


def batch(rng: np.random.Generator, shape: Any, m: int = 3) -> Any:
    return rng.random((m, *shape)).astype(np.float32)


@pytest.mark.slow
@every("name", [name for name in NETWORKS if "resnet" not in name])
def test_every_layer_and_join(name: str, blank: Any, rng: np.random.Generator) -> None:
    make, shape = NETWORKS[name]
    model = shaken(make(), shape)
    y = np.arange(3) % max(2, model.output_shape[0])
    rows = check(blank, replay_of(pl.trace(model, (batch(rng, shape), y))), differences=2)
    assert sum(row["near"] for row in rows) > 8


@pytest.mark.slow
@every("name", list(ACTIVATIONS))
def test_every_activation_at_its_kink_too(name: str, blank: Any, rng: np.random.Generator) -> None:
    X = rng.standard_normal((3, 4)).astype(np.float32)
    X[0] = 0
    check(blank, replay_of(pl.trace(activated(name), (X, [0, 1, 2]))), most=200, differences=6)


MARKS = np.array([[0, 1, 1], [1, 0, 0], [1, 1, 1]])
PAIRS = np.array([[0.1, 2.0], [-3.0, 0.5], [0.0, 0.0]])
LOSSES: list[tuple[dict[str, Any], Any]] = [
    ({"type": "binary_cross_entropy"}, [0, 1, 1]),
    ({"type": "binary_cross_entropy", "label_smoothing": 0.1}, [0, 1, 1]),
    ({"type": "categorical_cross_entropy"}, [0, 1, 2]),
    ({"type": "categorical_cross_entropy", "label_smoothing": 0.2}, [0, 1, 2]),
    ({"type": "categorical_cross_entropy"}, np.array([[0.2, 0.3, 0.5], [1, 0, 0], [0, 0.5, 0.5]])),
    ({"type": "multi_label"}, MARKS),
    ({"type": "multi_label", "positive_weight": [1.0, 2.0, 0.5], "label_smoothing": 0.1}, MARKS),
    ({"type": "focal"}, [0, 1, 1]),
    ({"type": "focal", "gamma": 1.5, "alpha": 0.3}, [0, 1, 1]),
    ({"type": "focal"}, [0, 1, 2]),
    ({"type": "focal", "gamma": 0.5, "alpha": [0.2, 0.3, 0.5]}, [0, 1, 2]),
    ({"type": "hinge"}, [0, 1, 1]),
    ({"type": "hinge", "margin": 0.3}, [0, 1, 2]),
    ({"type": "mean_squared_error"}, PAIRS),
    ({"type": "mean_squared_error", "centre": (1.0, 2.0), "spread": (2.0, 0.5)}, PAIRS),
    ({"type": "mean_absolute_error"}, PAIRS),
    ({"type": "huber", "delta": 0.3}, PAIRS),
    ({"type": "poisson"}, np.array([3.0, 0.0, 1.0])),
]


@pytest.mark.slow
@every(("loss", "y"), LOSSES)
def test_every_loss(loss: dict[str, Any], y: Any, blank: Any, rng: np.random.Generator) -> None:
    y = np.asarray(y)
    n_out = y.shape[1] if y.ndim == 2 else 3 if y.max() == 2 else 1
    model = shaken(pl.Sequential([pl.Dense(4, "tanh"), pl.Dense(n_out)]), (4,))
    model.theta *= 3
    rows = check(blank, replay_of(pl.trace(model, (batch(rng, (4,)), y), loss=loss)), differences=4)
    assert row_of(rows, "loss", "value")["equal"] == 1
    assert row_of(rows, "loss", "dZ")["equal"] == 3 * n_out


OPTIONS: dict[str, list[dict[str, Any]]] = {
    "sgd": [
        {"momentum": 0.9},
        {"momentum": 0.9, "nesterov": True, "weight_decay": 0.1},
        {"clip_value": 0.01},
        {"clip_norm": 0.1},
        {"ntk": True, "decay_biases": True, "weight_decay": 0.1},
    ],
    "adam": [{"weight_decay": 0.1, "beta1": 0.5}],
    "adagrad": [{"initial_sum": 0.1}],
    "rmsprop": [{"momentum": 0.9}],
}


@pytest.mark.slow
@every("name", [name for name in OPTIMIZERS if name != "lbfgs"])
def test_every_optimizer_with_and_without_memory(name: str, blank: Any, rng: np.random.Generator) -> None:
    for options in ({}, *OPTIONS.get(name, [])):
        layers = [pl.Affine(), pl.Dense(4, "tanh"), pl.LayerNorm(), pl.Dense(1)]
        model, optimizer = shaken(pl.Sequential(layers), (4,)), {"type": name, **options}
        first = pl.trace(model, (batch(rng, (4,)), [0, 1, 0]), optimizer=optimizer, update=True)
        later, state = OPTIMIZERS.resolve(optimizer), first.optimizer.state()
        second = take_step(model, first.X, first.Y, None, later, seed=1, step=1, memory=state)
        for step in (first, second):
            rows = check(blank, replay_of(step))
            for key in ("W", "b"):
                assert row_of(rows, "dense_1", f"update_{key}")["equal"] > 3, options


@pytest.mark.slow
def test_several_inputs_and_outputs(blank: Any, rng: np.random.Generator) -> None:
    model = shaken(two_inputs(), {"photo": (4, 4, 3), "facts": (2,)})
    X = {"photo": batch(rng, (4, 4, 3)), "facts": batch(rng, (2,))}
    y = {"kind": [0, 1, 2], "size": [1.0, 2.0, 0.0]}
    for weight in (1.0, 2.5):
        model.set_loss({"kind": {"type": "categorical_cross_entropy", "weight": weight}, "size": "poisson"})
        rows = check(blank, replay_of(pl.trace(model, (X, y))), differences=4)
        assert row_of(rows, "loss", "dZ.kind")["equal"] == 9
        assert row_of(rows, "seen", "dA")["kinds"] == ["value/dA"]  # two steps take it


@pytest.mark.slow
def test_tied_layers_add_their_shares(blank: Any, rng: np.random.Generator) -> None:
    tied, image, norm = pl.Dense(4, "tanh"), pl.Conv2D(3, activation="relu"), pl.BatchNorm()
    for layers, shape in (
        ([tied, tied, pl.Dense(2)], (4,)),
        ([image, norm, image, norm, pl.Flatten(), pl.Dense(2)], (4, 4, 3)),
    ):
        model = shaken(pl.Sequential(layers), shape)
        rows = check(blank, replay_of(pl.trace(model, (batch(rng, shape), [0, 1, 0]))), differences=3)
        first = next(iter(model._named_leaves()))
        assert row_of(rows, first, "dW")["kinds"] == ["shares"]
        assert row_of(rows, first, "own_dW")["equal"]


@pytest.mark.slow
def test_frozen_layers_ties_and_float64(blank: Any, rng: np.random.Generator) -> None:
    X = rng.integers(0, 2, (3, 9, 9, 3)).astype(np.float32)  # many pixels of a window tie
    for until in (None, 0, 1):
        model = shaken(of_images(pl.BatchNorm(), pl.MaxPool2D(3, stride=2), pl.Dropout(0.3)), (9, 9, 3))
        if until is not None:
            freeze(model, [*model._named_leaves()][until])
        rows = check(blank, replay_of(pl.trace(model, (X, [0, 1, 2]))), differences=3)
        assert row_of(rows, "batchnorm_1", "A")["kinds"] == ["batch_norm/A"]
    layers = [pl.Conv2D(4), pl.BatchNorm(), pl.Activation("gelu"), pl.LayerNorm(), pl.Flatten(), pl.Dense(3)]
    model = pl.Sequential(layers)
    model.initialize((5, 5, 2), dtype="float64")
    check(blank, replay_of(pl.trace(model, (rng.random((3, 5, 5, 2)), [0, 1, 2]))), differences=3)
    check(blank, replay_of(trace_prediction(model, rng.random((3, 5, 5, 2)))))


@pytest.mark.slow
def test_of_part_of_a_batch_the_others_are_one_number(blank: Any, rng: np.random.Generator) -> None:
    model = shaken(of_images(pl.BatchNorm(), pl.MaxPool2D(3, stride=2)), (9, 9, 3))
    step = pl.trace(model, (batch(rng, (9, 9, 3), m=6), [0, 1, 2, 0, 1, 2]))
    rows = check(blank, replay_of(step, samples=2), differences=2)
    for name, array in (("conv2d_1", "dW"), ("batchnorm_1", "mean"), ("dense_1", "db"), ("loss", "value")):
        assert row_of(rows, name, array)["partial"], name
    assert row_of(rows, "batchnorm_1", "dX")["equal"]


@pytest.mark.slow
def test_what_comes_from_a_layer_of_ones_own_is_not_derived(blank: Any, rng: np.random.Generator) -> None:
    def derived(middle: pl.Layer, own: tuple[str, ...] = ()) -> list[dict[str, Any]]:
        model = shaken(pl.Sequential([pl.Dense(4), middle, pl.Dense(1)]), (4,))
        step = pl.trace(model, (batch(rng, (4,)), [0, 1, 0]))
        return check(blank, replay_of(step), differences=2, own=own)

    rows = derived(Reversed())
    assert row_of(rows, "reversed_1", "A")["given"]
    assert row_of(rows, "dense_1", "W")["near"] == 0
    assert row_of(rows, "dense_2", "W")["near"]
    rows = derived(Stretched(), ("stretched_1.dX",))
    assert row_of(rows, "stretched_1", "A")["equal"]
    assert row_of(rows, "dense_1", "W")["near"]


@pytest.mark.slow
@every("name", ["cnn", "resnet-small"])
def test_a_sample_of_large_networks(name: str, blank: Any, rng: np.random.Generator) -> None:
    model = pl.preset(name)
    model.initialize((32, 32, 3))
    check(blank, replay_of(pl.trace(model, (batch(rng, (32, 32, 3), m=1), [1]))), most=6)


def test_formulas_are_mathml_core() -> None:
    model = pl.Sequential([pl.Dense(2, name) for name in ACTIVATIONS])
    model.initialize((2,))
    made = mathematics_of(steps_of(model), ["huber"], "adam")
    formulas = {**made["formulas"], **{key: mathml(text) for key, text in FORMULAS.items()}}
    for key, text in formulas.items():
        elements = [each.tag for each in ET.fromstring(text).iter()]
        assert set(elements) <= set(CORE.split()), key
    assert set(made["slopes"]) == set(ACTIVATIONS) - {"linear", "softmax"}
    assert not any(key.startswith(("loss/poisson", "update/sgd")) for key in made["formulas"])


@pytest.mark.slow
def test_samples_with_weights(blank: Any, rng: np.random.Generator) -> None:
    model = shaken(pl.Sequential([pl.Dense(4, "tanh"), pl.Dense(3)]), (4,))
    first = pl.trace(model, (batch(rng, (4,)), [0, 1, 2]))
    weights = np.array([1.0, 0.0, 2.5], np.float32)
    step = take_step(first.model, first.X, first.Y, weights, OPTIMIZERS.resolve("sgd"), seed=1)
    rows = check(blank, replay_of(step), differences=4)
    assert row_of(rows, "loss", "value")["equal"] == 1
    assert row_of(rows, "loss", "dZ")["equal"] == 9


@pytest.mark.slow
@every("value", [np.nan, np.inf])
def test_what_is_not_finite_is_derived_as_far_as_it_goes(
    value: float, blank: Any, rng: np.random.Generator
) -> None:
    model = shaken(of_images(pl.BatchNorm(), pl.MaxPool2D()), (6, 6, 3))
    model.layers[0].params["W"][1, 2, 0, 0] = value  # type: ignore[attr-defined]
    rows = check(blank, replay_of(pl.trace(model, (batch(rng, (6, 6, 3)), [0, 1, 2]))))
    assert row_of(rows, "loss", "value")["equal"] == 1


@pytest.mark.slow
def test_a_loss_of_ones_own_is_not_derived(blank: Any, rng: np.random.Generator) -> None:
    model = shaken(pl.Sequential([pl.Dense(4, "tanh"), pl.Dense(1)]), (4,))
    step = pl.trace(model, (batch(rng, (4,)), [0.1, 0.2, 0.3]), loss=Quartic())
    rows = check(blank, replay_of(step), differences=2, own=("loss.value", "loss.dZ"))
    assert row_of(rows, "dense_2", "dA")["equal"]  # the same number as the loss's
    assert row_of(rows, "dense_1", "W")["near"] == 0
