"""Archives of NumPy: both layouts, and every way such a file can be wrong."""

import io
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest

from pellucid.data.source import load_data
from pellucid.errors import DataError

X = np.arange(60, dtype=np.float32).reshape(20, 3)
Y = np.arange(20) % 2


def write(path: Path, **arrays: object) -> Path:
    np.savez(path, **arrays)  # type: ignore[arg-type]
    return path


def test_one_pair_and_two(tmp_path: Path) -> None:
    split = load_data(write(tmp_path / "a.npz", X=X, y=Y, classes=["no", "yes"]))
    assert (len(split.train), len(split.test), split.classes) == (16, 4, ("no", "yes"))
    assert split.train.X.dtype == np.float32
    parts = {"X_train": X, "y_train": Y, "X_test": X[:5], "y_test": Y[:5].reshape(1, 5)}
    split = load_data(write(tmp_path / "b.npz", **parts))
    assert (len(split.train), len(split.test), split.notes) == (20, 5, ())
    np.testing.assert_array_equal(split.test.X, X[:5])
    np.testing.assert_array_equal(split.test.y, Y[:5])


def test_names_in_capitals_an_upper_case_ending_and_keys(tmp_path: Path) -> None:
    path = write(tmp_path / "a.npz", x_train=X, Y_train=Y, other=X, kind=Y)
    path = path.rename(tmp_path / "a.NPZ")
    assert len(load_data(path).train) == 16
    assert load_data(path, x_key="other", y_key="kind").train.X.shape == (16, 3)


def test_what_is_wrong_is_said_with_the_name_of_the_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"a\.npz: found no inputs and labels .*The file has: W, b\."):
        load_data(write(tmp_path / "a.npz", W=X, b=Y))
    with pytest.raises(DataError, match=r"b\.npz, X and y: expected 20 labels, one per sample, got 19"):
        load_data(write(tmp_path / "b.npz", X=X, y=Y[:-1]))


class Evil:
    """Would write a file when unpickled."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (self.target,)


def test_objects_are_refused_and_never_run(tmp_path: Path) -> None:
    target = tmp_path / "was-run"
    path = write(tmp_path / "a.npz", X=np.array([Evil(target)] * 20, object), y=Y)
    with pytest.raises(
        DataError, match=r"a\.npz, X: .*found objects, which are not read because they can run code"
    ):
        load_data(path)
    (tmp_path / "b.npz").write_bytes(pickle.dumps({"X": Evil(target)}))
    with pytest.raises(DataError, match=r"b\.npz: expected an \.npz file, but cannot read it"):
        load_data(tmp_path / "b.npz")
    assert not target.exists()


def test_an_array_larger_than_any_memory(tmp_path: Path) -> None:
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"descr": "<f8", "fortran_order": False, "shape": (10**14, 3)}
    )
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("X.npy", header.getvalue())
        archive.writestr("y.npy", header.getvalue())
    with pytest.raises(DataError, match=r"a\.npz: does not fit in memory"):
        load_data(tmp_path / "a.npz")


def test_truncated_and_foreign_files(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    path.write_text("some text\n" * 50)
    with pytest.raises(DataError, match=r"a\.npz: expected an \.npz file, but cannot read it"):
        load_data(path)
    data = write(tmp_path / "b.npz", X=X, y=Y).read_bytes()
    path.write_bytes(data[: len(data) // 2])
    with pytest.raises(DataError, match=r"cannot read it .*Write it again with numpy\.savez"):
        load_data(path)
    with open(path, "wb") as file:
        np.save(file, X)
    with pytest.raises(DataError, match=r"found a single array\. Use numpy\.savez"):
        load_data(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("X", "no array")
        archive.writestr("y", "no array")
    with pytest.raises(DataError, match=r"a\.npz, X: expected an array, found other bytes"):
        load_data(path)
