"""Figures of comparisons: what they show is what they were given."""

from pathlib import Path

import numpy as np
from tests.evaluation.comparison.test_seeds import some
from tests.every import every
from tests.pictures import words
from tests.stats.test_bootstrap import pairs

from pellucid.data.dataset import Dataset
from pellucid.evaluation.comparison.folds import CrossValidation, Fold
from pellucid.evaluation.comparison.paired import PairedComparison, Side
from pellucid.evaluation.comparison.plot_comparison import (
    comparison_figure,
    cross_validation_figure,
    disputed_pictures,
    seed_figure,
)
from pellucid.evaluation.comparison.seeds import SeedComparison
from pellucid.plotting.saving import save_figure
from pellucid.prediction.confusion import confusion_matrix
from pellucid.types import Array


def paired(counts: tuple[int, int, int, int], names: tuple[str, str]) -> PairedComparison:
    """A comparison in which both, only A, only B and neither are correct this often."""
    y = np.arange(sum(counts)) % 3 // 2  # two thirds of class 0
    test = Dataset(np.zeros((len(y), 2)), y, ("cat", "dog"))
    sides = []
    for letter, name, mask in zip("AB", names, pairs(*counts), strict=True):
        y_pred = np.where(mask, y, 1 - y)
        sides.append(Side(letter, name, confusion_matrix(y, y_pred, test.classes), y_pred))
    return PairedComparison("data", "sample", test, *sides)


def test_the_bar_has_every_sample_in_its_place(tmp_path: Path) -> None:
    figure = comparison_figure(paired((35, 5, 2, 9), ("mlp", "$5 net")))
    scores, who = figure.axes
    widths = [bar.get_width() for bar in who.patches if bar.get_width()]
    assert widths == [35, 5, 2, 9]
    assert [text.get_text() for text in scores.get_yticklabels()] == ["A: mlp", "B: $5 net"]
    assert "baseline 'cat': 0.67" in scores.get_legend_handles_labels()[1]
    save_figure(figure, tmp_path / "figure.png")


def test_of_a_path_the_end_is_shown() -> None:
    figure = comparison_figure(
        paired((35, 5, 2, 9), ("runs/a/model.safetensors", "runs/a-folder-of-a-long-name"))
    )
    labels = [text.get_text() for text in figure.axes[0].get_yticklabels()]
    assert labels == ["A: runs/a", "B: …lder-of-a-long-name"]


def test_disputed_pictures_name_who_was_right() -> None:
    data = Dataset(np.zeros((6, 4, 4, 3), np.uint8), np.array([0, 1, 0, 1, 0, 1]), ("non-cat", "cat"))
    a, b = np.array([0, 1, 0, 0, 1, 1]), np.array([0, 0, 1, 1, 0, 1])
    figure = disputed_pictures(data, [1, 2], [3, 4], (a, b))
    assert words(figure)[1:5] == ["only A is correct", "A: cat", "B: non-cat", "photo 1, cat"]
    assert words(figure)[-4:] == ["only B is correct", "A: cat", "B: non-cat", "photo 4, non-cat"]
    assert "No image" in disputed_pictures(data, [], [], (a, b)).texts[0].get_text()


def folds_of(*values: Array, n_splits: int) -> CrossValidation:
    folds = tuple(
        tuple(Fold(*divmod(i, n_splits), {"balanced_accuracy": float(x)}, 1.0) for i, x in enumerate(one))
        for one in values
    )
    n_repeats, sources = len(values[0]) // n_splits, ("x", "y")[: len(values)]
    return CrossValidation("data", 20, 0, n_splits, n_repeats, sources, folds, 1 / (n_splits - 1))


def test_folds_of_both_stand_above_one_another() -> None:
    a, b = np.array([0.6, 0.7, 0.5, 0.6]), np.array([0.7, 0.7, 0.6, 0.5])
    figure = cross_validation_figure(folds_of(a, b, n_splits=2))
    top, below = figure.axes
    points = [line for line in top.lines if line.get_marker() == "o"]
    np.testing.assert_array_equal(points[0].get_ydata(), a)
    np.testing.assert_array_equal(points[1].get_ydata(), b)
    places = np.add.outer([-0.12, 0.12], [0, 1, 3, 4])  # equal dots stand side by side
    np.testing.assert_allclose([line.get_xdata() for line in points], places)
    (gaps,) = (line for line in below.lines if line.get_marker() == "o")
    np.testing.assert_array_equal(gaps.get_ydata(), b - a)


def test_no_axis_of_balanced_accuracy_goes_beyond_1() -> None:
    for a, b in (([1.0, 0.9, 1.0, 1.0], [1.0, 1.0, 0.9, 0.8]), ([0.5, 0.6, 0.5, 0.6], [0.5, 0.4, 0.6, 0.5])):
        top = cross_validation_figure(folds_of(np.array(a), np.array(b), n_splits=2)).axes[0]
        assert max(a) <= top.get_ylim()[1] <= 1.0
        assert not any(line.get_clip_on() for line in top.lines if line.get_marker() == "o")


def test_one_network_over_folds_has_one_part() -> None:
    assert len(cross_validation_figure(folds_of(np.array([0.6, 0.7]), n_splits=2)).axes) == 1


@every("n_test", [7, 50, 360, 10_000])
def test_bars_miss_no_start(n_test: int, tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    many = np.round(rng.normal(0.7, 0.03, (2, 300)) * n_test) / n_test
    runs = tuple(some(*one, letter=letter) for letter, one in zip("AB", many.tolist(), strict=True))
    figure = seed_figure(SeedComparison("data", "sample", n_test, 0.1, "7", 300, runs))
    for axes in figure.axes:
        assert sum(bar.get_height() for bar in axes.patches) == 300
    save_figure(figure, tmp_path / "figure.png")
