"""Figures of a training, and the first look at data: what is drawn, and that it can be read."""

import numpy as np
import pytest
from matplotlib.figure import Figure
from tests.every import every

import pellucid as pl
from pellucid.data.dataset import Dataset, Split
from pellucid.data.readers.table import split_table
from pellucid.data.readers.table_text import table_of
from pellucid.errors import OptionError
from pellucid.nn.presets import preset
from pellucid.plotting.data import class_histogram
from pellucid.plotting.learning_rate import learning_rate_curves
from pellucid.plotting.network import network_diagram
from pellucid.plotting.style import INK, RED, class_names
from pellucid.plotting.tables import column_histograms
from pellucid.plotting.training import cost_curve, training_curves
from pellucid.types import LayerRow

COLUMNS = {
    "loss": [0.7, 0.5, 0.3],
    "validation_loss": [0.7, 0.6, 0.8],
    "accuracy": [0.5, 0.8, 1.0],
    "validation_accuracy": [0.5, 0.7, 0.6],
    "learning_rate": [0.1, 0.1, 0.1],
}


def test_loss_and_accuracy_stand_side_by_side_with_the_best_epoch_marked() -> None:
    figure = training_curves(COLUMNS, best=1, baseline=("Guessing", 0.69))
    assert [axes.get_title("left") for axes in figure.axes] == ["Loss", "Accuracy"]
    wanted = ((0.6, "0.3", "0.8"), (0.7, "100 %", "60 %"))
    for axes, (best, training, validation) in zip(figure.axes, wanted, strict=True):
        curves = {line.get_label(): line for line in axes.lines}
        assert np.ravel(curves["Best epoch: 2"].get_data()).tolist() == [2, best]
        assert {f"Training: {training} at the end", f"Validation: {validation} at the end"} <= set(curves)


@every("n", [1, 2, 3, 7, 120])
def test_ticks_are_whole_epochs(n: int) -> None:
    figure = training_curves({"loss": np.linspace(1, 0.1, n).tolist()}, x_label="Step, each on all rows")
    figure.canvas.draw()
    (axes,) = figure.axes
    assert all(float(tick).is_integer() for tick in axes.get_xticks())
    assert axes.get_xlabel() == "Step, each on all rows"
    marked = training_curves({"loss": [0.7, 0.5]}, x_label="Step, each on all rows", first=0, best=1).axes[0]
    assert "Best step: 1" in [line.get_label() for line in marked.lines]
    assert training_curves({"loss": [np.nan] * n}).axes  # never finite


def of_classes(k: int, n: int) -> Dataset:
    y, names = np.repeat(np.arange(k), n), tuple(f"species {i:02d}" for i in range(k))
    return Dataset(np.zeros((len(y), 4, 4, 3), np.uint8), y, names)


@every("k", [2, 8])
def test_photos_are_counted_in_whole_numbers(k: int) -> None:
    (axes,) = class_histogram(Split(of_classes(k, 2), of_classes(k, 1))).axes
    ticks = axes.get_yticks() if k == 2 else axes.get_xticks()
    assert len(ticks) >= 2
    np.testing.assert_array_equal(ticks, np.round(ticks))


def test_the_numbers_of_20_classes_can_be_read() -> None:
    figure = class_histogram(Split(of_classes(20, 25), of_classes(20, 25)))
    sizes = [text.get_fontsize() for text in figure.axes[0].texts]
    bar = figure.axes[0].patches[0].get_height() * figure.get_figheight() / 20 * 72  # points, about
    assert 8 <= min(sizes) <= max(sizes) <= bar


def test_long_names_keep_what_differs() -> None:
    dates = [f"1912-04-{day}" for day in range(10, 14)]
    assert class_names(dates, range(4), 9) == ["…12-04-10", "…12-04-11", "…12-04-12", "…12-04-13"]
    assert class_names(["a very long name", "cat"], [0, 1], 8) == ["a very …", "cat"]
    assert class_names(["cat", "cat"], [0, 1], 9) == ["cat", "cat"]
    days = [f"dock {i} of the port of no. {i}" for i in range(4)]
    rows = [{"day": days[i % 4], "pet": ("cat", "dog")[i % 2]} for i in range(60)]
    split = split_table(table_of(rows), target="pet", name="pets", seed=1, test_fraction=0.2)
    axes = column_histograms(split).axes[0]
    assert len({label.get_text() for label in axes.get_xticklabels()}) == 4


def test_a_cost_is_drawn_from_the_first_iteration_to_the_last() -> None:
    (axes,) = cost_curve(np.arange(120), np.linspace(0.7, 0.1, 120)).axes
    assert axes.get_xlim() == (0, 119)
    assert all(tick == round(tick) for tick in axes.get_xticks())
    low, high = cost_curve([5], [0.7]).axes[0].get_xlim()
    assert low < 5 < high


def test_losses_above_the_frame_are_triangles_at_its_top() -> None:
    rounds = [(10, [(0.01, 0.7), (0.1, 0.5), (1.0, 1e6), (10.0, None)])]
    axes = learning_rate_curves(rounds, constant=0.69, suggestion=0.1).axes[0]
    top = axes.get_ylim()[1]
    drawn = np.concatenate([np.asarray(line.get_ydata(), float) for line in axes.lines])
    assert np.nanmax(drawn) < top
    (triangles,) = (line for line in axes.lines if line.get_marker() == "^" and len(line.get_xdata()))
    assert list(triangles.get_xdata()) == [1.0]
    assert any(text.get_text().startswith("Above ") for text in axes.get_legend().get_texts())
    calm = learning_rate_curves([(10, [(0.01, 0.7), (0.1, 0.5)])], constant=0.69, suggestion=0.1).axes[0]
    assert not any(text.get_text().startswith("Above ") for text in calm.get_legend().get_texts())


def test_a_small_network_is_a_small_drawing() -> None:
    """Of the height half and more is units and words; nothing leaves the figure."""

    heights = []
    for n in (2, 9):
        model = pl.Sequential([pl.Dense(n), pl.Dense(1)])
        model.initialize((2,))
        axes = model.plot()
        heights.append(axes.figure.get_figheight())
        places = [np.asarray(each.get_offsets()) for each in axes.collections if len(each.get_offsets())]
        dots = np.concatenate([place for place in places if place.any()])
        lines = sorted(text.get_position()[1] for text in axes.texts)
        assert 0 < lines[0] < lines[-1] < heights[-1]
        assert dots[:, 0].max() < axes.figure.get_figwidth()
        assert max(np.diff([0.0, *lines, heights[-1]])) < 1.2 + np.ptp(dots[:, 1])
    assert heights[0] < 2.8 < heights[1]


def test_of_equal_networks_one_is_drawn_and_inputs_are_named() -> None:
    model = preset("realmlp-mean")
    model.initialize((3,))
    words = [text.get_text() for text in model.plot().texts]
    assert words[:2] == ["From 3 to 1", f"{model.n_params:,} parameters in all"]
    assert (words.count("Affine"), words.count("Mean of 4 like it")) == (1, 1)
    rows = [LayerRow("dense_1", "Dense", "linear", (1,), 3, 0)]
    named = network_diagram(rows, input_shape=(2,), inputs=["rooms", "lift"]).axes[0]
    assert {"rooms", "lift"} <= {text.get_text() for text in named.texts}


def test_pictures_with_what_was_predicted() -> None:
    data = Dataset(np.zeros((3, 8, 8, 3), np.uint8), np.array([0, 1, 1]), ("non-cat", "cat"))
    texts = data.plot(predicted=np.array([0, 0, 1]), ax=Figure().add_subplot()).texts
    assert [text.get_text() for text in texts] == ["non-cat\n→ non-cat", "cat\n→ non-cat", "cat\n→ cat"]
    assert [text.get_color() for text in texts] == [INK, RED, INK]
    with pytest.raises(OptionError, match=r"class for each of the 3 pictures, got shape \(2,\)"):
        data.plot(predicted=[0, 1], ax=Figure().add_subplot())
