"""Every command that we print would begin: in docs, in the strings of the source, in terminal and report."""

import html
import re
from pathlib import Path

import numpy as np
import pytest
from tests.commands import Command
from tests.printed import commands_in, fault, is_name, texts_of

from pellucid.cli.app import app
from pellucid.cli.command import DECLARED, FlagCommand, build

ROOT = Path(__file__).parents[2]
OTHERS = {"browser.py", "usage.py"}  # a browser's flags, and those of other programs
NOT_FLAGS = {"--logdir", "--outx", "--no-x"}  # of tensorboard, and with what an f-string fills in


def faults_of(texts: dict[str, list[str]]) -> list[str]:
    """Return what is wrong with the commands in texts, by where they stand."""
    lines = {line: where for where, its in texts.items() for text in its for line in commands_in(text)}
    assert lines
    found = {line: fault(line) for line in lines if not is_name(line)}
    return [f"{lines[line]}: {line}: {why}" for line, why in found.items() if why]


def test_what_would_not_begin_is_seen() -> None:
    text = "First `pellucid run pets --model cnn`. Then pellucid report R, and pellucid is done."
    found = ["pellucid run pets --model cnn", "pellucid report R, and pellucid is done"]
    assert list(commands_in(text)) == found
    assert fault("pellucid train 'my pets' --epochs 3") == ""
    for line, words in (
        ("pellucid data check pets --skip-bad", "--skip-bad"),
        ("pellucid report runs/x --retrain", "--retrain"),
        ("pellucid train pets --epochs three", "whole number"),
        ("pellucid train --epochs 3", "Missing"),
        ("pellucid report runs/x --photos 3", "Add --full"),
        ("pellucid tarin pets", "unknown command"),
    ):
        assert words in fault(line), line


def test_commands_in_the_documents() -> None:
    pages = [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]
    left_out = {"architecture.md", "extending.md"}  # "pellucid serve: HTTP -> ..." and Python
    assert faults_of({page.name: [page.read_text()] for page in pages if page.name not in left_out}) == []


def test_commands_in_the_source() -> None:
    files = (ROOT / "src" / "pellucid").rglob("*.py")
    assert faults_of({file.name: list(texts_of(file)) for file in files}) == []


def test_flags_in_the_source_are_those_of_some_command() -> None:
    known = {"--help", "--version", "--debug", *NOT_FLAGS}
    for one in DECLARED.values():
        if isinstance(command := build(one), FlagCommand):
            known |= {name for each in command.params for name in (*each.opts, *each.secondary_opts)}
    assert app.name == "pellucid"
    used: dict[str, str] = {}
    for file in (ROOT / "src" / "pellucid").rglob("*.py"):
        if file.name not in OTHERS:
            for text in texts_of(file):
                used |= dict.fromkeys(re.findall(r"(?<![\w-])--[a-z][a-z-]+", text), file.name)
    assert {flag: file for flag, file in used.items() if flag not in known} == {}


def text_of(run: Path) -> str:
    """Return the words of a run's report."""
    return html.unescape(re.sub(r"<[^>]+>", "\n", (run / "report.html").read_text()))


@pytest.mark.slow
def test_commands_of_runs_and_reports(pellucid: Command, photos: Path, full_report: tuple[Path, str]) -> None:
    rng, pages = np.random.default_rng(0), {"a full report": [full_report[1], text_of(full_report[0])]}
    for name in ("a", "b"):
        (Path("pets") / name).mkdir(parents=True)
    rows = [f"{a:.3f},{b:.3f},{'yes' if a > b else 'no'}" for a, b in rng.normal(size=(60, 2))]
    Path("t.csv").write_text("\n".join(["a,b,y", *rows]))
    for line in (
        "run photos.npz --model mlp --epochs 3 --out r1",
        "run photos.npz --model logistic --learning-rate 100 --epochs 30 --out r2",
        "run t.csv --target y --model mlp-small --epochs 300 --out r3",
        "train digits --model mlp-small --epochs 2 --out r4",
        "evaluate r1",
        "evaluate r4",
        "data check photos.npz",
        "report r2 --full --photos 2",
        "influence r2 --samples 0 --no-retrain",
    ):
        done = pellucid.ok(line)
        pages[line] = [done.out, done.err]
        if Path(line.split()[1], "report.html").is_file():
            pages[line].append(text_of(Path(line.split()[1])))
    assert faults_of(pages) == []
