"""Shards: the same samples whatever they are cut from, and one message for each kind of bad input."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tests.every import every

from pellucid.data.dataset import Dataset
from pellucid.data.source import DataSource, load_data
from pellucid.data.stored.base import StoredArray
from pellucid.distributed import cutting
from pellucid.distributed.rows import ShardedRows
from pellucid.distributed.shards import Shards
from pellucid.errors import DataError

da = pytest.importorskip("dask.array", reason="clusters need Dask: pip install 'pellucid[dask]'")
dask = pytest.importorskip("dask")

X = np.random.default_rng(0).normal(size=(11, 4, 3))
y = np.arange(11) % 3


def rows(shards: Shards) -> tuple[np.ndarray, np.ndarray]:
    """Return all samples and labels of shards, from the workers."""
    pairs = [part.future.result() for part in shards.parts]
    assert [len(pair[0]) for pair in pairs] == np.diff(shards.offsets).tolist()
    return np.concatenate([pair[0] for pair in pairs]), np.concatenate([pair[1] for pair in pairs])


def pairs() -> list[tuple[np.ndarray, np.ndarray]]:
    return [(X[:4], y[:4]), (X[4:5], y[4:5]), (X[5:], y[5:])]


@every("kind", ["arrays", "dataset", "dask", "dask X", "columns", "unknown", "delayed", "futures"])
def test_same_samples_from_all_kinds(client: Any, kind: str) -> None:
    data: Any = {
        "arrays": lambda: (X, y),
        "dataset": lambda: Dataset(X, y),
        "dask": lambda: (da.from_array(X, chunks=(4, -1, -1)), da.from_array(y, chunks=5)),
        "dask X": lambda: (da.from_array(X, chunks=(4, -1, -1)), y),
        "columns": lambda: (da.from_array(X, chunks=(4, 2, 3)), y),
        "unknown": lambda: tuple(
            (lambda array: array[da.from_array(np.ones(11, bool), chunks=4)])(
                da.from_array(each, chunks=(4, *each.shape[1:]))
            )
            for each in (X, y)
        ),
        "delayed": lambda: [dask.delayed(tuple)(pair) for pair in pairs()],
        "futures": lambda: client.scatter(pairs()),
    }[kind]()
    shards = Shards.of(data, client=client)
    got_X, got_y = rows(shards)
    assert np.array_equal(got_X, X)
    assert np.array_equal(got_y, y)
    assert np.array_equal(shards.y, y)
    assert shards.sample_shape == (4, 3)
    assert shards.dtype == np.float64
    assert len(shards) == 11
    assert len(shards.parts) == (2 if kind in ("arrays", "dataset") else 3)


def test_words_are_numbered_over_all_shards(client: Any) -> None:
    words = np.array(["dog", "cat", "emu"])[y]
    shards = Shards.of((da.from_array(X, chunks=(1, -1, -1)), words), client=client)
    assert shards.classes == ("cat", "dog", "emu")
    assert np.array_equal(np.array(shards.classes)[shards.y], words)
    assert np.array_equal(rows(shards)[1], shards.y)


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pets")
    for i in range(12):
        path = folder / ("cat", "dog")[i % 2] / f"{i}.png"
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(np.full((6, 5, 3), 20 * i, np.uint8)).save(path)
    return folder


def test_folder_is_read_on_the_workers(client: Any, photos: Path) -> None:
    shards = Shards.of(photos, client=client, n=5)
    data = load_data(photos)
    assert shards.classes == data.classes == ("cat", "dog")
    assert len(shards.parts) == 5
    got_X, got_y = rows(shards)
    assert got_X[:, 0, 0, 0].tolist() == [20 * i for i in (0, 10, 2, 4, 6, 8, 1, 11, 3, 5, 7, 9)]
    assert got_y.tolist() == [0] * 6 + [1] * 6
    assert shards.sample_shape == (6, 5, 3)


def test_other_sources_are_loaded_here(client: Any) -> None:
    shards = Shards.of("digits", client=client, n=3)
    train = load_data("digits").train
    got_X, got_y = rows(shards)
    assert np.array_equal(got_X, train.X)
    assert np.array_equal(got_y, train.y)
    assert shards.classes == train.classes


@pytest.mark.slow
def test_arrays_on_disk_are_read_on_the_workers(client: Any, tmp_path: Path) -> None:
    path = tmp_path / "toy.npz"
    np.savez(path, X=X, y=y)
    data = load_data(path, on_disk=True).train
    shards = Shards.of(data, client=client, n=3)
    got_X, got_y = rows(shards)
    assert np.array_equal(got_X, data.X[:])
    assert np.array_equal(got_y, data.y)


def test_large_data_stay_in_their_file(client: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    np.savez(tmp_path / "toy.npz", X=X, y=y)
    monkeypatch.setattr(cutting, "MOST_OF_MEMORY", 1e-12)
    shards = Shards.of(tmp_path / "toy.npz", client=client, n=3)
    train = load_data(tmp_path / "toy.npz").train
    for part, first in zip(shards.parts, shards.offsets, strict=False):
        there = part.future.result()[0]
        assert isinstance(there, StoredArray)
        assert np.array_equal(there[:], train.X[first : first + part.n_rows])
    assert ShardedRows(shards, client).survey.high.tolist() == train.X.max(axis=(1, 2)).tolist()


def test_a_small_unseen_file_is_sent(client: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    np.savez(tmp_path / "toy.npz", X=X, y=y)
    monkeypatch.chdir(tmp_path)
    data = load_data("/proc/self/cwd/toy.npz", on_disk=True).train
    assert np.array_equal(rows(Shards.of(data, client=client, n=3))[0], data.X[:])
    monkeypatch.setattr(cutting, "MOST_SENT", 100)
    with pytest.raises(DataError, match=r"^worker tcp.* the same path as this machine: /proc/self/cwd/toy"):
        Shards.of(data, client=client, n=2)


def test_unreadable_photos_are_named_with_their_shard(client: Any, photos: Path) -> None:
    bad = photos / "dog" / "bad.png"
    bad.write_bytes(b"no picture")
    try:
        with pytest.raises(DataError, match=r"photos 8 to 12: 1 image cannot be read: dog/bad\.png\."):
            Shards.of(photos, client=client, n=3)
        shards = Shards.of(DataSource(str(photos), skip_bad=True), client=client, n=3)
        assert [part.n_rows for part in shards.parts] == [4, 4, 4]
        assert len(shards) == 12
    finally:
        bad.unlink()


def failing() -> None:
    raise RuntimeError("the disk is full")


@every(
    ("made", "words"),
    [
        (lambda: [(X[:4], y[:4]), (X[4:, :3], y[4:])], r"of shape \(4, 3\), as in shard 0, got \(3, 3\)"),
        (lambda: [(X[:4], y[:4]), (X[4:].astype("f4"), y[4:])], "dtype float64, as in shard 0, got float32"),
        (lambda: [(X[:4], y[:4]), (X[4:], None)], "the labels are missing"),
        (lambda: [(X[:4], y[:4]), X[4:]], "expected a pair"),
        (lambda: [(X[:4], y[:4]), (X[4:], y[5:])], "X has 7 samples and y has 6 labels"),
        (lambda: [(X[:4], y[:4]), (np.where(X[4:] > 1, np.nan, X[4:]), y[4:])], "NaN or infinite"),
        (lambda: [(X[:4], y[:4]), (X[4:], y[4:] / np.nan)], "labels: .* NaN or infinite"),
        (lambda: [(X[:4], y[:4]), (X[4:], y[4:] / 2)], "labels that are whole numbers, .* got floats"),
        (lambda: [(X[:1], ["a"]), (X[1:3], np.array(["a", None], object))], "label of sample 1 .* missing"),
        (lambda: [Dataset(X[:2], ["a", "b"]), Dataset(X[2:4], ["a", "c"])], "a, b, as in shard 0, got a, c"),
        (lambda: [(X[:0], y[:0])], "no samples in 1 shard"),
        (list, "expected at least one, got an empty list"),
    ],
)
def test_bad_shards_are_named(client: Any, made: Any, words: str) -> None:
    delayed = [dask.delayed(lambda pair: pair)(dask.delayed(pair, traverse=False)) for pair in made()]
    with pytest.raises(DataError, match=words) as error:
        Shards.of(delayed, client=client)
    assert len(delayed) < 2 or "shard 1" in str(error.value)


def test_other_faults(client: Any) -> None:
    good = dask.delayed(tuple)((X, y))
    with pytest.raises(DataError, match=r"cannot be loaded \(the disk is full\)\."):
        Shards.of([good, dask.delayed(failing)()], client=client)
    with pytest.raises(DataError, match="X has 11 samples and y has 10 labels"):
        Shards.of((da.from_array(X), y[1:]), client=client)
    with pytest.raises(DataError, match="X has 11 samples and y has 10 labels"):
        Shards.of((da.from_array(X), da.from_array(y[1:])), client=client)
    with pytest.raises(DataError, match=r"shards: expected a Dataset, .* got an int"):
        Shards.of(3, client=client)
