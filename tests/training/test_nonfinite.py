"""Where a step first went wrong is found, told and kept."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.every import every
from tests.ops.cases import HAS_NUMBA

import pellucid as pl
from pellucid import dispatch
from pellucid.errors import FormatError, TrainingError
from pellucid.tensors import read_tensors, write_tensors
from pellucid.training.events import StepEnd
from pellucid.training.nonfinite import find_nonfinite, replay_nonfinite
from pellucid.training.optimizers.sgd import SGD


@pytest.fixture
def data(rng: np.random.Generator) -> pl.Dataset:
    return pl.Dataset(rng.standard_normal((10, 4)).astype(np.float32), np.arange(10) % 2)


def network() -> pl.Sequential:
    model = pl.Sequential([pl.Dense(5, activation="relu"), pl.Dense(3), pl.Dense(1)])
    model.initialize((4,), seed=1)
    return model


def test_each_place_is_named(data: pl.Dataset) -> None:
    model = network()
    X, Y = data.X.copy(), model._encode(data.y)
    assert find_nonfinite(model, X, Y) is None
    X[6, 1] = np.nan
    assert find_nonfinite(model, X, Y) == ("input", "", "", [6])
    model.layers[1].params["W"][0, 0] = np.inf
    assert find_nonfinite(model, data.X, Y) == ("parameter", "dense_2", "W", [])


def test_the_first_overflow_in_forward_and_backward(data: pl.Dataset) -> None:
    model = network()
    model.layers[0].params["W"][...] = 1e20
    model.layers[1].params["W"][...] = 1e25
    X = np.abs(data.X)
    X[3] = 0  # whose sums stay finite
    fault = find_nonfinite(model, X, model._encode(data.y))
    assert fault == ("forward", "dense_2", "output", [0, 1, 2, 4, 5, 6, 7, 8, 9])
    assert fault is not None
    assert "in the forward pass, the output of dense_2" in fault.in_words()


def test_the_training_names_it_and_keeps_the_step(data: pl.Dataset, tmp_path: Path) -> None:
    model, box = network(), tmp_path / "nonfinite.safetensors"

    def spoil(event: Any) -> None:
        if isinstance(event, StepEnd) and event.step == 2:
            model.layers[1].params["b"][0] = np.nan

    words = r"at step 3 \(epoch 4\)\. It began the b of dense_2\..*nonfinite"
    with pytest.raises(TrainingError, match=words) as error:
        pl.train(model, data, n_epochs=10, form="direct", callbacks=[spoil], nonfinite=box)
    assert len(str(error.value).splitlines()) == 1
    again, X, Y, fault = replay_nonfinite(box)
    assert fault == ("parameter", "dense_2", "b", [])
    np.testing.assert_array_equal(X, data.X)
    np.testing.assert_array_equal(Y, model._encode(data.y))
    np.testing.assert_array_equal(again.theta, model.theta)
    assert replay_nonfinite(box)[3] == fault


def test_it_is_found_where_steps_are_split(data: pl.Dataset) -> None:
    """Looking for it, one shard goes through a batch norm alone: no other must be waited for."""
    model = pl.Sequential([pl.Flatten(), pl.Dense(6), pl.BatchNorm(), pl.Dense(1)])

    def spoil(event: Any) -> None:
        if isinstance(event, StepEnd) and event.step == 2:
            model.layers[1].params["b"][0] = np.nan

    with pytest.raises(TrainingError, match=r"at step 3 \(epoch 4\)\. It began the b of dense_1"):
        pl.train(model, data, n_epochs=10, form="direct", callbacks=[spoil], n_threads=2)


@every("kernels", ["numpy", "numba"] if HAS_NUMBA else ["numpy"])
def test_looking_leaves_masks_and_hooks_as_they_were(kernels: str, rng: np.random.Generator) -> None:
    norm, drop = pl.BatchNorm(), pl.Dropout(0.5)
    body = pl.Sequential([pl.Conv2D(3), norm, pl.Activation("relu"), pl.MaxPool2D(), drop])
    model = pl.Sequential([pl.Residual(pl.Conv2D(3)), body, drop, norm, pl.Flatten(), pl.Dense(1)])
    model.initialize((4, 4, 3))
    X, Y = rng.standard_normal((6, 4, 4, 3)).astype(np.float32), model._encode(np.arange(6) % 2)

    def state() -> bytes:
        hooked = [
            [{"forward", "_unhooked"} & {*vars(layer)} for layer in part._places] for part in (model, body)
        ]
        states = [array for leaf in model._leaves() for array in leaf.state.values()]
        arrays = [model.theta, model.grad, *states]
        generators = [use.rng.bit_generator.state for use in model._uses() if isinstance(use, pl.Dropout)]
        return repr((hooked, generators)).encode() + b"".join(array.tobytes() for array in arrays)

    with dispatch.use(kernels):
        model._seed_step(1, 2)
        model.loss_and_grad(X, Y)
        before = state()
        assert find_nonfinite(model, X, Y) is None
        assert state() == before
        model._seed_step(1, 2)
        first = model.loss_and_grad(X, Y)
        model._seed_step(1, 2)
        find_nonfinite(model, X, Y)
        assert model.loss_and_grad(X, Y) == first


def test_the_use_of_a_shared_layer_is_named(data: pl.Dataset) -> None:
    dense = pl.Dense(4)
    model = pl.Sequential([dense, dense, pl.Dense(1)])
    model.initialize((4,))
    dense.params["W"][...] = 1e30
    fault = find_nonfinite(model, np.abs(data.X), model._encode(data.y))
    assert fault is not None
    assert fault[:2] == ("forward", "dense_1 (use 2)")


def damaged(header: dict[str, Any], arrays: dict[str, Any]) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Return records with one thing wrong each."""
    headers = [{key: value for key, value in header.items() if key != name} for name in header]
    headers = [each for each in headers if {"fault", "epoch"} <= each.keys()]  # told, not used
    headers += [{**header, **wrong} for wrong in ({"seed": "x"}, {"step": None}, {"step": -1}, {"loss": 3})]
    changed = [{key: value for key, value in arrays.items() if key != name} for name in arrays]
    X, Y = arrays["X/"], arrays["Y/"]
    changed += [{**arrays, "X/": wrong} for wrong in (X[:, :3], X[:5], np.float32(1))]
    changed += [{**arrays, "X/more": X}, {**arrays, "Y/": Y[:3]}, {**arrays, "Y/": np.full(10, 99)}]
    weights = np.zeros((1, 1), np.float32), np.zeros((4, 5), np.int32)
    changed += [{**arrays, "model/dense_1.W": wrong} for wrong in weights]
    return [(each, arrays) for each in headers] + [(header, each) for each in changed]


def test_wrong_records_are_one_clear_line(data: pl.Dataset, tmp_path: Path) -> None:
    model = pl.Sequential([pl.Dense(5), pl.Dropout(0.5), pl.Dense(1)])
    box = tmp_path / "nonfinite.safetensors"
    with pytest.raises(TrainingError):
        pl.train(model, data, optimizer=SGD(1e30), n_epochs=50, form="direct", nonfinite=box)
    header, arrays = read_tensors(box, "pellucid_nonfinite_step", kind="step", advice="")
    assert replay_nonfinite(box)[3] is not None
    for wrong_header, wrong_arrays in damaged(header, arrays):
        write_tensors(box, "pellucid_nonfinite_step", wrong_header, wrong_arrays)
        with pytest.raises(FormatError, match=r"nonfinite.safetensors: .*damaged; train again") as error:
            replay_nonfinite(box)
        assert len(str(error.value).splitlines()) == 1
    for other in (tmp_path, tmp_path / "missing"):
        with pytest.raises(FormatError):
            replay_nonfinite(other)
