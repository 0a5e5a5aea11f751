"""Damaged photos: a good result or an error of ours; no other exception, no warning, no noise."""

import io

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from tests.every import every

from pellucid.data.readers.images import read_image, read_size
from pellucid.errors import PellucidError

SEED = np.random.default_rng(5)
PIXELS = SEED.integers(0, 256, (12, 10, 3), dtype=np.uint8)

FUZZ = settings(
    max_examples=60,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
DAMAGES = st.one_of(
    st.tuples(st.just("cut"), st.floats(0, 1, exclude_max=True)),
    st.tuples(
        st.just("flip"),
        st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1, max_size=8),
    ),
    st.tuples(
        st.just("flip"),  # in the header, where it hurts most
        st.lists(st.tuples(st.floats(0, 0.1), st.integers(0, 255)), min_size=1, max_size=8),
    ),
)


def damaged(data: bytes, damage: tuple[str, object]) -> bytes:
    kind, what = damage
    if kind == "cut":
        return data[: int(len(data) * what)]  # type: ignore[operator]
    result = bytearray(data)
    for place, value in what:  # type: ignore[attr-defined]
        result[int(len(result) * place)] = value
    return bytes(result)


def encoded(format: str, mode: str = "RGB", **options: object) -> bytes:
    file = io.BytesIO()
    Image.fromarray(PIXELS).convert(mode).save(file, format, **options)
    return file.getvalue()


EXIF = Image.Exif()
EXIF[0x0112] = 6
IMAGES = {
    "png": encoded("PNG"),
    "png palette": encoded("PNG", "P", transparency=3),
    "jpeg": encoded("JPEG", exif=EXIF),
    "gif": encoded("GIF", "P"),
    "tiff": encoded("TIFF"),
    "bmp": encoded("BMP"),
}


@every("name", IMAGES)
def test_damaged_images(name: str, capfd: pytest.CaptureFixture[str]) -> None:
    @FUZZ
    @given(DAMAGES)
    def check(damage: tuple[str, object]) -> None:
        data, error = damaged(IMAGES[name], damage), None
        for read in (read_image, read_size):
            try:
                result = read(data)
                assert len(result) > 0
            except PellucidError as caught:
                error = caught
        assert capfd.readouterr() == ("", "")
        if error is not None:
            assert str(error).isprintable()  # one line, whatever the file held
            assert len(str(error)) < 1000

    check()
