"""Whatever a file is, importing it gives a model or one line."""

import os
import re
import shutil
import tracemalloc
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.every import every
from tests.formats.onnx.graphs import Net

import pellucid as pl
from pellucid.errors import PellucidError
from pellucid.formats.onnx.reading import comparison

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")


def refused(path: Path, **options: Any) -> str:
    """Return the message, one line, of a file that is refused without taking much memory."""
    tracemalloc.start()
    try:
        with pytest.raises(PellucidError) as error:
            pl.import_onnx(path, **options)
        assert tracemalloc.get_traced_memory()[1] < 30e6
    finally:
        tracemalloc.stop()
    assert "\n" not in str(error.value)
    return str(error.value)


def of_nodes(op: str, *more: Any, **attributes: Any) -> Callable[[Net], str]:
    """Return what builds a convolution, one node, and a Dense layer after it."""

    def build(net: Net) -> str:
        x = net.add(op, net.conv("x", 4, 3), *(net.array(each, np.int64) for each in more), **attributes)
        return net.flat(net.add("GlobalAveragePool", x), 4)

    return build


REFUSED: dict[str, tuple[Callable[[Net], str], str]] = {
    "an operation": (
        of_nodes("InstanceNormalization"),
        r"'/InstanceNormalization_1' .*, group or instance norm",
    ),
    "an operation after a shape for it": (
        lambda net: net.add(
            "InstanceNormalization",
            net.add("Reshape", net.conv("x", 4, 3), net.array([0, 2, -1], np.int64)),
            *(net.weight(2), net.weight(2)),
        ),
        r"\(InstanceNormalization\), group or instance norm",
    ),
    "rows cut out": (of_nodes("Slice", [1], [3], [2]), r"it makes \(2, 4, 2, 10\)"),
    "samples cut out": (of_nodes("Gather", [0], axis=0), r"it makes \(1, 4, 10, 10\)"),
    "no channels": (of_nodes("Slice", [3], [3], [1]), "channels that are not there"),
    "channels elsewhere": (of_nodes("Gather", [9], axis=1), "index 9 is out of bounds"),
    "too many channels": (
        lambda net: net.add(
            "Slice", net.add("Flatten", net.conv("x", 99, 3)), *map(net.array, ([1], [9000], [1]), (int,) * 3)
        ),
        "too many to select",
    ),
    "lengths that do not fit": (of_nodes("Slice", [0], [2], [1], [0]), "step cannot be zero"),
    "an attribute that is a text": (of_nodes("MaxPool", kernel_shape="33"), "none that it may have"),
    "axes that are a number": (lambda net: net.conv(net.add("Transpose", "x", perm=0.5), 4, 3), "do not fit"),
    "a slope that is a text": (of_nodes("LeakyRelu", alpha="0.1"), "attributes or inputs that do not fit"),
    "a transposed convolution": (
        lambda net: net.add("ConvTranspose", net.conv("x", 4, 3), net.weight(4, 2, 2, 2)),
        r"\(ConvTranspose\), a transposed convolution, is an",
    ),
    "an activation": (of_nodes("Softsign"), r"\(Softsign\) is an operation that pellucid lacks"),
    "another domain": (of_nodes("Swoosh", domain="mine"), r"\(mine::Swoosh\)"),
    "bicubic": (of_nodes("Resize", mode="cubic"), "modes nearest and linear"),
    "an edge": (of_nodes("Pad", [0, 0, 1, 1, 0, 0, 1, 1], mode="edge"), "with zeros or by reflection"),
    "reflected": (of_nodes("Pad", [0, 0, 12, 0, 0, 0, 0, 0], mode="reflect"), "by reflection of more"),
    "negative": (of_nodes("Pad", [0, 0, -1, 0, 0, 0, 0, 0]), "by 0 or more on each side"),
    "of samples": (of_nodes("Transpose", perm=[1, 0, 2, 3]), r"it makes \(4, 2, 10, 10\)"),
    "rows and columns": (of_nodes("Transpose", perm=[0, 1, 3, 2]), "expected images"),
    "a mean": (of_nodes("ReduceMean", axes=[1]), r"a mean over the axes \[1\] of 4"),
    "together": (of_nodes("Reshape", [-1, 4]), r"it makes \(200, 4\)"),
    "into tokens": (of_nodes("Reshape", [-1, 4, 100]), r"it makes \(2, 4, 100\)"),
    "a window": (of_nodes("MaxPool", kernel_shape=[99, 99]), "empty"),
    "huge padding": (of_nodes("MaxPool", kernel_shape=[2**19] * 2, pads=[2**19] * 4), "too large"),
    "no window": (of_nodes("MaxPool", kernel_shape=[2]), "expected kernel_shape to be two numbers"),
    "enlarged": (
        lambda net: net.head(net.add("Resize", net.conv("x", 4, 3), "", net.array([1, 1, 2**15, 2**15])), 4),
        "which is too large",
    ),
    "enlarged in part": (
        lambda net: net.add("Resize", net.conv("x", 4, 3), "", net.array([1, 1, 1.5, 1]), mode="nearest"),
        "enlarged, by whole numbers",
    ),
    "filled": (
        lambda net: net.add("Mul", "x", net.add("ConstantOfShape", net.array([2**40, 2**20], np.int64))),
        "numbers, more than",
    ),
    "spread out": (
        lambda net: net.add("Mul", "x", net.add("Add", net.weight(2**15, 1), net.weight(1, 2**15))),
        "numbers, more than",
    ),
    "a picture at the end": (lambda net: net.conv("x", 4, 3), "expected one row of numbers"),
    "weights that do not fit": (lambda net: net.flat("x", 7), "meet rows of 432 numbers"),
    "groups": (lambda net: net.conv("x", 4, 3, group=3), "do not fit samples"),
    "no weights": (lambda net: net.add("Flatten", net.add("GlobalMaxPool", "x")), "have no weights"),
    "training": (
        lambda net: net.add("BatchNormalization", "x", *[net.weight(3) for _ in range(4)], training_mode=1),
        r"model\.eval\(\)",
    ),
}


@every("name", REFUSED)
def test_what_no_layer_does_is_named(name: str, tmp_path: Path) -> None:
    build, words = REFUSED[name]
    net = Net()
    path = net.file(tmp_path / "a.onnx", build(net))
    message = refused(path)
    assert message.startswith(str(path))
    assert re.search(words, message)


@pytest.fixture
def whole(tmp_path: Path) -> Path:
    net = Net()
    x = net.add("Relu", net.conv("x", 4, 3))
    return net.file(tmp_path / "whole.onnx", net.add("Softmax", net.flat(x, 400)))


def test_files_that_are_none(tmp_path: Path, whole: Path) -> None:
    assert "there is no such file" in refused(tmp_path / "no.onnx")
    assert "there is no such file" in refused(tmp_path)
    for content in (b"", b"hello", b"\x08\x08", whole.read_bytes()[:-50], os.urandom(300)):
        (tmp_path / "a.onnx").write_bytes(content)
        assert str(tmp_path / "a.onnx") in refused(tmp_path / "a.onnx")


def test_files_of_other_kinds_say_where_to_go(tmp_path: Path, whole: Path) -> None:
    for name, words in [
        ("net.pth", "Take torch.onnx.export(model.eval()"),
        ("net.keras", 'model.export("net.onnx", format="onnx")'),
        ("net.pkl", "pl.import_sklearn(estimator)"),
    ]:
        (tmp_path / name).write_bytes(b"\x80\x04no")
        assert words in refused(tmp_path / name)
    with pytest.raises(PellucidError, match=r"`pellucid import whole\.onnx` makes a model file of it"):
        pl.load(whole)


CHANGES: dict[str, tuple[Callable[[Any], Any], str]] = {
    "more dims": (lambda graph: graph.initializer[0].dims.insert(0, 2**30), "bytes, and has"),
    "negative": (lambda graph: graph.initializer[0].dims.__setitem__(0, -1), "which is none"),
    "halves": (lambda graph: setattr(graph.initializer[0], "data_type", 10), "half precision"),
    "unknown": (lambda graph: graph.node[0].input.__setitem__(0, "y"), "nothing before it gives"),
    "twice": (lambda graph: graph.node[1].output.__setitem__(0, "x"), "is there already"),
    "huge input": (
        lambda graph: [setattr(dim, "dim_value", 2**40) for dim in graph.input[0].type.tensor_type.shape.dim],
        "too large",
    ),
    "integers": (lambda graph: setattr(graph.input[0].type.tensor_type, "elem_type", 7), "floats or bytes"),
    "NaN": (
        lambda graph: setattr(graph.initializer[1], "raw_data", np.full(4, np.nan, np.float32).tobytes()),
        "NaN or infinite",
    ),
    "no output": (lambda graph: graph.output.pop(), "no output of floats"),
}


@every("name", CHANGES)
def test_files_that_contradict_themselves(name: str, whole: Path, tmp_path: Path) -> None:
    change, words = CHANGES[name]
    model = onnx.load(whole)
    change(model.graph)
    onnx.save(model, tmp_path / "changed.onnx")
    assert words in refused(tmp_path / "changed.onnx")


def outside(whole: Path, location: str, offset: int = 0) -> Path:
    """Write the first array's bytes out of the file."""
    model = onnx.load(whole)
    array = model.graph.initializer[0]
    array.ClearField("raw_data")
    array.data_location = onnx.TensorProto.EXTERNAL
    for key, value in {"location": location, "offset": str(offset)}.items():
        array.external_data.add(key=key, value=value)
    whole.write_bytes(model.SerializeToString())
    return whole


def test_arrays_beside_the_file(whole: Path) -> None:
    expected = pl.import_onnx(whole)
    content = onnx.load(whole).graph.initializer[0].raw_data
    (whole.parent / "w.bin").write_bytes(b"12345678" + content)
    found = pl.import_onnx(outside(whole, "w.bin", 8))
    np.testing.assert_array_equal(found.theta, expected.theta)
    (whole.parent / "w.bin").write_bytes(content)
    assert "It is cut off or belongs to another model" in refused(whole)


@every("location", ["../w.bin", "/etc/hostname", "link.bin", "", ".", "no.bin", "a\0b"])
def test_arrays_elsewhere_are_refused(location: str, whole: Path, tmp_path: Path) -> None:
    home = tmp_path / "inside"
    home.mkdir()
    (tmp_path / "w.bin").write_bytes(b"\0" * 10_000)
    (home / "link.bin").symlink_to(tmp_path / "w.bin")
    message = refused(outside(Path(shutil.copy(whole, home / "a.onnx")), location))
    assert "w0" in message


@cache
def gated() -> bytes:
    net = Net()
    x = net.add("Relu", net.conv("x", 2, 3, strides=[4, 4]))
    x = net.add("Mul", x, net.add("Sigmoid", x))
    content: bytes = net.made(net.add("Softmax", net.flat(x, 18))).SerializeToString()
    return content


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_damaged_files(tmp_path: Path, data: Any) -> None:
    content = bytearray(gated())
    for _ in range(data.draw(st.integers(1, 4))):
        i = data.draw(st.integers(0, len(content) - 1))
        content[i] = data.draw(st.integers(0, 255))
    if data.draw(st.booleans()):
        del content[data.draw(st.integers(0, len(content) - 1)) :]
    (tmp_path / "a.onnx").write_bytes(bytes(content))
    with np.errstate(all="ignore"), suppress(PellucidError):
        pl.import_onnx(tmp_path / "a.onnx")


def test_nothing_is_imported_unless_it_is_right(whole: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comparison, "run", lambda source, names, feed: [np.zeros((3, 3))])
    with pytest.raises(PellucidError, match=r"more than 1e-05\. It was not imported"):
        pl.import_onnx(whole)


def test_options_that_do_not_fit(whole: Path) -> None:
    for options, words in [
        ({"input_shape": (12, 12)}, "12 height, 12 width and 3 channels, got 12x12"),
        ({"input_shape": {"y": (12, 12, 3)}}, "no input 'y'; its inputs are x"),
        ({"classes": ["a", "b"]}, "a name for each of the 3 classes"),
    ]:
        assert words in refused(whole, **options)
    net = Net()
    path = net.file(whole.parent / "b.onnx", net.head("x", 4), ("n", 4))
    assert "expected a network of images" in refused(path, pixels="0..1")
    nothing = Net()
    assert "nothing to import" in refused(nothing.file(path, nothing.add("Identity", "x"), ("n", 4)))
