"""Every photo lies where the sheet says, and none bleeds into the next."""

import io

import numpy as np
import pytest
from PIL import Image
from tests.every import every

from pellucid.reporting import sprites as module
from pellucid.reporting.sprites import PhotoSheet, photo_sheet


def cut_out(sheet: PhotoSheet, i: int) -> np.ndarray:
    with Image.open(io.BytesIO(sheet.data)) as image:
        pixels = np.asarray(image)
    (column, row), h, w = sheet.place(i), sheet.height, sheet.width
    assert pixels.shape[:2] == (sheet.n_rows * h, sheet.n_columns * w)
    return pixels[row * h : (row + 1) * h, column * w : (column + 1) * w]


@every("m", [1, 2, 7, 15])
@every("shape", [(8, 8, 3), (8, 8, 1), (5, 9), (64, 64, 3), (30, 10, 3)])
def test_small_sheets_hold_the_very_pixels(rng: np.random.Generator, m: int, shape: tuple[int, ...]) -> None:
    X = rng.integers(0, 256, (m, *shape), dtype=np.uint8)
    sheet = photo_sheet(X)
    assert sheet.uri.startswith("data:image/png;base64,")
    for i in range(m):
        assert (cut_out(sheet, i).reshape(shape) == X[i]).all()


@pytest.mark.slow
@pytest.mark.parametrize(("side", "m"), [(28, 400), (64, 100)])
def test_a_jpeg_keeps_each_photo_to_its_own_blocks(rng: np.random.Generator, side: int, m: int) -> None:
    tones = rng.integers(0, 256, (m, 1, 1, 3), dtype=np.uint8)
    X = np.broadcast_to(tones, (m, side, side, 3)).copy()
    X[::2] = rng.integers(0, 256, (m // 2, side, side, 3), dtype=np.uint8)  # noise, next to plain ones
    sheet = photo_sheet(X)
    assert sheet.uri.startswith("data:image/jpeg;base64,")
    assert sheet.height % 8 == 0
    assert len(sheet.data) < X.nbytes
    for i in range(1, m, 2):
        assert np.abs(cut_out(sheet, i).astype(int) - tones[i]).max() <= 2


def test_large_photos_are_reduced_and_more_so_if_they_are_many(rng: np.random.Generator) -> None:
    X = np.zeros((2, 300, 200, 3), np.uint8)
    assert (photo_sheet(X).height, photo_sheet(X).width) == (module.LARGE, module.LARGE * 2 // 3)
    assert photo_sheet(np.zeros((module.FEW + 1, 100, 100, 1), np.uint8)).height == module.SMALL


@every(
    ("X", "wanted"),
    [
        (np.full((1, 2, 2, 3), 0.5), 128),
        (np.full((1, 2, 2), 7.0), 255),
        (np.full((1, 2, 2), np.nan), 0),
        (np.ones((1, 2, 2), bool), 255),
        (np.array([10, 20, 30, 0], np.uint8) * np.ones((1, 2, 2, 1), np.uint8), 255),  # transparent
    ],
)
def test_other_kinds_of_pixels(X: np.ndarray, wanted: int) -> None:
    assert (cut_out(photo_sheet(X), 0) == wanted).all()


def test_the_size_on_the_page_is_a_whole_multiple_where_it_is_enlarged() -> None:
    sheet = photo_sheet(np.zeros((1, 8, 6), np.uint8))
    assert sheet.shown(128) == (96, 128)
    assert sheet.shown(50) == (36, 48)
    assert photo_sheet(np.zeros((1, 64, 64), np.uint8)).shown(48) == (48, 48)
    assert photo_sheet(np.zeros((1, 96, 4), np.uint8)).shown(48) == (2, 48)
