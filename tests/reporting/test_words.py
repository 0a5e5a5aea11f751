"""What a reader counts and compares: epochs, shares rounded in one way, and what keeps a loss away from 0."""

import json
import math
import re
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure
from tests.commands import Command, words_of

from pellucid.data.dataset import Dataset, Split
from pellucid.plotting.curves import draw_curves
from pellucid.plotting.training import training_curves
from pellucid.reporting.sections.data import _classes
from pellucid.runs.run import read_run
from pellucid.training.history import History


@pytest.mark.slow
def test_epochs_are_counted_from_1_and_the_caption_says_what_keeps_the_loss_away_from_0(
    pellucid: Command, photos: Path
) -> None:
    how = "--epochs 3 --batch-size 8 --validation 0.2 --form direct --label-smoothing 0.1 --augment photo-cutmix"
    done = pellucid.ok("run", photos, "--model", "mlp", *how.split(), "--out", "out")
    assert re.findall(r"Cost after (\w+ \d+)", done.out) == ["epoch 1", "epoch 3"]
    rows = [json.loads(line) for line in Path("out/history.jsonl").read_text().splitlines()]
    assert [row["epoch"] for row in rows] == [1, 2, 3]
    run = read_run(Path("out"))
    assert len(run.history["loss"]) == 3
    words = words_of(Path("out/report.html"))
    best = int(np.argmin(run.history["validation_loss"])) + 1
    assert f"marked: the lowest validation loss ({best})" in words
    least = -(0.95 * math.log(0.95) + 0.05 * math.log(0.05))
    assert f"least possible with smoothed labels: {least:.2f}" in words
    Z = np.full((1, 1), math.log(0.95 / 0.05))  # the outputs that smoothed labels ask for
    assert run.model._loss.forward(Z, np.ones((1, 1)))[0] == pytest.approx(least)


def test_curves_begin_at_epoch_1() -> None:
    axes = Figure().add_subplot()
    draw_curves(axes, {"loss": [0.7, 0.4, 0.2]})
    assert axes.lines[0].get_xdata().tolist() == [1, 2, 3]
    columns = {"loss": [0.7, 0.4, 0.2]}
    for first in (0, 1):
        line = training_curves(columns, first=first).axes[0].lines[0]
        assert line.get_xdata().tolist() == [first, first + 1, first + 2]
    assert [row["epoch"] for row in History(columns).rows()] == [1, 2, 3]


def test_run_train_evaluate_and_the_report_say_one_percentage(
    pellucid: Command, photos: Path, tmp_path: Path
) -> None:
    brief = ("--model", "logistic", "--epochs", 2)
    ran = pellucid("run", photos, *brief, "--out", "out")
    found = re.search(r"Test accuracy (\d+ %)", ran.out)
    assert found is not None
    evaluated = pellucid("evaluate", "out")
    assert f"Test accuracy {found[1]} " in evaluated.out
    assert f"Test accuracy {found[1]} " in words_of(tmp_path / "out" / "report.html")
    trained = pellucid("train", photos, *brief, "--out", "trained")
    assert f"test: accuracy {found[1]}" in trained.out
    assert "form" not in trained.out
    assert re.search(r"Training took [\d.<]+ m?s on \d cores?\.", " ".join(trained.out.split()))
    asked = pellucid("train", photos, *brief, "--form", "direct", "--out", "asked")
    assert "(direct form, as asked)" in " ".join(asked.out.split())


def test_the_names_of_many_classes_do_not_fill_the_page() -> None:
    def words(names: tuple[str, ...]) -> str:
        part = Dataset(np.zeros((len(names), 4)), np.arange(len(names)), names)
        return _classes(Split(part, part))

    assert words(("cat", "dog")) == ", of 2 classes: cat, dog"
    many = tuple(f"kind {i} of {'flower ' * 3}" for i in range(24))
    assert words(many).endswith(" and 18 more")
