"""What a report says first: numbers that agree with the run, and words that fit them."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.commands import Command

from pellucid.evaluation.scores.estimate_text import accuracy_line
from pellucid.prediction.predict import Predictions
from pellucid.reporting.findings import Findings
from pellucid.reporting.sections.summary import points, summary, what_was_done
from pellucid.reporting.sections.training import gap_line
from pellucid.runs.run import read_run
from pellucid.stats.paired import mcnemar


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
    assert "test photo 4 is training photo 32 (same class in 1 of 1)" in words
    right = run.test_predictions.is_correct
    assert f"({right.sum() - right[4]}/19)." in words
    compared = mcnemar(right, run.test_predictions.is_majority)
    assert ("Not shown to be better than the baseline (p" in words) == (compared.p_value >= 0.05)


def test_a_network_that_always_says_the_same_is_told_so() -> None:
    y, names = (np.arange(10) > 8).astype(int), ("no", "yes")
    always = Predictions("classification", y, np.zeros(10, int), np.zeros((10, 2)), False, names)
    assert accuracy_line(always).endswith(
        "Baseline (always 'no') 90 %. Not shown to be better than the baseline "
        "(p = 1.00; McNemar's test on the same samples)."
    )


def test_learning_by_heart_is_told_only_of_a_gap_beyond_chance(trained: Path) -> None:
    run = read_run(trained)

    def heart(n_train: int, n_test: int) -> bool:
        y, names = np.zeros(100, int), run.split.classes
        known = (
            Predictions(
                "classification", y, (np.arange(100) >= n).astype(int), np.zeros((100, 2)), True, names
            )
            for n in (n_train, n_test)
        )
        other = replace(run)
        vars(other).update(zip(("train_predictions", "test_predictions"), known, strict=True))
        return gap_line(other).startswith("Over-fitting")

    # Wilson's interval of 80 of 100 ends at 0.867.
    assert [heart(87, 80), heart(86, 80), heart(80, 80), heart(60, 80)] == [True, False, False, False]


def test_three_classes_are_told_apart(trained: Path) -> None:
    run = read_run(trained)
    assert "to tell 'dark' and 'bright' apart." in what_was_done(run)
    train = replace(run.split.train, classes=("a", "b", "c"))
    three = replace(run, split=replace(run.split, train=train))
    assert "to tell 'a', 'b' and 'c' apart." in what_was_done(three)
