"""Colours, noise and cutout: the usual formulas, and what each must leave alone."""

import colorsys
from typing import Any

import numpy as np
import pytest
from tests.every import every

from pellucid.data.augmentation.colour import (
    LUMA,
    Brightness,
    Contrast,
    Hue,
    Saturation,
)
from pellucid.data.augmentation.pixels import Cutout, Noise
from pellucid.ops.colour import mean_colours


def at(transform: Any, X: np.ndarray, value: float) -> np.ndarray:
    result: np.ndarray = transform.apply(X, np.full((len(X), 1), value), np.random.default_rng(0))
    return result


@pytest.fixture(params=[(2, 8, 8, 3), (1, 5, 7, 3), (3, 1, 1, 3), (2, 6, 6, 1)], ids=str)
def photos(request: pytest.FixtureRequest, rng: np.random.Generator) -> np.ndarray:
    return rng.random(request.param)


def luma(X: np.ndarray) -> np.ndarray:
    return X if X.shape[-1] == 1 else (X @ LUMA)[..., None]


@every("factor", [0.0, 0.6, 1.0, 1.7])
def test_factors_equal_their_formulas(photos: np.ndarray, factor: float) -> None:
    """As torchvision's adjust_brightness, adjust_contrast and adjust_saturation on floats."""
    gray = luma(photos)
    mean = gray.mean(axis=(1, 2, 3), keepdims=True)
    expected = {
        Brightness(): factor * photos,
        Contrast(): factor * photos + (1 - factor) * mean,
        Saturation(): factor * photos + (1 - factor) * gray,
    }
    for transform, formula in expected.items():
        np.testing.assert_allclose(at(transform, photos, factor), formula.clip(0, 1), rtol=0, atol=1e-14)
        single = at(transform, photos.astype(np.float32), factor)
        assert single.dtype == np.float32
        np.testing.assert_allclose(single, formula.clip(0, 1), rtol=0, atol=1e-6)


@every("turn", [-1.0, 0.0, 1.0])
def test_a_full_turn_of_the_hue_changes_nothing(photos: np.ndarray, turn: float) -> None:
    np.testing.assert_allclose(at(Hue(), photos, turn), photos, rtol=0, atol=1e-14)


def test_hue_turns_the_colour_plane_of_yiq(rng: np.random.Generator) -> None:
    """The standard library's YIQ has slightly other coefficients: equal to about a hundredth."""
    colours = rng.uniform(0.3, 0.7, (40, 3))
    turned = at(Hue(), colours[None, None], 0.2)[0, 0]
    angle = -0.2 * 2 * np.pi
    for before, after in zip(colours, turned, strict=True):
        y, i, q = colorsys.rgb_to_yiq(*before)
        z = complex(i, q) * np.exp(1j * angle)
        np.testing.assert_allclose(after, colorsys.yiq_to_rgb(y, z.real, z.imag), rtol=0, atol=0.015)


def test_hue_keeps_brightness_and_greys_and_adds_up(rng: np.random.Generator) -> None:
    X = rng.uniform(0.45, 0.55, (2, 4, 4, 3))  # near grey: nothing is cut off
    np.testing.assert_allclose(luma(at(Hue(), X, 0.3)), luma(X), rtol=0, atol=1e-12)
    gray = np.repeat(rng.random((2, 4, 4, 1)), 3, axis=3)
    np.testing.assert_allclose(at(Hue(), gray, 0.3), gray, rtol=0, atol=1e-4)  # the printed YIQ is rounded
    np.testing.assert_allclose(at(Hue(), at(Hue(), X, 0.1), 0.15), at(Hue(), X, 0.25), rtol=0, atol=1e-13)


def test_each_image_has_its_own_map(rng: np.random.Generator) -> None:
    X = rng.random((3, 4, 4, 3)) / 2
    result = Brightness().apply(X, np.array([[1.0], [0.5], [2.0]]), rng)
    np.testing.assert_allclose(result, X * np.array([1, 0.5, 2]).reshape(3, 1, 1, 1), rtol=0, atol=1e-15)
    np.testing.assert_allclose(mean_colours(X), X.mean(axis=(1, 2)), rtol=1e-14)


def test_noise_has_each_images_own_deviation_and_no_bias(rng: np.random.Generator) -> None:
    X = np.full((4, 100, 100, 1), 0.5)
    deviations = np.array([0.0, 0.01, 0.05, 0.1])
    noise = Noise().apply(X, deviations[:, None], rng) - X
    np.testing.assert_allclose(noise.std(axis=(1, 2, 3)), deviations, rtol=0.03)
    assert np.abs(noise.mean(axis=(1, 2, 3))).max() < 5 * 0.1 / 100
    assert np.abs(np.corrcoef(noise[1].ravel(), noise[2].ravel())[0, 1]) < 0.05


def test_noise_is_cut_off_to_the_range(rng: np.random.Generator) -> None:
    noisy = Noise(2.0)(rng.random((8, 16, 16, 3), dtype=np.float32), rng)
    assert noisy.dtype == np.float32
    assert (noisy.min(), noisy.max()) == (0, 1)


def test_cutout_covers_exactly_its_square(rng: np.random.Generator) -> None:
    X = rng.random((3, 10, 12, 3))
    places = np.array([[5, 6, 4], [0, 0, 4], [10, 12, 6]])  # the middle, and two corners
    result = Cutout(fill=0.25).apply(X, places, rng)
    expected = X.copy()
    expected[0, 3:7, 4:8] = expected[1, :2, :2] = expected[2, 7:, 9:] = 0.25
    np.testing.assert_array_equal(result, expected)


def test_cutout_reaches_every_pixel_and_has_its_size(rng: np.random.Generator) -> None:
    covered = Cutout(0.5, fill=1.0)(np.zeros((500, 8, 8, 1)), rng)
    assert covered.any(axis=0).all()
    areas = covered.sum(axis=(1, 2, 3))
    assert areas.max() == 16  # 4 x 4 where it is all inside
    assert areas.min() >= 4  # a quarter of it at a corner
    assert Cutout(0.0)(np.zeros((5, 8, 8, 1)), rng).max() == 0
