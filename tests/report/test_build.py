"""What a full report costs: everything is predicted once and looked for once; sections take what was found."""

import inspect
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.commands import Command, words_of

from pellucid.nn.model import Model
from pellucid.report import build
from pellucid.report.findings import STAGES
from pellucid.report.sections import data, influence, photos, robustness, saliency, scores, training
from pellucid.runs.record import read_run


def test_the_full_report_predicts_once_and_searches_for_leaks_once(
    trained: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = read_run(trained)
    parts = {"train": run.split.train.X, "test": run.split.test.X}
    passes = dict.fromkeys(parts, 0)
    asked: Any = Model.decision_function

    def count(self: Model, X: Any) -> Any:
        for name, part in parts.items():
            passes[name] += isinstance(X, np.ndarray) and X.shape == part.shape and bool((part == X).all())
        return asked(self, X)

    monkeypatch.setattr(Model, "decision_function", count)
    searches = []
    from pellucid.checks import duplicates

    prepare: Any = duplicates._prepare
    monkeypatch.setattr(duplicates, "_prepare", lambda *given: (searches.append(1), prepare(*given))[1])
    monkeypatch.setattr(duplicates, "find_leaks", lambda *given: pytest.fail("leaks are known already"))
    build.report_on(trained, is_full=True, n_photos=2)
    assert passes == {"train": 1, "test": 1}
    assert len(searches) == 1


def test_stages_are_told_in_order(trained: Path) -> None:
    seen: list[tuple[str, int, int]] = []
    build.report_on(trained, is_full=True, n_photos=1, progress=lambda *stage: seen.append(stage))
    assert [stage for stage, _, _ in seen] == [*STAGES, "done"]
    assert [done for _, done, _ in seen] == list(range(len(STAGES) + 1))
    assert {total for _, _, total in seen} == {len(STAGES)}


def test_sections_neither_load_nor_predict() -> None:
    for module in (data, influence, photos, robustness, saliency, scores, training):
        source = inspect.getsource(module)
        for call in ("load(", "load_data(", " predict(", ".predict(", "find_leaks(", "decision_function("):
            assert call not in source, (module.__name__, call)


def test_the_report_names_the_optimizer(pellucid: Command, photos: Path) -> None:
    options = ["--optimizer", "adamw", "--batch-size", 8, "--epochs", 5, "--out", "out", "--quiet"]
    assert pellucid("run", photos, *options).code == 0
    words = words_of(Path("out") / "report.html")
    assert "steps of AdamW, batches of 8" in words
    assert "gradient descent" not in words
