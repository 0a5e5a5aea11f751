"""Model files that earlier versions wrote load, and predict what they predicted then: see docs/model-format.md."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.formats.write_files import FILES, MODELS

from pellucid.formats.header import HEADER
from pellucid.formats.safetensors import FORMAT_VERSION, load, save
from pellucid.tensors import read_header

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "model-format.md"
WRITTEN = sorted(FILES.glob("version-*/*.safetensors"))


def test_every_version_has_its_files() -> None:
    for version in range(1, FORMAT_VERSION + 1):
        found = [path for path in WRITTEN if path.parent.name == f"version-{version}"]
        assert found, f"run once, when the version is final: python -m tests.formats.write_files ({version})"
        assert {read_header(path, "pellucid", kind="", advice="")["format_version"] for path in found} == {
            version
        }
    assert {path.stem for path in WRITTEN if path.parent.name == "version-1"} >= set(MODELS)


@pytest.mark.parametrize("path", WRITTEN, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_file_of_then_predicts_what_it_did(path: Path, tmp_path: Path) -> None:
    expected = json.loads(path.with_suffix(".json").read_text())
    model = load(path)
    inputs: Any = expected["inputs"]
    if model.schema is not None:
        X = model.schema.encode(inputs).X
    else:
        arrays = {name: np.array(inputs[name], dtype) for name, dtype in expected["dtypes"].items()}
        X = arrays.get("", arrays)
    np.testing.assert_allclose(model.decision_function(X), expected["outputs"], rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(model.predict(X), expected["predictions"], rtol=1e-4, atol=1e-6)
    save(model, tmp_path / "again.safetensors")
    again = load(tmp_path / "again.safetensors")
    np.testing.assert_array_equal(again.decision_function(X), model.decision_function(X))
    assert (again.classes, again.schema, again.inputs_seen) == (
        model.classes,
        model.schema,
        model.inputs_seen,
    )


@pytest.mark.parametrize("path", WRITTEN, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_reader_of_ten_lines_understands_the_layout(path: Path) -> None:
    """The byte layout as docs/model-format.md describes it, read with the standard library and NumPy alone."""
    from safetensors.numpy import load_file

    content = path.read_bytes()
    n = int.from_bytes(content[:8], "little")
    header, data = json.loads(content[8 : 8 + n]), content[8 + n :]
    about = json.loads(header.pop("__metadata__")["pellucid"])
    assert (8 + n) % 8 == 0
    offsets = sorted(entry["data_offsets"] for entry in header.values())
    assert [start for start, _ in offsets] == [0, *(stop for _, stop in offsets[:-1])]
    assert offsets[-1][1] == len(data)
    known = load_file(path)
    assert known.keys() == header.keys()
    for name, entry in header.items():
        start, stop = entry["data_offsets"]
        array = np.frombuffer(data[start:stop], {"F32": "<f4", "F64": "<f8"}[entry["dtype"]]).reshape(
            entry["shape"]
        )
        np.testing.assert_array_equal(array, known[name])
        assert array.dtype == about["dtype"]


def test_the_header_has_the_documented_keys_and_no_others(tmp_path: Path) -> None:
    required = {name for name, entry in HEADER.items() if not entry.is_optional}
    for name, make in MODELS.items():
        if name not in ("mlp", "several_labels"):
            continue
        save(make()[0], tmp_path / "m.safetensors")
        header = read_header(tmp_path / "m.safetensors", "pellucid", kind="", advice="")
        assert required <= header.keys() <= HEADER.keys()


def test_the_page_is_what_the_script_prints() -> None:
    page = [sys.executable, ROOT / "scripts" / "model_format"]
    done = subprocess.run(page, capture_output=True, text=True, check=True)
    assert done.stdout == PAGE.read_text(), "write it again: scripts/check --fix"


def test_the_example_in_the_page_runs() -> None:
    (code,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    names: dict[str, Any] = {"path": WRITTEN[0]}
    exec(compile(code, str(PAGE), "exec"), names)
    assert names["arrays"].keys() == names["tensors"].keys()
