"""The records of data: their short repr, and their pictures in a notebook."""

from pathlib import Path

import numpy as np
import pytest
from matplotlib import pyplot
from matplotlib.figure import Figure
from tests.every import every

from pellucid.data.built_in import load_drawn_cats
from pellucid.data.dataset import Dataset, Split
from pellucid.data.source import load_data
from pellucid.errors import OptionError


def test_a_split_has_a_short_repr_and_its_pictures_in_a_notebook() -> None:
    cats = load_drawn_cats()
    assert len(repr(cats)) < 200
    for fact in ("drawn-cats", "209", "64 × 64 × 3", "105 cat", "50"):
        assert fact in repr(cats)
    assert cats._repr_html_().count("data:image/webp;base64,") == 2


@every("shape", [(3, 8, 8), (3, 8, 8, 1), (3, 8, 8, 4)])
def test_pictures_of_any_dtype_are_shown(shape: tuple[int, ...], rng: np.random.Generator) -> None:
    for X in (rng.random(shape), rng.random(shape) > 0.5, np.full(shape, np.nan), np.zeros(shape, np.int64)):
        assert "data:image/webp" in Dataset(X, np.zeros(3, np.int64), ("a",))._repr_html_()


def test_rows_of_numbers_have_words_and_their_beginning() -> None:
    data = Dataset(np.arange(30.0).reshape(3, 10) / 8, np.array([0.5, 1, 2]))
    page = data._repr_html_()
    assert page.startswith("<p>3 samples of 10, float64</p><table>")
    assert "<th>x8</th><th>…</th><th>y</th>" in page
    assert "<td>0</td><td>0.125</td>" in page
    two = Dataset({"photo": np.zeros((2, 4, 4)), "facts": np.zeros((2, 3))}, np.array([0, 1]), ("<a>", "b"))
    assert "facts 3, float64" in repr(two)
    assert "&lt;a&gt;" in Split(two, two, notes=("x < y",))._repr_html_()
    labels = Dataset(np.zeros((2, 2)), np.array([[1, 0], [1, 1]]), ("<old>", "new"))
    assert "<td>&lt;old&gt;, new</td>" in labels._repr_html_()


def test_samples_are_called_what_they_are(tmp_path: Path) -> None:
    assert load_data("drawn-cats").noun == "drawing"
    assert load_data("digits").noun == "digit"
    (tmp_path / "t.csv").write_text("kg,pet\n" + "4.5,cat\n30,dog\n" * 6)
    assert load_data(tmp_path / "t.csv", target="pet").noun == "row"
    y = np.arange(3)
    assert Dataset(np.zeros((3, 8, 8, 3)), y).noun == "photo"
    assert (
        Dataset(np.zeros((3, 8, 8), np.uint8), y).noun == Dataset(np.zeros((3, 8, 8, 1)), y).noun == "picture"
    )
    assert Dataset(np.zeros((3, 8, 8)), y).noun == Dataset({"a": np.zeros((3, 1))}, y).noun == "sample"
    assert load_data("digits").train.take(slice(2)).noun == "digit"


def test_a_split_shows_the_counts_of_both_parts() -> None:
    page = load_drawn_cats()._repr_html_()
    assert "<tr><td>cat</td><td>105</td><td>25</td></tr>" in page
    assert page.count("105") == 1  # once, in the table
    assert "the first 12 samples: non-cat, cat, cat" in page


def test_whatever_the_pictures_it_is_little_text(rng: np.random.Generator) -> None:
    noise = rng.integers(0, 256, (40, 200, 300, 3), dtype=np.uint8)  # nothing compresses worse
    names = tuple(f"a rather long name of class {i}" for i in range(40))
    part = Dataset(noise, np.arange(40), names)
    assert len(Split(part, part)._repr_html_()) < 20_000
    wide = Dataset(rng.random((40, 5000)), np.arange(40), names)
    assert len(Split(wide, wide)._repr_html_()) < 20_000


def test_it_is_drawn_on_axes(rng: np.random.Generator) -> None:
    cats = load_drawn_cats()
    axes = Figure().add_subplot()
    assert cats.plot(4, ax=axes) is axes
    assert [text.get_text() for text in axes.texts] == ["non-cat", "cat", "cat", "non-cat"]
    sheet = np.asarray(axes.images[0].get_array())
    assert np.array_equal(sheet[14 : 14 + 64, 65 : 65 + 64], cats.train.X[1])
    own = cats.test.plot(1)
    assert pyplot.fignum_exists(own.figure.number)
    pyplot.close(own.figure)
    with pytest.raises(OptionError, match="expected ax to be matplotlib axes, got a Figure"):
        cats.plot(ax=axes.figure)
    with pytest.raises(OptionError, match="expected n of at least 1"):
        cats.plot(0, ax=axes)


@every(
    ("X", "y", "label"),
    [
        (np.eye(4)[:, :2], np.array([0, 1, 1, 0]), "x1"),
        (np.eye(4), np.array([0, 1, 1, 0]), "Class"),
        (np.eye(4), np.array([[0, 1], [1, 1], [1, 0], [0, 0]]), "Class"),
        (np.eye(4), np.array([0.0, 1.5, 1.0, 0.5]), "Target"),
    ],
)
def test_tables_are_drawn_too(X: np.ndarray, y: np.ndarray, label: str) -> None:
    assert Dataset(X, y, ("no", "yes")).plot(ax=Figure().add_subplot()).get_xlabel() == label


def test_a_split_numbers_the_test_parts_classes_as_the_training_parts() -> None:
    X = np.zeros((3, 2))
    split = Split(Dataset(X, np.array(["cat", "dog", "cat"])), Dataset(X[:2], np.array(["dog", "dog"])))
    assert split.test.classes == split.classes == ("cat", "dog")
    assert split.test.y.tolist() == [1, 1]
