"""Weights files of PyTorch before 1.6: read as PyTorch reads them, and refused where anything else is in them."""

import io
import os
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from tests.every import every

from pellucid.errors import FormatError
from pellucid.nn.pretrained.torch_file import LARGEST, MAGIC, arrays_of

torch = pytest.importorskip("torch")


def saved(arrays: Any) -> bytes:
    stream = io.BytesIO()
    torch.save(arrays, stream, _use_new_zipfile_serialization=False)
    return stream.getvalue()


def test_arrays_equal_torchs() -> None:
    base = torch.arange(24, dtype=torch.float32).reshape(4, 6)
    arrays = {
        "whole": base,
        "turned": base.T,
        "part": base[1:3, ::2],
        "number": torch.tensor(7, dtype=torch.int64),
        "empty": torch.zeros((0, 3)),
        "spread": torch.ones(1).expand(5),
    }
    found = arrays_of(saved(arrays))
    assert list(found) == list(arrays)
    for name, array in found.items():
        np.testing.assert_array_equal(array, arrays[name].numpy())
        assert array.flags.c_contiguous
        assert array.flags.owndata


def test_a_module_with_its_versions() -> None:
    module = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.BatchNorm1d(2))
    found = arrays_of(saved(module.state_dict()))  # an OrderedDict with an attribute
    assert {name: array.shape for name, array in found.items()} == {
        name: tuple(array.shape) for name, array in module.state_dict().items()
    }


class Runs:
    """What a hostile file has in it."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, ("ran",)


def pickled(*values: Any) -> bytes:
    return b"".join(pickle.dumps(value, 2) for value in values)


@every(
    "name, make, words",
    [
        ("empty", lambda: b"", "damaged"),
        ("no file of weights", lambda: b"a text\n" * 9, "damaged"),
        ("a later file", lambda: b"PK\x03\x04" + bytes(90), "zip archive"),
        ("another magic number", lambda: pickled(1, 1001, {}, {}, []), "does not begin"),
        ("a function in the first pickle", lambda: pickled(Runs()), "mkdir, which no file of weights needs"),
        (
            "a function in the arrays",
            lambda: pickled(MAGIC, 1001, {}, {"a": Runs()}, []),
            "mkdir, which no file",
        ),
        ("a whole module", lambda: saved(torch.nn.Linear(2, 2)), "which no file of weights needs"),
        (
            "halves",
            lambda: saved({"a": torch.ones(2, dtype=torch.float16)}),
            "torch.HalfStorage, which no file",
        ),
        ("no arrays", lambda: saved({"a": 3}), "other things than arrays"),
        ("a list", lambda: saved([torch.ones(2)]), "other things than arrays"),
        ("other keys", lambda: pickled(MAGIC, 1001, {}, {}, ["0"]), "other storages"),
        ("larger than any", lambda: bytes(LARGEST + 1), "up to 256 MB"),
    ],
)
def test_refused_in_one_line(
    name: str, make: Callable[[], bytes], words: str, tmp_path: Any, monkeypatch: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FormatError) as raised:
        arrays_of(make())
    assert words in str(raised.value)
    assert not (tmp_path / "ran").exists()


def nested(n: int, kind: bytes) -> bytes:
    """A pickle of a dictionary whose key is n tuples inside one another, each there once or twice."""
    return b"\x80\x02}(" + b"K\x01" + n * kind + b"K\x02u."


@every(
    "content, words",
    [
        (nested(60, b"2\x86"), "more objects inside one another"),  # 2^60 to hash
        (nested(12, b"2\x86"), "damaged"),  # 4,000: read at once
        (nested(100_000, b"\x85"), "more objects inside one another"),  # would end the process
        (b"\x80\x02K\x01r" + (2**31 - 1).to_bytes(4, "little") + b".", "places in its memo"),  # 34 GB
        (b"\x80\x02K\x01p3000000000\n.", "places in its memo"),
        (b"\x80\x02(((" * 5 + b"t.", "damaged"),
        (b"\x80\x02h\x05.", "damaged"),  # what was never put there
    ],
    ids=lambda value: repr(value)[:40],
)
def test_a_pickle_ends_soon_and_takes_no_memory(content: bytes, words: str) -> None:
    with pytest.raises(FormatError, match=words):
        arrays_of(content)


def test_damaged_files_are_refused_or_read_but_never_run() -> None:
    whole = saved({"a": torch.ones((3, 2)), "b": torch.arange(4)})
    rng = np.random.default_rng(0)
    for n in range(0, len(whole), 7):
        with pytest.raises(FormatError):
            arrays_of(whole[:n])
    for _ in range(400):
        changed = bytearray(whole)
        for at in rng.integers(0, len(whole), 3):
            changed[at] = rng.integers(256)
        try:
            found = arrays_of(bytes(changed))
        except FormatError:
            continue
        assert sum(array.size for array in found.values()) <= 1000


def test_an_array_beyond_its_storage() -> None:
    whole = saved({"a": torch.ones((3, 2))})
    place = b"K\x03K\x02\x86"  # the shape, (3, 2)
    assert place in whole
    for shape in (b"K\x03K\xff\x86", b"K\xffK\x02\x86"):
        with pytest.raises(FormatError, match=r"not described|beyond its storage"):
            arrays_of(whole.replace(place, shape))
