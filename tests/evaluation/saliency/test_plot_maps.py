"""The pictures hold what they are told to show, for photos of any kind."""

import numpy as np
import pytest
from tests.every import every
from tests.pictures import assert_readable, page_text, shown, words

import pellucid as pl
from pellucid.evaluation.saliency.first_layer import FirstLayer, first_layer
from pellucid.evaluation.saliency.plot_maps import (
    first_layer_figure,
    heat_picture,
    saliency_figure,
    saliency_strip,
)
from pellucid.plotting.saving import figure_png
from pellucid.text import signed


def small(shape: tuple[int, ...] = (12, 12, 3), *, has_convolution: bool = True) -> pl.Model:
    layers = [pl.Conv2D(4, activation="relu"), pl.GlobalAvgPool2D(), pl.Dense(3)]
    model = pl.Sequential(layers) if has_convolution else pl.preset("two-layer", 3)
    model.initialize(shape, seed=1)
    model.classes = ("a", "b", "a very long name of a class that is not read to its end")
    return model


def layer_of(model: pl.Model) -> FirstLayer:
    found = first_layer(model)
    assert found is not None
    return found


@every("shape", [(12, 12, 3), (9, 14, 1)])
def test_every_map_has_its_row(shape: tuple[int, ...]) -> None:
    photo = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    model = small(shape)
    model.preprocessing = pl.Preprocessing("divide", 255.0)
    maps = pl.saliency(model, photo)
    figure = saliency_figure(photo, maps)
    assert len(shown(figure)) == 3 * len(maps)
    flat = page_text(figure)
    for found in maps.values():
        assert found.title in flat
        assert " ".join(found.note.split()) in flat
        assert found.sanity is not None
        assert f"r = {signed(found.sanity.correlation or 0.0)}" in flat
    assert figure_png(figure, dpi=40)[:4] == b"\x89PNG"


@pytest.mark.slow
def test_nothing_leaves_the_page() -> None:
    photo = np.random.default_rng(0).integers(0, 256, (12, 12, 3), dtype=np.uint8)
    for model in (small(), small(has_convolution=False)):
        maps = pl.saliency(model, photo / 255, target=2)
        assert_readable(saliency_figure(photo, maps))
        assert_readable(saliency_strip(photo, maps))
        assert_readable(first_layer_figure(layer_of(model)))


def test_a_method_that_does_not_apply_has_words_and_no_picture() -> None:
    photo = np.random.default_rng(0).random((12, 12, 3))
    maps = pl.saliency(small(has_convolution=False), photo, methods=["grad_cam"])
    figure = saliency_figure(photo, maps)
    assert not shown(figure)
    assert "has none" in page_text(figure)


def test_colours_of_a_map() -> None:
    heat = np.array([[-2.0, 0.0, 2.0]])
    signed, unsigned = heat_picture(heat, True), heat_picture(np.abs(heat), False)
    assert signed[0, 0, 2] > signed[0, 0, 0]  # against: blue
    assert signed[0, 2, 0] > signed[0, 2, 2]  # for: red
    assert signed[0, 1].min() > 0.95  # nothing: white
    assert unsigned[0, 1].max() < 0.1
    assert (unsigned[0, 0] == unsigned[0, 2]).all()
    over = heat_picture(np.zeros((1, 3)), True, np.array([[0, 128, 255]], np.uint8))
    assert np.diff(over[0, :, 0]).min() > 0.3  # where there is no heat the photo shows
    assert heat_picture(np.zeros((3, 3)), True).min() > 0.95


def test_first_layer_pictures_are_the_weights() -> None:
    model = pl.preset("mlp")
    model.initialize((6, 5, 3), dtype="float64")
    found = layer_of(model)
    W = model._leaves()[1].params["W"]
    assert found.pictures.shape == (20, 6, 5, 3)
    photo = np.random.default_rng(0).random((6, 5, 3))
    over_pixels = (found.pictures * photo).sum(axis=(1, 2, 3))
    assert over_pixels == pytest.approx(photo.ravel() @ W)
    cnn = pl.Sequential([pl.BatchNorm(), pl.Conv2D(7, (3, 2)), pl.Flatten(), pl.Dense(2)])
    cnn.initialize((6, 5, 3))
    kernels = layer_of(cnn)
    assert (kernels.pictures[4] == cnn.layers[1].params["W"][..., 4]).all()
    assert len(shown(first_layer_figure(kernels))) == 7
    graph = pl.Graph(["photo"], {"flat": (pl.Flatten(), "photo"), "out": (pl.Dense(4), "flat")}, "out")
    graph.initialize((5, 5))
    assert layer_of(graph).pictures.shape == (4, 5, 5, 1)
    for blind, shape in (
        (pl.Sequential([pl.AvgPool2D(), pl.Flatten(), pl.Dense(4)]), (6, 6, 3)),
        (pl.Sequential([pl.Dense(3)]), (9,)),
    ):
        blind.initialize(shape)
        assert first_layer(blind) is None


def test_learned_weights_are_told_from_drawn_ones() -> None:
    model = pl.preset("mlp")
    model.initialize((16, 16, 3), seed=1)
    found = layer_of(model)
    assert found.is_learned is False
    assert "do not clearly differ from an untrained layer's. Correlation" in found.headline
    assert f"{found.distance:.1f} standard deviations away, clear from 4 on." in found.headline
    row = found.to_rows()[0]
    assert (row["distance"], row["threshold"]) == (found.distance, 4.0)
    W = model._leaves()[1].params["W"].reshape(16, 16, 3, -1)
    W += 0.5 * W.std() * np.sin(np.arange(16) / 3)[:, None, None, None].astype(W.dtype)
    assert layer_of(model).to_rows()[0]["is_learned"] is True
    W[...] = 0
    assert layer_of(model).to_rows()[0]["is_learned"] is None
    assert "no neighbouring weights" in layer_of(model).headline


def test_smoothness_is_the_correlation_of_neighbours() -> None:
    model = pl.Sequential([pl.Conv2D(3, 4), pl.Flatten(), pl.Dense(1)])
    model.initialize((9, 9, 2))
    W = model.layers[0].params["W"]
    pairs = [(W[1:], W[:-1]), (W[:, 1:], W[:, :-1])]
    one = np.concatenate([np.concatenate([a.ravel(), b.ravel()]) for a, b in pairs])
    other = np.concatenate([np.concatenate([b.ravel(), a.ravel()]) for a, b in pairs])
    assert layer_of(model).smoothness == pytest.approx((one @ other) / (one @ one), rel=1e-5)


def test_a_map_without_colours_says_why() -> None:
    model = pl.preset("mlp")
    model.initialize((8, 8, 3))
    model.theta[:] = 0  # all units off: no pixel moves the score
    photo = np.full((8, 8, 3), 0.5)
    maps = pl.saliency(model, photo, methods=["gradient", "grad_cam"])
    found = words(saliency_strip(photo, maps))
    assert found == ["The picture", "Input gradient", "the same everywhere"]


def test_each_map_is_a_row_with_its_check() -> None:
    model = pl.preset("mlp")
    model.initialize((8, 8, 3))
    photo = np.random.default_rng(0).random((8, 8, 3))
    maps = pl.saliency(model, photo, methods=["gradient", "grad_cam"], n_draws=2)
    check = maps["gradient"].sanity
    assert check is not None
    first, absent = maps.to_rows()
    assert (first["rank_correlation"], first["n_comparisons"]) == (check.correlation, 2)
    assert (first["lowest"], first["highest"]) == (
        min(map(abs, check.correlations)),
        max(map(abs, check.correlations)),
    )
    assert (absent["outcome"], absent["rank_correlation"]) == ("absent", None)
    assert list(maps.to_frame()["outcome"]) == [check.outcome, "absent"]
    assert [line.split("  ")[0] for line in str(maps).splitlines()[3:5]] == ["Input gradient", "Grad-CAM"]
    unchecked = pl.saliency(model, photo, methods=["gradient"], sanity_check=False)
    assert unchecked.to_rows()[0]["outcome"] == "not checked"
    assert unchecked.headline.endswith("not checked.")
