"""What a full report costs: everything is predicted once and looked for once; sections take what was found."""

import re
import sys
import threading
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.commands import Command, words_of

import pellucid as pl
from pellucid import dispatch
from pellucid.data import hashing
from pellucid.data.copies import duplicates
from pellucid.data.preprocess import check_finite
from pellucid.evaluation.influence import find_influence
from pellucid.reporting.draft import Draft
from pellucid.reporting.findings import STAGES
from pellucid.reporting.sections import data, training
from pellucid.runs.run import read_run


@pytest.mark.slow
def test_the_full_report_does_everything_once_and_its_page_does_not_depend_on_what_goes_on_meanwhile(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It predicts, searches, hashes and checks once, and tells its stages in order.

    With kernels its trainings run in the background while figures are drawn; the page has the same bytes then.
    """
    pytest.importorskip("numba")
    run = read_run(trained)
    parts = {"train": run.split.train.X, "test": run.split.test.X}
    passes, searches, hashed, checked = dict.fromkeys(parts, 0), [], [], []
    names: list[str] = []
    seen: list[tuple[str, int, int]] = []
    asked: Any = pl.Model.decision_function
    arrays: Any = hashing._arrays
    one_dtype: Any = duplicates._in_one_dtype
    plain: Any = find_influence.train_many

    def count(self: pl.Model, X: Any) -> Any:
        for name, part in parts.items():
            passes[name] += isinstance(X, np.ndarray) and X.shape == part.shape and bool((part == X).all())
        return asked(self, X)

    def train_many(*given: Any, **options: Any) -> Any:
        names.append(threading.current_thread().name)
        return plain(*given, **options)

    monkeypatch.setattr(find_influence, "train_many", train_many)
    with dispatch.use("numba"):
        with monkeypatch.context() as patch:
            patch.setattr(pl.Model, "decision_function", count)
            patch.setattr(
                duplicates, "_in_one_dtype", lambda *given: (searches.append(1), one_dtype(*given))[1]
            )
            patch.setattr(duplicates, "find_leaks", lambda *given: pytest.fail("leaks are known already"))
            patch.setattr(hashing, "_arrays", lambda part: (hashed.append(part), arrays(part))[1])
            for module in [*sys.modules.values()]:
                if vars(module).get("check_finite") is check_finite:
                    patch.setattr(module, "check_finite", lambda X, where: checked.append(X))
            tell = partial(pl.report, full=True, n_photos=2, progress=lambda *stage: seen.append(stage[:3]))
            tell(trained, tmp_path / "meanwhile")
        monkeypatch.setattr("pellucid.workflows.report.in_background", lambda: nullcontext(None))
        pl.report(trained, tmp_path / "afterwards", full=True, n_photos=2)
    assert passes == {"train": 1, "test": 1}
    assert len(searches) == 1
    assert len(hashed) == 4  # samples and labels of each part once, however often it trains again
    assert len(checked) <= 2
    assert seen == [(stage, i, len(STAGES)) for i, stage in enumerate([*STAGES, "done"])]
    assert names[0].startswith("pellucid-background")
    assert names[-1] == threading.main_thread().name
    one, other = (tmp_path / name / "report.html" for name in ("meanwhile", "afterwards"))
    assert one.read_bytes() == other.read_bytes()


WAYS: dict[str, tuple[str, list[str], list[str]]] = {
    "full batch": (
        "--epochs 5",
        ["5 steps of gradient descent took", "learning rate 0.0075", "batch size all samples"],
        ["AdamW", "batches of", "augment photo", "smoothed", "weight decay", "epochs took"],
    ),
    "adamw": (
        "--optimizer adamw --batch-size 8 --epochs 5 --learning-rate 0.01 --schedule one_cycle --weight-decay 0.1 "
        "--augment photo --label-smoothing 0.1 --weight-ema 0.9 --validation 0.25 --class-weight balanced",
        [
            "15 steps of AdamW with batches of 8 and a one-cycle schedule in 5 epochs took",
            "learning rate 0.01",
            "schedule one_cycle",
            "augment photo",
            "label smoothing 0.1",
            "weight decay 0.1",
            "weight ema 0.9",
            "validation 0.25",
            "class weight balanced",
            "errors in training, ",
            "on 8 validation photos",
        ],
        ["gradient descent", "all samples", "Iteration"],
    ),
    "lbfgs": (
        "--optimizer lbfgs --epochs 3",
        ["steps of L-BFGS took", "all samples"],
        ["gradient descent", "learning rate", "constant"],
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS)
def test_the_report_says_what_ran(pellucid: Command, photos: Path, way: str) -> None:
    options, wanted, unwanted = WAYS[way]
    pellucid.ok("run", photos, "--model", "logistic", *options.split(), "--out", "out", "--quiet")
    words = words_of(Path("out") / "report.html")
    assert [phrase for phrase in (*wanted, *unwanted) if phrase in words] == wanted


def test_the_report_names_the_rates_of_every_stage(pellucid: Command, photos: Path, tmp_path: Path) -> None:
    begun = "--model mlp-wide --epochs 3 --learning-rate 0.002 --batch-size 0 --out out --quiet"
    more = "--resume --epochs 5 --schedule constant --learning-rate 0.0005 --out out --quiet"
    for options in (begun, more, more):  # once more, it is complete
        pellucid.ok("train", photos, *options.split())
    pellucid.ok("report out")
    words = words_of(tmp_path / "out" / "report.html")
    assert words.count("AdamW with learning rates in stages (one-cycle up to epoch 3, then constant)") == 1
    assert "learning rate, epochs 1 to 3 0.002" in words
    assert "learning rate 0.0005 " in words


def test_the_last_layer_is_named_by_its_loss_and_only_a_flattened_picture_is_a_column(tmp_path: Path) -> None:
    cats = pl.load_data("drawn-cats")
    for name, kind, flattens in (("mlp-wide", "softmax", True), ("cnn", "sigmoid", False)):
        model = pl.preset(name, 3 if kind == "softmax" else 2)
        model.initialize((64, 64, 3))
        model._choose_loss(np.arange(3) if kind == "softmax" else np.arange(2))
        assert training.layer_rows(model)[-1].activation == kind
        section = data.vector_section(Draft(tmp_path, cats), cats.train, model)
        assert bool(section.figures) == flattens
        assert (tmp_path / "figures" / "image-to-vector.png").exists()


@pytest.mark.slow
def test_a_new_drawing_is_called_one_and_all_figures_are_of_one_width(
    pellucid: Command, tmp_path: Path
) -> None:
    pellucid.ok("run drawn-cats --model logistic --epochs 2 --out out --quiet")
    page = (tmp_path / "out" / "report.html").read_text()
    words = words_of(tmp_path / "out" / "report.html")
    assert "A new drawing" in words
    assert "Left, the drawing as given; right, all that the network sees of it." in words
    widths = sorted(int(width) for width in re.findall(r'<img src="[^"]*" width="([0-9]+)"', page))
    _, *widths = widths  # the small drawing of a small network
    assert len(widths) >= 4
    assert max(widths) - min(widths) <= 0.1 * max(widths)
