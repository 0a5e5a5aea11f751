"""Model files that earlier versions wrote load, and predict what they predicted then: see docs/model-format.md."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from tests.every import every
from tests.formats.networks import own_layers
from tests.formats.write_files import ADDED, FILES, plain, samples_of

from pellucid.data.preprocess import KINDS
from pellucid.formats.safetensors import FORMAT_VERSION, load, save
from pellucid.ops.losses.base import LOSSES
from pellucid.tensors import read_header

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "model-format.md"
WRITTEN = sorted(FILES.glob("version-*/*.safetensors"))


def header_of(path: Path) -> dict[str, Any]:
    return read_header(path, "pellucid", kind="", advice="")


def test_every_version_has_its_files() -> None:
    for version in range(1, FORMAT_VERSION + 1):
        found = [path for path in WRITTEN if path.parent.name == f"version-{version}"]
        assert found, f"run once, when the version is final: python -m tests.formats.write_files ({version})"
        assert {header_of(path)["format_version"] for path in found} == {version}
    assert {path.stem for path in WRITTEN} >= set(ADDED)


def assert_near(found: Any, expected: Any) -> None:
    """Compare arrays, or those of several outputs by name."""
    if not isinstance(expected, dict):
        found, expected = {"": found}, {"": expected}
    assert found.keys() == expected.keys()
    for name, values in expected.items():
        np.testing.assert_allclose(found[name], values, rtol=1e-4, atol=1e-6, err_msg=name)


def parts_of(value: Any) -> Iterator[tuple[str, Any]]:
    """Return every entry of a header, however deep."""
    entries = value.items() if isinstance(value, dict) else ()
    for key, each in entries:
        yield key, each
    for each in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from parts_of(each)


def test_files_have_every_layer_loss_and_rule() -> None:
    """What is added to the format later needs a file, too: a model in ``write_files.ADDED``, written once."""
    entries = [
        (key, each)
        for path in WRITTEN
        for key, each in parts_of(header_of(path))
        if isinstance(each, str | dict)
    ]
    types = {each for key, each in entries if key == "type"}
    assert {cls.__name__ for cls in own_layers()} | {*LOSSES, "joint"} <= types
    assert set(KINDS) <= {
        each["kind"] for key, each in entries if key == "preprocessing" and isinstance(each, dict)
    }


@every("path", WRITTEN, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_file_of_then_predicts_what_it_did(path: Path, tmp_path: Path) -> None:
    expected = json.loads(path.with_suffix(".json").read_text())
    model = load(path)
    X = samples_of(path, model)
    X = X if model._schema is None else model._schema.encode(X).X
    assert_near(model.decision_function(X), expected["outputs"])
    assert_near(model.predict(X), expected["predictions"])
    save(model, tmp_path / "again.safetensors")
    again = load(tmp_path / "again.safetensors")
    assert plain(again.decision_function(X)) == plain(model.decision_function(X))
    for name in ("classes", "_schema", "inputs_seen"):
        assert getattr(again, name) == getattr(model, name), name


def test_the_header_has_the_documented_keys_and_no_others(tmp_path: Path) -> None:
    rows = re.findall(r"^\| `(\w+)` \| [a-z ]+ \| (\w*)", PAGE.read_text(), re.MULTILINE)
    required = {name for name, first in rows if first != "Optional"}
    for path in WRITTEN:
        save(load(path), tmp_path / "m.safetensors")
        assert required <= header_of(tmp_path / "m.safetensors").keys() <= dict(rows).keys()


def test_the_page_is_what_the_script_prints() -> None:
    page = [sys.executable, ROOT / "scripts" / "model_format"]
    done = subprocess.run(page, capture_output=True, text=True, check=True)
    assert done.stdout == PAGE.read_text(), "write it again: scripts/check --fix"


@every("path", WRITTEN, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_the_example_in_the_page_reads_what_safetensors_does(path: Path) -> None:
    from safetensors.numpy import load_file

    (code,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    names: dict[str, Any] = {"path": path}
    exec(compile(code, str(PAGE), "exec"), names)
    assert (8 + names["n"]) % 8 == 0
    offsets = sorted(tensor["data_offsets"] for tensor in names["tensors"].values())
    stops = [stop for _, stop in offsets]
    assert [start for start, _ in offsets] == [0, *stops[:-1]]
    assert stops[-1] == len(names["data"])
    known = load_file(path)
    assert known.keys() == names["arrays"].keys()
    for name, array in names["arrays"].items():
        np.testing.assert_array_equal(array, known[name])
        assert array.dtype == names["header"]["dtype"]
