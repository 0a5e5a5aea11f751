"""Photos of many megapixels: JPEGs are decoded at reduced size, by one rule for training and prediction."""

import io
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.every import every

from pellucid.data.readers.folder import read_folder
from pellucid.data.readers.images import SPARE, image_to_input, read_image, read_sample
from pellucid.estimators.image_reading import read_sources
from pellucid.types import Array

MEGABYTE = 2**20


def jpeg(pixels: Array, **options: object) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=90, **options)
    return file.getvalue()


def scene(height: int, width: int) -> Array:
    """A picture with soft and sharp edges and a grain: what a reduced decoding could change."""
    rng = np.random.default_rng(1)
    soft = Image.fromarray(rng.integers(0, 256, (9, 12, 3), np.uint8)).resize((width, height))
    pixels = np.asarray(soft).astype(np.int16) + rng.integers(-20, 21, (height, width, 1))
    pixels[height // 3 : height // 2] //= 2
    return np.clip(pixels, 0, 255).astype(np.uint8)


def test_a_jpeg_comes_at_a_size_that_is_still_far_above_the_one_asked_for() -> None:
    content = jpeg(scene(700, 1100))
    assert read_image(content).shape == (700, 1100, 3)
    assert read_image(content, for_size=(8, 8)).shape == (88, 138, 3)  # an eighth, the least there is
    assert read_image(content, for_size=(160, 240)).shape == (350, 550, 3)
    assert read_image(content, for_size=(700 // (2 * SPARE) + 1, 8)).shape == (700, 1100, 3)


@pytest.mark.slow
@every("shape", [(64, 64, 3), (48, 64, 1), (32, 32)])
def test_a_reduced_decoding_moves_few_pixels_and_little(shape: tuple[int, ...]) -> None:
    content = jpeg(scene(2400, 3200))
    expected = image_to_input(read_image(content), shape).astype(int)
    difference = np.abs(read_sample(content, shape) - expected)
    assert 0 < difference.mean() < 0.25
    assert difference.max() <= 4


@every("side", [257, 511])
def test_a_column_that_is_half_a_picture_does_not_shift_it(side: int) -> None:
    # at a half: 129 or 256 columns, the last of which is half beyond the picture
    content = jpeg(scene(side, side))
    expected = image_to_input(read_image(content), (64, 64, 3)).astype(int)
    difference = np.abs(read_sample(content, (64, 64, 3)) - expected)
    shifted = image_to_input(read_image(content, for_size=(64, 64)), (64, 64, 3)) - expected
    assert difference.max() <= 8
    assert difference.mean() < 0.8 * np.abs(shifted).mean()


@every("mark", range(1, 9))
def test_a_camera_that_was_turned_is_reduced_along_the_right_sides(mark: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = mark
    content = jpeg(scene(161, 641), exif=exif)
    shape = (20, 80, 3) if mark < 5 else (80, 20, 3)
    reduced = read_image(content, for_size=shape[:2])
    assert reduced.shape == ((41, 161, 3) if mark < 5 else (161, 41, 3))
    difference = read_sample(content, shape).astype(int) - image_to_input(read_image(content), shape)
    assert np.abs(difference).max() <= 6
    assert np.abs(difference).mean() < 0.7


@every("mode", ["L", "CMYK"])
def test_other_kinds_of_jpeg_are_reduced_too(mode: str) -> None:
    file = io.BytesIO()
    Image.fromarray(scene(640, 640)).convert(mode).save(file, "JPEG", quality=90)
    content = file.getvalue()
    assert read_image(content, for_size=(80, 80)).shape == (160, 160, 3)
    expected = image_to_input(read_image(content), (80, 80, 3))
    assert np.abs(read_sample(content, (80, 80, 3)).astype(int) - expected).max() <= 5


def test_training_and_prediction_read_the_same_pixels(tmp_path: Path) -> None:
    for name in ("cat", "dog"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "large.jpg").write_bytes(jpeg(scene(1300, 1100)))
    trained_on = read_folder(tmp_path, image_size=(32, 32)).train.X
    paths = [str(tmp_path / name / "large.jpg") for name in ("cat", "dog")]
    np.testing.assert_array_equal(read_sources(paths, (32, 32, 3)).images, trained_on)
    np.testing.assert_array_equal(read_sample(paths[0], (32, 32, 3)), trained_on[0])


MEASURE = r"""
import re, sys
from pathlib import Path
from pellucid.data.readers.folder import read_folder
raw = read_folder(Path(sys.argv[1]), image_size=(64, 64))
assert raw.train.X.shape == (4, 64, 64, 3), raw.train.X.shape
print(re.search(r"VmHWM:\s*(\d+) kB", Path("/proc/self/status").read_text())[1])
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="it has no /proc")
def test_a_folder_of_88_megapixels_each_is_read_within_300_megabytes(tmp_path: Path) -> None:
    content = jpeg(np.tile(scene(940, 940), (10, 10, 1)))
    for name in ("cat/1", "cat/2", "dog/1", "dog/2"):
        path = tmp_path / f"{name}.jpg"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
    command = [sys.executable, "-c", MEASURE, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert int(done.stdout) * 1024 < 300 * MEGABYTE
