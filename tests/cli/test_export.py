"""``pellucid export``: a file that others run, and a line for whatever cannot be."""

from pathlib import Path

import pytest
from tests.commands import Command
from tests.conftest import save_folder

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
    done = pellucid.ok("export . --to onnx")
    assert done.out == "model.onnx\n"
    assert "Its outputs are the model's, within" in done.err
    told = pellucid.json("export model.safetensors --to onnx --raw -o other.onnx")
    assert (told["file"], told["bytes"]) == ("other.onnx", Path("other.onnx").stat().st_size)
    assert told["largest_difference"] <= 1e-5
    assert Path("other.onnx").read_bytes() != Path("model.onnx").read_bytes()


def test_a_script_of_a_run_is_compared_on_its_data(pellucid: Command) -> None:
    photos = save_folder(Path("photos"), {"a": 6, "b": 6})
    Path("photos/a/0.png").write_text("no image any more")
    pellucid.ok("train photos --model logistic --epochs 2 --skip-bad -o run")
    files = {*samples_of(pl.load("run"), Path("run"))}
    assert files
    assert files <= {path.resolve() for path in photos.rglob("*.png")} - {Path("photos/a/0.png").resolve()}
    told = pellucid.json("export run --to script")
    assert (told["file"], told["bytes"]) == ("run/predict.py", Path("run/predict.py").stat().st_size)
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
    done = pellucid.ok("export . --to html --title Digits")
    unseen = "Not compared with the model: no browser found that runs.\n"
    assert (done.out, done.err) == ("model.html\n", unseen)
    assert "<h1>Digits</h1>" in Path("model.html").read_text()
    assert pellucid.json("export . --to html --overwrite")["largest_difference"] is None
