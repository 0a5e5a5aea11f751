"""What a report says in words: summary, training, the gap to new samples, leaks."""

import json
import math
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure
from tests.commands import Command, words_of
from tests.every import every

from pellucid.data.copies.duplicates import Leak
from pellucid.data.dataset import Dataset, Split
from pellucid.evaluation.scores.estimate_text import accuracy_line
from pellucid.evaluation.scores.evaluate import score
from pellucid.plotting.curves import draw_curves
from pellucid.plotting.training import training_curves
from pellucid.prediction.predict import Predictions
from pellucid.reporting.findings import Findings
from pellucid.reporting.sections.data import _classes
from pellucid.reporting.sections.gap import best_epoch, gap_line
from pellucid.reporting.sections.recipe import x_label
from pellucid.reporting.sections.scores import MEANINGS
from pellucid.reporting.sections.summary import leaks, points, summary, what_was_done
from pellucid.runs.run import Run, read_run
from pellucid.stats.paired import mcnemar
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
    assert f"marked: the lowest validation loss, at epoch {best}" in words
    least = -(0.95 * math.log(0.95) + 0.05 * math.log(0.05))
    assert f"least possible with smoothed labels: {least:.2f}" in words
    Z = np.full((1, 1), math.log(0.95 / 0.05))  # the outputs that smoothed labels ask for
    assert run.model._loss.forward(Z, np.ones((1, 1)))[0] == pytest.approx(least)


def test_every_score_of_two_classes_has_a_meaning(trained: Path) -> None:
    estimates = score(read_run(trained).test_predictions).estimates
    assert "sensitivity" in estimates
    assert {*estimates} <= {*MEANINGS}


def test_curves_begin_at_epoch_1() -> None:
    columns, axes = {"loss": [0.7, 0.4, 0.2]}, Figure().add_subplot()
    draw_curves(axes, columns)
    assert axes.lines[0].get_xdata().tolist() == [1, 2, 3]
    for first in (0, 1):
        line = training_curves(columns, first=first).axes[0].lines[0]
        assert line.get_xdata().tolist() == [first, first + 1, first + 2]
    assert [row["epoch"] for row in History(columns).rows()] == [1, 2, 3]


def test_run_train_evaluate_and_the_report_say_one_percentage(
    pellucid: Command, photos: Path, tmp_path: Path
) -> None:
    brief = ["--model", "logistic", "--epochs", "2"]
    ran = pellucid.ok("run", photos, *brief, "--out", "out")
    found = re.search(r"Test accuracy (\d+ %)", ran.out)
    assert found is not None
    assert f"Test accuracy {found[1]} " in pellucid.ok("evaluate out").out
    assert f"Test accuracy {found[1]} " in words_of(tmp_path / "out" / "report.html")
    trained = " ".join(pellucid.ok("train", photos, *brief, "--out", "trained").out.split())
    assert f"test: accuracy {found[1]}" in trained
    assert "form" not in trained
    assert re.search(r"Training took [\d.<]+ m?s on \d cores?\.", trained)
    asked = pellucid.ok("train", photos, *brief, *["--form", "direct", "--out", "asked"])
    assert "(direct form, as asked)" in " ".join(asked.out.split())


def test_the_names_of_many_classes_do_not_fill_the_page() -> None:
    many = tuple(f"kind {i} of {'flower ' * 3}" for i in range(24))
    for names, words in ((("cat", "dog"), ", of 2 classes: cat, dog"), (many, " and 18 more")):
        part = Dataset(np.zeros((len(names), 4)), np.arange(len(names)), names)
        assert _classes(Split(part, part)).endswith(words)


@pytest.mark.slow
def test_the_summary_says_how_good_it_is_beside_what_and_whether_data_leaks(
    pellucid: Command, tmp_path: Path
) -> None:
    rng = np.random.default_rng(1)
    y = np.arange(60) % 2
    X = rng.integers(0, 120, (60, 6, 6, 3), dtype=np.uint8) + (y * 120).astype(np.uint8)[:, None, None, None]
    y_test, X_test = y[:20].copy(), rng.integers(0, 256, (20, 6, 6, 3), dtype=np.uint8)
    X_test[:9] = (rng.integers(0, 120, (9, 6, 6, 3)) + 120 * y[:9, None, None, None]).astype(np.uint8)
    X_test[4] = X[32]  # the leak
    names = np.array(["dark", "bright"])
    np.savez("d.npz", X_train=X, y_train=y, X_test=X_test, y_test=y_test, classes=names)
    assert pellucid("run", "d.npz", "--epochs", 200, "--out", "out", "--quiet").code == 0
    run = read_run(Path("out"))
    words = " ".join((*summary(Findings(run)), *points(Findings(run))))
    n, k = run.test_confusion.n_samples, run.test_confusion.n_correct
    assert f"Test accuracy {100 * k / n:.0f} % ({k}/{n}, 95 % interval " in words
    assert "Baseline (always 'dark') 50 %." in words
    assert "test photo 4 is the same as training photo 32 (same class in 1 of 1)" in words
    right = run.test_predictions.is_correct
    assert f"({right.sum() - right[4]}/19)." in words
    compared = mcnemar(right, run.test_predictions.is_majority)
    assert ("Not shown to be better than the baseline (p" in words) == (compared.p_value >= 0.05)


def test_a_network_that_always_says_the_same_is_told_so() -> None:
    y, names = (np.arange(10) > 8).astype(int), ("no", "yes")
    always = Predictions("classification", y, np.zeros(10, int), np.zeros((10, 2)), False, names)
    told = "Not shown to be better than the baseline (p = 1.00; McNemar's test on the same samples)."
    assert accuracy_line(always).endswith(f"Baseline (always 'no') 90 %. {told}")


def test_learning_by_heart_is_told_only_of_a_gap_beyond_chance(trained: Path) -> None:
    run, y = read_run(trained), np.zeros(100, int)
    for n_train, is_over in ((90, True), (89, False), (80, False), (60, False)):
        other = replace(run)
        for part, n in (
            ("train", n_train),
            ("test", 80),
        ):  # Newcombe's interval of 0.90 - 0.80 begins above 0
            y_pred, scores = (np.arange(100) >= n).astype(int), np.zeros((100, 2))
            found = Predictions("classification", y, y_pred, scores, True, run.split.classes)
            vars(other)[f"{part}_predictions"] = found
        assert gap_line(other).startswith("Over-fitting") == is_over


def test_three_classes_are_told_apart(trained: Path) -> None:
    run = read_run(trained)
    assert "to tell 'dark' and 'bright' apart." in what_was_done(run)
    train = replace(run.split.train, classes=("a", "b", "c"))
    three = replace(run, split=replace(run.split, train=train))
    assert "to tell 'a', 'b' and 'c' apart." in what_was_done(three)


def test_the_answer_was_seen_only_where_the_target_is_the_same(pellucid: Command, tmp_path: Path) -> None:
    X = np.random.default_rng(1).standard_normal((40, 3)).round(3)
    again = X[:, 0] + (np.arange(40) >= 20)  # of the later half, the copies have other targets
    rows = np.column_stack([np.tile(X, (2, 1)), np.concatenate([X[:, 0], again])])
    np.savetxt("d.csv", rows, delimiter=",", header="a,b,c,y", comments="", fmt="%.3f")
    pellucid.ok("run d.csv --target y --epochs 3 --out out --quiet")
    run = read_run(Path("out"))
    train, test = run.split.train.y, run.split.test.y
    twins = {train[leak.train] == test[leak.test]: leak for leak in run.leaks}

    def with_copies(*found: Leak) -> str:
        return leaks(replace(run, known_leaks=found))

    assert with_copies(twins[True]).endswith(" (same target in 1 of 1).")
    assert with_copies(twins[False]).endswith(" (same target in 0 of 1).")
    assert with_copies(*twins.values()).endswith(" (same target in 1 of 2).")
    assert with_copies() == "No test row is in the training part."


def test_the_words_say_how_a_copy_was_changed(trained: Path) -> None:
    run = read_run(trained)
    for kind, words in {
        "exact": "is the same as training photo 2",
        "near": "is nearly the same as training photo 2",
        "mirrored and cropped": "is the same picture as training photo 2, one of them mirrored and cropped",
    }.items():
        assert words in leaks(replace(run, known_leaks=[Leak(0, 2, kind)]))


@pytest.fixture
def run(trained: Path) -> Run:
    """A run of 32 training photos, as if 8 of them had been held out for validation."""
    run = read_run(trained)
    options = replace(run.config.options, validation=0.25, n_epochs=4, batch_size=8)
    return replace(run, config=replace(run.config, options=options))


RISES, FALLS, STAYS = [0.7, 0.6, 0.8, 1.2], [0.7, 0.6, 0.5, 0.4], [0.7] * 4  # validation losses


def with_curves(run: Run, accuracy: float, validation: float, losses: list[float]) -> Run:
    columns = {
        "loss": [0.7, 0.5, 0.3, 0.1],
        "accuracy": [0.5, 0.6, 0.7, accuracy],
        "validation_loss": losses,
        "validation_accuracy": [0.5, 0.5, 0.5, validation],
    }
    return replace(run, history=History(columns, n_steps=12, is_complete=True))


@every(
    ("accuracy", "validation", "losses", "is_enough", "patience", "told"),
    [
        (1.0, 0.5, RISES, False, None, ("Over-fitting: 0 %", "50 %", "; lowest validation loss at epoch 2.")),
        (1.0, 0.5, RISES, False, 2, ("Whether it over-fits cannot be told: 40 %", "50 %", ".")),
        (0.9, 0.75, FALLS, True, None, ("No over-fitting beyond chance: 10 %", "25 %", ".")),
        (0.9, 1.0, FALLS, True, None, ("No over-fitting: 10 %", "0 %", ".")),
        (0.9, 0.75, FALLS, False, None, ("Whether it over-fits cannot be told: 10 %", "25 %", ".")),
        (0.5, 0.5, STAYS, False, None, ("Under-fitting: 50 %", "50 %", "; the baseline does as well")),
    ],
)
def test_the_gap_is_told_with_its_reason(
    run: Run,
    accuracy: float,
    validation: float,
    losses: list[float],
    is_enough: bool,
    patience: Any,
    told: Any,
) -> None:
    config = replace(run.config, options=replace(run.config.options, patience=patience))
    split = replace(run.split, test=run.split.train) if is_enough else run.split
    trained = with_curves(replace(run, config=config, split=split), accuracy, validation, losses)
    first, second, rest = told
    assert gap_line(trained).startswith(f"{first} errors in training, {second} on 8 validation photos{rest}")
    assert best_epoch(trained) == losses.index(min(losses))


def test_the_axis_is_what_was_counted(run: Run) -> None:
    assert x_label(with_curves(run, 1.0, 1.0, STAYS)) == "Epoch of 3 steps"
    steps = replace(run, history=History({"loss": [1.0] * 5}, n_steps=5))
    assert x_label(steps) == "Step, each on all photos"
