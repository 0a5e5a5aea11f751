"""How commands talk to a person: lines that fit, a bar that waits."""

import pytest

from pellucid.cli.terminal import StageBar, say


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


def test_a_pipe_gets_one_line_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    say("word " * 60)
    assert capsys.readouterr().out.count("\n") == 1


def test_the_bar_waits_and_keeps_silent_where_there_is_no_terminal(
    capsys: pytest.CaptureFixture[str],
) -> None:
    bar = StageBar()
    bar._start -= 10
    bar("looking at pictures", 1, 2)
    bar.stop()
    assert capsys.readouterr().err == ""


def test_the_bar_is_shown_on_a_terminal_after_two_seconds(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    bar = StageBar()
    bar("looking at pictures", 1, 2)
    assert bar._bar is None
    bar._start -= 10
    bar("looking at pictures", 1, 2)
    assert bar._bar is not None
    bar("drawing", 3, 9)
    (task,) = bar._bar.tasks
    assert (task.description, task.completed, task.total) == ("drawing", 3, 9)
    bar.stop()
