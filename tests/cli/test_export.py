"""``pellucid export``: a file that others run, and a line for whatever cannot be."""

import json
from pathlib import Path

import numpy as np
import pytest
from tests.commands import Command

import pellucid as pl

pytest.importorskip("onnx")


@pytest.fixture
def trained(tmp_path: Path) -> Path:
    model = pl.preset("logistic", 10)
    pl.train(model, pl.load_data("digits").train, n_epochs=5)
    pl.save(model, tmp_path / "model.safetensors")
    return tmp_path


def test_a_model_file_or_a_run_folder(pellucid: Command, trained: Path) -> None:
    runtime = pytest.importorskip("onnxruntime")
    done = pellucid("export", str(trained), "--to", "onnx")
    assert done.code == 0
    assert done.out.split() == [str(trained / "model.onnx")]
    assert "Its outputs are the model's, within" in done.err
    digits = pl.load_data("digits").test
    found = runtime.InferenceSession(trained / "model.onnx").run(None, {"input": digits.X})[0]
    expected = pl.load(trained / "model.safetensors").predict_proba(digits.X)
    np.testing.assert_allclose(found, expected, atol=1e-5)
    other = trained / "other.onnx"
    done = pellucid(
        "export", str(trained / "model.safetensors"), "--to", "onnx", "--raw", "-o", str(other), "--json"
    )
    assert done.code == 0
    told = json.loads(done.out)
    assert told["file"] == str(other)
    assert told["largest_difference"] <= 1e-5
    (logits,) = runtime.InferenceSession(other).get_outputs()
    assert (logits.name, logits.shape) == ("logits", ["batch", 10])


def test_what_cannot_be(pellucid: Command, trained: Path) -> None:
    (trained / "model.onnx").write_text("mine")
    for arguments, words in [
        ([str(trained), "--to", "onnx"], "is there already"),
        ([str(trained), "--to", "onxn"], "onnx"),
        ([str(trained)], "--to"),
        ([str(trained / "nothing"), "--to", "onnx"], "nothing"),
    ]:
        done = pellucid("export", *arguments)
        assert done.code == 2
        assert words in done.err
        assert len(done.err.strip().splitlines()) <= 3
    assert (trained / "model.onnx").read_text() == "mine"
