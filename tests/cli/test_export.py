"""``pellucid export``: a file that others run, and a line for whatever cannot be."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.commands import Command

import pellucid as pl
from pellucid.workflows.export import samples_of


@pytest.fixture
def trained(tmp_path: Path) -> Path:
    model = pl.preset("logistic", 10)
    pl.train(model, pl.load_data("digits").train, n_epochs=5)
    pl.save(model, tmp_path / "model.safetensors")
    return tmp_path


def test_a_model_file_or_a_run_folder(pellucid: Command, trained: Path) -> None:
    pytest.importorskip("onnx")
    runtime = pytest.importorskip("onnxruntime")
    done = pellucid("export", trained, "--to", "onnx")
    assert done.code == 0
    assert done.out.split() == [str(trained / "model.onnx")]
    assert "Its outputs are the model's, within" in done.err
    digits = pl.load_data("digits").test
    found = runtime.InferenceSession(trained / "model.onnx").run(None, {"input": digits.X})[0]
    expected = pl.load(trained / "model.safetensors").predict_proba(digits.X)
    np.testing.assert_allclose(found, expected, atol=1e-5)
    other = trained / "other.onnx"
    done = pellucid("export", trained / "model.safetensors", "--to", "onnx", "--raw", "-o", other, "--json")
    assert done.code == 0
    told = json.loads(done.out)
    assert told["file"] == str(other)
    assert told["largest_difference"] <= 1e-5
    (logits,) = runtime.InferenceSession(other).get_outputs()
    assert (logits.name, logits.shape) == ("logits", ["batch", 10])


def test_a_script_of_a_run_is_compared_on_its_data(pellucid: Command, tmp_path: Path) -> None:
    photos, run = tmp_path / "photos", tmp_path / "run"
    rng = np.random.default_rng(0)
    for i in range(12):
        path = photos / "ab"[i % 2] / f"{i}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (9, 9, 3), np.uint8)).save(path)
    (photos / "a" / "0.png").write_text("no image any more")
    made = pellucid("train", photos, "--model", "logistic", "--epochs", 2, "--skip-bad", "-o", run)
    assert made.code == 0, made.err
    files = samples_of(pl.load(run), run)
    assert {path.parent.parent for path in files} == {photos}
    assert photos / "a" / "0.png" not in files
    done = pellucid("export", run, "--to", "script", "--json")
    assert done.code == 0, done.err
    told = json.loads(done.out)
    assert told["file"] == str(run / "predict.py")
    assert told["bytes"] == (run / "predict.py").stat().st_size
    assert told["largest_difference"] <= 1e-5


def test_samples_of_other_sources(tmp_path: Path, trained: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = pl.load(trained)
    assert len(samples_of(model, trained)) == 0  # it does not say what it was trained on
    model._summary_of_training["reading"] = {"name": "digits"}
    assert samples_of(model, trained).shape == (8, 8, 8, 1)
    model._summary_of_training["reading"] = {"name": "catvnoncat"}
    monkeypatch.delenv("PELLUCID_DATA_DIR", raising=False)
    monkeypatch.setattr("pellucid.workflows.export._cache", lambda: str(tmp_path))
    assert len(samples_of(model, trained)) == 0  # nothing is downloaded


def test_a_page(pellucid: Command, trained: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pellucid.formats.html.trial.find_browser", lambda: None)
    done = pellucid("export", trained, "--to", "html", "--title", "Digits")
    assert done.code == 0, done.err
    assert done.out.split() == [str(trained / "model.html")]
    assert done.err == "Not compared with the model: no browser found that runs.\n"
    assert "<h1>Digits</h1>" in (trained / "model.html").read_text()
    done = pellucid("export", trained, "--to", "html", "--overwrite", "--json")
    assert json.loads(done.out)["largest_difference"] is None
