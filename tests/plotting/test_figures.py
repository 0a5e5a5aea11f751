"""The figures show the numbers that they were given, and nothing on them runs into anything else."""

import io
import subprocess
import sys

import matplotlib
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from PIL import Image
from tests.every import every
from tests.pictures import assert_readable, shown, words

from pellucid.data.dataset import Dataset, Split
from pellucid.errors import DataError, OptionError, ShapeError
from pellucid.plotting.data import class_histogram, confusion_matrix_figure, sample_grid
from pellucid.plotting.grid import Page
from pellucid.plotting.network import network_diagram
from pellucid.plotting.photo import new_photo
from pellucid.plotting.saving import figure_png
from pellucid.plotting.training import cost_curve
from pellucid.plotting.vector import image_to_vector
from pellucid.types import LayerRow

CATS = ("non-cat", "cat")
TEN = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
LONG = tuple(f"a class with quite a long name {i}" for i in range(10))
BREEDS = tuple(f"breed number {i}" for i in range(24))
MLP = (
    LayerRow("flatten_1", "Flatten", "", (12288,), 0, 0),
    *(
        LayerRow(f"dense_{i}", "Dense", "relu" if i < 4 else "", (n,), size, 0)
        for i, (n, size) in enumerate([(20, 245780), (7, 147), (5, 40), (1, 6)], start=1)
    ),
)
WIDE = tuple(LayerRow(f"d{i}", "Dense", "leaky_relu", (4096,), 4096 * 4097, 0) for i in range(6))
CONVOLUTIONS = (
    LayerRow("conv", "Conv2D", "leaky_relu", (128, 128, 256), 12_345_678, 0),
    LayerRow("norm", "BatchNorm", "", (128, 128, 256), 512, 0),
    LayerRow("pool", "MaxPool", "", (64, 64, 256), 0, 0),
) * 6 + (
    LayerRow("flatten", "Flatten", "", (9216,), 0, 0),
    LayerRow("dense", "Dense", "", (10,), 92170, 0),
)


def images(rng: np.random.Generator, m: int, shape: tuple[int, ...], classes: tuple[str, ...]) -> Dataset:
    X = rng.integers(0, 256, (m, *shape), dtype=np.uint8)
    return Dataset(X, rng.integers(0, max(len(classes), 2), m), classes)


def test_the_histogram_has_the_counts_and_percents_of_both_parts() -> None:
    def part(n_others: int, n_cats: int) -> Dataset:
        y = np.repeat([0, 1], [n_others, n_cats])
        return Dataset(np.zeros((len(y), 2, 2, 3), np.uint8), y, CATS)

    figure = class_histogram(Split(part(137, 72), part(17, 33)))
    (axes,) = figure.axes
    assert [bar.get_height() for bar in axes.patches] == [137, 72, 17, 33]
    assert [t.get_text() for t in axes.texts] == ["137\n66 %", "72\n34 %", "17\n34 %", "33\n66 %"]
    assert [t.get_text() for t in axes.get_xticklabels()] == list(CATS)
    labels = [t.get_text() for t in axes.get_legend().get_texts()]
    assert labels == ["Training part: 209 photos", "Test part: 50 photos"]
    train, test = axes.patches[1], axes.patches[3]  # of one class: beside each other, around its tick
    assert train.get_x() < 1 < test.get_x()
    assert train.get_x() + train.get_width() <= test.get_x() + 1e-9

    assert axes.get_ylabel() == "Number of photos"
    rows = Dataset(np.zeros((3, 4)), np.array([0, 1, 1]), noun="row")  # of a table
    assert class_histogram(Split(rows, rows)).axes[0].get_ylabel() == "Number of rows"


def test_the_grid_is_drawn_by_its_seed_and_repeats_only_when_it_must(rng: np.random.Generator) -> None:
    data = images(rng, 7, (4, 4, 3), ())

    def drawn(**options: int) -> list[bytes]:
        return [picture.tobytes() for picture in shown(sample_grid(data, "t", **options))]

    first = drawn(n_images=7)
    assert drawn(n_images=7) == first != drawn(n_images=7, seed=2)
    assert len(set(first)) == 7
    more = drawn(n_images=16)
    assert sorted(more.count(one) for one in set(more)) == [2, 2, 2, 2, 2, 3, 3]
    assert words(sample_grid(data, "t", n_images=1))[1] in {"y = 0", "y = 1"}


@every(
    ("shape", "error", "message"),
    [
        ((3, 12288), ShapeError, r"sample_grid: expected images.*got \(3, 12288\).*flattened"),
        ((3, 4, 4, 2), ShapeError, "got"),
        ((0, 4, 4, 3), DataError, "got none"),
    ],
)
def test_what_is_no_image_is_refused(shape: tuple[int, ...], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        sample_grid(Dataset(np.zeros(shape), np.zeros(shape[0], int)), "t")


@every("shape", [(64, 64, 3), (5, 7, 3), (8, 8), (8, 8, 1), (1, 1, 3), (2, 1, 4)])
def test_the_column_is_the_flattened_image(rng: np.random.Generator, shape: tuple[int, ...]) -> None:
    image = rng.integers(0, 256, shape, dtype=np.uint8)
    main, small = image_to_vector(image, "y = 1 (cat)").axes
    assert np.array_equal(np.asarray(small.images[0].get_array()).squeeze(), image.squeeze())
    cube = image.reshape(*shape[:2], -1)
    height, width, n = cube.shape
    vector = image.reshape(-1)  # the definition: C order
    said = [t.get_text() for t in main.texts]
    assert f"{height} × {width} × {n} = {vector.size} numbers" in said
    entries = [word for word in said[said.index("row, col") + 1 : -1] if word != "⋮"]
    for i, value, scaled, origin in zip(*[iter(entries)] * 4, strict=True):
        row, column, *letter = origin.replace(",", "").split()
        place = int(row), int(column), "RGBA".index(letter[0]) if n > 1 else 0
        assert int(i) == np.ravel_multi_index(place, cube.shape)
        assert (int(value), scaled) == (vector[int(i)], f"{vector[int(i)] / 255:.3f}")
    indices = [int(i) for i in entries[::4]]
    assert indices == sorted(set(indices))
    second_row = {width * n} if height > 1 else set()
    assert {0, vector.size - 1} | second_row <= set(indices)


def test_the_published_network_is_drawn_with_its_shapes_and_counts() -> None:
    figure = network_diagram(MLP, input_shape=(64, 64, 3))
    said = words(figure)
    assert said[:2] == ["64 × 64 × 3 → 12288 → 20 → 7 → 5 → 1", "245,973 parameters in all"]
    assert {"12288 × 20 + 20\n= 245,780", "5 × 1 + 1\n= 6"} <= set(said)
    assert (said.count("relu"), said.count("linear")) == (3, 1)
    units = [c for c in figure.axes[0].collections if not isinstance(c, LineCollection)]
    discs = [len(c.get_offsets()) for c in units if c.get_sizes()[0] > 50]
    assert discs == [8, 8, 7, 5, 1]  # of wide layers four and four
    assert len(units) == len(discs) + 2  # dots
    wires = [len(c.get_segments()) for c in figure.axes[0].collections if isinstance(c, LineCollection)]
    assert wires == [64, 56, 35, 5]


def test_any_other_network_is_drawn_as_boxes() -> None:
    figure = network_diagram(CONVOLUTIONS, input_shape=(128, 128, 3))
    said = words(figure)
    assert said[0] == "20 layers, from 128 × 128 × 3 to 10"
    assert (said.count("64 × 64 × 256"), said.count("512 parameters")) == (6, 6)
    assert len(figure.axes[0].patches) == 21
    odd = network_diagram([MLP[1]._replace(n_params=20)], input_shape=(12288,))  # no bias, or tied weights
    assert "20\nparameters" in words(odd)
    with pytest.raises(OptionError, match="at least one layer"):
        network_diagram([], input_shape=(4,))


def test_the_cost_curve_plots_the_costs_over_their_iterations() -> None:
    iterations, costs = [0, 100, 200, 249], [0.77, 0.67, 0.64, 0.0884399]
    (axes,) = cost_curve(iterations, costs, learning_rate=0.0075).axes
    (line,) = axes.lines
    assert np.array_equal(line.get_xdata(), iterations)
    assert np.array_equal(line.get_ydata(), costs)
    assert [t.get_text() for t in axes.texts] == ["0.08844\nat 249"]
    assert (axes.get_yscale(), axes.get_ylim()[0]) == ("linear", 0)


def test_a_diverged_run_is_drawn_up_to_where_it_is_finite() -> None:
    assert words(cost_curve([0, 1, 2], [1.0, 3.0, np.inf])) == ["3\nat 1"]
    assert words(cost_curve([0], [np.nan])) == ["no finite cost was measured"]
    assert cost_curve([0, 1], [-1.0, -2.0]).axes[0].get_ylim()[0] < -2
    for x, y in (([], []), ([0, 1], [1.0])):
        with pytest.raises(ShapeError, match="cost_curve: expected"):
            cost_curve(x, y)


def test_the_confusion_matrix_has_true_classes_in_rows() -> None:
    (axes,) = confusion_matrix_figure(np.array([[12, 4], [5, 28]]), CATS).axes
    assert {t.get_position(): t.get_text() for t in axes.texts} == {
        (0, 0): "12\n75 %",
        (1, 0): "4\n25 %",  # true non-cat, predicted cat: to the right of the diagonal
        (0, 1): "5\n15 %",
        (1, 1): "28\n85 %",
    }
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("Predicted class", "True class")
    assert [t.get_text() for t in axes.get_yticklabels()] == list(CATS)
    hits, mistakes = (image.get_array() for image in axes.images)
    np.testing.assert_allclose(np.ma.filled(hits, 0), [[0.75, 0], [0, 28 / 33]])
    np.testing.assert_allclose(np.ma.filled(mistakes, 0), [[0, 0.25], [5 / 33, 0]])
    empty = confusion_matrix_figure(np.array([[3, 0], [0, 0]]), ())
    assert words(empty) == ["3\n100 %", "0\n0 %", "0\n0 %", "0\n0 %"]


def test_a_new_photo_is_shown_beside_what_the_network_sees(rng: np.random.Generator) -> None:
    original = rng.integers(0, 256, (300, 200, 3), dtype=np.uint8)
    seen = rng.integers(0, 256, (64, 64, 3), dtype=np.uint8)
    figure = new_photo(original, seen, label="cat", probability=0.97, y=1)
    left, right = shown(figure)
    assert np.array_equal(left, original)
    assert np.array_equal(right, seen)
    said = words(figure)
    assert said[:2] == ['y = 1.0, your L-layer model predicts a "cat" picture.', 'Probability of "cat": 97 %']
    assert "The photo as given: 200 × 300 pixels" in said  # width first
    plain = new_photo(original, seen[..., 0], label="dog", probability=0.5)
    assert 'The network predicts "dog".' in words(plain)


def every_figure(rng: np.random.Generator) -> dict[str, Figure]:
    two = Split(images(rng, 90, (64, 64, 3), CATS), images(rng, 40, (64, 64, 3), CATS))
    ten = Split(images(rng, 900, (8, 8), TEN), images(rng, 100, (8, 8), TEN))
    long = Split(images(rng, 9000, (2, 2), LONG), images(rng, 9000, (2, 2), LONG))
    many = Split(images(rng, 2000, (2, 2), BREEDS), images(rng, 500, (2, 2), BREEDS))
    six = Split(images(rng, 90_000, (2, 2), LONG[:6]), images(rng, 20_000, (2, 2), LONG[:6]))
    x = np.arange(0, 2500, 100)
    falling = np.exp(-x / 900)
    photo = two.train.X[0]
    return {
        "histogram": class_histogram(two),
        "histogram of ten": class_histogram(ten),
        "histogram, long names": class_histogram(long),
        "histogram of 24": class_histogram(many),
        "histogram of six": class_histogram(six),
        "grid": sample_grid(two.train, "Training images"),
        "grid, long names": sample_grid(long.train, "Training images", n_images=8),
        "vector": image_to_vector(photo, "y = 1 (cat)"),
        "vector, wide": image_to_vector(np.full((100, 300, 3), 255, np.uint8), "y = 1 (cat)"),
        "vector, long name": image_to_vector(photo, f"y = 1 ({LONG[0]})"),
        "vector, grey": image_to_vector(ten.train.X[0]),
        "vector, floats": image_to_vector(photo / 255),
        "network": network_diagram(MLP, input_shape=(64, 64, 3)),
        "network, wide": network_diagram(WIDE, input_shape=(64, 64)),
        "network, one layer": network_diagram([MLP[4]], input_shape=(5,)),
        "network, convolutions": network_diagram(CONVOLUTIONS, input_shape=(128, 128, 3)),
        "cost": cost_curve(x, falling, learning_rate=0.0075),
        "confusion": confusion_matrix_figure(np.array([[12, 5], [5, 28]]), CATS),
        "confusion of ten": confusion_matrix_figure(rng.integers(0, 999, (10, 10)), TEN),
        "confusion of 24": confusion_matrix_figure(rng.integers(0, 99, (24, 24)), BREEDS),
        "confusion, long names": confusion_matrix_figure(rng.integers(0, 99, (10, 10)), LONG),
        "photo": new_photo(photo, photo, label="cat", probability=0.97, y=1),
        "photo, long name": new_photo(photo, photo, label=LONG[0] * 2, probability=0.97, y=1),
    }


@pytest.mark.slow
def test_no_text_of_any_figure_overlaps_another_or_is_cut_off(rng: np.random.Generator) -> None:
    @every(("name", "figure"), every_figure(rng).items())
    def check(name: str, figure: Figure) -> None:
        assert_readable(figure)

    check()


def test_class_names_are_words_and_never_formulas(rng: np.random.Generator) -> None:
    data = images(rng, 4, (4, 4, 3), ("$x^2$", "two\nlines"))
    figure = sample_grid(data, "$\\frac$", n_images=4)
    assert_readable(figure)  # matplotlib would raise on this title if it read it as TeX
    assert set(words(figure)[1:]) <= {"y = 0 ($x^2$)", "y = 1 (two lines)"}


def test_the_settings_of_matplotlib_are_neither_changed_nor_used(rng: np.random.Generator) -> None:
    mine = {"axes.facecolor": "black", "text.usetex": True, "image.interpolation": "bilinear"}
    with matplotlib.rc_context(mine):
        before = dict(matplotlib.rcParams)
        data = images(rng, 9, (4, 4), TEN)
        figures = [class_histogram(Split(data, data)), sample_grid(data, "t", n_images=4)]
        figures += [network_diagram(MLP, input_shape=(64, 64, 3)), cost_curve([0, 1], [2.0, 1.0])]
        assert dict(matplotlib.rcParams) == before
        assert figures[-1].axes[0].get_facecolor() == (1, 1, 1, 1)
        assert not figures[-1].axes[0].xaxis.label.get_usetex()


@pytest.mark.slow
def test_matplotlib_is_imported_by_the_first_figure_and_pyplot_never() -> None:
    code = """
import sys
import pellucid.plotting.training as figures, pellucid.plotting.data, pellucid.plotting.photo
import pellucid.reporting.html
from pellucid.plotting.saving import figure_png
assert not {"matplotlib", "jinja2", "PIL"} & set(sys.modules), "imported too early"
figure_png(figures.cost_curve([0, 1], [1.0, 0.5]))
assert "matplotlib" in sys.modules
assert "matplotlib.pyplot" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_figure_is_drawn_in_its_own_look_whoever_saves_it() -> None:
    page = Page("Words")
    page.text("The network predicts what its training samples taught it, word for word, " * 3)
    figure = page.figure()
    FigureCanvasAgg(figure)
    with matplotlib.rc_context({"text.hinting": "force_autohint", "font.family": "serif"}):
        plain = io.BytesIO()
        figure.savefig(plain, format="png", dpi=150)
    drawn = [np.asarray(Image.open(png).convert("RGB")) for png in (plain, io.BytesIO(figure_png(figure)))]
    assert np.array_equal(*drawn)
