"""Figures of comparisons: what they show is what they were given."""

from pathlib import Path

import numpy as np
import pytest
from tests.pictures import words

from pellucid.data.dataset import Dataset
from pellucid.errors import ShapeError
from pellucid.evaluation.comparison.figures import (
    comparison_figure,
    cross_validation_figure,
    disputed_pictures,
)
from pellucid.evaluation.comparison.seed_figures import lottery_figure
from pellucid.plotting.saving import save_figure
from pellucid.stats.t_tests import FoldMean, corrected_t_interval


def test_the_bar_has_every_sample_in_its_place(tmp_path: Path) -> None:
    figure = comparison_figure(
        [0.8, 0.74], [(0.67, 0.89), (0.6, 0.84)], (35, 5, 2, 8), ["mlp", "$5 net"], baseline=(0.66, "cat")
    )
    scores, who = figure.axes
    widths = [bar.get_width() for bar in who.patches if bar.get_width()]
    assert widths == [35, 5, 2, 8]
    assert [text.get_text() for text in scores.get_yticklabels()] == ["A: mlp", "B: $5 net"]
    assert any("always 'cat': 0.66" in text.get_text() for text in scores.texts)
    save_figure(figure, tmp_path / "figure.png")


def test_a_far_baseline_does_not_squeeze_the_scores() -> None:
    figure = comparison_figure(
        [0.98, 0.97], [(0.97, 0.99), (0.96, 0.98)], (9, 0, 0, 1), "ab", baseline=(0.1, "7")
    )
    assert figure.axes[0].get_xlim()[0] > 0.9


def test_disputed_pictures_name_who_was_right() -> None:
    data = Dataset(np.zeros((6, 4, 4, 3), np.uint8), np.array([0, 1, 0, 1, 0, 1]), ("non-cat", "cat"))
    a, b = np.array([0, 1, 0, 0, 1, 1]), np.array([0, 0, 1, 1, 0, 1])
    figure = disputed_pictures(data, [1, 2], [3, 4], (a, b))
    assert words(figure)[1:5] == ["only A is right", "A: cat", "B: non-cat", "image 1"]
    assert words(figure)[-4:] == ["only B is right", "A: cat", "B: non-cat", "image 4"]
    few = disputed_pictures(data, [1, 2], [3, 4], (a, b), max_images=2)
    assert [text for text in words(few) if text.startswith("image")] == ["image 1", "image 3"]
    assert "No image" in disputed_pictures(data, [], [], (a, b)).texts[0].get_text()


def test_folds_of_both_stand_above_one_another() -> None:
    a, b = np.array([0.6, 0.7, 0.5, 0.6]), np.array([0.7, 0.7, 0.6, 0.5])
    means = [corrected_t_interval(x, 1.0) for x in (a, b)]
    figure = cross_validation_figure([a, b], means, corrected_t_interval(b - a, 1.0), ["x", "y"], n_splits=2)
    top, below = figure.axes
    points = [line for line in top.lines if line.get_marker() == "o"]
    np.testing.assert_array_equal(points[0].get_ydata(), a)
    np.testing.assert_array_equal(points[1].get_ydata(), b)
    np.testing.assert_array_equal(points[0].get_xdata(), [0, 1, 3, 4])
    (gaps,) = (line for line in below.lines if line.get_marker() == "o")
    np.testing.assert_array_equal(gaps.get_ydata(), b - a)
    with pytest.raises(ShapeError, match="same folds"):
        cross_validation_figure([a, b[:2]], means, None, ["x", "y"], n_splits=2)


def test_one_network_over_folds_has_one_part() -> None:
    a = np.array([0.6, 0.7])
    assert (
        len(cross_validation_figure([a], [FoldMean(0.65, None, None, None)], None, ["x"], n_splits=2).axes)
        == 1
    )


def test_every_start_is_a_dot_over_its_score() -> None:
    scores = np.array([0.70, 0.72, 0.72, 0.74, 0.72])
    figure = lottery_figure(
        [scores], ["mlp"], n_test=50, baseline=(0.66, "cat"), reference=(0.8, "published")
    )
    (dots,) = (line for line in figure.axes[0].lines if line.get_marker() == "o")
    np.testing.assert_allclose(np.sort(dots.get_xdata()), np.sort(scores))
    assert sorted(zip(dots.get_xdata().round(2), dots.get_ydata(), strict=True)) == [
        (0.70, 0.5),
        (0.72, 0.5),
        (0.72, 1.5),
        (0.72, 2.5),
        (0.74, 0.5),
    ]
    assert {text.get_text() for text in figure.axes[0].texts} == {"always 'cat': 0.66", "published: 0.80"}


@pytest.mark.parametrize("n_test", [7, 50, 360, 10_000])
def test_many_starts_become_bars_that_miss_none(n_test: int, tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    many = [np.round(rng.normal(0.7, 0.03, 300) * n_test) / n_test for _ in range(2)]
    figure = lottery_figure(many, ["x", "y"], n_test=n_test, baseline=(0.1, "7"))
    for axes in figure.axes:
        assert sum(bar.get_height() for bar in axes.patches) == 300
    save_figure(figure, tmp_path / "figure.png")


def test_a_lottery_without_luck_and_without_starts() -> None:
    assert lottery_figure([np.full(5, 0.7)], ["x"], n_test=10, baseline=(0.5, "a")).axes
    with pytest.raises(ShapeError, match="one score or more"):
        lottery_figure([np.zeros(0)], ["x"], n_test=10, baseline=(0.5, "a"))
