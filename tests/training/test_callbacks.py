import os
import signal
import time
from typing import Any

import numpy as np
import pytest

from pellucid import Dataset, preset, train
from pellucid.progress import ProgressBar
from pellucid.training.callbacks import Progress, StopOnInterrupt
from pellucid.training.events import StepEnd


@pytest.fixture
def data(rng: np.random.Generator) -> Dataset:
    return Dataset(rng.standard_normal((10, 3)), rng.integers(0, 2, 10))


def test_a_second_ctrl_c_interrupts_at_once(data: Dataset) -> None:
    before = signal.getsignal(signal.SIGINT)

    def twice(event: Any) -> None:
        if isinstance(event, StepEnd):
            os.kill(os.getpid(), signal.SIGINT)
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        train(preset("logistic"), data, n_epochs=100, callbacks=[StopOnInterrupt(), twice])
    assert signal.getsignal(signal.SIGINT) is before


def test_a_ctrl_c_that_comes_while_ranks_meet_stops_after_the_next_step(
    data: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    def meets(number: int) -> int:
        if number == 0:
            os.kill(os.getpid(), signal.SIGINT)
        return number

    monkeypatch.setattr("pellucid.training.callbacks.interrupt.most", meets)
    stop = StopOnInterrupt()
    history = train(preset("logistic"), data, n_epochs=100, callbacks=[stop])
    assert stop.signal == signal.SIGINT
    assert len(history["loss"]) < 5


def test_progress_is_silent_off_a_terminal_and_of_a_short_training(
    data: Dataset, capsys: pytest.CaptureFixture[str]
) -> None:
    for options in ({"callbacks": [Progress()]}, {"progress": True}):
        train(preset("logistic"), data, n_epochs=3, **options)
    assert capsys.readouterr() == ("", "")


def test_train_shows_a_bar_where_somebody_looks(data: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[bool] = []
    make = ProgressBar

    def note(is_shown: bool | None = None, **_: Any) -> ProgressBar:
        made.append(make(is_shown).is_shown)
        return make(is_shown=False)

    monkeypatch.setattr("pellucid.training.callbacks.progress.ProgressBar", note)

    def shown(**options: Any) -> list[bool]:
        made.clear()
        train(preset("logistic"), data, n_epochs=2, **options)
        return [one for one in made if one]

    assert shown() == []
    assert shown(progress=True) == [True]
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    assert shown() == [True]
    assert shown(progress=False) == []
    assert shown(callbacks=[Progress()]) == [True]  # and not two


def test_progress_shows_title_count_and_loss_on_a_terminal(
    data: Dataset, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    home = "pellucid.training.callbacks.progress.ProgressBar"
    monkeypatch.setattr(home, lambda **_: ProgressBar(True, patience=0))

    def wait(event: Any) -> None:  # the bar is not drawn again more often than ten times a second
        if isinstance(event, StepEnd) and event.step in (10, 20):
            time.sleep(0.15)

    train(preset("logistic"), data, n_epochs=30, callbacks=[wait, Progress("dual form", refresh_seconds=0)])
    out, err = capsys.readouterr()
    assert "dual form: epoch 1/30" in err
    assert "loss" in err
    assert out == ""
