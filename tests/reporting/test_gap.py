"""The gap between training and new samples, in a sentence made from the curves."""

from dataclasses import replace
from pathlib import Path

import pytest

from pellucid.reporting.sections.training import best_epoch, gap_line, x_label
from pellucid.runs.run import Run, read_run
from pellucid.training.history import History


@pytest.fixture
def run(trained: Path) -> Run:
    """A run of 32 training photos, as if 8 of them had been held out for validation."""
    run = read_run(trained)
    options = replace(run.config.options, validation=0.25, n_epochs=4, batch_size=8)
    return replace(run, config=replace(run.config, options=options))


def with_curves(run: Run, accuracy: float, validation: float, losses: list[float]) -> Run:
    columns = {
        "loss": [0.7, 0.5, 0.3, 0.1],
        "accuracy": [0.5, 0.6, 0.7, accuracy],
        "validation_loss": losses,
        "validation_accuracy": [0.5, 0.5, 0.5, validation],
    }
    history = History(columns, n_steps=12, is_complete=True)
    return replace(run, history=history)


def test_over_fitting_is_told_with_its_reason(run: Run) -> None:
    over = with_curves(run, 1.0, 0.5, [0.7, 0.6, 0.8, 1.2])
    assert best_epoch(over) == 1
    words = gap_line(over)
    assert words == (
        "Over-fitting: 0 % errors in training, 50 % on 8 validation photos; lowest validation loss at epoch 2."
    )


def test_a_gap_that_chance_explains_is_no_over_fitting(run: Run) -> None:
    curves = 0.9, 0.75, [0.7, 0.6, 0.5, 0.4]
    enough = replace(run, split=replace(run.split, test=run.split.train))
    assert gap_line(with_curves(enough, *curves)) == (
        "No over-fitting beyond chance: 10 % errors in training, 25 % on 8 validation photos."
    )
    assert gap_line(with_curves(enough, 0.9, 1.0, curves[2])) == (
        "No over-fitting: 10 % errors in training, 0 % on 8 validation photos."
    )
    assert gap_line(with_curves(run, *curves)).startswith("Whether it over-fits cannot be told: 10 % errors")


def test_a_network_that_learned_nothing_under_fits(run: Run) -> None:
    assert gap_line(with_curves(run, 0.5, 0.5, [0.7, 0.7, 0.7, 0.7])).startswith("Under-fitting: 50 % errors")


def test_early_stopping_is_judged_at_the_epoch_whose_weights_were_kept(run: Run) -> None:
    options = replace(run.config.options, patience=2)
    stopped = replace(run, config=replace(run.config, options=options))
    words = gap_line(with_curves(stopped, 1.0, 0.5, [0.7, 0.6, 0.8, 1.2]))
    assert "40 % errors in training, 50 % on 8 validation photos" in words


def test_the_axis_is_what_was_counted(run: Run) -> None:
    assert x_label(with_curves(run, 1.0, 1.0, [1.0] * 4)) == "Epoch of 3 steps"
    steps = replace(run, history=History({"loss": [1.0] * 5}, n_steps=5))
    assert x_label(steps) == "Step, each on all photos"
