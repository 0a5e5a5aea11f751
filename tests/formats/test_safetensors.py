"""Model files: the round trip, and every way in which a file can be wrong."""

from pathlib import Path

import numpy as np
import pytest
from tests.every import every

import pellucid as pl
from pellucid.errors import FormatError, OptionError, OutputError
from pellucid.formats.safetensors import FORMAT_VERSION
from pellucid.nn.layer import LAYERS
from pellucid.ops.losses.base import LOSSES
from pellucid.ops.losses.regression import MeanSquaredError
from pellucid.tensors import read_tensors, write_tensors
from pellucid.types import Array


@pytest.fixture(scope="module")
def data() -> pl.Dataset:
    rng = np.random.default_rng(3)
    return pl.Dataset(rng.integers(0, 256, (20, 4, 4, 3), dtype=np.uint8), np.arange(20) % 2, ("no", "yes"))


@pytest.fixture(scope="module")
def model(data: pl.Dataset) -> pl.Sequential:
    network = pl.Sequential([pl.Flatten(), pl.Dense(3, activation="relu"), pl.Dense(1)], dtype="float32")
    pl.train(network, data, n_epochs=5)
    network._summary_of_training = {"n_steps": 5}
    return network


@pytest.fixture
def saved(model: pl.Sequential, tmp_path: Path) -> Path:
    path = tmp_path / "model.safetensors"
    pl.save(model, path)
    return path


def test_round_trip(model: pl.Sequential, saved: Path, data: pl.Dataset) -> None:
    again = pl.load(saved)
    np.testing.assert_array_equal(again.theta, model.theta)
    np.testing.assert_array_equal(again.predict_proba(data.X), model.predict_proba(data.X))
    assert again.dtype == "float32"
    assert again.classes == ("no", "yes")
    assert again.preprocessing == model.preprocessing
    assert again._summary_of_training == {"n_steps": 5}
    assert again.config() == model.config()


def test_a_run_folder_is_as_good_as_its_file(saved: Path, model: pl.Sequential) -> None:
    np.testing.assert_array_equal(pl.load(saved.parent).theta, model.theta)


def test_an_untrained_model_and_a_bad_place_are_refused(model: pl.Sequential, tmp_path: Path) -> None:
    with pytest.raises(pl.PellucidError, match="not trained yet"):
        pl.save(pl.Sequential([pl.Dense(1)]), tmp_path / "a")
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError):
        pl.save(model, tmp_path / "file" / "model")


def test_a_later_version_says_to_update(saved: Path) -> None:
    header, arrays = read_tensors(saved, "pellucid", kind="model", advice="")
    write_tensors(saved, "pellucid", {**header, "format_version": FORMAT_VERSION + 1}, arrays)
    with pytest.raises(FormatError, match="later pellucid; update"):
        pl.load(saved)


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="no such model file"):
        pl.load(tmp_path / "nothing.safetensors")


@every("dtype", [np.int32, np.float64, np.float16])
def test_an_array_of_another_dtype_is_named(saved: Path, dtype: type) -> None:
    header, arrays = read_tensors(saved, "pellucid", kind="model", advice="")
    arrays["dense_2.W"] = arrays["dense_2.W"].astype(dtype)
    write_tensors(saved, "pellucid", header, arrays)
    with pytest.raises(FormatError, match=rf"'dense_2.W' is of {np.dtype(dtype)}, expected float32"):
        pl.load(saved)


@every("depth", [300, 100_000])
def test_a_header_nested_too_deeply_is_one_line(saved: Path, depth: int) -> None:
    header, arrays = read_tensors(saved, "pellucid", kind="model", advice="")
    header["architecture"] = "HERE"
    write_tensors(saved, "pellucid", header, arrays)
    deep = '{\\"type\\": \\"Residual\\", \\"body\\": ' * depth + "1" + "}" * depth
    content = saved.read_bytes()
    start = int.from_bytes(content[:8], "little")
    text = content[8 : 8 + start].rstrip(b" ").replace(b'\\"HERE\\"', deep.encode())
    saved.write_bytes(len(text).to_bytes(8, "little") + text + content[8 + start :])
    with pytest.raises(FormatError):
        pl.load(saved)


@every("value", [np.nan, np.inf, -np.inf])
def test_a_broken_weight_is_named(saved: Path, value: float, model: pl.Sequential) -> None:
    header, arrays = read_tensors(saved, "pellucid", kind="model", advice="")
    arrays["dense_1.b"] = arrays["dense_1.b"].copy()
    arrays["dense_1.b"][1] = value
    write_tensors(saved, "pellucid", header, arrays)
    with pytest.raises(FormatError, match=r"'dense_1.b' holds NaN or infinite numbers.*allow_nonfinite=True"):
        pl.load(saved)
    np.testing.assert_array_equal(pl.load(saved, allow_nonfinite=True).layers[1].params["b"][1], value)


def test_arrays_that_do_not_fit_are_named(saved: Path) -> None:
    header, arrays = read_tensors(saved, "pellucid", kind="model", advice="")
    changes = {
        "'dense_1.W' is missing": {name: array for name, array in arrays.items() if name != "dense_1.W"},
        "'other' belongs to no layer": {**arrays, "other": np.zeros(3)},
        "'dense_1.W' has shape .*, expected .48, 3.": {**arrays, "dense_1.W": np.zeros(3, np.float32)},
    }
    for message, changed in changes.items():
        write_tensors(saved, "pellucid", header, changed)
        with pytest.raises(FormatError, match=message):
            pl.load(saved)


@every("name", ["m.pkl", "m.h5", "m.pt", "m.keras"])
def test_a_name_of_another_format_is_refused(name: str, tmp_path: Path) -> None:
    model = pl.Sequential([pl.Dense(1)])
    model.initialize((2,))
    with pytest.raises(OutputError, match=rf"ends in .safetensors.*got '{name}'. Try 'm.safetensors'"):
        pl.save(model, tmp_path / name)
    assert not list(tmp_path.iterdir())


class Halved(pl.Layer):
    """Not registered."""

    def forward(self, X: Array, *, training: bool = False) -> Array:
        return X / 2

    def backward(self, dY: Array) -> Array:
        return dY / 2


class Own(MeanSquaredError):
    """Not registered."""


def test_a_class_of_ones_own_is_registered_to_be_saved(tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    model = pl.Sequential(pl.Dense(2), pl.Sequential(Halved()))
    model.initialize((2,))
    with pytest.raises(
        OptionError, match=r"save: Halved is not registered.*Write @pl.register above the class"
    ):
        pl.save(model, path)
    model = pl.Sequential(pl.Dense(2))
    model.initialize((2,))
    model.set_loss(Own())
    with pytest.raises(OptionError, match="save: Own is not registered"):
        pl.save(model, path)
    for registered, table in ((pl.register(Halved), LAYERS), (pl.register("own")(Own), LOSSES)):
        model = pl.Sequential(pl.Dense(2), Halved()) if registered is Halved else pl.Sequential(pl.Dense(2))
        model.initialize((2,))
        model.set_loss(Own() if registered is Own else "mean_squared_error")
        pl.save(model, path)
        assert pl.load(path).config() == model.config()
        assert pl.load(path).loss == model.loss
        name = registered._registered_as
        table.remove(name)
        with pytest.raises(FormatError, match=rf"'{name}', which is not registered here. Import the module"):
            pl.load(path)
