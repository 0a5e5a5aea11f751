"""Frozen layers stay as they are, in every structure, and cost the optimizer nothing."""

from pathlib import Path

import numpy as np
import pytest
from tests.every import every
from tests.nn.networks import NETWORKS, made, samples
from tests.ops.cases import HAS_NUMBA

from pellucid import dispatch
from pellucid.errors import FormatError, OptionError
from pellucid.formats.safetensors import load, save
from pellucid.nn.dense import Dense, Flatten
from pellucid.nn.freezing import freeze, frozen_names, unfreeze
from pellucid.nn.gradient_check import check_gradients
from pellucid.nn.graph import Graph
from pellucid.nn.model import Model
from pellucid.nn.norm import BatchNorm
from pellucid.nn.presets import preset
from pellucid.nn.rebuild import description, named_arrays, rebuild
from pellucid.nn.replica import replica
from pellucid.nn.sequential import Sequential
from pellucid.types import Array

NEEDS_NUMBA = pytest.mark.skipif(not HAS_NUMBA, reason="needs Numba: pip install 'pellucid[fast]'")
KERNELS = ["numpy", pytest.param("numba", marks=NEEDS_NUMBA)]


def places(name: str) -> list[str]:
    """Return the layers up to which a network can be frozen: some before have parameters, and some after."""
    leaves = made(name)._leaves()
    with_params = [i for i, leaf in enumerate(leaves) if leaf.params]
    return [leaf.name for leaf in leaves[with_params[0] : with_params[-1]]]


EACH = [(name, until) for name in NETWORKS for until in places(name)]


def drawn(model: Model) -> tuple[Array, Array]:
    rng = np.random.default_rng(3)
    return samples(model, 9, rng), rng.integers(0, 2, 9)


@every(("name", "until"), EACH)
@pytest.mark.parametrize("kernels", KERNELS)
def test_frozen_layers_stay_and_no_gradient_counts_them(name: str, until: str, kernels: str) -> None:
    model = made(name)
    X, y = drawn(model)
    model._choose_loss(y)
    freeze(model, until)
    names = frozen_names(model)
    assert names[-1] == until
    before = {key: array.copy() for key, array in named_arrays(model).items()}
    n_params = sum(array.size for leaf in model._leaves() for array in leaf.params.values())
    assert (model.n_params, model.theta.size + model._n_frozen) == (n_params, n_params)
    assert model.grad.size == model.theta.size == model._flat_decay_mask().size
    with dispatch.use(kernels):
        model._seed_step(1, 0)
        model.grad.fill(np.nan)
        model.loss_and_grad(X, y)
    assert np.isfinite(model.grad).all()
    for leaf in model._leaves():
        for key, array in (*leaf.params.items(), *leaf.state.items()):
            if leaf._is_frozen or key in leaf.params:  # running statistics of the others move
                np.testing.assert_allclose(array, before[f"{leaf.name}.{key}"], rtol=0, atol=1e-15)


@every(("name", "until"), EACH)
def test_checked_saved_copied_and_thawed(name: str, until: str, tmp_path: Path) -> None:
    model = made(name, "float32")
    X, _ = drawn(model)
    whole, theta = model.forward(X).copy(), model.theta.copy()
    freeze(model, until)
    np.testing.assert_allclose(model.forward(X), whole, rtol=1e-5)  # kernels fuse other layers then
    result = check_gradients(model)
    assert result.is_ok, str(result)
    trained = [leaf.name for leaf in model._leaves() if leaf._is_trained]
    assert list(dict.fromkeys(row.layer for row in result.rows if row.stage == "network"))[1:] == trained
    save(model, tmp_path / "model.safetensors")
    for twin in (
        load(tmp_path / "model.safetensors"),
        replica(model),
        rebuild(description(model), named_arrays(model)),
    ):
        assert frozen_names(twin) == frozen_names(model)
        np.testing.assert_array_equal(twin.theta, model.theta)
        np.testing.assert_allclose(twin.forward(X), whole, rtol=1e-5)
    unfreeze(model)
    np.testing.assert_array_equal(model.theta, theta)
    assert model._n_frozen == 0


def test_a_start_that_lies_column_by_column() -> None:
    model = preset("mlp")
    model.initialize((3, 3, 1))
    freeze(model, "dense_2")
    assert check_gradients(model).is_ok


def test_the_input_gradient_goes_through_frozen_layers() -> None:
    frozen, plain = made("convolutions"), made("convolutions")
    freeze(frozen, "conv2d_2")
    X, _ = drawn(frozen)
    gradients = []
    for model in (frozen, plain):
        model._mark_input_gradient(True)
        Z = model.forward(X.copy())
        dX = model.backward(np.ones_like(Z))
        assert dX is not None
        gradients.append(dX.copy())
    np.testing.assert_allclose(*gradients, rtol=1e-12)


def test_the_summary_counts_both() -> None:
    model = made("stack")
    freeze(model, "dropout_1")
    summary = model.summary()
    assert (summary.n_params, summary.n_frozen, model.theta.size) == (89, 42, 47)
    assert "Parameters frozen, up to dropout_1: 42; trained: 47." in str(summary)
    assert "trained: 47" in summary._repr_html_()
    unfreeze(model)
    assert "frozen" not in str(model.summary())


def test_wrong_layers_are_refused_in_one_line() -> None:
    model = made("stack")
    for until, words in (
        ("dense2", r"freeze: unknown layer 'dense2'\. Did you mean 'dense_2'\? Known: activation_1, "),
        ("dense_3", r"no layer after dense_3 is left to train\. Freeze up to dense_2 at most\."),
    ):
        with pytest.raises(OptionError, match=words):
            freeze(model, until)
    flat = Sequential([Flatten(), Dense(1)])
    with pytest.raises(OptionError, match="no parameters yet"):
        freeze(flat, "flatten_1")
    flat.initialize((2, 2))
    with pytest.raises(OptionError, match=r"nothing would be frozen\. The first is dense_1\."):
        freeze(flat, "flatten_1")
    with pytest.raises(OptionError, match="Freeze nothing"):
        freeze(flat, "dense_1")
    with pytest.raises(FormatError, match="its frozen layers are"):
        rebuild({**description(model), "frozen": ["dense_9"]}, named_arrays(model))


def test_one_sample_reaches_the_nodes_before_a_sequence_that_begins_frozen() -> None:
    """A batch of one is normed by the running statistics; the gradient for what is frozen is nobody's."""
    nodes = {
        "n0": (Sequential([Dense(2), BatchNorm()]), "a"),
        "n1": (BatchNorm(), "a"),
        "both": ("concat", ["n0", "n1"]),
        "out": (Dense(3), "both"),
    }
    model = Graph(["a"], nodes, "out")
    model.initialize((4,))
    first = model._leaves()[0]
    freeze(model, first.name)
    assert isinstance(first, Dense)
    X = np.random.default_rng(1).standard_normal((1, 4)).astype(np.float32)
    model.forward(X, training=True)
    model.backward(np.ones((1, 3), np.float32))
    dY = np.ones((1, 3), np.float32) @ model._leaves()[-1].params["W"].T
    np.testing.assert_allclose(model._leaves()[2].grads["beta"], dY[0, 2:], rtol=1e-6)
