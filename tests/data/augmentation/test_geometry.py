"""Flips, shifts, turns, sizes, slants and crops: cases whose result is known, and Pillow and PyTorch."""

import math
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tests.every import every

from pellucid.data.augmentation.geometry import (
    Crop,
    HorizontalFlip,
    ResizedCrop,
    Rotation,
    Scale,
    Shear,
    Shift,
    VerticalFlip,
)


def at(transform: Any, X: np.ndarray, *values: float) -> np.ndarray:
    """Apply a transform with the same given values to every image."""
    result: np.ndarray = transform.apply(X, np.tile(values, (len(X), 1)), np.random.default_rng(0))
    return result


@pytest.fixture
def photos(rng: np.random.Generator) -> np.ndarray:
    return rng.random((3, 16, 16, 3))


@every(("flip", "axis"), [(HorizontalFlip, 2), (VerticalFlip, 1)])
def test_flips_are_exact_undo_themselves_and_come_as_often_as_asked(
    photos: np.ndarray, rng: np.random.Generator, flip: Any, axis: int
) -> None:
    once = at(flip(), photos, 1)
    np.testing.assert_array_equal(once, np.flip(photos, axis))
    np.testing.assert_array_equal(at(flip(), once, 1), photos)
    np.testing.assert_array_equal(at(flip(), photos, 0), photos)
    assert flip().label(np.ones(1)) == "flipped"
    X = rng.random((2000, 2, 2, 1))
    result = flip(0.3)(X, rng)
    flipped = (result == np.flip(X, axis)).all(axis=(1, 2, 3))
    np.testing.assert_array_equal(result[~flipped], X[~flipped])
    assert abs(flipped.mean() - 0.3) < 5 * math.sqrt(0.21 / 2000)


@every("transform", [Rotation(), Shift(), Shear(), Crop()])
def test_zero_changes_nothing(photos: np.ndarray, transform: Any) -> None:
    n = transform.spread(2, (16, 16, 3)).shape[1]
    np.testing.assert_array_equal(at(transform, photos, *[0] * n), photos)
    np.testing.assert_array_equal(at(Scale(), photos, 1), photos)
    np.testing.assert_array_equal(at(ResizedCrop(), photos, 0, 0, 1, 1), photos)


@every("transform", [Shift(), Crop()])
def test_whole_pixels_move_as_np_roll_does_inside(photos: np.ndarray, transform: Any) -> None:
    moved = at(transform, photos, 3, -2)  # 3 down, 2 to the left
    np.testing.assert_array_equal(moved[:, 3:, :-2], np.roll(photos, (3, -2), (1, 2))[:, 3:, :-2])


@every("edge", ["reflect", "edge", "constant"])
def test_what_comes_in_is_what_np_pad_has(photos: np.ndarray, edge: str) -> None:
    more = {"constant_values": 0.25} if edge == "constant" else {}
    padded = np.pad(photos, ((0, 0), (4, 4), (4, 4), (0, 0)), mode=edge, **more)  # type: ignore[call-overload]
    crop = Crop(4, edge=edge, fill=0.25)
    np.testing.assert_array_equal(at(crop, photos, 4, 1), padded[:, :16, 3:19])
    np.testing.assert_array_equal(at(crop, photos, -4, -3), padded[:, 8:, 7:23])


def test_a_quarter_turn_is_rot90(photos: np.ndarray) -> None:
    for k in (-2, -1, 1, 2):
        turned = at(Rotation(180), photos, 90 * k)
        np.testing.assert_allclose(turned, np.rot90(photos, k, (1, 2)), rtol=0, atol=1e-13)
    turned = at(Rotation(180), photos.astype(np.float32), 90)
    np.testing.assert_allclose(turned, np.rot90(photos, 1, (1, 2)), rtol=0, atol=1e-5)


@every("degrees", [-150, -20, 7, 33, 90])
def test_rotation_equals_pillow(rng: np.random.Generator, degrees: float) -> None:
    X = rng.random((1, 21, 30, 1), dtype=np.float32)
    theirs = Image.fromarray(X[0, ..., 0]).rotate(degrees, Image.Resampling.BILINEAR)
    ours = at(Rotation(180, edge="edge"), X, degrees)[0, ..., 0]
    inside = at(Rotation(180, edge="constant"), np.ones_like(X), degrees)[0, ..., 0] == 1
    inside[[0, -1]] = inside[:, [0, -1]] = False
    assert inside.sum() > 100
    np.testing.assert_allclose(ours[inside], np.asarray(theirs)[inside], rtol=0, atol=1e-4)


def test_scale_and_shear_and_shift_move_a_line_where_they_say() -> None:
    """A brightness of one number for each column, then each row, reads off where pixels come from."""
    columns = np.tile((np.arange(33.0) - 16) / 100 + 0.5, (33, 1))[None, ..., None]
    rows = columns.transpose(0, 2, 1, 3)
    y, x = np.mgrid[-16:17, -16:17] / 100
    middle = (0, slice(8, -8), slice(8, -8), 0)
    for image, along in ((columns, x), (rows, y)):
        doubled = at(Scale(0.5, 2), image, 2)  # twice as large: half as far from the centre
        np.testing.assert_allclose(doubled[middle], 0.5 + along[8:-8, 8:-8] / 2, rtol=0, atol=1e-12)
    down = at(Shift(), rows, 2.5, 0)
    np.testing.assert_allclose(down[middle], 0.475 + y[8:-8, 8:-8], rtol=0, atol=1e-12)
    right = at(Shift(), columns, 0, 2.5)
    np.testing.assert_allclose(right[middle], 0.475 + x[8:-8, 8:-8], rtol=0, atol=1e-12)
    slanted = at(Shear(30), columns, 20)  # what is high up (y < 0) comes from further left
    expected = 0.5 + x + y * math.tan(math.radians(20))
    np.testing.assert_allclose(slanted[middle], expected[8:-8, 8:-8], rtol=0, atol=1e-12)


def test_a_resized_crop_equals_pillow(rng: np.random.Generator) -> None:
    X = rng.random((1, 24, 30, 1), dtype=np.float32)
    ours = at(ResizedCrop(), X, 4 / 24, 10 / 30, 12 / 24, 15 / 30)[0, ..., 0]
    theirs = Image.fromarray(X[0, ..., 0]).resize((30, 24), Image.Resampling.BILINEAR, box=(10, 4, 25, 16))
    np.testing.assert_allclose(ours, np.asarray(theirs), rtol=0, atol=1e-6)


def test_draws_fill_their_range_and_stay_in_it(rng: np.random.Generator) -> None:
    shape = (20, 40, 3)
    cases: list[tuple[Any, list[tuple[float, float]]]] = [
        (Shift(0.1, 0.2), [(-2, 2), (-8, 8)]),
        (Rotation(15), [(-15, 15)]),
        (Scale(0.5, 2), [(0.5, 2)]),
        (Shear(10), [(-10, 10)]),
        (Crop(3), [(-3, 3), (-3, 3)]),
    ]
    for transform, ranges in cases:
        values = transform.draw(4000, shape, rng)
        for column, (low, high) in zip(values.T, ranges, strict=True):
            assert low <= column.min() < low + 0.02 * (high - low)
            assert high - 0.02 * (high - low) < column.max() <= high
    np.testing.assert_array_equal(np.unique(Crop(3).draw(4000, shape, rng)), np.arange(-3, 4))
    assert abs(np.log(Scale(0.5, 2).draw(4000, shape, rng)).mean()) < 0.03  # larger as often as smaller


def test_windows_of_a_resized_crop_lie_in_the_image_and_have_the_area(rng: np.random.Generator) -> None:
    top, left, height, width = ResizedCrop((0.5, 0.6), (0.8, 1.5)).draw(4000, (20, 40, 3), rng).T
    assert min(top.min(), left.min()) >= 0
    assert max((top + height).max(), (left + width).max()) <= 1
    area, aspect = height * width, width / height
    assert 0.5 - 1e-12 <= area.min() < 0.51
    assert 0.59 < area.max() <= 0.6 + 1e-12
    assert 0.8 - 1e-12 <= aspect.min() < 0.82
    assert 1.47 < aspect.max() <= 1.5 + 1e-12
