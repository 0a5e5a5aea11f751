"""Names of files and classes are shown, never obeyed: no terminal sees a control character of theirs."""

import re
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.commands import Command, Done

from pellucid.cli.main import main, message_of
from pellucid.data.source import load_data
from pellucid.errors import DataError, OutputError

RED = "\x1b[31m"
CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder whose names colour the screen, turn the text round, and write a line that looks like ours."""
    root = tmp_path_factory.mktemp("photos")
    rng = np.random.default_rng(0)
    for folder, start in ((f"cat{RED}", 0), ("dog\nTest accuracy: 1.0\u202e", 120)):
        (root / folder).mkdir()
        for i in range(12):
            pixels = (rng.integers(0, 100, (8, 8, 3)) + start).astype(np.uint8)
            Image.fromarray(pixels).save(root / folder / f"{i}{RED}.png")
    (root / f"cat{RED}" / f"cut off{RED}\n.png").write_bytes(b"\x89PNG")
    return root


@pytest.fixture(scope="module")
def model(hostile: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run on these photos."""
    folder = tmp_path_factory.mktemp("run") / "run"
    arguments = ["train", str(hostile), "--skip-bad", "--epochs", "2", "--out", str(folder), "--quiet"]
    assert main(arguments) == 0
    return folder


def assert_safe(done: Done, code: int) -> None:
    assert done.code == code, done.err
    for line in (done.out + done.err).split("\n"):
        assert not CONTROL.search(line), line.encode()
        assert not line.startswith("Test accuracy: 1.0"), line


QUICK = [
    ("data info DATA --skip-bad", 0),
    ("data info DATA", 2),
    (f"train DATA --skip-bad --epochs 2 --out train{RED}", 0),
    (f"train DATA --model {RED}.toml", 2),
    ("predict RUN PHOTO", 0),
    ("predict RUN BAD", 2),
    ("predict RUN PHOTO --jsonl", 0),
    ("evaluate RUN DATA --skip-bad --quiet", 0),
    ("compare logistic mlp --data DATA --skip-bad --epochs 1", 0),
    (f"{RED}run", 2),
]
DRAWN = [
    (f"data check DATA -o sheets{RED}", 0),
    (f"run DATA --skip-bad --epochs 2 --out run{RED}", 0),
    (f"evaluate RUN DATA --skip-bad -o scores{RED}", 0),
    (f"explain RUN PHOTO -o why{RED} --methods gradient", 0),
    (f"robustness RUN DATA --skip-bad --perturbations upside-down -o moved{RED}", 0),
    ("report RUN", 0),
    ("influence RUN --top 2", 0),
]


@pytest.mark.parametrize(
    "commands", [QUICK, pytest.param(DRAWN, marks=pytest.mark.slow)], ids=["quick", "drawn"]
)
def test_no_command_prints_what_a_terminal_would_obey(
    pellucid: Command, hostile: Path, model: Path, commands: list[tuple[str, int]]
) -> None:
    folder = hostile / f"cat{RED}"
    places = {"DATA": hostile, "RUN": shutil.copytree(model, Path("copy").resolve())}
    places |= {"PHOTO": folder / f"0{RED}.png", "BAD": folder / f"cut off{RED}\n.png"}
    for line, code in commands:
        assert_safe(pellucid(*(places.get(each, each) for each in line.split(" "))), code)


def test_python_prints_errors_and_data_safely(hostile: Path) -> None:
    with pytest.raises(DataError) as caught:
        load_data(hostile)
    assert not CONTROL.search(str(caught.value))
    assert not CONTROL.search(repr(load_data(hostile, skip_bad=True)))
    assert str(OutputError(f"{RED}out: cannot be written.")) == "?[31mout: cannot be written."


@pytest.mark.skipif(sys.platform != "linux", reason="its file names are any bytes")
def test_a_name_in_no_encoding_is_printed(pellucid: Command) -> None:
    assert_safe(pellucid("data", "info", "\udcff.npz"), 2)


def test_the_systems_errors_have_words() -> None:
    for error, words in (
        (MemoryError(), "Try a smaller batch"),
        (RecursionError(), "nested too deeply"),
        (OSError(28, "No space left on device", f"{RED}a.png"), "no space left on device"),
    ):
        assert words in str(message_of(error))
    assert message_of(KeyError("x")) is None
