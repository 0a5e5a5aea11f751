"""Every kind of photo becomes what a person would see; every damaged one a DataError that names it."""

import io
import os
import struct
import subprocess
import sys
import tempfile
import threading
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.every import every

from pellucid.data.readers.images import image_to_input, read_image, read_size, resize_image
from pellucid.data.readers.picture_modes import UNKNOWN, White, to_rgb
from pellucid.errors import DataError, OptionError, ShapeError
from pellucid.types import Array


def encoded(image: Image.Image, format: str = "PNG", **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


@pytest.fixture
def pixels(rng: np.random.Generator) -> Array:
    return rng.integers(0, 256, (5, 7, 3), dtype=np.uint8)


@pytest.fixture
def jpeg(rng: np.random.Generator) -> bytes:
    return encoded(Image.fromarray(rng.integers(0, 256, (40, 40, 3), dtype=np.uint8)), "JPEG")


def test_a_path_a_string_and_bytes_give_the_same_exact_pixels(tmp_path: Path, pixels: Array) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(encoded(Image.fromarray(pixels)))
    for source in (path, str(path), path.read_bytes()):
        image = read_image(source)
        assert image.dtype == np.uint8
        np.testing.assert_array_equal(image, pixels)
        assert read_size(source) == (5, 7)


ROTATED = {
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.swapaxes(0, 1),
    6: lambda a: np.rot90(a, -1),
    7: lambda a: a[::-1, ::-1].swapaxes(0, 1),
    8: lambda a: np.rot90(a),
}


@every("orientation", ROTATED)
def test_exif_rotation_is_applied(pixels: Array, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encoded(Image.fromarray(pixels), exif=exif)
    wanted = ROTATED[orientation](pixels)
    np.testing.assert_array_equal(read_image(data), wanted)
    assert read_size(data) == wanted.shape[:2]


@every("exif", [b"no such format", b"MM\0*\0\0\xff\xff\xff\xff", b"II*\0\x08\0\0\0\x09\0\x12\x01"])
def test_damaged_exif_data_do_not_spoil_the_photo(pixels: Array, exif: bytes) -> None:
    data = encoded(Image.fromarray(pixels), exif=b"Exif\0\0" + exif)
    np.testing.assert_array_equal(read_image(data), pixels)
    assert read_size(data) == (5, 7)


def test_transparency_is_laid_over_white_exactly() -> None:
    colour, alpha = np.meshgrid(np.arange(256), np.arange(256))
    rgba = np.stack([colour, 255 - colour, colour, alpha], axis=2).astype(np.uint8)
    parts = rgba[..., :3].astype(int) * alpha[..., None] + 255 * (255 - alpha[..., None])
    np.testing.assert_array_equal(read_image(encoded(Image.fromarray(rgba))), (parts + 127) // 255)
    grey = np.ascontiguousarray(rgba[..., [0, 3]])
    wanted = np.repeat((parts[..., :1] + 127) // 255, 3, axis=2)
    np.testing.assert_array_equal(read_image(encoded(Image.fromarray(grey))), wanted)


def test_a_palette_with_and_without_a_transparent_colour() -> None:
    image = Image.frombytes("P", (2, 2), bytes([0, 1, 2, 1]))
    image.putpalette([10, 20, 30, 40, 50, 60, 70, 80, 90])
    wanted = np.array([[[10, 20, 30], [40, 50, 60]], [[70, 80, 90], [40, 50, 60]]])
    np.testing.assert_array_equal(read_image(encoded(image)), wanted)
    wanted[0, 1] = wanted[1, 1] = 255
    for transparency in (1, b"\xff\x00\xff"):
        np.testing.assert_array_equal(read_image(encoded(image, transparency=transparency)), wanted)
    image = Image.fromarray(np.array([[[1, 2, 3], [4, 5, 6]]], np.uint8))  # RGB with one
    shown = read_image(encoded(image, transparency=(1, 2, 3)))
    np.testing.assert_array_equal(shown, [[[255, 255, 255], [4, 5, 6]]])


def test_the_first_frame_of_an_animation() -> None:
    frames = [Image.new("RGB", (3, 2), colour) for colour in ("red", "lime")]
    data = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    np.testing.assert_array_equal(read_image(data), np.full((2, 3, 3), [255, 0, 0]))


SCALES = {  # mode: the values of two pixels, and the first channel of what is read; None: refused
    "1": [((0, 255), (0, 255))],
    "L": [((0, 200), (0, 200)), ((0, 1), (0, 1))],
    "LA": [((0, 200), (255, 212))],
    "La": [((0, 200), (255, 255))],  # the grey is multiplied by its alpha already
    "P": [((0, 200), (0, 200))],
    "PA": [((0, 200), (255, 212))],
    "RGB": [((0, 200), (0, 200)), ((0, 1), (0, 1))],
    "RGBA": [((0, 200), (255, 212))],
    "RGBa": [((0, 200), (255, 255))],
    "RGBX": [((0, 200), (0, 200))],
    "CMYK": [((0, 200), (255, 12))],
    "YCbCr": [((0, 200), (0, 255))],
    "LAB": [((0, 200), (0, 255))],
    "HSV": [((0, 200), (0, 154))],
    **{
        mode: [((0, 1), (0, 0)), ((0, 255), (0, 1)), ((128, 129), (0, 1)), ((25829, 65535), (101, 255))]
        for mode in ("I;16", "I;16B", "I;16L")
    },
    "I": [
        ((0, 0), (0, 0)),
        *(((0, most), None) for most in (1, 200, 255, 65536)),  # up to 255: bytes, or a dark one of 16 bits
        ((-1, 5), None),
        ((0, 256), (0, 1)),
        ((25829, 65535), (101, 255)),
    ],
    "F": [
        ((0, 0.2), (0, 51)),
        ((0, 1), (0, 255)),
        *(((0, most), None) for most in (1.4, 255, 65535, np.nan, np.inf)),
        ((-0.5, 1), None),
    ],
}


# The same where the value of white is known, of which (floating-point, 32-bit): its set's or its model's.
OF_WHITE = {
    (255, 0): {
        "F": [
            ((0, 0.9), (0, 1)),
            ((0, 200), (0, 200)),
            ((0, 256), None),
            ((-1, 5), None),
            ((0, np.nan), None),
        ],
        "I": [((0, 200), None), ((0, 65535), (0, 255))],
    },
    (1, 65535): {"F": [((0, 0.2), (0, 51)), ((0, 200), None)], "I": [((0, 200), (0, 1)), ((0, 65536), None)]},
    (0, 255): {
        "F": [((0, 1), (0, 255))],
        "I": [((0, 200), (0, 200)), ((0, 256), None)],
        "I;16": [((0, 255), (0, 1))],
    },
}


def of_mode(mode: str, values: tuple[float, float]) -> Image.Image:
    """Return a picture of two pixels, each with one value in all bands."""
    if mode in ("I", "F"):
        return Image.fromarray(np.array([values], np.int32 if mode == "I" else np.float32))
    if mode.startswith("I;16"):
        return Image.frombytes(mode, (2, 1), np.array(values, ">u2" if mode == "I;16B" else "<u2").tobytes())
    image = Image.new(mode, (2, 1))
    n = len(image.getbands())
    image.putdata([value if n == 1 else (value,) * n for value in values])
    if mode in ("P", "PA"):
        image.putpalette(np.repeat(np.arange(256, dtype=np.uint8), 3).tobytes())
    return image


def test_every_mode_and_range_has_a_known_scale_or_is_refused() -> None:
    wrong = []
    for white, scales in ((UNKNOWN, SCALES), *OF_WHITE.items()):
        for mode, values, wanted in ((mode, *case) for mode, cases in scales.items() for case in cases):
            try:
                image = to_rgb(of_mode(mode, values), "grey.tif", White(*white))
                found = tuple(np.asarray(image)[0, :, 0].tolist())
            except DataError as error:
                found = None if "grey.tif: " in str(error) else str(error)
            if found != wanted:
                wrong.append((white, mode, values, wanted, found))
    assert not wrong


@every(
    ("make", "message"),
    [
        (lambda path: None, "expected an image, found no such file. Check the path."),
        (lambda path: path.mkdir(), "expected an image, found a folder. Name a file in it."),
        (lambda path: path.touch(), "expected an image, found an empty file. Copy or download it again."),
        (lambda path: path.write_text("not a photo\n" * 99), "not in an image format that can be read"),
        (lambda path: os.mkfifo(path), "found a device or a pipe"),
    ],
)
def test_what_is_not_an_image(tmp_path: Path, make: object, message: str) -> None:
    path = tmp_path / "cat.jpg"
    make(path)  # type: ignore[operator]
    for read in (read_image, read_size):
        with pytest.raises(DataError) as caught:
            read(path)
        assert str(caught.value).startswith(f"{path}: ")
        assert message in str(caught.value)


def test_a_truncated_photo_and_what_is_none(tmp_path: Path, jpeg: bytes) -> None:
    path = tmp_path / "half.jpg"
    path.write_bytes(jpeg[: len(jpeg) // 2])
    assert read_size(path) == (40, 40)  # the header is whole
    with pytest.raises(DataError, match=r"half\.jpg: .*truncated.*cut off or damaged\. Save it again"):
        read_image(path)
    with pytest.raises(DataError, match=r"^the bytes given: .*truncated"):
        read_image(path.read_bytes())
    with pytest.raises(DataError, match=r"^the bytes given: expected an image, found nothing"):
        read_image(b"")
    with pytest.raises(DataError, match="expected a path or bytes, got ndarray"):
        read_image(np.zeros(3))  # type: ignore[arg-type]


def bomb(side: int) -> bytes:
    """A few bytes of PNG that claim side x side pixels."""
    data = b"\x89PNG\r\n\x1a\n"
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    for kind, body in ((b"IHDR", header), (b"IDAT", zlib.compress(bytes(1000))), (b"IEND", b"")):
        data += struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
    return data


@every("side", [10_000, 20_000])  # Pillow warns of the first and refuses the second
def test_decompression_bombs_are_refused(side: int) -> None:
    for read in (read_image, read_size):
        with pytest.raises(DataError, match=r"larger than 89,478,485 pixels.*smaller size"):
            read(bomb(side))


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="needs the permissions of POSIX")
def test_a_file_that_may_not_be_read(jpeg: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:  # not tmp_path, which lies in a folder closed to others
        os.chmod(folder, 0o755)
        path = Path(folder, "secret.jpg")
        path.write_bytes(jpeg)
        path.chmod(0)
        user = os.geteuid()
        if user == 0:  # root may read everything: be somebody else for a moment
            os.seteuid(65534)
        try:
            with pytest.raises(DataError, match=r"secret\.jpg: .*may not read it\. Change its permissions"):
                read_image(path)
        finally:
            os.seteuid(user)


def test_pillows_log_stays_off_the_screen(pixels: Array, tmp_path: Path) -> None:
    data = encoded(Image.fromarray(pixels), "TIFF")
    samples_per_pixel = data.index(struct.pack("<HHL", 277, 3, 1)) + 8
    path = tmp_path / "a.tiff"
    path.write_bytes(data[:samples_per_pixel] + struct.pack("<H", 2048) + data[samples_per_pixel + 2 :])
    code = (  # in a process of its own, since pytest listens to every log
        "import sys, pellucid.data.readers.images as images\nfrom pellucid.errors import DataError\n"
        "try: images.read_image(sys.argv[1])\n"
        "except DataError as error: print(error)"
    )
    result = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True)
    assert result.stdout.startswith(f"{path}: not in an image format")
    assert result.stderr == ""


def test_warning_filters_survive_threads(jpeg: bytes) -> None:
    before = list(warnings.filters)
    threads = [threading.Thread(target=lambda: [read_image(jpeg) for _ in range(20)]) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert list(warnings.filters) == before


def test_resizing_is_pillows_default_for_any_channels(pixels: Array, rng: np.random.Generator) -> None:
    wanted = np.asarray(Image.fromarray(pixels).resize((3, 4), Image.Resampling.BICUBIC))
    np.testing.assert_array_equal(resize_image(pixels, 4, 3), wanted)
    np.testing.assert_array_equal(resize_image(pixels, 5, 7), pixels)
    for n_channels in (1, 2, 4):
        image = rng.integers(0, 256, (6, 5, n_channels), dtype=np.uint8)
        each = [
            Image.fromarray(np.ascontiguousarray(channel)).resize((4, 3))
            for channel in image.transpose(2, 0, 1)
        ]
        np.testing.assert_array_equal(resize_image(image, 3, 4), np.stack(each, axis=2))


def test_resizing_refuses_other_arrays_and_sizes(pixels: Array) -> None:
    for wrong in (pixels / 255, pixels[0], pixels[:0]):
        with pytest.raises(ShapeError, match="expected shape"):
            resize_image(wrong, 4, 4)
    for height, width in ((0, 4), (4, -1), (4, 2.5)):
        with pytest.raises(OptionError, match="two whole numbers from 1 up"):
            resize_image(pixels, height, width)  # type: ignore[arg-type]


def test_an_image_as_a_models_input(pixels: Array) -> None:
    np.testing.assert_array_equal(image_to_input(pixels, (4, 3, 3)), resize_image(pixels, 4, 3))
    grey = image_to_input(pixels, (5, 7, 1))
    red, green, blue = (pixels[:, :, channel].astype(int) for channel in range(3))
    luma = (19595 * red + 38470 * green + 7471 * blue + 0x8000) >> 16  # ITU-R BT.601, in 16-bit steps
    np.testing.assert_array_equal(grey[:, :, 0], luma)
    np.testing.assert_array_equal(image_to_input(pixels, (5, 7)), luma)
    for shape in ((12288,), (), (4, 4, 2), (1, 4, 4, 3)):
        with pytest.raises(ShapeError, match="which are not images"):
            image_to_input(pixels, shape)
