"""The records of data: their short repr, and their pictures in a notebook."""

from pathlib import Path

import numpy as np
import pytest

from pellucid.data.dataset import Dataset, Split
from pellucid.data.drawn import load_drawn_cats
from pellucid.data.source import load_data


def test_a_split_has_a_short_repr_and_its_pictures_in_a_notebook() -> None:
    cats = load_drawn_cats()
    assert len(repr(cats)) < 200
    for fact in ("drawn-cats", "209", "64 × 64 × 3", "105 cat", "50"):
        assert fact in repr(cats)
    assert cats._repr_html_().count("data:image/png;base64,") == 2


@pytest.mark.parametrize("shape", [(3, 8, 8), (3, 8, 8, 1), (3, 8, 8, 4)])
def test_pictures_of_any_dtype_are_shown(shape: tuple[int, ...], rng: np.random.Generator) -> None:
    for X in (rng.random(shape), rng.random(shape) > 0.5, np.full(shape, np.nan), np.zeros(shape, np.int64)):
        assert "data:image/png" in Dataset(X, np.zeros(3, np.int64), ("a",))._repr_html_()


def test_rows_of_numbers_have_words_only() -> None:
    data = Dataset(np.zeros((3, 2)), np.array([0.5, 1, 2]))
    assert data._repr_html_() == "<p>3 samples of 2, float64</p>"
    two = Dataset({"photo": np.zeros((2, 4, 4)), "facts": np.zeros((2, 3))}, np.array([0, 1]), ("<a>", "b"))
    assert "facts 3, float64" in repr(two)
    assert "&lt;a&gt;" in Split(two, two, notes=("x < y",))._repr_html_()


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
