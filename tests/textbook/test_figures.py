"""The pictures: what is drawn, what it says, and where the photos come from."""

import itertools
from pathlib import Path
from typing import Any

import h5py
import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image
from tests.every import every
from tests.pictures import shown, words

from pellucid import textbook
from pellucid.errors import DataError, OptionError, ShapeError
from pellucid.textbook import (
    load_data,
    load_photo,
    plot_bar,
    plot_costs,
    plot_flattening,
    plot_network,
    plot_outline,
    print_mislabeled_images,
    visualize_images_and_labels,
)
from pellucid.types import Array

# as many as the published photos
TRAIN, TEST = (np.repeat([[0, 1]], counts, axis=1) for counts in ((137, 72), (17, 33)))


def test_load_data_from_a_folder(tmp_path: Path, rng: np.random.Generator) -> None:
    with pytest.raises(DataError, match=r"train_catvnoncat\.h5"):
        load_data(tmp_path)
    X = rng.integers(0, 256, (5, 4, 4, 3)).astype(np.uint8)
    for part, m in (("train", 5), ("test", 3)):
        with h5py.File(tmp_path / f"{part}_catvnoncat.h5", "w") as file:
            file[f"{part}_set_x"], file[f"{part}_set_y"] = X[:m], np.arange(m) % 2
            file["list_classes"] = np.array([b"non-cat", b"cat"])
    train_x, train_y, test_x, test_y, classes = load_data(tmp_path)
    np.testing.assert_array_equal(train_x, X)
    np.testing.assert_array_equal(test_x, X[:3])
    assert (train_y.tolist(), test_y.tolist()) == ([[0, 1, 0, 1, 0]], [[0, 1, 0]])
    assert classes.tolist() == [b"non-cat", b"cat"]


def test_load_data_by_default_reads_the_folder_in_the_environment(
    published_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PELLUCID_DATA_DIR", str(published_dir))
    train_x, train_y, test_x, test_y, classes = load_data()
    assert (train_x.shape, train_x.dtype, train_y.shape) == ((209, 64, 64, 3), np.uint8, (1, 209))
    assert (test_x.shape, test_y.shape) == ((50, 64, 64, 3), (1, 50))
    assert classes.tolist() == [b"non-cat", b"cat"]
    assert (train_y.sum(), test_y.sum()) == (72, 33)


def test_load_photo_is_pillows_default_resize_in_c_order(tmp_path: Path, rng: np.random.Generator) -> None:
    pixels = rng.integers(0, 256, (9, 13, 3)).astype(np.uint8)
    Image.fromarray(pixels).save(tmp_path / "photo.png")
    photo, x = load_photo(tmp_path / "photo.png", num_px=4)
    np.testing.assert_array_equal(photo, pixels)
    wanted = np.asarray(Image.fromarray(pixels).resize((4, 4))).reshape(1, 48).T / 255
    np.testing.assert_array_equal(x, wanted)
    assert x.dtype == np.float64


@every("relative", [False, True])
def test_bars_of_train_and_test_stand_side_by_side(relative: bool) -> None:
    plt.close("all")
    plot_bar(TRAIN, loc="left", relative=relative)
    figure = plot_bar(TEST, loc="right", relative=relative)
    (axes,) = figure.axes
    wanted = [137, 72, 17, 33] if not relative else [100 * 137 / 209, 100 * 72 / 209, 34, 66]
    np.testing.assert_allclose([bar.get_height() for bar in axes.patches], wanted)
    legend = [text.get_text() for text in axes.get_legend().get_texts()]
    assert legend == ["Training dataset: (209 images)", "Test dataset: (50 images)"]
    assert axes.get_ylabel() == ("Percent of the dataset" if relative else "Number of images")
    spans = sorted((bar.get_x(), bar.get_x() + bar.get_width()) for bar in axes.patches)
    assert all(left_end <= right_start for (_, left_end), (right_start, _) in itertools.pairwise(spans))
    assert [label.get_text() for label in axes.get_xticklabels()] == ["non-cat", "cat"]  # and not 0 and 1
    assert axes.get_xlabel() == "Class"
    assert words(figure) == (["137", "72", "17", "33"] if not relative else ["66 %", "34 %", "34 %", "66 %"])


def test_bars_go_on_the_current_axes_with_names_of_ones_own() -> None:
    figure, (_, right) = plt.subplots(1, 2)
    assert plot_bar(np.array([2, 0, 2]), classes=("cat", "dog", "owl")) is figure
    assert [bar.get_height() for bar in right.patches] == [1, 0, 2]
    assert [label.get_text() for label in right.get_xticklabels()] == ["cat", "dog", "owl"]


@every(
    ("y", "loc", "error", "message"),
    [
        ([[0, 5]], "left", DataError, r"plot_bar: expected labels from 0 to 1, got \[0 5\]"),
        ([[0.5]], "left", DataError, r"plot_bar: expected labels from 0 to 1, got \[0.5\]"),
        ([[-1]], "left", DataError, r"plot_bar: expected labels from 0 to 1, got \[-1\]"),
        ([[0], [1]], "left", ShapeError, r"expected labels of shape \(1, m\), got \(2, 1\)"),
        ([[1]], "centre", OptionError, r'plot_bar: expected loc "left" \(train\) or "right" \(test\), got'),
        ([[1]], None, OptionError, r'plot_bar: expected loc "left" \(train\) or "right" \(test\), got'),
    ],
)
def test_bars_of_wrong_labels_or_places(y: Any, loc: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        plot_bar(np.array(y), loc=loc)


def numbered(m: int) -> Array:
    """Return m photos, each of one brightness that tells which it is."""
    return np.broadcast_to(np.arange(m, dtype=np.uint8)[:, None, None, None], (m, 2, 2, 3))


def drawn(figure: Figure) -> list[int]:
    return [int(picture[0, 0, 0]) for picture in shown(figure)]


def test_samples_are_seeded_and_carry_their_own_labels() -> None:
    images, labels = numbered(50), np.arange(50).reshape(1, -1) % 2
    figure = visualize_images_and_labels(25, images=images, labels=labels)
    first = drawn(figure)
    assert len(set(first)) == 25
    assert words(figure)[1:] == [f"y ={i % 2}" for row in range(5) for i in first[5 * row : 5 * row + 5]]
    assert first == drawn(visualize_images_and_labels(25, images=images, labels=labels, seed=101))
    assert first != drawn(visualize_images_and_labels(25, images=images, labels=labels, seed=102))


@every(("flag", "title"), [(1, "Training dataset"), (2, "Test dataset")])
def test_samples_of_train_and_test(
    flag: int, title: str, published_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PELLUCID_DATA_DIR", str(published_dir))
    figure = visualize_images_and_labels(25, flag)
    assert words(figure)[0] == title
    train_x, _, test_x, _, _ = load_data(published_dir)
    own = {image.tobytes() for image in (train_x, test_x)[flag - 1]}
    assert len(shown(figure)) == 25
    assert all(picture.tobytes() in own for picture in shown(figure))


@every(
    ("options", "error", "message"),
    [
        ({"dataset_flag": 3}, OptionError, r"expected dataset_flag 1 \(train\) or 2 \(test\), got 3"),
        ({"num_visualized_images": 0}, OptionError, "expected at least one image, got 0"),
        ({"labels": None}, OptionError, "expected images and labels together"),
        ({"images": None}, OptionError, "expected images and labels together"),
        ({"labels": np.array([[1]])}, ShapeError, r"expected labels of shape \(1, 4\), got \(1, 1\)"),
        ({"images": np.zeros((4, 12))}, ShapeError, "expected images of shape"),
    ],
)
def test_wrong_samples(options: dict, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        visualize_images_and_labels(**{"images": numbered(4), "labels": np.zeros((1, 4), int), **options})


@every("classes", [[b"non-cat", b"cat"], ("non-cat", "cat"), np.array([b"non-cat", b"cat"])])
def test_mislabeled_images_show_what_they_are(classes) -> None:
    X = numbered(4).reshape(4, -1).T
    figure = print_mislabeled_images(classes, X, np.array([[0, 1, 0, 1]]), np.array([[0.0, 0.0, 1.0, 1.0]]))
    assert words(figure)[1:] == ["Prediction: non-cat ", " Class: cat", "Prediction: cat ", " Class: non-cat"]
    assert drawn(figure) == [1, 2]
    assert words(figure)[0] == "2 of 4 images mislabeled"


@every(
    ("n_x", "shape", "y", "message"),
    [
        (13, None, [[0, 1]], r"got \(13, 2\)\. Try image_shape=\(height, width, channels\)"),
        (12, (3, 3), [[0, 1]], r"holding images \(3, 3\), got \(12, 2\)"),
        (12, None, [[0, 1, 1]], r"got \(12, 2\), \(1, 3\) and \(1, 2\)"),
    ],
)
def test_mislabeled_images_that_do_not_fit(n_x: int, shape: Any, y: Any, message: str) -> None:
    p = np.array([[1, 1]])
    with pytest.raises(ShapeError, match=message):
        print_mislabeled_images(["a", "b"], np.zeros((n_x, 2)), np.array(y), p, image_shape=shape)


def test_cost_curve_is_red_with_a_grid_and_a_legend() -> None:
    (axes,) = plot_costs([0.8, 0.6, 0.5], 151, learning_rate=0.0075).axes
    (line,) = axes.lines
    red, green, blue = (int(line.get_color()[i : i + 2], 16) for i in (1, 3, 5))
    assert red > 2 * max(green, blue)
    assert line.get_xydata().tolist() == [[0, 0.8], [100, 0.6], [150, 0.5]]
    assert axes.get_xlabel() == "Iteration"  # and not epoch
    assert axes.xaxis.get_gridlines()[0].get_visible()
    assert "0.0075" in axes.get_legend().get_texts()[0].get_text()


def test_drawings_name_widths_activations_and_functions_that_exist_and_count_the_numbers() -> None:
    said = words(plot_network([12288, 20, 7, 5, 1]))
    assert "12288 → 20 → 7 → 5 → 1" in said
    assert [word for word in said if word in ("relu", "sigmoid")] == ["relu", "relu", "relu", "sigmoid"]
    assert "64 × 64 × 3 = 12288 numbers" in words(plot_flattening(np.zeros((64, 64, 3), np.uint8)))
    said = ["".join(word.split()) for word in words(plot_outline())]
    assert sum(hasattr(textbook, word) for word in said) == 11  # six forward, five backward
    assert sum(word.startswith("cache:") for word in said) == 4
