"""What README.md and docs/first_steps.md show runs: each command, each block of Python, and the network file."""

import math
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

import pellucid as pl
from pellucid.cli.command import DECLARED, build
from pellucid.learn.exercise import all_exercises
from tests.commands import Command
from tests.conftest import save_folder
from tests.every import every

ROOT = Path(__file__).parents[1]
README = "\n".join((ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "docs/first_steps.md"))
LESS: dict[str, list[str]] = {
    "learn check": ["scale"],
    "learn train": ["--iterations", "2", "--data", "drawn-cats"],  # so that a test takes seconds
    "run": ["--epochs", "3"],
    "train": ["--epochs", "3"],
    "compare": ["--epochs", "3"],
    "find-lr": ["--epochs", "20"],
    "sweep": ["--epochs", "2", "--trials", "2", "--jobs", "1"],
}
ELSEWHERE = ("serve", "reproduce")  # endless or long; they have tests of their own
DONE = ("run", "report RUN --full")  # by the test of the first command, and by the fixture full_report
SLOW = ("influence", "sweep")
NEEDS_PUBLISHED = ("data fetch",)


def blocks(language: str) -> list[str]:
    """Return the code blocks of a language."""
    fenced = re.findall(r"^```(\w*)\n(.*?)^```$", README, flags=re.DOTALL | re.MULTILINE)
    return [code for found, code in fenced if found == language]


def command_lines(text: str) -> list[str]:
    """Return the command lines in a text: ``a | b`` stands for two, what is in brackets may be left out."""
    found = []
    for line in re.findall(r"^(?:\$ )?pellucid (.+?)(?: {2,}.*)?$", text, flags=re.MULTILINE):
        optional = re.search(r"\[(\w+(?: \| \w+)+)\]", line)
        if optional:
            found += [line.replace(optional[0], each) for each in optional[1].split(" | ")]
        elif " | " in line:
            first, *others = line.split(" | ")
            found += [first, *(f"{first.rpartition(' ')[0]} {other}" for other in others)]
        else:
            found.append(re.sub(r" \[.*?\]", "", line))
    return found


TABLE = command_lines("\n".join(blocks("")))
SESSIONS = [lines for block in blocks("sh") if (lines := command_lines(block))]


def command_of(line: str) -> str:
    """Return the name of the command that a line calls."""
    names = [name for name, each in DECLARED.items() if each.function and f"{line} ".startswith(f"{name} ")]
    assert names, f"README.md shows a command that there is not: pellucid {line}"
    return max(names, key=len)


def test_the_table_names_every_command() -> None:
    assert {command_of(line) for line in TABLE} == {n for n, each in DECLARED.items() if each.function}


def test_the_picture_is_of_the_first_command() -> None:
    shown = re.search(r"the loss over (\d+) epochs", README)
    assert shown is not None
    assert int(shown[1]) == pl.recommend(pl.load_data("drawn-cats")).recipe["n_epochs"]


@pytest.mark.slow
def test_the_first_command_prints_what_is_shown(pellucid: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("time_limit.WORTH_SAYING", "progress.SILENCE"):  # what only a busy machine prints
        monkeypatch.setattr(f"pellucid.training.callbacks.{name}", math.inf)

    def masked(text: str) -> list[str]:
        return [re.sub(r"\d+", "#", " ".join(line.split())) for line in text.strip().splitlines()]

    done = pellucid("run")
    assert masked(done.out) == masked(blocks("text")[0])
    score = re.search(r"Test accuracy (\d+) %", done.out)
    assert score is not None
    assert int(score[1]) >= 90


@pytest.mark.parametrize(
    "line",
    [
        pytest.param(line, marks=[pytest.mark.slow] * (command_of(line) in SLOW))
        for line in TABLE
        if command_of(line) not in ELSEWHERE and line not in DONE
    ],
)
def test_command_line(
    pellucid: Command, trained: Path, photos: Path, tmp_path: Path, request: pytest.FixtureRequest, line: str
) -> None:
    name = command_of(line)
    if name in NEEDS_PUBLISHED:
        request.getfixturevalue("published_dir")
    Image.new("RGB", (20, 20), (200, 30, 90)).save(tmp_path / "photo.jpg")
    (tmp_path / "S.toml").write_text("learning_rate = { log = [1e-3, 1e-1] }")
    if "onnx" in line:
        pytest.importorskip("onnx", reason="needs onnx: pip install 'pellucid[onnx]'")
    if name == "import":
        pellucid.ok("export trained --to onnx --out net.onnx")
    if name.startswith("learn"):
        for one in all_exercises():
            (tmp_path / one.file_name).write_text(
                one.start.partition("\ndef ")[0] + "\nimport copy\n\n" + one.solutions[0].source
            )
    meant = {
        "DIR": tmp_path, "folder": tmp_path,
        "DATA": photos, "data": photos, "name": "catvnoncat" if name == "data fetch" else photos,
        "M": "mlp", "A": "mlp", "B": "logistic",
        "MODEL": trained, "model": trained, "source": "cnn", "RUN": trained, "run": trained,
        "FILE.onnx": "net.onnx",
        "IMAGE...": "photo.jpg", "images": "photo.jpg", "image": "photo.jpg", "photo": "photo.jpg",
    }  # fmt: skip
    words = [meant.get(word, word) for word in line.removeprefix(name).split()]
    if not words:  # `data list | info`: fill in what must be given
        words = [meant[argument] for argument in required(name)]
    assert pellucid.ok(name, *words, *LESS.get(name, [])).out


def required(name: str) -> list[str]:
    """Return the arguments that a command must be given."""
    parameters: list[Any] = build(DECLARED[name]).params
    return [each.name for each in parameters if each.param_type_name == "argument" and each.required]


@pytest.mark.slow
@pytest.mark.parametrize("lines", SESSIONS, ids=range(len(SESSIONS)))
def test_session(pellucid: Command, tmp_path: Path, lines: list[str]) -> None:
    save_folder(tmp_path / "pets", {"cat": 10, "dog": 10}, size=32)
    Image.new("RGB", (20, 20), (200, 30, 90)).save(tmp_path / "photo.jpg")
    for line in lines:
        pellucid.ok(*shlex.split(line), *LESS.get(command_of(line), []))


@pytest.mark.parametrize("code", blocks("python"), ids=range(len(blocks("python"))))
def test_python_block(
    code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    exec(compile(code, "README.md", "exec"), {"__name__": "readme"})
    scores = re.findall(r"\b(?:0\.\d+|1\.0)(?=\s)", capsys.readouterr().out)
    if "pl.evaluate" in code:
        assert float(scores[-1]) >= 0.97


@every("network", blocks("toml"))
def test_a_network_file_is_checked_and_reaches_what_is_said_of_it(
    pellucid: Command, tmp_path: Path, network: str
) -> None:
    Path("net.toml").write_text(network)
    pellucid.ok("model check net.toml --input-shape 8x8x3")
    line = re.search(r"`pellucid (train .*?)` reads (\d+) % of the test digits", README)
    assert line is not None
    trained = pellucid.json(*shlex.split(line[1]))
    assert trained["test"]["accuracy"] >= int(line[2]) / 100 - 0.005
