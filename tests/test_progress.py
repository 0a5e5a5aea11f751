"""The one progress bar: it waits, it is silent where nobody looks, and it goes away."""

import multiprocessing
import sys
from concurrent.futures import ThreadPoolExecutor
from types import ModuleType
from typing import Any

import pytest

from pellucid import progress
from pellucid.checks.check import check_data
from pellucid.data.built_in import load_drawn_cats
from pellucid.data.dataset import Split
from pellucid.progress import ProgressBar, are_bars_shown, stage_of
from pellucid.training.callbacks.progress import validation_in_short
from pellucid.workflows.label_errors import find_label_errors


def test_it_appears_once_the_work_has_taken_its_time_and_goes(capsys: pytest.CaptureFixture[str]) -> None:
    with ProgressBar(patience=0) as bar:  # no terminal
        bar("reading", 1, 2)
    assert capsys.readouterr().err == ""
    bar = ProgressBar(is_shown=True, patience=1e9)
    stage_of(bar, "reading")(1, 2)
    assert bar._bar is None
    bar.patience = 0
    bar("reading", 1, 2)
    shown: Any = bar._bar
    assert (shown.n, shown.total) == (1, 2)
    bar("drawing", 3, 9, "loss 0.5")
    assert (shown.n, shown.total, shown.desc) == (3, 9, "drawing")
    with pytest.raises(ZeroDivisionError), bar:
        assert 1 / 0
    assert bar._bar is None


def test_a_next_stage_is_shown_by_its_own_name_and_time(capsys: pytest.CaptureFixture[str]) -> None:
    """The bar began in the middle of a stage, and the next one had "-00:00 left", under the former's name."""
    with ProgressBar(is_shown=True, patience=0) as bar:
        bar("reading", 50, 52)
        bar("drawing", 0, 2000)
    with ProgressBar(is_shown=True, patience=0) as bar:
        bar("counting", 3, 0)  # of no known total
    printed = capsys.readouterr().err
    lines = [line for line in printed.split("\r") if "2000" in line]
    assert lines
    assert all(line.startswith("drawing") and "-" not in line for line in lines)
    assert "counting: 3, 00:00" in printed


def test_a_bar_is_as_wide_as_the_line_and_never_shrinks_to_nothing(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """With a validation loss beside it, there was no room left for the bar in 80 columns."""
    detail = f"loss 0.0885{validation_in_short({'validation_loss': 0.3456, 'validation_accuracy': 0.88})}"
    with ProgressBar(is_shown=True, patience=0) as bar:
        bar("", 1, 4, detail, label="epoch 100/2500")
        bar("", 2, 4, detail, label="epoch 1200/2500")
    lines = [line for line in capsys.readouterr().err.split("\r") if "epoch" in line]
    assert lines
    for line in lines:
        assert len(line) <= 80
        assert line.rstrip().endswith("left, loss 0.0885, validation 0.3456 (88.0 %)")
        assert len(line.split("|")[1]) >= 8


def test_processes_and_threads_of_a_pool_show_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    assert are_bars_shown()
    with ThreadPoolExecutor(1) as pool:
        assert not pool.submit(are_bars_shown).result()
    monkeypatch.setattr(multiprocessing.current_process(), "_name", "LokyProcess-1")
    assert not are_bars_shown()


def test_a_notebook_gets_one_line_that_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    lines: list[str] = []

    class Handle:
        def update(self, line: dict[str, str], *, raw: bool) -> None:
            lines[-1] = line["text/plain"]

    def display(line: dict[str, str], *, raw: bool, display_id: bool) -> Handle:
        lines.append(line["text/plain"])
        return Handle()

    module = ModuleType("IPython.display")
    module.display = display  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "IPython.display", module)
    monkeypatch.setattr(progress, "in_notebook", lambda: True)
    with ProgressBar(patience=0) as bar:
        bar("reading", 1, 4)
        assert lines[0].startswith("reading |")
        bar._bar.mininterval = 0
        bar("reading", 3, 4)
        assert "3/4" in lines[0]
    assert lines == [""]


def test_what_looks_through_data_shows_a_bar_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    stages: set[str] = set()
    monkeypatch.setattr(ProgressBar, "__call__", lambda _, stage, *rest, **more: stages.add(stage))
    cats = load_drawn_cats()
    few = Split(cats.train.take(slice(0, 40)), cats.test.take(slice(0, 20)), "cats")
    check_data(few)
    of_check = set(stages)
    assert of_check
    find_label_errors("logistic", few, cv=2, n_jobs=1)
    assert "training on folds" in stages - of_check
