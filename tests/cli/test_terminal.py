"""What every command prints with; warnings as one line; the cache of features."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from tests.commands import Command
from tests.every import every

from pellucid.cli.main import _note
from pellucid.cli.terminal import print_table, say

Printed = pytest.CaptureFixture[str]


def narrow(monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    """Print into a terminal of so many columns."""
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)


@every("width", [48, 80])
def test_sentences_fit_the_terminal_and_keep_percentages_whole(
    width: int, capsys: Printed, monkeypatch: pytest.MonkeyPatch
) -> None:
    narrow(monkeypatch, width)
    text = "40 of 50 right, and the true accuracy may be anything from 67 to 89 % (95 %), p = 0.2, or " * 3
    say(text)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) > 2
    assert max(map(len, lines)) <= width
    assert all(not line.lstrip().startswith(("%", "=", "0.2")) for line in lines)
    assert " ".join(line.strip() for line in lines) == text.strip()


def test_a_command_is_whole_and_a_table_fits(capsys: Printed, monkeypatch: pytest.MonkeyPatch) -> None:
    narrow(monkeypatch, 60)
    command = "    pellucid train photos --model cnn --epochs 240 --learning-rate 0.01"
    say(command)
    assert capsys.readouterr().out == f"{command}\n"
    print_table(("what", "samples", "which"), [("copies", 12, "word " * 20), ("none", 0, "")])
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 60
    assert " ".join(lines).count("word") == 20


def test_a_pipe_gets_one_line_a_sentence_and_numbers_to_the_right(capsys: Printed) -> None:
    say("word " * 60)
    assert capsys.readouterr().out.count("\n") == 1
    print_table(("what", "number", "words"), [("a", 5, "to the left"), ("long", 1234, "[red]")])
    lines = [line.rstrip() for line in capsys.readouterr().out.splitlines() if line.strip()]
    assert lines[2].split() == ["a", "5", "to", "the", "left"]
    assert lines[2].index("5") == lines[3].index("4")
    assert lines[3].endswith("[red]")


def test_a_table_from_one_end_of_all_numbers_to_the_other(pellucid: Command) -> None:
    """The tests turn warnings into errors: a warning would end the command with its traceback."""
    signs = np.random.default_rng(0).choice(["1e308", "-1e308", "1.7e308"], 30)
    rows = "".join(f"{sign},{i * 3 % 7},{'xy'[i % 2]}\n" for i, sign in enumerate(signs))
    Path("far.csv").write_text(f"a,b,c\n{rows}")
    for line in ("data info far.csv", "data check far.csv", "train far.csv --epochs 2 -o run"):
        assert pellucid.ok(line, "--target", "c").err == ""


def test_a_warning_is_one_line_of_ours() -> None:
    code = (
        "import sys, warnings; from pellucid.cli import main, terminal\n"
        "import numpy as np, pellucid.data.download as d\n"
        "def fetch(*a, **k):\n"
        "    warnings.warn('mind the \\x1b[31m gap'); np.float64(1e308) * 10; return 'here'\n"
        "d.fetch = fetch\n"
        "sys.exit(main.main(['data', 'fetch']))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    first, second = done.stderr.splitlines()
    assert first == "Note: mind the ?[31m gap"
    assert second.startswith("Note: a number is too large or too small to compute with (overflow")


def test_a_warning_of_ours_keeps_its_words() -> None:
    line = _note(RuntimeWarning("kernels: nothing can be compiled here."), RuntimeWarning, "", 0)
    assert line == "Note: kernels: nothing can be compiled here.\n"
    assert "Look for extreme values" in _note("overflow encountered in exp", RuntimeWarning, "", 0)
