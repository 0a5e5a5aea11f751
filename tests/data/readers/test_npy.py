"""Arrays in .npy files: pairs by name, memory maps, and what is wrong with them."""

from pathlib import Path

import numpy as np
import pytest

import pellucid as pl
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
