"""Files that are wrong, or change while they are read: one line each, with the file's name."""

import os
from pathlib import Path

import h5py
import numpy as np
import pytest
from PIL import Image
from tests.every import every

from pellucid.data.readers import reading
from pellucid.data.source import load_data
from pellucid.errors import DataError

X = np.random.default_rng(3).standard_normal((40, 8, 8)).astype(np.float32)
Y = np.arange(40) % 2


def write_npy(folder: Path, X: np.ndarray = X, y: np.ndarray = Y) -> Path:
    np.save(folder / "X.npy", X)
    np.save(folder / "y.npy", y)
    return folder / "X.npy"


def test_a_file_that_is_cut_off_before_it_is_opened(tmp_path: Path) -> None:
    path = write_npy(tmp_path)
    os.truncate(path, path.stat().st_size - 100)
    with pytest.raises(DataError, match=r"X\.npy: expected 10,240 bytes of numbers, found 10,140\."):
        load_data(path, on_disk=True)


@every("rewrite", ["cut off", "rewritten", "gone"])
@every("kind", ["npy", "npz", "h5"])
def test_a_file_that_changes_while_it_is_read(tmp_path: Path, rewrite: str, kind: str) -> None:
    path = tmp_path / f"X.{kind}"
    if kind == "npy":
        write_npy(tmp_path)
    elif kind == "npz":
        np.savez(path, X=X, y=Y)
    else:
        with h5py.File(path, "w") as file:
            file.create_dataset("X", data=X, chunks=(1, 8, 8), compression="gzip")
            file["y"] = Y
    data = load_data(path, on_disk=True).train
    if rewrite == "cut off":
        os.truncate(path, path.stat().st_size - 100)
    elif rewrite == "gone":
        path.unlink()
    else:
        os.utime(path, ns=(1, 1))
    wanted = "cannot read the file any more" if rewrite == "gone" else "was changed after it was opened"
    with pytest.raises(DataError, match=rf"X\.{kind}.*{wanted}"):
        data.X[:3]


def test_a_damaged_chunk(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        X_there = file.create_dataset("X", data=X, chunks=(4, 8, 8), compression="gzip")
        file["y"] = Y
        at = X_there.id.get_chunk_info(5).byte_offset
    with open(path, "r+b") as file:
        file.seek(at + 10)
        file.write(b"\0" * 50)
    with pytest.raises(DataError, match=r"a\.h5, X: expected an HDF5 data set, but cannot read it .*damaged"):
        load_data(path, on_disk=True)


def test_nan_in_the_middle_is_named_by_its_row(tmp_path: Path) -> None:
    bad = X.copy()
    bad[17, 3], bad[21, 0, 0] = np.nan, -np.inf
    with pytest.raises(DataError, match=r"9 of 2560 values are NaN or infinite, the first in sample 17"):
        load_data(write_npy(tmp_path, bad), on_disk=True)


def test_what_cannot_be_read_in_slices(tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "a.npz", X=X, y=Y)
    with pytest.raises(DataError, match=r"a\.npz, X: is compressed.*numpy\.savez instead"):
        load_data(tmp_path / "a.npz", on_disk=True)
    with pytest.raises(DataError, match=r"X\.npy: lies in Fortran's order"):
        load_data(write_npy(tmp_path, np.asfortranarray(X)), on_disk=True)
    with pytest.raises(DataError, match=r"X\.npy: expected numbers, found objects"):
        load_data(write_npy(tmp_path, np.array([None, 1])), on_disk=True)
    with pytest.raises(DataError, match=r"expected X of shape \(m, \.\.\.\)"):
        load_data(write_npy(tmp_path, X[:, 0, 0]), on_disk=True)


def test_zarr_stores_that_are_none(tmp_path: Path) -> None:
    zarr = pytest.importorskip("zarr")
    path = tmp_path / "a.zarr"
    zarr.create_array(path, shape=X.shape, dtype=X.dtype)[...] = X
    with pytest.raises(DataError, match=r"a\.zarr: expected a group .*found a single array"):
        load_data(path, on_disk=True)
    path = tmp_path / "b.zarr"
    zarr.open_group(path, mode="w").create_array("X", shape=X.shape, dtype=X.dtype)[...] = X
    with pytest.raises(DataError, match=r"b\.zarr: found no inputs and labels .*The file has: X\."):
        load_data(path, on_disk=True)
    (tmp_path / "c.zarr").mkdir()
    with pytest.raises(DataError, match=r"c\.zarr: expected a zarr store, but cannot read it"):
        load_data(tmp_path / "c.zarr")


def test_a_zarr_store_that_changes_while_it_is_read(tmp_path: Path) -> None:
    zarr = pytest.importorskip("zarr")
    group = zarr.open_group(tmp_path / "a.zarr", mode="w")
    for name, array in (("X", X), ("y", Y)):
        group.create_array(name, shape=array.shape, dtype=array.dtype, chunks=(5, *array.shape[1:]))[...] = (
            array
        )
    data = load_data(tmp_path / "a.zarr", on_disk=True).train
    chunk = tmp_path / "a.zarr" / "X" / "c" / "2" / "0" / "0"
    chunk.write_bytes(chunk.read_bytes()[:9])
    with pytest.raises(DataError, match=r"a\.zarr, X: expected a zarr array, but cannot read it"):
        data.X[:]
    group.create_array("X", shape=(3, 8, 8), dtype="f4", overwrite=True)
    with pytest.raises(DataError, match=r"a\.zarr, X: the file was changed after it was opened"):
        data.X[:3]


@every("kind", ["npz", "h5", "folder"])
def test_data_larger_than_memory_are_told_of_the_option(
    tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / f"a.{kind}"
    if kind == "npz":
        np.savez(path, X=X, y=Y)
    elif kind == "h5":
        with h5py.File(path, "w") as file:
            file["X"], file["y"] = X, Y
    else:
        for i in range(12):
            (path / "ab"[i % 2]).mkdir(parents=True, exist_ok=True)
            Image.fromarray(np.full((9, 9, 3), 20 * i, np.uint8)).save(path / "ab"[i % 2] / f"{i}.png")
    monkeypatch.setattr(reading, "memory_bytes", lambda: 2000)  # of a machine too small for any of them
    with pytest.raises(DataError, match=r"do not fit in memory.*on_disk=True \(--on-disk\)"):
        load_data(path)
    assert len(load_data(path, on_disk=True).test) in (3, 8)


def test_a_folder_of_pictures_in_their_files(tmp_path: Path) -> None:
    for i in range(12):
        (tmp_path / "ab"[i % 2]).mkdir(exist_ok=True)
        Image.fromarray(np.full((9, 9, 3), 20 * i, np.uint8)).save(tmp_path / "ab"[i % 2] / f"{i}.png")
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
