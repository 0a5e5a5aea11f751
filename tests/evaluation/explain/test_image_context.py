"""A photo of one's own: the very pixels, the right neighbours, honest variants, and words that fit the numbers."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tests.every import every
from tests.pictures import assert_readable, shown

import pellucid as pl
from pellucid.errors import DataError, ShapeError
from pellucid.evaluation.explain import explain_photo
from pellucid.evaluation.explain.explain_photo import ImageContext
from pellucid.evaluation.explain.neighbours import nearest, nearest_by_features
from pellucid.evaluation.explain.plot_image import image_figure
from pellucid.evaluation.explain.variants import photo_variants
from pellucid.evaluation.saliency import scoring
from pellucid.plotting.saving import figure_png
from pellucid.plotting.style import reduced
from pellucid.text import percent
from pellucid.types import Array


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
    two = ImageContext.of(model, X, drawings, n_near=2).by_pixels
    assert [near.to_dict() for near in two] == [near.to_dict() for near in found.by_pixels[:2]]


def test_rows_hold_the_variants_and_the_neighbours(model: pl.Model, drawings: pl.Dataset) -> None:
    found = ImageContext.of(model, drawings.X[7], drawings)
    rows = found.to_rows()
    kinds = [row["kind"] for row in rows]
    assert kinds == 14 * ["variant"] + 5 * ["nearest by pixels"] + 5 * ["nearest by the last hidden layer"]
    assert (rows[14]["index"], rows[14]["distance"]) == (7, 0)
    n_same = sum(row["label"] == found.label for row in rows[1:14])
    assert f"'{found.label}' ({percent(found.probability, 1)}), as {n_same} of 13 variants" in found.headline
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
    for name, place in {
        "middle 60 %": (0.2, 0.2, 0.6),
        "top left part": (0, 0, 0.8),
        "top right part": (0, 0.2, 0.8),
        "bottom left part": (0.2, 0, 0.8),
        "bottom right part": (0.2, 0.2, 0.8),
    }.items():
        top, left, side = place
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
        counted(explain_photo, name)
    counted(scoring, "read_original_and_sample")
    counted(type(model), "predict_proba")
    pl.explain_photo(model, photo_file(tmp_path), drawings, methods=["gradient"])
    assert calls == dict.fromkeys(calls, 1)  # predict_proba: of the variants, all at once
    assert len(calls) == 5
