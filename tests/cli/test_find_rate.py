"""``pellucid find-rate``: a suggestion, a picture, and clear lines for what cannot be."""

import json
from pathlib import Path

import pytest

from pellucid.cli.main import main


def test_a_rate_is_found_and_drawn(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    picture = tmp_path / "rates.png"
    arguments = [
        "find-rate",
        "digits",
        "--model",
        "logistic",
        "--batch-size",
        "64",
        "-o",
        str(picture),
        "--json",
    ]
    assert main(arguments) == 0
    found = json.loads(capsys.readouterr().out)
    assert 1e-4 < found["suggestion"] < 1
    assert len(found["rates"]) == len(found["losses"])
    assert picture.read_bytes().startswith(b"\x89PNG")
    picture.write_text("old")
    assert main(arguments) == 2
    assert "--force" in capsys.readouterr().err
    assert picture.read_text() == "old"
    assert main([*arguments, "--force"]) == 0
    assert picture.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--lowest", "1", "--highest", "0.1"], "--highest"),
        (["--steps", "3"], "--steps"),
        (["--optimizer", "lbfgs", "--batch-size", "0"], "no learning rate to find"),
    ],
)
def test_wrong_options_get_one_line(
    options: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    picture = tmp_path / "rates.png"
    assert main(["find-rate", "digits", "--model", "logistic", "-o", str(picture), *options]) == 2
    assert message in capsys.readouterr().err
    assert not picture.exists()
