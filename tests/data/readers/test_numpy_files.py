"""Arrays in .npy and .npz files: pairs and siblings, what stays on disk, and what is refused."""

import io
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest

import pellucid as pl
from pellucid.data.source import load_data
from pellucid.errors import DataError, OptionError


@pytest.fixture
def arrays(tmp_path: Path) -> Path:
    rng = np.random.default_rng(1)
    np.save(tmp_path / "X.npy", rng.integers(0, 256, (30, 6, 6, 3), np.uint8))
    np.save(tmp_path / "y.npy", np.arange(30) % 2)
    return tmp_path


def test_labels_lie_beside_the_inputs(arrays: Path) -> None:
    data = pl.load_data(arrays / "X.npy")
    assert data.train.X.shape == (24, 6, 6, 3)
    np.save(arrays / "classes.npy", np.array(["no", "yes"]))
    assert pl.load_data(arrays / "X.npy").classes == ("no", "yes")
    (arrays / "y.npy").rename(arrays / "labels.npy")
    assert len(pl.load_data(arrays / "X.npy", y_key="labels").test) == 6


def test_training_and_test_files_stay_mapped_while_a_network_is_trained(arrays: Path) -> None:
    for name in ("X", "y"):
        whole = np.load(arrays / f"{name}.npy")
        np.save(arrays / f"{name}_train.npy", whole[:20])
        np.save(arrays / f"{name}_test.npy", whole[20:])
    data = pl.load_data(arrays / "X_train.npy")
    assert isinstance(data.train.X, np.memmap)
    assert isinstance(data.test.X, np.memmap)
    assert len(data.test) == 10
    options = {"n_epochs": 3, "batch_size": 5, "optimizer": "adam", "seed": 1}
    mapped, loaded = pl.preset("logistic"), pl.preset("logistic")
    history = pl.train(mapped, data.train, **options)
    in_memory = pl.Dataset(np.array(data.train.X), data.train.y, data.classes)
    assert pl.train(loaded, in_memory, **options).losses == history.losses
    np.testing.assert_array_equal(mapped.theta, loaded.theta)


def test_what_is_wrong_is_said(arrays: Path) -> None:
    with pytest.raises(OptionError, match="x_key does not apply to an"):
        pl.load_data(arrays / "X.npy", x_key="X", y_key="y")
    (arrays / "y.npy").rename(arrays / "labels.npy")
    with pytest.raises(
        DataError, match=r"X\.npy: expected its labels beside it.*found X, labels\. Save them so"
    ):
        pl.load_data(arrays / "X.npy")
    with pytest.raises(DataError, match="found no such file"):
        pl.load_data(arrays / "Z.npy")
    (arrays / "labels.npy").rename(arrays / "y.npy")
    (arrays / "X.npy").write_bytes((arrays / "X.npy").read_bytes()[:100])
    with pytest.raises(DataError, match=r"X\.npy: expected an \.npy file, but cannot read it"):
        pl.load_data(arrays / "X.npy")
    np.save(arrays / "X.npy", np.array([{}, []], object), allow_pickle=True)
    with pytest.raises(DataError, match=r"X\.npy: expected an \.npy file"):
        pl.load_data(arrays / "X.npy")


X = np.arange(60, dtype=np.float32).reshape(20, 3)
Y = np.arange(20) % 2


def write(path: Path, **arrays: object) -> Path:
    np.savez(path, **arrays)  # type: ignore[arg-type]
    return path


def test_one_pair_two_and_names_in_capitals(tmp_path: Path) -> None:
    split = load_data(write(tmp_path / "a.npz", X=X, y=Y, classes=["no", "yes"]))
    assert (len(split.train), len(split.test), split.classes) == (16, 4, ("no", "yes"))
    assert split.train.X.dtype == np.float32
    parts = {"X_train": X, "y_train": Y, "X_test": X[:5], "y_test": Y[:5].reshape(1, 5)}
    split = load_data(write(tmp_path / "b.npz", **parts))
    assert (len(split.train), len(split.test), split.notes) == (20, 5, ())
    np.testing.assert_array_equal(split.test.X, X[:5])
    np.testing.assert_array_equal(split.test.y, Y[:5])
    path = write(tmp_path / "c.npz", x_train=X, Y_train=Y, other=X, kind=Y).rename(tmp_path / "c.NPZ")
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
