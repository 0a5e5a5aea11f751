"""Training on a cluster: the same numbers as in one process, whatever the number of workers."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pellucid as pl

pytest.importorskip("distributed", reason="clusters need Dask: pip install 'pellucid[dask]'")

from pellucid.data.source import DataSource
from pellucid.data.stored.base import StoredArray
from pellucid.distributed import cluster, cutting
from pellucid.distributed.batch_parts import divide
from pellucid.distributed.training import train
from pellucid.distributed.waiting import ClusterError
from pellucid.errors import DataError, OptionError, TrainingError
from pellucid.nn.layer import Layer
from pellucid.training.callbacks.checkpoint import Checkpoint

HERE: dict[str, Any] = {"dtype": "float64", "form": "direct", "kernels": "numpy"}


def table(m: int = 120) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    X = rng.standard_normal((m, 12))
    return X, (X[:, 0] * X[:, 1] > 0).astype(int)


def photos(m: int = 40) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(1)
    return rng.integers(0, 256, (m, 12, 12, 3), dtype=np.uint8), np.arange(m) % 3


def dense() -> pl.Sequential:
    return pl.Sequential([pl.Dense(10, activation="relu"), pl.BatchNorm(), pl.Dropout(0.3), pl.Dense(2)])


def conv() -> pl.Sequential:
    layers = [pl.Conv2D(4, 3), pl.BatchNorm(), pl.Activation("relu"), pl.GlobalAvgPool2D(), pl.Dense(3)]
    return pl.Sequential(layers)


def differences(a: Any, b: Any) -> float:
    states = [
        (one.state[key], two.state[key])
        for one, two in zip(a.leaves(), b.leaves(), strict=True)
        for key in one.state
    ]
    return max(float(np.abs(x - y).max()) for x, y in [(a.theta, b.theta), *states])


def two_inputs() -> pl.Graph:
    nodes = {
        "maps": (pl.Sequential([pl.Conv2D(4, 3), pl.BatchNorm(), pl.GlobalAvgPool2D()]), "photo"),
        "both": ("concat", ["maps", "facts"]),
        "logits": (pl.Dense(3), "both"),
    }
    return pl.Graph(inputs=["photo", "facts"], nodes=nodes, outputs="logits")


def photos_with_facts() -> tuple[dict[str, np.ndarray], np.ndarray]:
    X, y = photos()
    return {"photo": X, "facts": np.random.default_rng(2).standard_normal((len(y), 4))}, y


CASES: dict[str, tuple[Any, Any, dict[str, Any]]] = {
    "mini-batches": (dense, table, {"n_epochs": 40, "batch_size": 25, "optimizer": "adam"}),
    "a full batch": (dense, table, {"n_epochs": 200, "learning_rate": 0.1}),
    "in order, weighed": (
        dense,
        table,
        {"n_epochs": 4, "batch_size": 32, "shuffle": False, "class_weight": {0: 1.0, 1: 3.0}},
    ),
    "augmented and mixed": (
        conv,
        photos,
        {"n_epochs": 3, "batch_size": 9, "augment": "photo-cutmix", "class_weight": {0: 1.0, 1: 2.0, 2: 1.0}},
    ),
    "validated": (conv, photos, {"n_epochs": 3, "batch_size": 8, "validation": 0.25, "schedule": "cosine"}),
    "two inputs": (two_inputs, photos_with_facts, {"n_epochs": 3, "batch_size": 9}),
    "by L-BFGS": (lambda: pl.Sequential([pl.Dense(2)]), table, {"n_epochs": 5, "optimizer": "lbfgs"}),
}


@pytest.mark.parametrize(
    "case", [pytest.param(name, marks=[pytest.mark.slow] * (name != "mini-batches")) for name in CASES]
)
def test_a_training_equals_that_of_one_process(client: Any, case: str) -> None:
    make, data, options = CASES[case]
    one, two = make(), make()
    expected = pl.train(one, data(), n_threads=1, **HERE, **options)
    found = train(two, data(), client=client, **HERE, **options)
    assert found.columns.keys() == expected.columns.keys()
    for name, column in expected.columns.items():
        np.testing.assert_allclose(found.columns[name], column, rtol=0, atol=1e-10)
    assert differences(one, two) < 1e-10
    assert "2 workers" in found.note


@pytest.mark.slow
def test_a_repetition_has_the_same_bits(client: Any) -> None:
    one, two = dense(), dense()
    for model in (one, two):
        train(model, table(), client=client, n_epochs=10, batch_size=25, **HERE)
    np.testing.assert_array_equal(one.theta, two.theta)


@pytest.mark.slow
def test_batches_smaller_than_the_number_of_workers(client: Any) -> None:
    one, two = dense(), dense()
    options = {"n_epochs": 2, "batch_size": 1}
    pl.train(one, table(7), **HERE, **options)
    train(two, table(7), client=client, **HERE, **options)
    assert differences(one, two) < 1e-12


@pytest.mark.slow
def test_kernels(client: Any) -> None:
    pytest.importorskip("numba")
    one, two = conv(), conv()
    options: dict[str, Any] = {**HERE, "kernels": "numba", "n_epochs": 2, "batch_size": 10}
    pl.train(one, photos(), n_threads=1, **options)
    found = train(two, photos(), client=client, **options)
    assert found.kernels == "numba"
    assert differences(one, two) < 1e-10


@pytest.mark.slow
def test_shards_of_a_dask_array(client: Any) -> None:
    array = pytest.importorskip("dask.array")
    X, y = table()
    one, two = dense(), dense()
    options: dict[str, Any] = {"n_epochs": 5, "batch_size": 25, "validation": 0.2}
    pl.train(one, (X, y), n_threads=1, **HERE, **options)
    found = train(two, (array.from_array(X, chunks=(50, 5)), y), client=client, **HERE, **options)
    assert differences(one, two) < 1e-10
    assert "3 shards" in found.note


@pytest.mark.slow
@pytest.mark.parametrize("stays", [False, True])
@pytest.mark.parametrize("form", ["direct", "dual"])
def test_samples_in_a_file_are_read_by_the_workers(
    client: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str, stays: bool
) -> None:
    X, y = photos()
    np.savez(tmp_path / "photos.npz", X=X, y=y)
    monkeypatch.setattr(cutting, "MOST_OF_MEMORY", 1e-12 if stays else 1.0)
    data = DataSource(str(tmp_path / "photos.npz")).load_in_place().train
    assert isinstance(data.X, StoredArray)
    one, two = (conv() if form == "direct" else pl.Sequential([pl.Flatten(), pl.Dense(3)]) for _ in range(2))
    options: dict[str, Any] = {**HERE, "form": form, "n_epochs": 2, "validation": 0.2}
    if form == "direct":
        options |= {"batch_size": 9, "augment": "photo"}
    pl.train(one, (data.X[:], data.y), n_threads=1, **options)
    train(two, data, client=client, **options)
    assert differences(one, two) < 1e-10


@pytest.mark.slow
def test_frozen_layers_take_bytes(client: Any) -> None:
    models = []
    for _ in range(2):
        model = pl.Sequential([pl.Flatten(), pl.Dense(6, activation="relu"), pl.Dense(3)])
        model.initialize((12, 12, 3), seed=3, dtype="float64")
        model.preprocessing = pl.data.preprocess.Preprocessing("divide", 255.0)
        pl.freeze(model, "dense_1")
        model.layers[1].params["W"][...] *= 100  # what they make of the samples is no pixel
        models.append(model)
    options: dict[str, Any] = {**HERE, "n_epochs": 3, "batch_size": 9, "learning_rate": 1e-4}
    pl.train(models[0], photos(), n_threads=1, **options)
    train(models[1], photos(), client=client, **options)
    assert differences(*models) < 1e-10


@pytest.mark.slow
def test_a_training_here_goes_on_there_and_back(client: Any, tmp_path: Any) -> None:
    whole, model = dense(), dense()
    options: dict[str, Any] = {**HERE, "batch_size": 25, "n_threads": 1}
    pl.train(whole, table(), n_epochs=6, **options)
    kept = Checkpoint(tmp_path, every_steps=5)
    pl.train(model, table(), n_epochs=2, callbacks=[kept], **options)
    model = dense()
    train(model, table(), client=client, n_epochs=4, callbacks=[kept], resume=tmp_path, **options)
    model = dense()
    pl.train(model, table(), n_epochs=6, callbacks=[kept], resume=tmp_path, **options)
    assert differences(whole, model) < 1e-10


@pytest.mark.slow
def test_a_loss_that_is_not_finite_names_its_operation(client: Any) -> None:
    X, y = table()
    with pytest.raises(TrainingError, match="It began the W of dense_2"):
        train(dense(), (X * 1e200, y), client=client, n_epochs=3, batch_size=25, learning_rate=1e300, **HERE)


class Jitter(Layer):
    """Draws without knowing of parts of a batch."""

    def set_step_rng(self, generator: Any) -> None:
        self.rng = generator

    def forward(self, X: Any, *, training: bool = False) -> Any:
        return X

    def backward(self, dY: Any) -> Any:
        return dY


def test_what_cannot_be_divided_is_refused(client: Any) -> None:
    model = pl.Sequential([Jitter(), pl.Dense(2)])
    with pytest.raises(OptionError, match="part of a batch"):
        train(model, table(), client=client, n_epochs=1, **HERE)
    with pytest.raises(OptionError, match="n_threads"):
        train(dense(), table(), client=client, n_epochs=1, n_threads=2, **HERE)


@pytest.mark.slow
def test_shards_of_different_widths_are_named(client: Any) -> None:
    from dask import delayed

    parts = [delayed((np.ones((4, width)), np.arange(4) % 2)) for width in (3, 3, 5)]
    with pytest.raises(DataError, match="shard 2"):
        train(dense(), parts, client=client, n_epochs=1, **HERE)


def test_a_cluster_that_cannot_be_used_is_one_message(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(OptionError, match="client"):
        train(dense(), table(), n_epochs=1, **HERE)
    monkeypatch.setattr(cluster, "__version__", "9.9")
    with pytest.raises(
        ClusterError, match=r"2 workers cannot do the work: tcp.*this machine has pellucid 9\.9"
    ):
        train(dense(), table(), client=client, n_epochs=1, **HERE)


def test_batches_are_divided_evenly() -> None:
    rng = np.random.default_rng(0)
    for n in (1, 2, 3, 5):
        for m in (1, 4, 5, 32):
            parts = divide(rng.integers(0, n, m), n)
            assert np.sort(np.concatenate(parts)).tolist() == list(range(m))
            sizes = [len(part) for part in parts]
            assert max(sizes) - min(sizes) <= 1 if m >= n else sizes[0] == m
