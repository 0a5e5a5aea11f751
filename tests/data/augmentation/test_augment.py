"""Augment: the contract that every transform keeps, composition, configurations and what is refused."""

import tomllib
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import tomli_w
from tests.every import every

from pellucid.data.augmentation.augment import Augment, augment_preset
from pellucid.data.augmentation.colour import Brightness, Contrast, Hue, Saturation
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
from pellucid.data.augmentation.mixing import Mixup
from pellucid.data.augmentation.pixels import Cutout, Noise
from pellucid.data.augmentation.transform import TRANSFORMS, Transform
from pellucid.errors import DataError, OptionError, ShapeError

EACH = every("kind", sorted(TRANSFORMS))
STRONG: dict[str, Any] = {"horizontal_flip": {"probability": 1.0}, "vertical_flip": {"probability": 1.0}}


def one(kind: str) -> Augment:
    return Augment([TRANSFORMS[kind](**STRONG.get(kind, {}))])


def seeded() -> np.random.Generator:
    return np.random.default_rng(11)


@EACH
@every("c", [1, 3])
@every("dtype", [np.float32, np.float64])
def test_contract(rng: np.random.Generator, kind: str, c: int, dtype: type) -> None:
    """Dtype kept, input too, in place and into a buffer the same, seeds decide, values do not."""
    X, Y = rng.random((5, 12, 10, c)).astype(dtype), rng.random((5, 2)).astype(dtype)
    before = X.copy(), Y.copy()
    result, targets = one(kind).apply(X, Y, seeded())
    assert targets is not None
    assert (result.dtype, result.shape, targets.dtype) == (X.dtype, X.shape, Y.dtype)
    np.testing.assert_array_equal(X, before[0])
    np.testing.assert_array_equal(Y, before[1])
    assert not np.shares_memory(result, X)
    np.testing.assert_array_equal(one(kind).apply(X, Y, seeded())[0], result)
    np.testing.assert_array_equal(one(kind).apply(X, Y, seeded(), out=np.empty_like(X))[0], result)
    assert (kind in ("saturation", "hue") and c == 1) or not np.allclose(result, X)
    assert result.min() >= -1e-6
    assert result.max() <= 1 + 1e-6
    rng_a, rng_b = seeded(), seeded()
    one(kind).apply(X, Y, rng_a)
    one(kind).apply(1 - X, 0 * Y, rng_b)
    assert rng_a.random() == rng_b.random()
    assert one(kind).apply(X, Y, seeded(), out=X)[0] is X
    np.testing.assert_array_equal(X, result)


@every("kind", sorted(set(TRANSFORMS) - {"cutmix"}))  # whose piece is one for the batch
def test_every_sample_draws_for_itself(kind: str) -> None:
    photo = np.random.default_rng(1).random((8, 8, 3))
    X = np.repeat(photo[None], 40, axis=0)
    if kind == "mixup":  # of twins nothing would change
        X[1::2] = 1 - photo
    augment = Augment([TRANSFORMS[kind]()])
    distinct = np.unique(augment.apply(X, np.zeros((40, 1)), seeded())[0].reshape(40, -1), axis=0)
    assert len(distinct) == 2 if kind.endswith("flip") else len(distinct) > 15


@EACH
def test_config_survives_toml_and_spread_runs_through_the_draws(rng: np.random.Generator, kind: str) -> None:
    transform = TRANSFORMS[kind]()
    config = tomllib.loads(tomli_w.dumps(Augment([transform]).config()))
    assert Augment.from_config(config) == Augment([transform])
    assert TRANSFORMS.from_config(transform.config()) == transform
    assert transform.config()["type"] == kind
    spread = transform.spread(5, (20, 20, 3))
    assert 1 <= len(spread) <= 5
    assert spread.shape[1] == transform.draw(3, (20, 20, 3), rng).shape[1]
    assert len({transform.label(row) for row in spread}) == len(spread)


def in_turn(transforms: Sequence[Transform], X: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The transforms called one after another, each interpolated and cut off by itself."""
    for transform in transforms:
        X = transform(X, rng)
    return X


def test_geometry_in_one_interpolation_equals_one_after_another_inside() -> None:
    i, j = np.mgrid[:48, :48]
    smooth = np.stack([0.5 + 0.4 * np.sin(i / 9 + k) * np.cos(j / 8) for k in range(3)], axis=-1)
    X = np.repeat(smooth[None], 6, axis=0)
    transforms = [HorizontalFlip(), Rotation(12), VerticalFlip(), Scale(0.9, 1.1), Shift(0.1, 0.1), Shear(8)]
    ours = Augment(transforms).apply(X, None, seeded())[0]
    np.testing.assert_allclose(
        ours[:, 14:-14, 14:-14], in_turn(transforms, X, seeded())[:, 14:-14, 14:-14], atol=0.01, rtol=0
    )
    assert np.abs(ours - X).max() > 0.2
    reversed_order = Augment(transforms[::-1]).apply(X, None, seeded())[0]
    assert np.abs(ours - reversed_order).max() > 0.05


def test_colours_in_one_map_equal_one_after_another(rng: np.random.Generator) -> None:
    X = rng.uniform(0.4, 0.6, (6, 7, 5, 3))  # nothing is cut off on the way
    transforms = [Brightness(0.2), Contrast(0.3), Saturation(0.4), Hue(0.1), Contrast(0.2)]
    ours = Augment(transforms).apply(X, None, seeded())[0]
    np.testing.assert_allclose(ours, in_turn(transforms, X, seeded()), rtol=0, atol=1e-14)


def test_different_edges_are_not_merged(rng: np.random.Generator) -> None:
    X = rng.random((4, 9, 9, 1))
    transforms = [
        Crop(3, edge="constant", fill=1.0),
        Crop(3, edge="edge"),
        HorizontalFlip(),
        Cutout(),
        Crop(2),
    ]
    np.testing.assert_array_equal(
        Augment(transforms).apply(X, None, seeded())[0], in_turn(transforms, X, seeded())
    )


def test_flips_alone_are_exact(rng: np.random.Generator) -> None:
    X = rng.random((40, 7, 6, 3), dtype=np.float32)
    transforms = [HorizontalFlip(), VerticalFlip()]
    ours = Augment(transforms).apply(X, None, seeded())[0]
    np.testing.assert_array_equal(ours, in_turn(transforms, X, seeded()))
    corners = {
        tuple(map(float, result[[0, 0, -1, -1], [0, -1, 0, -1], 0] == image[0, 0, 0]))
        for result, image in zip(ours, X, strict=True)
    }
    assert len(corners) == 4  # all four combinations came up


def test_nothing_to_do_is_a_copy(rng: np.random.Generator) -> None:
    X, y = rng.random((3, 4, 4, 3)), np.arange(3)
    result, same = Augment([]).apply(X, y, rng)
    np.testing.assert_array_equal(result, X)
    assert not np.shares_memory(result, X)
    assert same is y
    none, _ = Augment([Rotation(), Noise(), Brightness(), Cutout()]).apply(X[:0], y[:0], rng)
    assert none.shape == (0, 4, 4, 3)


def test_what_is_not_an_image_from_0_to_1_is_refused(rng: np.random.Generator) -> None:
    photo = augment_preset("photo")
    cases: list[tuple[Any, type[Exception], str]] = [
        (
            np.zeros((2, 12)),
            ShapeError,
            r"expected images of shape \(m, height, width, channels\).*got \(2, 12\)",
        ),
        (np.zeros((2, 4, 4, 4)), ShapeError, "1 or 3 channels"),
        (np.zeros((2, 4, 4, 3), np.uint8), DataError, "got uint8. Divide pixels by 255"),
        (np.full((2, 4, 4, 3), 200.0), DataError, "expected values from 0 to 1.*got 200 to 200"),
        (np.full((2, 4, 4, 3), np.nan), DataError, "expected values from 0 to 1"),
    ]
    for X, error, message in cases:
        with pytest.raises(error, match=message):
            photo.apply(X, None, rng)
    standardized = rng.standard_normal((2, 4, 4, 3))
    # Nothing is cut off: any range will do
    assert Augment([Rotation()]).apply(standardized, None, rng)[0].min() < 0
    with pytest.raises(DataError, match="Brightness: expected values from 0 to 1"):
        Brightness()(standardized, rng)
    with pytest.raises(ShapeError, match="X has 2 samples and Y has 3"):
        photo.apply(np.zeros((2, 4, 4, 3)), np.zeros(3), rng)
    with pytest.raises(ShapeError, match="expected out of shape"):
        photo.apply(np.zeros((2, 4, 4, 3)), None, rng, out=np.zeros((2, 4, 4, 1)))
    with pytest.raises(OptionError, match="Mixup: it mixes targets too, and Y is None"):
        Augment([Mixup()]).apply(np.zeros((2, 4, 4, 3)), None, rng)


@every(
    ("config", "message"),
    [
        ("foto", "unknown augmentation 'foto'. Did you mean 'photo'"),
        ([{"type": "rotatoin"}], "unknown transform 'rotatoin'. Did you mean 'rotation'"),
        ([{"type": "rotation", "degree": 3}], "unknown option 'degree'. Did you mean 'degrees'"),
        ({"transform": []}, "Augment: unknown key 'transform'. Did you mean 'transforms'"),
        ({}, "Augment: expected a preset's name or a list of tables"),
        ([3], "transform: expected a name, .* got 3"),
    ],
)
def test_wrong_configurations_name_the_nearest(config: Any, message: str) -> None:
    with pytest.raises(OptionError, match=message):
        Augment.from_config(config)


@every(
    ("make", "message"),
    [
        (lambda: HorizontalFlip(1.5), "horizontal_flip: expected probability .* of at most 1, got 1.5"),
        (lambda: Rotation(181), "rotation: expected degrees to be a number .* at most 180, got 181"),
        (lambda: Rotation(edge="mirror"), "rotation: unknown edge 'mirror'. Known: constant, edge, reflect"),
        (lambda: Scale(1.2, 1.1), "scale: expected high to be at least low, 1.2, got 1.1"),
        (lambda: Crop(-1), "crop: expected padding to be a whole number of at least 0, got -1"),
        (lambda: ResizedCrop(area=(0.9, 0.5)), "the smaller first"),
        (lambda: Augment([HorizontalFlip]), "transform: expected a name, .* or an object"),
    ],
)  # fmt: skip
def test_options_out_of_range_are_refused(make: Any, message: str) -> None:
    with pytest.raises(OptionError, match=message):
        make()
