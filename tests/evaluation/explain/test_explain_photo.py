"""A photo of one's own: the very pixels, the nearest training photos, honest variants, words that fit them."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from tests.every import every
from tests.pictures import assert_readable, shown

import pellucid as pl
from pellucid.data.preprocess import Preprocessing
from pellucid.data.source import load_data
from pellucid.errors import DataError, OptionError, ShapeError
from pellucid.evaluation.explain import image_context, neighbours
from pellucid.evaluation.explain.image_context import ImageContext
from pellucid.evaluation.explain.neighbours import hidden_features, nearest, nearest_by_features
from pellucid.evaluation.explain.plot_image import image_figure
from pellucid.evaluation.explain.variants import photo_variants
from pellucid.evaluation.saliency import scoring
from pellucid.nn.presets import preset
from pellucid.plotting.saving import figure_png
from pellucid.plotting.style import reduced
from pellucid.text import percent
from pellucid.types import Array


def plain(T: Array, X: Array, n: int) -> tuple[Array, Array]:
    """The slow, obvious twin."""
    differences = X.reshape(len(X), 1, -1).astype(float) - T.reshape(1, len(T), -1).astype(float)
    distances = np.sqrt((differences**2).mean(axis=2))
    order = np.argsort(distances, axis=1, kind="stable")[:, :n]
    return order, np.take_along_axis(distances, order, axis=1)


@settings(deadline=None, max_examples=40)
@given(
    st.integers(1, 40), st.integers(1, 7), st.integers(1, 20), st.integers(1, 9), st.integers(0, 2**32 - 1)
)
def test_nearest_equals_the_plain_way(m_train: int, m: int, d: int, n: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    T, X = (rng.integers(0, 256, (rows, d), dtype=np.uint8) for rows in (m_train, m))
    indices, distances = nearest(T, X, n)
    expected = plain(T, X, n)
    assert (indices == expected[0]).all()
    assert distances == pytest.approx(expected[1], rel=1e-12)


def test_many_pieces_give_what_one_gives(rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch) -> None:
    T, X = rng.standard_normal((50, 6)), rng.standard_normal((13, 6))
    whole = nearest(T, X, 3)
    monkeypatch.setattr(neighbours, "BLOCK", 70)
    np.testing.assert_array_equal(nearest(T, X, 3), whole)


def test_what_cannot_be_compared_is_said() -> None:
    T = np.zeros((3, 4))
    with pytest.raises(ShapeError, match=r"expected samples of shape \(4,\), as in training, got \(5,\)"):
        nearest(T, np.zeros((1, 5)))
    with pytest.raises(OptionError, match="n of 1 or more, got 0"):
        nearest(T, T, 0)
    with pytest.raises(DataError, match="expected a training sample"):
        nearest(T[:0], T)


def test_hidden_features_are_the_input_of_the_last_layer() -> None:
    X = load_data("drawn-cats").test.X[:7]
    model = preset("mlp")
    model.initialize((64, 64, 3))
    model.preprocessing = Preprocessing.for_data(X)
    A = X / 255.0
    for layer in model.layers[:-1]:
        A = layer.forward(A.reshape(len(A), -1))
    assert hidden_features(model, X) == pytest.approx(A, rel=1e-12)
    logistic = preset("logistic")
    logistic.initialize((64, 64, 3))
    logistic.preprocessing = model.preprocessing
    assert (hidden_features(logistic, X) == X.reshape(7, -1) / 255.0).all()


def test_features_are_measured_in_their_own_spread(rng: np.random.Generator) -> None:
    X = rng.integers(0, 256, (60, 4, 4, 1), dtype=np.uint8)
    model = preset("two-layer")
    model.initialize((4, 4, 1), seed=1)
    first, last = (leaf for leaf in model._leaves() if leaf.params)
    first.params["W"] *= 100
    first.params["b"][:] = 1.0
    first.params["b"][2] = -1e6  # a unit that never fires
    F = hidden_features(model, X)
    assert not F.std(axis=0).all()
    assert last.params["W"].shape[0] == F.shape[1]
    indices, distances = nearest_by_features(model, X[:50], X[50:], 4)
    part = F[:50].std(axis=0) > 0
    spread = F[:50][:, part].std(axis=0)
    twin = plain(F[:50][:, part] / spread, F[50:][:, part] / spread, 4)
    assert (indices == twin[0]).all()
    assert distances == pytest.approx(twin[1], rel=1e-9)


def test_a_network_whose_features_never_change_calls_all_alike(rng: np.random.Generator) -> None:
    X = rng.integers(0, 256, (9, 4, 4, 1), dtype=np.uint8)
    model = preset("two-layer")
    model.initialize((4, 4, 1))
    next(leaf for leaf in model._leaves() if leaf.params).params["b"][:] = -1e6
    indices, distances = nearest_by_features(model, X, X[:1], 3)
    assert indices.tolist() == [[0, 1, 2]]
    assert (distances == 0).all()


@pytest.fixture(scope="module")
def drawings() -> pl.Dataset:
    return pl.load_data("drawn-cats").train


@pytest.fixture(scope="module")
def model(drawings: pl.Dataset) -> pl.Model:
    """A network that has learned a little."""
    network = pl.preset("mlp")
    pl.train(network, drawings, n_epochs=40, seed=1)
    return network


def photo_file(folder: Path, size: tuple[int, int] = (120, 80), **options: object) -> Path:
    """A photo whose left is red and whose top is bright."""
    across, down = np.meshgrid(np.linspace(0, 1, size[0]), np.linspace(0, 1, size[1]))
    pixels = np.stack([255 * (1 - across), 255 * (1 - down), 60 + 0 * down], axis=2).astype(np.uint8)
    path = folder / "photo.png"
    Image.fromarray(pixels).save(path, **options)  # type: ignore[arg-type]
    return path


def test_the_pixels_are_those_that_the_network_is_given(model: pl.Model, tmp_path: Path) -> None:
    path = photo_file(tmp_path)
    found = ImageContext.of(model, path)
    with Image.open(path) as image:
        assert (found.original == np.array(image)).all()
        assert (found.seen == np.array(image.resize((64, 64)))).all()
    assert found.probability == pytest.approx(model.predict_proba(found.seen[None])[0].max(), abs=1e-12)
    assert found.label == model.classes[int(model.predict(found.seen[None])[0])]
    assert sum(found.classes.values()) == pytest.approx(1)


def test_neighbours_are_those_of_pixels_and_of_features(model: pl.Model, drawings: pl.Dataset) -> None:
    X = pl.load_data("drawn-cats").test.X[3]
    found = ImageContext.of(model, X, drawings)
    indices, distances = nearest(drawings.X, X[None], 5)
    assert [near.index for near in found.by_pixels] == indices[0].tolist()
    assert [near.distance for near in found.by_pixels] == distances[0].tolist()
    assert [near.label for near in found.by_pixels] == [drawings.classes[drawings.y[i]] for i in indices[0]]
    by_features = nearest_by_features(model, drawings.X, X[None], 5)[0][0]
    assert [near.index for near in found.by_features] == by_features.tolist()
    assert found.novelty is not None
    assert found.novelty.is_unlike is False
    two = ImageContext.of(model, X).among(model, drawings, 2).by_pixels
    assert [near.to_dict() for near in two] == [near.to_dict() for near in found.by_pixels[:2]]


def test_rows_hold_the_variants_and_the_neighbours(model: pl.Model, drawings: pl.Dataset) -> None:
    found = ImageContext.of(model, drawings.X[7], drawings)
    rows = found.to_rows()
    kinds = [row["kind"] for row in rows]
    assert kinds == 14 * ["variant"] + 5 * ["nearest by pixels"] + 5 * ["nearest by the last hidden layer"]
    assert (rows[14]["index"], rows[14]["distance"]) == (7, 0)
    n_same = sum(row["label"] == found.label for row in rows[1:14])
    assert (
        f"'{found.label}' ({percent(found.probability, 1)}); so are {n_same} of 13 variants" in found.headline
    )
    assert list(found.to_frame()["label"]) == [row["label"] for row in rows]


def test_what_is_unlike_the_training_photos_is_said_first(model: pl.Model, drawings: pl.Dataset) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    found = ImageContext.of(model, noise, drawings)
    assert found.novelty is not None
    assert found.novelty.is_unlike is True
    assert found.headline.startswith("Unlike the training drawings (p = ")


def test_variants_are_cut_from_the_photo_itself() -> None:
    across, down = np.meshgrid(np.arange(160), np.arange(120))
    original = np.stack([across, down, 0 * down + 100], axis=2).astype(np.uint8)
    names, seen = photo_variants(original, (10, 10, 3))
    one = dict(zip(names, seen, strict=True))

    def resized(image: Array) -> Array:
        return np.asarray(Image.fromarray(np.ascontiguousarray(image)).resize((10, 10)))

    whole = np.asarray(Image.fromarray(original).reduce(3))  # far larger than needed: averaged down first
    h, w = whole.shape[:2]
    assert (one["mirrored"] == resized(whole[:, ::-1])).all()
    assert (one["upside down"] == resized(whole[::-1])).all()
    assert (one["middle square"] == resized(whole[:, (w - h) // 2 : (w - h) // 2 + h])).all()
    for name, top, left, side in (
        ("middle 60 %", 0.2, 0.2, 0.6),
        ("top left part", 0, 0, 0.8),
        ("top right part", 0, 0.2, 0.8),
        ("bottom left part", 0.2, 0, 0.8),
        ("bottom right part", 0.2, 0.2, 0.8),
    ):
        middle = one[name][4:6, 4:6, :2].mean(axis=(0, 1))
        assert middle == pytest.approx([160 * (left + side / 2), 120 * (top + side / 2)], abs=4), name
    assert one["brightness × 0.6"][..., 2] == pytest.approx(60)
    assert one["brightness × 1.6"][..., 2] == pytest.approx(160)
    assert seen.dtype == np.uint8
    square, white = photo_variants(np.full((20, 20, 3), 250, np.uint8), (10, 10, 3))
    assert white.max() == 255
    assert "middle square" not in square


def test_a_variants_probability_is_of_the_unchanged_photos_class(model: pl.Model) -> None:
    photos = pl.load_data("drawn-cats").test.X[:12]
    found = [ImageContext.of(model, photo) for photo in photos]
    assert any(variant.label != one.label for one in found for variant in one.variants)
    for one in found:
        P = model.predict_proba(np.stack([variant.seen for variant in one.variants]))
        best = model.classes.index(one.label)
        assert [variant.probability for variant in one.variants] == pytest.approx(P[:, best], abs=1e-12)
        assert [variant.label for variant in one.variants] == [model.classes[i] for i in P.argmax(axis=1)]


@every(("shape", "dtype"), [((8, 8), np.uint8), ((8, 8, 1), np.uint8), ((8, 8, 3), np.float32)])
def test_samples_of_every_shape(shape: tuple[int, ...], dtype: type) -> None:
    X = np.random.default_rng(0).random((120, *shape))
    X = (255 * X).astype(dtype) if dtype is np.uint8 else X.astype(dtype)
    data = pl.Dataset(X, np.arange(120) % 2, ("a", "b"))
    network = pl.preset("two-layer")
    pl.train(network, data, n_epochs=2)
    found = ImageContext.of(network, X[5], data)
    assert (found.seen == X[5]).all()
    assert found.variants[1].seen.dtype == dtype
    assert found.variants[1].seen.shape == shape
    assert found.by_pixels[0].index == 5
    assert figure_png(image_figure(found), dpi=30)


def test_the_page_shows_all_and_keeps_its_margins(
    model: pl.Model, drawings: pl.Dataset, tmp_path: Path
) -> None:
    found = ImageContext.of(model, photo_file(tmp_path), drawings)
    figure = image_figure(found)
    assert len(shown(figure)) == 2 + 5 + 5 + 14
    assert len(shown(image_figure(ImageContext.of(model, photo_file(tmp_path))))) == 2 + 14
    assert_readable(figure)
    first = next(image for axes in figure.axes for image in axes.images)
    left, right, bottom, top = first.get_extent()
    assert (right - left) / (bottom - top) == pytest.approx(120 / 80)  # not stretched
    assert reduced(np.zeros((4000, 3000, 3), np.uint8), 800).shape == (800, 600, 3)


def test_what_cannot_be_examined_is_said(model: pl.Model, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"none\.png"):
        ImageContext.of(model, tmp_path / "none.png")
    table = pl.Sequential([pl.Dense(1)])
    table.initialize((5,))
    with pytest.raises(ShapeError, match="takes one image"):
        ImageContext.of(table, np.zeros((8, 8, 3), np.uint8))
    regression = pl.preset("mlp")
    regression.initialize((8, 8, 3))
    regression.set_loss("mean_squared_error")
    found = ImageContext.of(regression, np.zeros((8, 8, 3), np.uint8))
    assert found.prediction == "0"
    assert not found.variants


def test_a_photo_is_read_resized_prepared_and_predicted_once(
    model: pl.Model, drawings: pl.Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: dict[str, int] = {}

    def counted(module: object, name: str) -> None:
        function = getattr(module, name)

        def call(*arguments: Any, **options: Any) -> Any:
            calls[name] = calls.get(name, 0) + 1
            return function(*arguments, **options)

        monkeypatch.setattr(module, name, call)

    for name in ("read_photo", "prepared_image", "photo_variants"):
        counted(image_context, name)
    counted(scoring, "read_original_and_sample")
    counted(type(model), "predict_proba")
    pl.explain_photo(model, photo_file(tmp_path), drawings, methods=["gradient"])
    assert calls == dict.fromkeys(calls, 1)  # predict_proba: of the variants, all at once
    assert len(calls) == 5
