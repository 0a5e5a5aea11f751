"""Random networks: plain ops, NumPy's twins and kernels agree, and gradients are the slopes of the loss."""

import copy
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
from hypothesis import assume, reject
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy
from tests.fuzz.layers import Pool, after, chains, nodes_of
from tests.fuzz.losses import losses, targets
from tests.fuzz.search import Subject

import pellucid as pl
from pellucid import dispatch
from pellucid.errors import TrainingError
from pellucid.nn.gradient_check import check_gradients
from pellucid.nn.model import model_from_config
from pellucid.ops.losses.base import LOSSES
from pellucid.training.executor import thread_shards
from pellucid.training.optimizers.sgd import SGD
from pellucid.types import Array, map_arrays

LIMIT = 1e-8  # of a difference, relative to the largest number of its array
sides = st.sampled_from([6, 5, 8, 4, 7, 3, 2, 1])
images = st.tuples(sides, sides, st.sampled_from([3, 1, 2, 4]))
rows = st.tuples(st.sampled_from([4, 5, 3, 6, 2, 1]))
few = st.sampled_from([4, 5, 3, 6, 2, 1])  # samples
numbers_of_outputs = st.sampled_from([3, 1, 2])


@dataclass
class Network:
    """A model that is not yet initialized, and what it is trained on."""

    model: pl.Model
    input_shape: Any
    n_out: Any
    loss: Any
    m: int
    seed: int
    is_weighted: bool
    needs_input_gradient: bool

    def ready(self) -> pl.Model:
        """Return a copy of the model, initialized in float64, its parameters off the special points of a start."""
        model = copy.deepcopy(self.model)
        model._needs_input_gradient = self.needs_input_gradient
        model.initialize(self.input_shape, seed=self.seed, dtype="float64")
        model.set_loss(copy.deepcopy(self.loss))
        model.theta += 0.2 * np.random.default_rng(self.seed).standard_normal(model.theta.size)
        return model

    def data(self) -> tuple[Any, Any, Array | None]:
        """Return inputs, targets and weights."""
        rng = np.random.default_rng([self.seed, 1])
        X = _map(self.input_shape, lambda shape: rng.standard_normal((self.m, *shape)))
        weights = rng.random(self.m) if self.is_weighted else None
        if isinstance(self.n_out, dict):
            each = {name: self._targets(self.loss[name], n, rng) for name, n in self.n_out.items()}
            return X, each, weights
        return X, self._targets(self.loss, self.n_out, rng), weights

    def _targets(self, loss: dict[str, Any], n_out: int, rng: np.random.Generator) -> Array:
        return targets(LOSSES.resolve(loss), n_out, self.m, rng)


def _map(shapes: Any, make: Callable[[Any], Any]) -> Any:
    return {name: make(shape) for name, shape in shapes.items()} if isinstance(shapes, dict) else make(shapes)


@st.composite
def networks(draw: DrawFn, shapes: Any, m: Any = few, **pool: bool) -> Network:
    """Draw layers and structures one after another, with a Dense at their end."""
    shape = draw(shapes)
    layers = draw(chains(shape, Pool(**pool)))
    if len(after(layers, shape)) > 1:
        layers.append(pl.Flatten())
    n_out = draw(numbers_of_outputs)
    model = pl.Sequential([*layers, pl.Dense(n_out)])
    return draw(made(model, shape, n_out, losses(n_out), m))


@st.composite
def graphs(draw: DrawFn, m: Any = few, **pool: bool) -> Network:
    """Draw a graph of one or two inputs, with an output or two at any of its nodes."""
    inputs = {name: draw(rows | images) for name in draw(st.sampled_from([["a"], ["a", "b"]]))}
    nodes, shapes = draw(nodes_of(inputs, Pool(**pool), 1))
    outputs: dict[str, int] = {}
    for name in draw(st.sampled_from([["x"], ["x", "y"]])):
        source = draw(st.sampled_from(sorted(shapes)))
        if len(shapes[source]) > 1:
            nodes[f"{name} flat"] = (pl.Flatten(), source)
            source = f"{name} flat"
        outputs[name] = draw(numbers_of_outputs)
        nodes[name] = (pl.Dense(outputs[name]), source)
    is_single = len(outputs) == 1
    model = pl.Graph(list(inputs), nodes, "x" if is_single else list(outputs))
    each = {name: losses(n_out) for name, n_out in outputs.items()}
    loss = each["x"] if is_single else st.fixed_dictionaries(each)
    input_shape = inputs["a"] if len(inputs) == 1 else inputs
    return draw(made(model, input_shape, outputs["x"] if is_single else outputs, loss, m))


def made(model: pl.Model, input_shape: Any, n_out: Any, loss: Any, m: Any) -> SearchStrategy[Network]:
    own = {"m": m, "seed": st.integers(0, 10**6)}
    own |= {"is_weighted": st.booleans(), "needs_input_gradient": st.booleans()}
    return st.builds(partial(Network, model, input_shape, n_out), loss, **own)


def check_twins(network: Network, ways: tuple[str, ...] = ("numpy",)) -> None:
    """Compare everything that a network computes with what the plain ops do."""
    plain = computed(network, "plain")
    for way in ways:
        wrong = differences(plain, computed(network, way))
        if wrong:
            assume(not differences(plain, computed(network, "plain", jitter=1e-11)))  # it is not at a kink
            raise AssertionError(f"{way} differs from plain by {wrong}")
    check_prediction(network)


check_kernels = partial(check_twins, ways=("numba",))


def computed(network: Network, way: str, jitter: float = 0.0) -> dict[str, Array]:
    """Return outputs, loss, gradients, statistics and, after some steps, parameters, by name."""
    X, y, weights = network.data()
    model = network.ready()
    noise = np.random.default_rng(5)
    model.theta *= 1 + jitter * noise.standard_normal(model.theta.size)
    X = map_arrays(lambda array: array * (1 + jitter * noise.standard_normal(array.shape)), X)
    Y = model._encode(y)
    found: dict[str, Any] = {}
    with dispatch.use(way):
        found["prediction"] = map_arrays(np.copy, model.forward(X))
        model._seed_step(1, 0)
        Z = model.forward(X, training=True)
        found["Z"] = map_arrays(np.copy, Z)
        loss, cache = model._loss.forward(Z, Y, weights=weights)
        dZ = model._loss.backward(cache)
        found["loss"] = np.array(loss)
        model.grad.fill(np.nan)  # each has to be written
        dX = model.backward(dZ)
        if network.needs_input_gradient:  # None: no output depends on that input
            found["dX"] = map_arrays(lambda part: None if part is None else part.copy(), dX)
        found["grad"] = model.grad.copy()
        for leaf in model._leaves():
            found |= {f"{leaf.name}.{key}": state.copy() for key, state in leaf.state.items()}
        model._seed_step(1, 1)
        found["second loss"] = np.array(model.loss_and_grad(X, Y, weights=weights))
        found["second grad"] = model.grad.copy()
    arrays = {}
    for name, value in found.items():
        parts = value if isinstance(value, dict) else {"": value}
        arrays |= {f"{name} {part}".strip(): array for part, array in parts.items() if array is not None}
    for name, array in arrays.items():
        assert np.isfinite(array).all(), f"{name} is not finite"
    return arrays


def differences(one: dict[str, Array], two: dict[str, Array], limit: float = LIMIT) -> dict[str, float]:
    """Return by how much arrays of the same name differ, relative to the largest number; only what is too much."""
    assert one.keys() == two.keys()
    found = {}
    for name, array in one.items():
        assert array.shape == two[name].shape, name
        size = max(1.0, float(np.abs(array).max(initial=0)))
        found[name] = float(np.abs(array - two[name]).max(initial=0)) / size
    return {name: error for name, error in found.items() if not error <= limit}


def check_prediction(network: Network) -> None:
    """A sample is predicted alike alone and among others; a copy, a file and a config give the same network."""
    X, _, _ = network.data()
    model = network.ready()
    Z = model._raw_outputs(X)
    alone = model._raw_outputs(map_arrays(lambda array: array[:1], X))
    assert not differences(_named(map_arrays(lambda array: array[:1], Z)), _named(alone))
    twin = model_from_config(model.config())
    assert repr(twin) == repr(copy.deepcopy(network.model))
    assert not differences(_named(Z), _named(copy.deepcopy(model)._raw_outputs(X)), 0)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.safetensors"
        pl.save(model, path)
        assert not differences(_named(Z), _named(pl.load(path)._raw_outputs(X)), 0)


def _named(Z: Any) -> dict[str, Array]:
    return Z if isinstance(Z, dict) else {"": Z}


def check_steps(network: Network, n_threads: int = 2) -> None:
    """Two epochs on plain ops, on NumPy's twins and on several threads: the same losses and parameters."""
    X, y, weights = network.data()

    def trained(way: str, n_threads: int, jitter: float = 0.0) -> dict[str, Array]:
        model = network.ready()
        model.theta *= 1 + jitter * np.random.default_rng(5).standard_normal(model.theta.size)
        clip_norm = None if network.seed % 2 else 1.0
        options: Any = {"optimizer": SGD(0.01, momentum=0.5, weight_decay=0.1, clip_norm=clip_norm)}
        options |= {"n_epochs": 2, "batch_size": max(1, network.m - 1), "sample_weight": weights}
        with dispatch.use(way), mock.patch.object(thread_shards, "UPDATE_SIZE", 1):  # threads update, too
            history = pl.train(model, (X, y), n_threads=n_threads, **options)
        states = {f"{leaf.name}.{key}": a for leaf in model._leaves() for key, a in leaf.state.items()}
        return {"theta": model.theta, "losses": np.array(history.losses), **states}

    try:
        plain = trained("plain", 1)
    except TrainingError:  # the loss became infinite: of two steps there is nothing to compare
        reject()
    for way, n in [("numpy", 1), ("numpy", n_threads)]:
        wrong = differences(plain, trained(way, n))
        if wrong:
            assume(not differences(plain, trained("plain", 1, jitter=1e-11)))
            raise AssertionError(f"{way} on {n} threads differs from plain by {wrong}")


def check_slopes(network: Network) -> None:
    """Compare every gradient with finite differences."""
    model = copy.deepcopy(network.model)
    is_tiny = network.m < 2 and any(isinstance(leaf, pl.BatchNorm) for leaf in model._leaves())
    loss = None if isinstance(model, pl.Graph) and not model.is_single_output else network.loss
    options: Any = {"loss": loss, "n_samples": network.m + is_tiny, "seed": network.seed}
    result = check_gradients(model, network.input_shape, **options)
    wrong = [row for row in result.rows if not row.is_ok]
    assume(not any(row.outcome == "undecided" for row in wrong))  # too many kinks for a decision
    assert not wrong, result


narrow = networks(st.just((6, 6, 4)), is_narrow=True)
with_ties = networks(rows | images, has_ties=True) | graphs(has_ties=True)
SUBJECTS = {
    "networks of rows": Subject(networks(rows), check_twins, 36),
    "networks of images": Subject(networks(images), check_twins, 60),
    "graphs": Subject(graphs(), check_twins, 36),
    "shared layers": Subject(with_ties, check_twins, 36),
    "training steps": Subject(networks(rows | images) | graphs() | with_ties, check_steps, 36),
    "rows on kernels": Subject(networks(rows), check_kernels, 24, on_kernels=True),
    "images on kernels": Subject(narrow, check_kernels, 24, on_kernels=True),
    "slopes": Subject(networks(rows | images) | graphs() | with_ties, check_slopes, 36),
}
