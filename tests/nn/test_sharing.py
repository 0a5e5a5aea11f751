"""One layer in several places of a model has one set of parameters, wherever a model goes."""

import copy
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.every import every
from tests.nn.networks import SHARED, samples
from tests.ops.cases import HAS_NUMBA

import pellucid as pl
from pellucid import dispatch
from pellucid.errors import FormatError, OptionError, PellucidError, ShapeError
from pellucid.estimators import NetworkClassifier
from pellucid.evaluation.influence.tracin import is_stack, last_dense
from pellucid.evaluation.saliency.grad_cam import feature_layer
from pellucid.formats.architecture import architecture_to_toml, load_architecture
from pellucid.nn import model as module
from pellucid.nn.activation import Activation, Dropout
from pellucid.nn.blocks import Parallel, Residual
from pellucid.nn.conv import Conv2D
from pellucid.nn.dense import Dense, Flatten
from pellucid.nn.gradient_check import check_gradients
from pellucid.nn.graph import Graph
from pellucid.nn.hooks import hook, record
from pellucid.nn.layer import Layer
from pellucid.nn.model import Model, model_from_config
from pellucid.nn.pooling import MaxPool2D
from pellucid.nn.sequential import Sequential
from pellucid.training.form import Form

every_model = every("name", SHARED)


def made(name: str, dtype: str = "float64") -> Model:
    make, shape = SHARED[name]
    model = make()
    model.initialize(shape, seed=1, dtype=dtype)
    return model


def check_tied(model: Model) -> None:
    """Check that all parameters are in ``theta``, once, and that every use has them and its own gradients."""
    assert model.theta.size == sum(array.size for leaf in model._leaves() for array in leaf.params.values())
    uses = model._uses()
    assert len({id(use) for use in uses}) == len(uses) > len(model._leaves())
    for use in uses:
        first = use._first_use or use
        assert first in model._leaves()
        assert all(array.base is model.theta for array in use.params.values())
        assert all(use.params[key] is first.params[key] for key in first.params)
        assert all(use.state[key] is first.state[key] for key in first.state)
        if use is not first:
            assert not any(np.shares_memory(use.grads[key], model.grad) for key in use.grads)


def test_the_summary_counts_parameters_once_and_operations_for_each_use() -> None:
    dense = Dense(3)
    model = Sequential([dense, Dense(3), dense, Dense(1)])
    model.initialize((3,))
    assert model.theta.size == model.summary().n_params == 28
    assert model._n_operations == model.summary().n_operations == 3 * 18 + 6
    rows = [(row.label, row.n_params, row.n_operations, row.parameter_bytes) for row in model.summary().rows]
    assert rows[::2] == [("dense_1", 12, 18, 48), ("dense_1 (use 2)", 0, 18, 0)]
    assert model._flat_decay_mask().size == 28
    assert list(model.params) == ["dense_1", "dense_2", "dense_3"]


@every_model
def test_copies_share_within_themselves_alone(name: str, rng: np.random.Generator) -> None:
    model = made(name)
    X = samples(model, 12, rng)
    Z = model._raw_outputs(X)
    for twin in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        check_tied(twin)
        np.testing.assert_array_equal(twin._raw_outputs(X), Z)
        twin.theta *= 2
        assert not np.array_equal(twin._raw_outputs(X), Z)
    np.testing.assert_array_equal(model._raw_outputs(X), Z)


@every_model
def test_files_hold_it_as_it_is(name: str, rng: np.random.Generator, tmp_path: Path) -> None:
    model = made(name, "float32")
    X = samples(model, 12, rng)
    pl.save(model, tmp_path / "model.safetensors")
    (tmp_path / "net.toml").write_text(architecture_to_toml(model))
    loaded, architecture = (
        pl.load(tmp_path / "model.safetensors"),
        load_architecture(tmp_path / "net.toml"),
    )
    architecture.initialize(seed=1)
    names = {cls.__name__: cls for cls in (*Layer._registry._load().values(),)}
    for again in (loaded, architecture.model, model_from_config(model.config()), eval(repr(model), names)):
        assert again.config() == model.config()
        assert repr(again) == repr(model)
    for again in (loaded, architecture.model):
        check_tied(again)
        np.testing.assert_array_equal(again._raw_outputs(X), model._raw_outputs(X))


def test_a_shared_layer_is_described_once() -> None:
    dense = Dense(2)
    model = Sequential([dense, Residual(dense)])
    described = {"type": "Dense", "units": 2, "activation": None, "initializer": None, "shared": "shared_1"}
    residual = {"type": "Residual", "body": {"shared": "shared_1"}, "shortcut": None}
    assert model.config() == {"type": "Sequential", "layers": [described, residual]}
    assert repr(model) == "Sequential(layers=[(shared_1 := Dense(units=2)), Residual(body=shared_1)])"


@pytest.mark.skipif(not HAS_NUMBA, reason="needs Numba")
@every_model
def test_predictions_on_threads(name: str, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch) -> None:
    model = made(name)
    X = samples(model, 17, rng)
    alone = model._raw_outputs(X)
    monkeypatch.setattr(module, "SPLIT_OPERATIONS", 0)
    monkeypatch.setattr(module, "allowed_threads", lambda: 3)
    with dispatch.use("numba"):
        np.testing.assert_allclose(model._raw_outputs(X), alone, rtol=0, atol=1e-12)
        for leaf in model._leaves():
            for array in leaf.state.values():
                array += 0.5
        together = model._raw_outputs(X)
    np.testing.assert_allclose(together, model._raw_outputs(X), rtol=0, atol=1e-12)


def test_each_use_of_dropout_has_a_mask_of_its_own() -> None:
    drop = Dropout(0.5)
    model = Parallel([drop, drop])
    model.initialize((50,), dtype="float64")
    X = np.ones((2, 50))
    model._seed_step(1, 1)
    first = model.forward(X, training=True).copy()
    assert not np.array_equal(first[:, :50], first[:, 50:])
    model._seed_step(1, 1)
    np.testing.assert_array_equal(model.forward(X, training=True), first)


def test_a_kernel_that_knows_no_sharing_is_not_taken(rng: np.random.Generator) -> None:
    dense = Dense(4, activation="relu")
    model = Sequential([dense, dense, Dense(1)], dtype="float64")
    model.initialize((4,))
    data = pl.Dataset(rng.standard_normal((6, 4)), np.arange(6) % 2)
    history = pl.train(model, data, n_epochs=2, batch_size=None, optimizer="sgd")
    assert (history.form, history.note) == (
        Form.name,
        "direct form: the model uses dense_1 in several places",
    )
    with pytest.raises(OptionError, match="does not hold here: the model uses dense_1 in several places"):
        pl.train(model, data, n_epochs=2, form="dual", optimizer="sgd", batch_size=None)


@pytest.mark.skipif(not HAS_NUMBA, reason="needs Numba")
def test_the_stack_of_dense_layers_shares_under_kernels(rng: np.random.Generator) -> None:
    X, y = rng.standard_normal((8, 4)), np.arange(8) % 2
    results = []
    for kernels in ("numpy", "numba"):
        dense = Dense(4, activation="relu")
        model = Sequential([dense, dense, Dense(1)], dtype="float64")
        model.initialize((4,))
        with dispatch.use(kernels):
            pl.train(model, pl.Dataset(X, y), n_epochs=3, batch_size=4, optimizer="adam")
        results.append(model.theta)
    np.testing.assert_allclose(*results, rtol=0, atol=1e-12)


def test_a_hook_is_on_every_use(rng: np.random.Generator) -> None:
    dense = Dense(3)
    model = Sequential([dense, Dense(3), dense], dtype="float64")
    model.initialize((3,))
    X, seen = rng.standard_normal((2, 3)), []
    with hook(dense, forward=lambda plain, A, training: seen.append(A.copy()) or plain(A)):
        model.forward(X)
    model.forward(X)
    assert len(seen) == 2
    np.testing.assert_array_equal(seen[0], X)
    with record(dense) as watch:
        Z = model.forward(X)
    assert watch.output is not None
    np.testing.assert_array_equal(watch.output, Z)


def test_a_place_that_needs_other_parameters_is_refused() -> None:
    dense = Dense(2)
    model = Sequential([dense, dense])
    with pytest.raises(
        ShapeError, match=r"dense_1 \(use 2\).*\(3,\).*W of shape \(3, 2\).*\(2,\) need.*\(2, 2\)"
    ):
        model.initialize((3,))


def test_layers_without_parameters_may_see_other_shapes(rng: np.random.Generator) -> None:
    tanh, conv = Activation("tanh"), Conv2D(2, activation="relu")
    model = Sequential([conv, tanh, MaxPool2D(), Conv2D(3), tanh, Flatten(), Dense(4), tanh, Dense(1)])
    assert check_gradients(model, (4, 4, 2)).is_ok
    scales = Graph(
        inputs=["large", "small"],
        nodes={"a": (conv, "large"), "b": (conv, "small"), "c": (Flatten(), "a")},
        outputs=["c", "b"],
    )
    assert check_gradients(scales, {"large": (6, 6, 2), "small": (3, 3, 2)}).is_ok


class Twice(Model):
    """A body, two times over; it knows nothing of sharing."""

    def __init__(self, body: Layer) -> None:
        super().__init__(dtype="float64")
        self.body = body

    def build(self, input_shape: Any, rng: Any) -> None:
        self.body.build(input_shape, rng)
        self.input_shape, self.output_shape = input_shape, self.body.output_shape

    def children(self) -> list[Layer]:
        return [self.body]

    def forward(self, X: np.ndarray, *, training: bool = False) -> np.ndarray:
        return 2 * self.body.forward(X, training=training)

    def backward(self, dY: np.ndarray) -> Any:
        return self.body.backward(2 * dY)


def test_a_model_with_a_constructor_of_its_own() -> None:
    model = Twice(Dense(1))
    model.initialize((2,))
    assert (model.dtype, model.theta.size) == ("float64", 3)
    assert repr(model) == "Twice(body=Dense(units=1), dtype='float64')"


@every(
    "make",
    [
        lambda dense: Twice(Sequential([dense, dense])),
        lambda dense: Twice(Parallel([dense, dense])),
        lambda dense: (lambda twice: Sequential([twice, twice]))(Twice(dense)),
    ],
)
def test_a_structure_that_cannot_share_refuses(make: Any) -> None:
    with pytest.raises(OptionError, match="several places, which a Twice cannot run"):
        make(Dense(3)).initialize((3,))


def test_layers_may_be_exchanged() -> None:
    dense = Dense(3)
    model = Sequential([dense, Dense(3), dense])
    model.initialize((3,))
    other = Sequential([Dense(3)])
    other.initialize((3,))
    model._keep("layers", [dense, other.layers[0]])
    model._bind()
    model._mark_input_gradient(False)
    assert (model.theta.size, model._places) == (24, model.layers)
    model._keep("layers", [dense, dense])
    with pytest.raises(
        PellucidError, match=r"several places since its layers were exchanged\. Call initialize"
    ):
        model._bind()


FAULTS = {
    "unknown": ('[[layers]]\nshared = "a"', "line 2: unknown shared layer 'a'. Its first place has its type"),
    "nearest": (
        '[[layers]]\ntype = "Dense"\nunits = 1\nshared = "encoder"\n[[layers]]\nshared = "encodr"',
        "line 6: unknown shared layer 'encodr'. Did you mean 'encoder'",
    ),
    "twice": ('[[layers]]\ntype = "Flatten"\nshared = "a"\n' * 2, "line 6: shared: 'a' is described twice"),
    "no name": (
        '[[layers]]\ntype = "Flatten"\nshared = 3',
        "line 3: layer: expected shared to be a text, got 3",
    ),
}


@every("fault", FAULTS)
def test_faults_in_files_name_the_line(fault: str, tmp_path: Path) -> None:
    text, message = FAULTS[fault]
    (tmp_path / "net.toml").write_text(text)
    with pytest.raises(FormatError) as caught:
        load_architecture(tmp_path / "net.toml")
    assert message in str(caught.value)


def test_a_layer_that_another_model_has_taken_is_named(rng: np.random.Generator, tmp_path: Path) -> None:
    encoder = Sequential([Dense(4), Dense(2)])
    first, second = Sequential([encoder, Dense(1)]), Sequential([encoder, Dense(3), Dense(1)])
    data = pl.Dataset(rng.standard_normal((6, 3)), np.arange(6) % 2)
    pl.train(first, data, n_epochs=1)
    pl.train(second, data, n_epochs=1)
    with pytest.raises(
        PellucidError, match=r"Sequential: its dense_1 has been built into another model.*deepcopy"
    ):
        pl.train(first, data, n_epochs=1)
    with pytest.raises(PellucidError, match=r"its dense_1 has been built into another model"):
        pl.save(first, tmp_path / "first.safetensors")
    pl.train(second, data, n_epochs=1)
    pl.save(second, tmp_path / "second.safetensors")
    own = Sequential([copy.deepcopy(encoder), Dense(1)])
    pl.train(own, data, n_epochs=1)
    pl.train(second, data, n_epochs=1)


def test_estimators_clone_and_pickle_it(rng: np.random.Generator) -> None:
    base = pytest.importorskip("sklearn.base")
    dense = Dense(4, activation="relu")
    X, y = rng.standard_normal((20, 4)), np.arange(20) % 2
    estimator = NetworkClassifier(Sequential([dense, Dense(4), dense, Dense(1)]), random_state=1).fit(X, y)
    assert estimator.model_.theta.size == 45
    for again in (base.clone(estimator).fit(X, y), pickle.loads(pickle.dumps(estimator))):
        check_tied(again.model_)
        np.testing.assert_array_equal(again.predict_proba(X), estimator.predict_proba(X))


def test_grad_cam_looks_at_the_last_use() -> None:
    conv, relu = Conv2D(3), Activation("relu")
    model = Sequential([conv, relu, MaxPool2D(), conv, relu, Flatten(), Dense(1)])
    model.initialize((8, 8, 3))
    layer = feature_layer(model)
    assert layer is not None
    assert (layer.name, layer.output_shape) == ("activation_1 (use 2)", (4, 4, 3))


def test_the_fast_way_of_tracin_leaves_it_to_the_plain_one() -> None:
    """It goes layer by layer, as if each had parameters of its own."""
    dense = Dense(3)
    model = Sequential([dense, dense], dtype="float64")
    model.initialize((3,))
    assert not is_stack(model)
    with pytest.raises(OptionError, match="ends in a Dense layer"):
        last_dense(model)
