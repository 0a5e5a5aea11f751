"""Names of files and classes are shown, never obeyed; samples that are files are called by their names."""

import re
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.commands import Command, Done, assert_refused, words_of

import pellucid as pl
from pellucid.cli.main import main, message_of
from pellucid.data.copies.duplicates import Leak
from pellucid.data.source import load_data
from pellucid.errors import DataError, OutputError
from pellucid.reporting.draft import Draft
from pellucid.reporting.sections.influence import influence_section
from pellucid.reporting.sections.summary import leaks
from pellucid.runs.run import read_run
from pellucid.workflows.influence import influence

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


@pytest.fixture(scope="module")
def pets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of 24 small photos in two classes, dark ones called day-N and bright ones tom-N."""
    rng, root = np.random.default_rng(5), tmp_path_factory.mktemp("data") / "pets"
    for name, file, level in (("cat", "tom", 130), ("non-cat", "day", 0)):
        (root / name).mkdir(parents=True)
        for i in range(12):
            pixels = (rng.integers(0, 120, (8, 8, 3)) + level).astype(np.uint8)
            Image.fromarray(pixels).save(root / name / f"{file}-{i}.png")
    return root


@pytest.fixture(scope="module")
def trained(pets: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run folder of them; tests do not write there."""
    folder = tmp_path_factory.mktemp("runs") / "trained"
    arguments = ["train", str(pets), "--model", "logistic", "--epochs", "9", "--out", str(folder), "--quiet"]
    assert main(arguments) == 0
    return folder


def test_parts_of_a_folder_keep_their_files(pets: Path) -> None:
    split = pl.load_data(pets)
    assert len(split.train) + len(split.test) == 24
    assert {*split.train.files, *split.test.files} == {
        p.relative_to(pets).as_posix() for p in pets.glob("*/*")
    }
    for part in (split.train, split.test):
        named = [split.classes.index(Path(name).parent.name) for name in part.files]
        assert named == part.y.tolist()
    assert split.place("test", 1) == f"{split.test.file(1)} (test photo 1)"
    assert pl.load_data("digits").place("training", 3) == "training digit 3"


def test_influence_names_files(pellucid: Command, trained: Path) -> None:
    split = read_run(trained).split
    shown = pellucid.ok("influence", trained, "--samples", "2", "--no-retrain")
    assert f"{split.test.file(2)} (test photo 2): '{split.classes[split.test.y[2]]}'" in shown.out
    row = re.search(r"^(\S+/\S+) \((\d+)\) .*\+0", shown.out, re.MULTILINE)
    assert row is not None
    assert split.train.file(int(row[2])) == row[1]
    by_file = ("--samples", Path(split.test.file(2)).name, "--no-retrain")
    (explained,) = pellucid.json("influence", trained, *by_file)["explanations"]
    assert (explained["index"], explained["name"]) == (2, split.test.file(2))
    assert explained["towards"][0]["name"] == split.train.file(explained["towards"][0]["row"])
    for wrong, words in (
        (split.train.file(0), f"{split.train.file(0)} is in the training part"),
        (split.test.file(0)[:-1], f"Did you mean {split.test.file(0)}?"),
    ):
        assert_refused(pellucid("influence", trained, "--samples", wrong), words)


def test_explain_names_files(pellucid: Command, trained: Path, pets: Path) -> None:
    train = read_run(trained).split.train
    shown = pellucid.ok("explain", trained, pets / train.file(4), "--out", "why", "--methods", "gradient")
    found = f"nearest by pixels: {train.file(4)} (no. 4) {train.classes[train.y[4]]} 0"
    for text in (shown.out, Path("why/explanation.txt").read_text()):
        assert found in " ".join(text.split())


@pytest.mark.slow
def test_the_report_names_files(pellucid: Command, trained: Path) -> None:
    pellucid.ok("report", trained, "--out", "short")
    run, page = read_run(trained), Path("short/report.html")
    split = run.split
    assert f'aria-label="{split.place("test", 0)}, ' in page.read_text(encoding="utf-8")
    assert f"{Path(split.train.file(3)).name} photo 3" in words_of(page)
    run = replace(run, known_leaks=(Leak(1, 3, "exact"),))
    assert f"{split.place('test', 1)} is the same as {split.place('training', 3)} (same class" in leaks(run)
    draft = Draft(Path("draft"), split)
    explained = influence_section(draft, influence(run, [2], retrain=False)).parts[0]
    assert explained.title == split.place("test", 2)
    assert explained.gallery is not None
    assert {Path(name).name for name in split.train.files} & set(explained.gallery.cards[1].lines)
