"""What all exports have in common: of which models, and when a file is written."""

import importlib.util
from pathlib import Path
from typing import Any

import pytest
from tests.every import every
from tests.formats.networks import shaken

import pellucid as pl
from pellucid.errors import MissingExtraError, OutputError, PellucidError
from pellucid.formats.html import trial as html_trial
from pellucid.formats.onnx import export as onnx_export
from pellucid.formats.script import trial as script_trial

EXPORTS: dict[str, Any] = {"py": pl.export_script, "html": pl.export_html}
if importlib.util.find_spec("onnx"):
    EXPORTS["onnx"] = pl.export_onnx


@every("ending", EXPORTS)
def test_nothing_is_written_unless_it_is_right(
    ending: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    export, path = EXPORTS[ending], tmp_path / f"a.{ending}"
    with pytest.raises(PellucidError, match="not trained"):
        export(pl.Sequential([pl.Dense(2)]), path)
    assert not list(tmp_path.iterdir())
    model = shaken(pl.Sequential([pl.Flatten(), pl.Dense(2)]), (3, 4, 3))
    path.write_text("mine")
    with pytest.raises(OutputError, match="is there already"):
        export(model, path)
    monkeypatch.setattr(script_trial, "distance", lambda *arguments: 1.0)
    monkeypatch.setattr(onnx_export, "gives", lambda output, Z: Z + 1)
    monkeypatch.setattr(html_trial, "find_browser", lambda: "browser")
    monkeypatch.setattr(html_trial, "said_by", lambda *arguments: "")
    with pytest.raises(PellucidError, match=r"was not written|no answer"):
        export(model, path, overwrite=True)
    assert path.read_text() == "mine"


def test_onnx_without_its_libraries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("onnx")
    model, path = shaken(pl.Sequential([pl.Dense(2)]), (3,)), tmp_path / "a.onnx"
    monkeypatch.setitem(__import__("sys").modules, "onnxruntime", None)
    assert pl.export_onnx(model, path) <= 1e-5  # onnx's own evaluator decides
    pl.import_onnx(path)
    monkeypatch.setitem(__import__("sys").modules, "onnx", None)
    for missing in (lambda: pl.export_onnx(model, path, overwrite=True), lambda: pl.import_onnx(path)):
        with pytest.raises(MissingExtraError, match=r"pellucid\[onnx\]"):
            missing()
