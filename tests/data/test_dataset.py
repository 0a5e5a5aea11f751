"""Parts of data: samples with labels, and the mini-batches made of them."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib import pyplot
from matplotlib.figure import Figure
from tests.every import every

import pellucid as pl
from pellucid.data.augmentation.augment import augment_preset
from pellucid.data.batches import Batches
from pellucid.data.built_in import load_drawn_cats
from pellucid.data.dataset import Dataset, Split
from pellucid.data.preprocess import Preprocessing
from pellucid.data.source import load_data
from pellucid.errors import OptionError
from pellucid.training.job import Job
from pellucid.training.options import TrainingOptions


def test_a_split_has_a_short_repr_and_its_pictures_in_a_notebook() -> None:
    cats = load_drawn_cats()
    assert len(repr(cats)) < 200
    for fact in ("drawn-cats", "209", "64 × 64 × 3", "105 cat", "50"):
        assert fact in repr(cats)
    page = cats._repr_html_()
    assert page.count("data:image/webp;base64,") == 2
    assert "<tr><td>cat</td><td>105</td><td>25</td></tr>" in page
    assert page.count("105") == 1  # once, in the table
    assert "the first 12 samples: non-cat, cat, cat" in page


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
    for X, noun in (
        (np.zeros((3, 8, 8), np.uint8), "picture"),
        (np.zeros((3, 8, 8, 1)), "picture"),
        (np.zeros((3, 8, 8)), "sample"),
        ({"a": np.zeros((3, 1))}, "sample"),
    ):
        assert Dataset(X, y).noun == noun  # type: ignore[arg-type]
    assert load_data("digits").train.take(slice(2)).noun == "digit"


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


def test_tables_are_drawn_too() -> None:
    classes, labels, target = (
        np.array([0, 1, 1, 0]),
        np.array([[0, 1], [1, 1], [1, 0], [0, 0]]),
        np.arange(4) / 2,
    )
    for n, y, label in (
        (2, classes, "x1"),
        (4, classes, "Class"),
        (4, labels, "Class"),
        (4, target, "Target"),
    ):
        assert (
            Dataset(np.eye(4)[:, :n], y, ("no", "yes")).plot(ax=Figure().add_subplot()).get_xlabel() == label
        )


def test_a_split_numbers_the_test_parts_classes_as_the_training_parts() -> None:
    X = np.zeros((3, 2))
    split = Split(Dataset(X, np.array(["cat", "dog", "cat"])), Dataset(X[:2], np.array(["dog", "dog"])))
    assert split.test.classes == split.classes == ("cat", "dog")
    assert split.test.y.tolist() == [1, 1]


PIXELS = Preprocessing("divide", 255.0)


@every("shuffle", [True, False])
@every("batch_size", [None, 1, 4, 11])
def test_a_batch_is_prepared_as_the_whole_set_is(
    batch_size: int | None, shuffle: bool, rng: np.random.Generator
) -> None:
    photos, table = rng.integers(0, 256, (11, 4, 3, 1), dtype=np.uint8), rng.random((11, 2))
    Y, weights = np.arange(11.0)[:, None], rng.random(11)
    options: dict[str, Any] = {"weights": weights, "shuffle": shuffle}
    X = {"photo": photos, "table": table}
    prepared = {name: PIXELS.apply(array, "float32") for name, array in X.items()}
    plain = Batches(prepared, Y, batch_size, 3, **options)
    lazy = Batches(X, Y, batch_size, 3, **options, rule=PIXELS, dtype="float32")
    for epoch, skip in ((0, 0), (1, 2)):
        batches = zip(plain.epoch(epoch, skip=skip), lazy.epoch(epoch, skip=skip), strict=True)
        for wanted, got in batches:
            for name in X:
                np.testing.assert_array_equal(got[0][name], wanted[0][name])
                assert got[0][name].dtype == np.float32
            np.testing.assert_array_equal(got[1], wanted[1])
            np.testing.assert_array_equal(got[2], wanted[2])


@every("dtype", [np.uint8, np.float32])
@every("batch_size", [None, 4])
@every("shuffle", [True, False])
def test_augmenting_in_place_leaves_the_data_as_they_are(
    dtype: Any, batch_size: int | None, shuffle: bool, rng: np.random.Generator
) -> None:
    X = rng.integers(0, 256, (9, 8, 8, 3), dtype=np.uint8)
    data = pl.Dataset(X if dtype == np.uint8 else X / np.float32(255), rng.integers(0, 2, 9))
    before, whole = data.X.copy(), Preprocessing.for_data(data.X).apply(data.X, "float32")
    model = pl.Sequential([pl.Flatten(), pl.Dense(1)])
    model.initialize((8, 8, 3))
    augment = augment_preset("photo-cutmix")
    plan = TrainingOptions(2, batch_size or 0, augment=augment, shuffle=shuffle)
    job = Job(model, data, plan)
    lazy = Batches(
        job.X, job.Y, batch_size, 1, rule=job.rule, dtype="float32", change=job.change, shuffle=shuffle
    )
    plain = Batches(whole.copy(), job.Y, batch_size, 1, shuffle=shuffle)
    for step, ((some, Y, _), (got, mixed, _)) in enumerate(zip(plain.epoch(0), lazy.epoch(0), strict=True)):
        wanted, targets = augment.apply(some, Y, pl.rng.stream(1, "augment", step))
        np.testing.assert_array_equal(got, wanted)
        np.testing.assert_array_equal(mixed, targets)
    np.testing.assert_array_equal(data.X, before)


def test_what_would_not_grow_is_prepared_once() -> None:
    for shape, dtype in (
        ((6, 4, 4, 3), np.uint8),
        ((6, 3), np.float32),
        ((6, 3), np.float64),
        ((6, 3), np.int64),
    ):
        model = pl.Sequential([pl.Flatten(), pl.Dense(1)])
        job = Job(model, pl.Dataset(np.zeros(shape, dtype), np.arange(6) % 2), TrainingOptions(1, 2))
        assert (job.rule is not None) == (dtype == np.uint8)
        assert job.X.dtype == (np.uint8 if dtype == np.uint8 else np.float32)
