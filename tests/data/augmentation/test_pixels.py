"""Noise and cutout."""

import numpy as np

from pellucid.data.augmentation.pixels import Cutout, Noise


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
