"""What commands print with: sentences that fit, tables."""

import pytest

from pellucid.cli.terminal import print_table, say


@pytest.mark.parametrize("width", [48, 80])
def test_sentences_fit_the_terminal_and_keep_percentages_whole(
    width: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    text = "40 of 50 right, and the true accuracy may be anything from 67 to 89 % (95 %), p = 0.2, or " * 3
    say(text)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) > 2
    assert max(map(len, lines)) <= width
    assert all(not line.lstrip().startswith(("%", "=", "0.2")) for line in lines)
    assert " ".join(line.strip() for line in lines) == text.strip()


def test_a_command_is_whole(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "48")
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    command = "    pellucid train photos --model cnn --epochs 240 --learning-rate 0.01"
    say(command)
    assert capsys.readouterr().out == f"{command}\n"


def test_a_pipe_gets_one_line_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    say("word " * 60)
    assert capsys.readouterr().out.count("\n") == 1


def test_a_table_has_its_numbers_to_the_right(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(("what", "number", "words"), [("a", 5, "to the left"), ("long", 1234, "[red]")])
    lines = [line.rstrip() for line in capsys.readouterr().out.splitlines() if line.strip()]
    assert lines[2].split() == ["a", "5", "to", "the", "left"]
    assert lines[2].index("5") == lines[3].index("4")
    assert lines[3].endswith("[red]")


def test_a_table_fits_a_terminal(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    print_table(("what", "samples", "which"), [("copies", 12, "word " * 20), ("none", 0, "")])
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 60
    assert " ".join(lines).count("word") == 20
