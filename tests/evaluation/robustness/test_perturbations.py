"""Each perturbation against what it should do to bytes, computed another way."""

import io
import math
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tests.every import every

from pellucid.errors import DataError, OptionError, ShapeError
from pellucid.evaluation.robustness.perturbations import (
    CAMERA_DISTANCE,
    PERTURBATIONS,
    REASONS,
    background_of,
    check_photos,
    choose_perturbations,
)
from pellucid.rng import stream

ALL = sorted(PERTURBATIONS)
STEADY = {"mirror", "upside-down", "background", "darker", "brighter", "contrast", "larger", "smaller"}
STEADY |= {"blur", "jpeg"}  # these draw nothing by chance


@pytest.fixture
def photos(rng: np.random.Generator) -> np.ndarray:
    return rng.integers(0, 256, (12, 32, 48, 3), dtype=np.uint8)


def smooth_photos(m: int = 6, h: int = 40, w: int = 56) -> np.ndarray:
    """Waves that differ in every channel and photo, without steep edges."""
    y, x, c, i = np.meshgrid(np.arange(h), np.arange(w), np.arange(3), np.arange(m), indexing="ij")
    waves = 128 + 90 * np.sin(x / 15 + c + i) * np.cos(y / 12 - c)
    return waves.transpose(3, 0, 1, 2).round().astype(np.uint8)


def change(name: str, images: np.ndarray, strength: float, seed: int = 0) -> np.ndarray:
    return PERTURBATIONS[name](images, strength, stream(seed, name))


@every("name", ALL)
def test_strength_0_gives_a_copy_of_the_same_bytes(name: str, photos: np.ndarray) -> None:
    for images in (photos, photos[..., :1], photos[..., 0]):
        result = change(name, images, 0)
        np.testing.assert_array_equal(result, images)
        assert not np.shares_memory(result, images)


@every("name", ALL)
def test_is_a_pure_function_of_photos_strength_and_stream(name: str, photos: np.ndarray) -> None:
    before = photos.copy()
    for strength in PERTURBATIONS[name].strengths:
        result = change(name, photos, strength)
        assert result.shape == photos.shape
        assert result.dtype == np.uint8
        assert not np.array_equal(result, photos)
        np.testing.assert_array_equal(change(name, photos, strength), result)
        np.testing.assert_array_equal(photos, before)
        is_same = np.array_equal(change(name, photos, strength, seed=1), result)
        is_half_turn = name == "hue" and strength == 180  # the same either way
        assert is_same == (name in STEADY or is_half_turn)


@every("name", ALL)
def test_what_is_drawn_does_not_depend_on_the_strength(name: str, photos: np.ndarray) -> None:
    states = []
    for strength in PERTURBATIONS[name].strengths:
        rng = np.random.default_rng(3)
        PERTURBATIONS[name](photos, strength, rng)
        states.append(rng.random())
    assert len(set(states)) == 1


@every("name", sorted(set(ALL) - {"mirror", "upside-down", "occlusion"}))
def test_a_tiny_strength_changes_next_to_nothing_and_more_strength_more(name: str) -> None:
    images = smooth_photos()
    perturbation = PERTURBATIONS[name]
    tiny = 1 if name == "jpeg" else perturbation.strengths[0] / 50
    weak, middle, strong = (
        np.abs(change(name, images, strength).astype(int) - images).mean()
        for strength in (tiny, perturbation.strengths[2], perturbation.strengths[5])
    )
    assert weak < 1
    assert weak < middle < strong


@every("name", sorted(set(ALL) - {"hue"}))
@every("size", [(8, 8), (5, 9), (1, 1)])
def test_grey_photos_of_either_shape_and_any_size(
    name: str, size: tuple[int, int], rng: np.random.Generator
) -> None:
    grey = rng.integers(0, 256, (3, *size), dtype=np.uint8)
    for strength in PERTURBATIONS[name].strengths:
        flat, deep = change(name, grey, strength), change(name, grey[..., None], strength)
        assert flat.shape == grey.shape
        np.testing.assert_array_equal(flat, deep[..., 0])


def test_a_shift_by_whole_pixels_is_a_padded_slice(rng: np.random.Generator) -> None:
    images = rng.integers(0, 256, (30, 32, 48, 3), dtype=np.uint8)
    moved = change("shift", images, 0.25)  # 8 rows, or 12 columns
    seen = set()
    for image, result in zip(images, moved, strict=True):
        wide = np.pad(image, ((8, 8), (12, 12), (0, 0)), mode="edge")
        ways = {"up": (16, 12), "down": (0, 12), "left": (8, 24), "right": (8, 0)}
        found = [way for way, (i, j) in ways.items() if np.array_equal(result, wide[i : i + 32, j : j + 48])]
        assert len(found) == 1
        seen.update(found)
    assert seen == {"up", "down", "left", "right"}


def test_smaller_does_not_skip_pixels() -> None:
    """Stripes one pixel wide become grey: taking every third pixel would leave stripes."""
    stripes = np.zeros((1, 60, 60), np.uint8)
    stripes[:, :, ::2] = 255
    inner = change("smaller", stripes, 2)[0, 22:38, 22:38].astype(int)
    assert inner.max() - inner.min() < 20
    assert abs(inner.mean() - 127.5) < 3


def test_perspective_is_what_a_camera_sees_of_a_print_on_a_wall() -> None:
    """Two slopes show where each pixel came from; a camera in space leads that point back to the pixel."""
    h, w, degrees = 50, 80, 35.0
    columns, rows = np.meshgrid(np.arange(w), np.arange(h))
    images = np.stack([columns * 3, rows * 5, 0 * rows], axis=2).astype(np.uint8)[None].repeat(5, axis=0)
    seen = change("perspective", images, degrees)
    sides = 2 * np.pi * stream(0, "perspective").random((5, 1, 1))
    t, distance = math.radians(degrees), CAMERA_DISTANCE * w
    for image, side in zip(seen, sides[:, 0, 0], strict=True):
        x, y = image[..., 0] / 3 - (w - 1) / 2, image[..., 1] / 5 - (h - 1) / 2
        axis = np.array([-math.sin(side), math.cos(side), 0])  # that the print is turned about
        points = np.stack([x, y, 0 * x], axis=-1)
        cross = np.cross(axis, points)
        along = (points @ axis)[..., None] * axis
        turned = points * math.cos(t) - cross * math.sin(t) + along * (1 - math.cos(t))  # Rodrigues
        scale = distance / (distance + turned[..., 2])
        inside = (image[..., 0] % 237 > 0) & (image[..., 1] % 245 > 0)  # not the repeated border
        assert inside.mean() > 0.5
        for got, wanted, size in ((turned[..., 0], columns, w), (turned[..., 1], rows, h)):
            error = np.abs(got * scale + (size - 1) / 2 - wanted)[inside]
            assert error.max() < 0.45  # bytes tell positions to a third of a pixel


def test_strengths_mean_what_the_table_says(photos: np.ndarray) -> None:
    """What the transforms do at these values is tested where they are: tests/data/augmentation."""
    wide, mean = photos.astype(int), (photos @ np.array([0.299, 0.587, 0.114])).mean(axis=(1, 2))
    for name, strength, expected, atol in (
        ("mirror", 1, photos[:, :, ::-1], 0),
        ("upside-down", 1, photos[:, ::-1], 0),
        ("rotation", 180, photos[:, ::-1, ::-1], 0),
        ("hue", 360, photos, 0),
        ("darker", 1, 0 * photos, 0),
        ("darker", 0.5, photos / 2, 0.51),
        ("brighter", 1, np.minimum(2 * wide, 255), 0),
        ("contrast", 1, mean[:, None, None, None] + 0 * wide, 0.51),
    ):
        np.testing.assert_allclose(change(name, photos, strength), expected, atol=atol, err_msg=name)


def test_the_background_takes_the_colour_of_the_middle() -> None:
    images = np.zeros((1, 41, 41, 3), np.uint8)
    images[0, :, :] = (10, 20, 240)
    images[0, 5:36, 5:36] = (200, 120, 40)  # wider than the ellipse's inner part
    weight = background_of(41, 41)[..., None]
    subject = (images[0] * (1 - weight)).sum(axis=(0, 1)) / (1 - weight).sum()
    for share in (0.3, 1.0):
        result = change("background", images, share)[0]
        expected = images[0] + share * weight * (subject - images[0])
        np.testing.assert_allclose(result, expected, atol=0.51)
        np.testing.assert_array_equal(result[12:29, 12:29], images[0, 12:29, 12:29])
    corners = change("background", images, 1)[0, [0, 0, -1, -1], [0, -1, 0, -1]]
    np.testing.assert_allclose(corners, np.tile(subject, (4, 1)), atol=0.51)
    assert np.abs(corners - [200, 120, 40]).max() < 20


@every("channels", [1, 3])
def test_jpeg_is_pillows(channels: int, photos: np.ndarray) -> None:
    images = photos[..., :channels]
    for image, result in zip(images, change("jpeg", images, 70), strict=True):
        file = io.BytesIO()
        Image.fromarray(image.squeeze()).save(file, "JPEG", quality=30)
        np.testing.assert_array_equal(result.squeeze(), np.asarray(Image.open(file)))


def test_a_square_is_covered_wholly_inside(rng: np.random.Generator) -> None:
    images = rng.integers(0, 100, (40, 30, 50, 3), dtype=np.uint8)
    for image, result in zip(images, change("occlusion", images, 0.4), strict=True):
        covered = (result == 128).all(axis=2)
        assert covered.sum() == 12 * 12
        np.testing.assert_array_equal(result[~covered], image[~covered])
    assert (change("occlusion", images[:, :, :30], 1) == 128).all()


@every("name", ["rotation", "mirror", "blur"])
@every("strength", [-0.1, math.nan, math.inf, 1000, True, "much", None])
def test_a_wrong_strength_is_told_with_the_range(name: str, strength: Any) -> None:
    with pytest.raises(OptionError, match=rf"^{name}: expected a strength from 0 to .*Usual ones: "):
        choose_perturbations([name], {name: [strength]})


@every("shape", [(4, 9), (2, 4, 4, 4), (2, 0, 4, 3), (1, 2, 3, 4, 3)])
def test_what_is_no_photo_is_told(shape: tuple[int, ...]) -> None:
    with pytest.raises(ShapeError, match="expected photos of shape"):
        check_photos("here", np.zeros(shape, np.uint8))


def test_a_perturbation_called_by_itself_checks_photos_and_strength(photos: np.ndarray) -> None:
    hue, rotation, rng = PERTURBATIONS["hue"], PERTURBATIONS["rotation"], stream(1, "robustness")
    with pytest.raises(DataError, match="rotation: "):
        rotation(photos / 255, 10, rng)
    with pytest.raises(OptionError, match="rotation: expected a strength from 0 to"):
        rotation(photos, math.nan, rng)
    with pytest.raises(OptionError, match="hue: expected photos in colour"):
        hue(photos[..., :1], hue.moderate, rng)


def test_the_table_is_consistent() -> None:
    for name, p in PERTURBATIONS.items():
        assert p.name == name
        assert p.reason in REASONS
        assert list(p.strengths) == sorted(set(p.strengths))
        assert p.moderate in p.strengths
        assert 0 < p.strengths[0] <= p.strengths[-1] <= p.largest
        labels = [p.label(s) for s in (0, *p.strengths)]
        assert len(set(labels)) == len(labels)
        assert max(map(len, labels)) <= 9
    assert {p.reason for p in PERTURBATIONS.values()} == set(REASONS)


def test_names_and_strengths_are_chosen_once_each_in_order_and_checked() -> None:
    chosen = {p.name: strengths for p, strengths in choose_perturbations(["blur", "hue", "blur"]).items()}
    assert list(chosen) == ["blur", "hue"]
    assert [p.name for p in choose_perturbations("blur")] == ["blur"]
    assert [p.name for p in choose_perturbations()] == list(PERTURBATIONS)
    named = choose_perturbations(["rotation", "blur"], {"rotation": [45, 0, 15, 45]})
    assert list(named.values()) == [(15.0, 45.0), PERTURBATIONS["blur"].strengths]
    for names, strengths, expected in (
        (["roation"], {}, r"unknown perturbation 'roation'\. Did you mean 'rotation'\?"),
        ([], {}, "at least one perturbation, got none"),
        (["blur"], {"hue": [30]}, r"strengths of unknown perturbation 'hue'.*Known: blur"),
        (["rotation"], {"rotation": [0]}, r"rotation: expected at least one strength above 0, got \[0\]"),
        (["blur"], {"blur": [1, -1]}, "blur: expected a strength from 0 to 100"),
    ):
        with pytest.raises(OptionError, match=expected):
            choose_perturbations(names, strengths)
