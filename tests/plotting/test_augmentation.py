"""The contact sheet shows every transform, named, and nothing touches anything."""

import numpy as np
from tests.every import every
from tests.pictures import assert_readable, shown, words

from pellucid.data.augmentation.augment import Augment
from pellucid.data.augmentation.geometry import Crop, HorizontalFlip, ResizedCrop, Rotation
from pellucid.data.augmentation.mixing import Mixup
from pellucid.data.augmentation.pixels import Cutout
from pellucid.data.augmentation.transform import TRANSFORMS
from pellucid.plotting.augmentation import N_COLUMNS, contact_sheet


def photo(rng: np.random.Generator, *shape: int) -> np.ndarray:
    return rng.integers(0, 256, shape, dtype=np.uint8)


def test_every_transform_is_there_by_name(rng: np.random.Generator) -> None:
    figure = contact_sheet(photo(rng, 16, 16, 3))
    for kind in TRANSFORMS:
        assert kind.replace("_", " ").capitalize() in words(figure)
    n_flips = 2
    assert len(shown(figure)) == 1 + n_flips + N_COLUMNS * (len(TRANSFORMS) - n_flips)


def test_pictures_are_what_the_transform_makes_of_the_photo(rng: np.random.Generator) -> None:
    image = photo(rng, 8, 8, 3)
    figure = contact_sheet(image, Augment([HorizontalFlip(), Crop(5, edge="edge"), Mixup()]))
    pictures = shown(figure)
    np.testing.assert_allclose(pictures[0], image / 255)
    np.testing.assert_allclose(pictures[1], image[:, ::-1] / 255)
    np.testing.assert_allclose(pictures[2][:3, :3], image[5:, 5:] / 255)  # the first crop: 5 up, 5 left
    assert "↓ −5, → −5 px" in words(figure)
    last = pictures[2 + 2 * N_COLUMNS - 1]
    np.testing.assert_allclose(last, (image / 255 + image[::-1] / 255) / 2)
    assert len(pictures) == 2 + 2 * N_COLUMNS + 2 * N_COLUMNS


@every("shape", [(40, 24, 1), (12, 30), (60, 10, 3)])
def test_nothing_touches(rng: np.random.Generator, shape: tuple[int, ...]) -> None:
    turned = Rotation(180, edge="constant", fill=1.0)
    augment = Augment([turned, HorizontalFlip(), ResizedCrop(edge="edge"), Cutout(), Crop(20)])
    assert_readable(contact_sheet(photo(rng, *shape), augment))
