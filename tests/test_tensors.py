"""Files of named arrays: the round trip, and every size in a header checked before anything is allocated."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pellucid.errors import FormatError, OutputError
from pellucid.tensors import DTYPES, read_tensors, write_tensors
from tests.every import every


def read(path: Path) -> Any:
    return read_tensors(path, "kind", kind="example", advice="Write it again.")


def test_round_trip_of_any_layout(tmp_path: Path) -> None:
    arrays = {"a": np.arange(12.0).reshape(3, 4).T, "b": np.ones((), "f4"), "c": np.empty((0, 2), "u1")}
    write_tensors(tmp_path / "x", "kind", {"n": [1, None]}, arrays)
    header, again = read(tmp_path / "x")
    assert header == {"n": [1, None]}
    for name, array in arrays.items():
        assert (again[name].shape, again[name].dtype) == (array.shape, array.dtype)
        assert (again[name] == array).all()


def test_files_are_those_of_the_formats_own_package(tmp_path: Path) -> None:
    """Byte for byte, whatever the dtypes, and read from either."""
    numpy = pytest.importorskip("safetensors.numpy")
    rng = np.random.default_rng(0)
    arrays = {
        f"{dtype} {i} é": rng.integers(0, 2, shape).astype(dtype)
        for dtype in DTYPES.values()
        for i, shape in enumerate([(3,), (), (0, 2), (2, 3, 1)])
    }
    write_tensors(tmp_path / "ours", "kind", {"n": "é"}, arrays)
    theirs = numpy.save(arrays, {"kind": json.dumps({"n": "é"})})
    assert (tmp_path / "ours").read_bytes() == theirs
    (tmp_path / "theirs").write_bytes(theirs)
    for found in (numpy.load_file(tmp_path / "ours"), read(tmp_path / "theirs")[1]):
        assert found.keys() == arrays.keys()
        for name, array in arrays.items():
            assert (found[name].dtype, found[name].shape) == (array.dtype, array.shape)
            np.testing.assert_array_equal(found[name], array)


def raw(path: Path, header: dict[str, Any], body: bytes = b"") -> Path:
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + body)
    return path


@every(
    "lie",
    [
        {"shape": [10**12], "data_offsets": [0, 8]},
        {"shape": [10**12], "data_offsets": [0, 8 * 10**12]},
        {"shape": [2**62, 2**62], "data_offsets": [0, 8]},
        {"shape": [1], "data_offsets": [0, 800]},
        {"shape": [-1], "data_offsets": [0, 8]},
        {"shape": [1], "data_offsets": [8, 0]},
        {"shape": [1], "data_offsets": [-8, 0]},
        {"shape": [1.0], "data_offsets": [0, 8]},
        {"shape": [True], "data_offsets": [0, 8]},
        {"shape": [1], "data_offsets": [0, 8, 8]},
        {"shape": [1]},
        {"shape": "1", "data_offsets": [0, 8]},
        {"dtype": "F16", "shape": [1], "data_offsets": [0, 8]},
        {"dtype": "BF16", "shape": [4], "data_offsets": [0, 8]},
    ],
)
def test_sizes_that_are_not_the_files_are_refused(tmp_path: Path, lie: dict[str, Any]) -> None:
    header = {"__metadata__": {"kind": "{}"}, "a": {"dtype": "F64", **lie}}
    with pytest.raises(FormatError, match="not a whole example"):
        read(raw(tmp_path / "x", header, bytes(8)))


def test_files_of_other_kinds_and_damaged_headers(tmp_path: Path) -> None:
    (tmp_path / "long").write_bytes((2**60).to_bytes(8, "little") + b"{}")
    (tmp_path / "text").write_text("hello")
    (tmp_path / "empty").write_bytes(b"")
    write_tensors(tmp_path / "other", "another", {}, {})
    for i, text in enumerate(("{", "3", "null")):
        raw(tmp_path / f"header-{i}", {"__metadata__": {"kind": text}})
    for names, words in (
        ("long text empty", "not a whole example .* Write it again"),
        ("none .", "there is no such example"),
        ("other", "no 'kind' in its header"),
        ("header-0 header-1 header-2", "not JSON"),
    ):
        for name in names.split():
            with pytest.raises(FormatError, match=words):
                read(tmp_path / name)


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError):
        write_tensors(tmp_path / "file" / "x", "kind", {}, {})
