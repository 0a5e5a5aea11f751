"""The one progress bar: it waits, it is silent where nobody looks, and it goes away."""

from typing import Any

import pytest

from pellucid.progress import ProgressBar, stage_of


def test_it_is_silent_where_there_is_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    with ProgressBar(patience=0) as bar:
        bar("reading", 1, 2)
    assert capsys.readouterr().err == ""


def test_it_appears_once_the_work_has_taken_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    with ProgressBar(is_shown=True, patience=1e9) as bar:
        bar("reading", 1, 2)
        assert bar._bar is None
        bar.patience = 0
        bar("reading", 1, 2)
        shown: Any = bar._bar
        assert (shown.n, shown.total) == (1, 2)
        bar("drawing", 3, 9, "loss 0.5")
        assert (shown.n, shown.total, shown.desc) == (3, 9, "drawing: ")
    assert bar._bar is None


def test_it_is_taken_away_when_the_work_fails(capsys: pytest.CaptureFixture[str]) -> None:
    def fail(*shown: object) -> None:
        raise ZeroDivisionError

    bar = ProgressBar(is_shown=True, patience=0)
    stage_of(bar, "reading")(1, 2)
    with pytest.raises(ZeroDivisionError), bar:
        fail()
    assert bar._bar is None
