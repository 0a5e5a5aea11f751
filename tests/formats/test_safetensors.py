"""Model files: written whole, read back, and refused where they are damaged or claim too much."""

import json
import sys
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.every import every

import pellucid as pl
from pellucid.errors import FormatError, OptionError, OutputError
from pellucid.formats.safetensors import FORMAT_VERSION, load
from pellucid.nn.layer import LAYERS
from pellucid.ops.losses.base import LOSSES
from pellucid.ops.losses.regression import MeanSquaredError
from pellucid.tensors import read_header, read_tensors, write_tensors
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


def rewritten(path: Path, arrays: Any = None, **entries: Any) -> None:
    """Write a file again with other arrays, None for none, or other entries of its header."""
    header, known = read_tensors(path, "pellucid", kind="model", advice="")
    changed = {name: array for name, array in {**known, **(arrays or {})}.items() if array is not None}
    write_tensors(path, "pellucid", {**header, **entries}, changed)


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
    with pytest.raises(FormatError, match="no such model file"):
        pl.load(tmp_path / "nothing.safetensors")


def test_a_later_version_says_to_update(saved: Path) -> None:
    rewritten(saved, format_version=FORMAT_VERSION + 1)
    with pytest.raises(FormatError, match="later pellucid; update"):
        pl.load(saved)


@every("depth", [300, 100_000])
def test_a_header_nested_too_deeply_is_one_line(saved: Path, depth: int) -> None:
    rewritten(saved, architecture="HERE")
    deep = '{\\"type\\": \\"Residual\\", \\"body\\": ' * depth + "1" + "}" * depth
    content = saved.read_bytes()
    start = int.from_bytes(content[:8], "little")
    text = content[8 : 8 + start].rstrip(b" ").replace(b'\\"HERE\\"', deep.encode())
    saved.write_bytes(len(text).to_bytes(8, "little") + text + content[8 + start :])
    with pytest.raises(FormatError):
        pl.load(saved)


@every("value", [np.nan, np.inf, -np.inf])
def test_a_broken_weight_is_named(saved: Path, value: float) -> None:
    rewritten(saved, {"dense_1.b": np.array([0, value, 0], np.float32)})
    with pytest.raises(FormatError, match=r"'dense_1.b' holds NaN or infinite numbers.*allow_nonfinite=True"):
        pl.load(saved)
    np.testing.assert_array_equal(pl.load(saved, allow_nonfinite=True).layers[1].params["b"][1], value)


@every(
    ("message", "name", "array"),
    [
        *(
            (rf"'dense_2.W' is of {np.dtype(dtype)}, expected float32", "dense_2.W", np.zeros((3, 1), dtype))
            for dtype in (np.int32, np.float64, np.float16)
        ),
        ("'dense_1.W' is missing", "dense_1.W", None),
        ("'other' belongs to no layer", "other", np.zeros(3)),
        ("'dense_1.W' has shape .*, expected .48, 3.", "dense_1.W", np.zeros(3, np.float32)),
    ],
)
def test_arrays_that_do_not_fit_are_named(
    message: str, name: str, array: Array, model: pl.Model, tmp_path: Path
) -> None:
    path = tmp_path / "model.safetensors"
    pl.save(model, path)
    rewritten(path, {name: array})
    with pytest.raises(FormatError, match=message):
        pl.load(path)


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


GOOD = Path(__file__).parent / "files" / "version-1" / "tied.safetensors"
MOST = 2_000_000  # bytes: modules that are imported, and messages


def parts() -> tuple[dict[str, Any], bytes]:
    """Return the JSON text of a good file, and its tensors."""
    content = GOOD.read_bytes()
    n = int.from_bytes(content[:8], "little")
    return json.loads(content[8 : 8 + n]), content[8 + n :]


def together(header: Any, data: bytes, n: int | None = None) -> bytes:
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    return (len(text) if n is None else n).to_bytes(8, "little") + text + data


def with_tensor(name: str, **changes: Any) -> bytes:
    header, data = parts()
    header[name].update(changes)
    return together(header, data)


def with_architecture(**changes: Any) -> bytes:
    header, data = parts()
    about = json.loads(header["__metadata__"]["pellucid"])
    header["__metadata__"]["pellucid"] = json.dumps({**about, **changes})
    return together(header, data)


DEEP = b"[" * 100_000 + b"]" * 100_000
LIES = {
    "empty": lambda: b"",
    "eight bytes": lambda: bytes(8),
    "cut in the JSON": lambda: GOOD.read_bytes()[:200],
    "cut in the tensors": lambda: GOOD.read_bytes()[:-4],
    "enlarged by a byte": lambda: GOOD.read_bytes() + b"\0",
    "enlarged by a megabyte": lambda: GOOD.read_bytes() + bytes(1_000_000),
    "a JSON text of 2^64 - 1 bytes": lambda: together(*parts(), n=2**64 - 1),
    "a JSON text of 99 MB": lambda: together(*parts(), n=99_000_000),
    "a JSON text that ends early": lambda: together(*parts(), n=8),
    "overlapping": lambda: with_tensor("dense_1.b", data_offsets=[0, 16]),
    "a gap": lambda: with_tensor("dense_2.b", data_offsets=[104, 108]),
    "offsets beyond the end": lambda: with_tensor("dense_2.b", data_offsets=[2**62, 2**62 + 4]),
    "offsets above 2^64": lambda: with_tensor("dense_2.b", data_offsets=[2**65, 2**65 + 4]),
    "offsets the wrong way round": lambda: with_tensor("dense_2.b", data_offsets=[100, 96]),
    "negative offsets": lambda: with_tensor("dense_2.b", data_offsets=[-4, 0]),
    "a huge shape": lambda: with_tensor("dense_1.W", shape=[10**6, 10**6]),
    "a shape that overflows": lambda: with_tensor("dense_1.W", shape=[2**33, 2**33]),
    "a negative shape": lambda: with_tensor("dense_1.W", shape=[-4, -4]),
    "a shape of no axes": lambda: with_tensor("dense_1.W", shape=[]),
    "a dtype of another size": lambda: with_tensor("dense_1.W", dtype="F64"),
    "a dtype that nobody knows": lambda: with_tensor("dense_1.W", dtype="F7"),
    "lists inside lists": lambda: len(DEEP).to_bytes(8, "little") + DEEP,
    "not an object": lambda: together([1, 2], b""),
    "tensors without metadata": lambda: together(
        {"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}, bytes(4)
    ),
    "of another library": lambda: together({**parts()[0], "__metadata__": {"format": "pt"}}, parts()[1]),
}


@every("lie", LIES)
def test_a_lie_is_one_line_and_takes_no_memory(lie: str, tmp_path: Path) -> None:
    load(GOOD)  # what is imported and kept for the next time
    path = tmp_path / "model.safetensors"
    path.write_bytes(LIES[lie]())
    tracemalloc.start()
    try:
        with pytest.raises(FormatError) as error:
            load(path)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert "\n" not in str(error.value)
    assert str(error.value).startswith(str(path))
    assert len(str(error.value)) < 600
    assert peak < MOST + path.stat().st_size


def of_layers(*layers: Any) -> dict[str, Any]:
    return {"architecture": {"type": "Sequential", "layers": list(layers)}}


WIDE, NORM, LAYER_NORM = {"type": "Dense", "units": 10**8}, {"type": "BatchNorm"}, {"type": "LayerNorm"}
HUGE: dict[str, dict[str, Any]] = {
    "wide layers": of_layers(WIDE, WIDE),
    "a norm of a wide layer": of_layers(WIDE, NORM),
    "a norm of a wide input": of_layers(NORM, LAYER_NORM) | {"input_shape": [10**8]},
    "a norm of a large photo": of_layers({"type": "Flatten"}, NORM) | {"input_shape": [10**4, 10**4, 1]},
    "a wide input": {"input_shape": [10**12]},
}


@pytest.mark.parametrize("lie", HUGE)
def test_an_architecture_that_asks_for_gigabytes_gets_none(lie: str, tmp_path: Path) -> None:
    resource = pytest.importorskip("resource", reason="needs Unix")
    path = tmp_path / "model.safetensors"
    path.write_bytes(with_architecture(**HUGE[lie]))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(FormatError, match=r"model\.safetensors: "):
        load(path)
    unit = 1 if sys.platform == "darwin" else 1024
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * unit < 100e6


def test_a_header_alone_is_as_suspicious(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(LIES["enlarged by a byte"]())
    with pytest.raises(FormatError, match="not a whole model file"):
        read_header(path, "pellucid", kind="model file", advice="")
