"""Files that lie about sizes: one line, and no more memory than the file itself takes."""

import json
import sys
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from tests.every import every

from pellucid.errors import FormatError
from pellucid.formats.safetensors import load
from pellucid.tensors import read_header

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
