"""The curves of a training: loss and accuracy side by side."""

import numpy as np
from tests.every import every

from pellucid.plotting.training import training_curves

COLUMNS = {
    "loss": [0.7, 0.5, 0.3],
    "validation_loss": [0.7, 0.6, 0.8],
    "accuracy": [0.5, 0.8, 1.0],
    "validation_accuracy": [0.5, 0.7, 0.6],
    "learning_rate": [0.1, 0.1, 0.1],
}


def test_loss_and_accuracy_stand_side_by_side_with_the_best_epoch_marked() -> None:
    figure = training_curves(COLUMNS, best=1, guessing=0.69)
    loss, accuracy = figure.axes
    assert [axes.get_title("left") for axes in figure.axes] == ["Loss", "Accuracy"]
    for axes, best in ((loss, 0.6), (accuracy, 0.7)):
        curves = {line.get_label(): line for line in axes.lines}
        assert np.ravel(curves["Best epoch: 2"].get_data()).tolist() == [2, best]
        assert any(str(label).startswith("Training: ") for label in curves)
        assert any(str(label).startswith("Validation: ") for label in curves)
    assert "Training: 100 % at the end" in [line.get_label() for line in accuracy.lines]


@every("n", [1, 2, 3, 7, 120])
def test_ticks_are_whole_epochs(n: int) -> None:
    figure = training_curves({"loss": np.linspace(1, 0.1, n).tolist()}, x_label="Step, each on all rows")
    figure.canvas.draw()
    (axes,) = figure.axes
    assert all(float(tick).is_integer() for tick in axes.get_xticks())
    assert axes.get_xlabel() == "Step, each on all rows"


def test_curves_that_were_never_finite() -> None:
    assert training_curves({"loss": [np.nan, np.inf]}).axes
