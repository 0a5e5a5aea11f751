"""``pellucid find-lr``: a suggestion, a picture, and clear lines for what cannot be."""

import json
from pathlib import Path

import numpy as np
import pytest

from pellucid.cli.main import main

SHORT = ["--model", "logistic", "--batch-size", "64", "--epochs", "4"]


def test_a_rate_is_found_and_drawn(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    picture = tmp_path / "rates.png"
    arguments = ["find-lr", "digits", *SHORT, "-o", str(picture), "--json"]
    assert main(arguments) == 0
    found = json.loads(capsys.readouterr().out)
    assert 1e-3 < found["suggestion"] <= 1
    assert len(found["rounds"][0]) == 9
    assert len(found["rounds"]) == 3
    assert found["constant_loss"] == pytest.approx(2.3025, abs=1e-3)
    assert picture.read_bytes().startswith(b"\x89PNG")
    picture.write_text("old")
    assert main(arguments) == 2
    assert "--overwrite" in capsys.readouterr().err
    assert picture.read_text() == "old"
    assert main([*arguments[:-1], "--overwrite"]) == 0
    assert picture.read_bytes().startswith(b"\x89PNG")
    out = capsys.readouterr().out
    rate = f"{found['suggestion']:.2g}"
    assert f"pellucid train digits --model logistic --epochs 4 --batch-size 64 --learning-rate {rate}" in out


def test_says_where_nothing_is_learned(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    np.savez("grey.npz", X=np.full((40, 6, 6, 3), 128, np.uint8), y=np.arange(40) % 2)
    assert main(["find-lr", "grey.npz", "--model", "mlp", "--epochs", "20"]) == 0
    out = capsys.readouterr().out
    assert "Nothing was learned at any rate from 0.0001 to 1" in out
    assert "pellucid find-lr grey.npz --model mlp --epochs 40" in out
