"""Stored arrays have the numbers that arrays in memory have; files that are wrong, or change, get a line."""

import os
import pickle
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
from PIL import Image
from tests.every import every

from pellucid.data.copies import duplicates
from pellucid.data.dataset import Dataset
from pellucid.data.hashing import data_hash
from pellucid.data.input_spec import InputsSeen
from pellucid.data.preprocess import Preprocessing
from pellucid.data.readers import reading
from pellucid.data.readers.numpy_files import stored_npy
from pellucid.data.source import load_data
from pellucid.data.stored.base import BLOCK_BYTES, StoredArray, row_blocks
from pellucid.errors import DataError

SHAPE = (60, 6, 5, 3)
X = np.random.default_rng(3).standard_normal(SHAPE).astype(np.float32)
Y = np.arange(60) % 2


def as_npz(folder: Path, X: np.ndarray) -> Path:
    np.savez(folder / "a.npz", X=X, y=Y)
    return folder / "a.npz"


def as_npy(folder: Path, X: np.ndarray) -> Path:
    np.save(folder / "X.npy", X)
    np.save(folder / "y.npy", Y)
    return folder / "X.npy"


def as_h5(folder: Path, X: np.ndarray, **options: object) -> Path:
    with h5py.File(folder / "a.h5", "w") as file:
        file.create_dataset("X", data=X, **options)
        file["y"] = Y
    return folder / "a.h5"


def as_chunked_h5(folder: Path, X: np.ndarray) -> Path:
    return as_h5(folder, X, chunks=(7, 6, 2, 3), compression="gzip")


def as_zarr(folder: Path, X: np.ndarray) -> Path:
    zarr = pytest.importorskip("zarr")
    group = zarr.open_group(folder / "a.zarr", mode="w")
    for name, array, chunks in (("X", X, (7, 6, 2, 3)), ("y", Y, (9,))):
        stored = group.create_array(name, shape=array.shape, chunks=chunks, dtype=array.dtype)
        stored[...] = array
    return folder / "a.zarr"


def as_folder(folder: Path, X: np.ndarray | None = None) -> Path:
    for i in range(12):
        (folder / "ab"[i % 2]).mkdir(exist_ok=True)
        Image.fromarray(np.full((9, 9, 3), 20 * i, np.uint8)).save(folder / "ab"[i % 2] / f"{i}.png")
    return folder


KINDS = [as_npz, as_npy, as_h5, as_chunked_h5, as_zarr]
Write = Callable[[Path, np.ndarray], Path]


@pytest.mark.slow
@every("write", KINDS)
@every("dtype", ["float32", ">f8", "uint8", "bool"])
def test_rows_and_columns_are_those_in_memory(tmp_path: Path, write: Write, dtype: str) -> None:
    path = write(tmp_path, (X * 50).astype("uint8" if dtype in ("uint8", "bool") else dtype).astype(dtype))
    memory, disk = load_data(path), load_data(path, on_disk=True)
    assert disk.notes == memory.notes
    rng = np.random.default_rng(0)
    for there, here in zip(disk, memory, strict=True):
        assert isinstance(there.X, StoredArray)
        assert (there.X.shape, there.X.dtype, there.X.nbytes) == (here.X.shape, here.X.dtype, here.X.nbytes)
        rows = rng.integers(0, len(here), 17)
        for wanted in (slice(None), slice(1, 9, 3), slice(0), rows, here.y == 1, [2, 0], -1, 3):
            np.testing.assert_array_equal(there.X[wanted], here.X[wanted], strict=True)
        few = there.take(rows).X
        np.testing.assert_array_equal(few[4:], here.X[rows][4:])
        np.testing.assert_array_equal(
            few.read_columns(7, 20, np.array([3, 1])), here.X[rows].reshape(17, -1)[[3, 1], 7:20]
        )
        np.testing.assert_array_equal(pickle.loads(pickle.dumps(there.X))[:], here.X)
        assert data_hash(there) == data_hash(here)
        assert InputsSeen.of(there.X) == InputsSeen.of(here.X)


def test_all_else_says_in_one_line_that_it_needs_memory(tmp_path: Path) -> None:
    X_stored = load_data(as_npy(tmp_path, X), on_disk=True).train.X
    for what in (
        lambda: np.asarray(X_stored),
        lambda: X_stored / 2,
        lambda: X_stored.reshape(5, -1),
        lambda: np.concatenate([X_stored, X_stored]),
        lambda: X_stored[:, 0],
        lambda: X_stored[np.eye(3, dtype=int)],
    ):
        with pytest.raises(
            DataError, match=r"X\.npy: these samples stay in their file .* load without on_disk"
        ):
            what()
    assert not hasattr(X_stored, "reshape")
    assert not hasattr(X_stored, "tocsr")
    with pytest.raises(IndexError):
        X_stored[48]


def test_a_rule_is_applied_to_rows_and_columns_as_they_are_read(tmp_path: Path) -> None:
    table = np.ascontiguousarray(X.reshape(60, -1))
    stored = stored_npy(as_npy(tmp_path, table))
    rule = Preprocessing.standardize(table)
    prepared, rows = rule.lazily(stored, "float32"), np.arange(5, 50, 4)
    np.testing.assert_array_equal(prepared[rows], rule.apply(table[rows], "float32"), strict=True)
    np.testing.assert_array_equal(
        prepared.read_columns(3, 40, rows), rule.apply(table, "float32")[rows, 3:40], strict=True
    )


def test_blocks_are_bounded_and_complete(tmp_path: Path) -> None:
    wide = np.zeros((5, BLOCK_BYTES // 32), np.float64)  # a quarter of a block each
    wide[:, 0] = range(5)
    stored = stored_npy(as_npy(tmp_path, wide))
    for array in (wide, stored):
        found = list(row_blocks(array))
        assert [len(block) for _, block in found] == [4, 1]
        assert [block[:, 0].tolist() for _, block in found] == [[0, 1, 2, 3], [4]]


def test_reading_is_counted_held_out_parts_share_one_survey_and_stay_on_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(duplicates, "_KNOWN", {})
    split = load_data(as_npz(tmp_path, X), on_disk=True)
    base = split.train.X.base
    n_read = base.n_read  # for NaN and the range; equal pictures; similar ones, some of them twice
    assert 3 * X.nbytes <= n_read < 4 * X.nbytes
    InputsSeen.of(split.train.X)
    InputsSeen.of(split.test.X)
    assert base.n_read == n_read
    assert split.test.X.base is base
    data = Dataset(base, Y)
    assert isinstance(data[3:9].X, StoredArray)
    np.testing.assert_array_equal(data[4][0], X[4])
    assert (data.noun, data.has_pictures) == ("photo", True)


@every("rewrite", ["cut off", "rewritten", "gone"])
@every("write", [as_npy, as_npz, as_chunked_h5])
def test_a_file_that_changes_while_it_is_read(tmp_path: Path, rewrite: str, write: Write) -> None:
    path = write(tmp_path, X)
    data = load_data(path, on_disk=True).train
    if rewrite == "cut off":
        os.truncate(path, path.stat().st_size - 100)
    elif rewrite == "gone":
        path.unlink()
    else:
        os.utime(path, ns=(1, 1))
    wanted = "cannot read the file any more" if rewrite == "gone" else "was changed after it was opened"
    with pytest.raises(DataError, match=f"{path.name}.*{wanted}"):
        data.X[:3]


def test_a_damaged_chunk(tmp_path: Path) -> None:
    path = as_chunked_h5(tmp_path, X)
    with h5py.File(path) as file:
        at = file["X"].id.get_chunk_info(5).byte_offset
    with open(path, "r+b") as file:
        file.seek(at + 10)
        file.write(b"\0" * 50)
    with pytest.raises(DataError, match=r"a\.h5, X: expected an HDF5 data set, but cannot read it .*damaged"):
        load_data(path, on_disk=True)


def with_gaps() -> np.ndarray:
    bad = X.copy()
    bad[17, 3], bad[21, 0, 0] = np.nan, -np.inf
    return bad


@every(
    ("array", "message"),
    [
        (with_gaps(), "18 of 5400 values are NaN or infinite, the first in sample 17"),
        (np.asfortranarray(X), r"X\.npy: lies in Fortran's order"),
        (np.array([None, 1]), r"X\.npy: expected numbers, found objects"),
        (X[:, 0, 0, 0], r"expected X of shape \(m, \.\.\.\)"),
    ],
)
def test_arrays_that_cannot_be_read_in_slices(tmp_path: Path, array: np.ndarray, message: str) -> None:
    with pytest.raises(DataError, match=message):
        load_data(as_npy(tmp_path, array), on_disk=True)


def test_files_that_cannot_be_read_in_slices(tmp_path: Path) -> None:
    path = as_npy(tmp_path, X)
    os.truncate(path, path.stat().st_size - 100)
    np.savez_compressed(tmp_path / "a.npz", X=X, y=Y)
    zarr = pytest.importorskip("zarr")
    zarr.create_array(tmp_path / "a.zarr", shape=X.shape, dtype=X.dtype)[...] = X
    zarr.open_group(tmp_path / "b.zarr", mode="w").create_array("X", shape=X.shape, dtype=X.dtype)[...] = X
    (tmp_path / "c.zarr").mkdir()
    for name, message in (
        ("X.npy", r"X\.npy: expected 21,600 bytes of numbers, found 21,500\."),
        ("a.npz", r"a\.npz, X: is compressed.*numpy\.savez instead"),
        ("a.zarr", r"a\.zarr: expected a group .*found a single array"),
        ("b.zarr", r"b\.zarr: found no inputs and labels .*The file has: X\."),
        ("c.zarr", r"c\.zarr: expected a zarr store, but cannot read it"),
    ):
        with pytest.raises(DataError, match=message):
            load_data(tmp_path / name, on_disk=True)


def test_a_zarr_store_that_changes_while_it_is_read(tmp_path: Path) -> None:
    zarr = pytest.importorskip("zarr")
    path = as_zarr(tmp_path, X)
    data = load_data(path, on_disk=True).train
    chunk = path / "X" / "c" / "2" / "0" / "0" / "0"
    chunk.write_bytes(chunk.read_bytes()[:9])
    with pytest.raises(DataError, match=r"a\.zarr, X: expected a zarr array, but cannot read it"):
        data.X[:]
    zarr.open_group(path).create_array("X", shape=(3, 8, 8), dtype="f4", overwrite=True)
    with pytest.raises(DataError, match=r"a\.zarr, X: the file was changed after it was opened"):
        data.X[:3]


@every("write", [as_npz, as_h5, as_folder])
def test_data_larger_than_memory_are_told_of_the_option(
    tmp_path: Path, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path, X)
    monkeypatch.setattr(reading, "memory_bytes", lambda: 2000)  # of a machine too small for any of them
    with pytest.raises(DataError, match=r"do not fit in memory.*--on-disk \(on_disk=True in Python\)"):
        load_data(path)
    assert len(load_data(path, on_disk=True).test) in (3, 12)


def test_a_folder_of_pictures_in_their_files(tmp_path: Path) -> None:
    as_folder(tmp_path)
    here, there = load_data(tmp_path), load_data(tmp_path, on_disk=True)
    for memory, disk in zip(here, there, strict=True):
        np.testing.assert_array_equal(disk.X[:], memory.X)
        np.testing.assert_array_equal(disk.files, memory.files)
    bad = tmp_path / "a" / "4.png"
    bad.write_bytes(b"no picture")
    with pytest.raises(DataError, match=r"1 of 12 images cannot be read\. a/4\.png: "):
        load_data(tmp_path, on_disk=True)
    skipped = load_data(tmp_path, on_disk=True, skip_bad=True)
    assert len(skipped.train) + len(skipped.test) == 11
    (tmp_path / skipped.train.file(0)).write_bytes(b"no picture")
    with pytest.raises(DataError, match=skipped.train.file(0)):
        skipped.train.X[:2]
