"""Damaged files for every reader: a good result or an error of ours; no other exception, no warning, no noise."""

import io
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from pellucid.data.readers.images import read_image, read_size
from pellucid.data.source import load_data
from pellucid.errors import PellucidError

SEED = np.random.default_rng(5)
PIXELS = SEED.integers(0, 256, (12, 10, 3), dtype=np.uint8)

# The same files on every run: HDF5's own library can spin for ever over some damages of compressed data, and a
# test suite that hangs once in ten thousand runs helps nobody. (Contiguous data, as used here, never did.)
FUZZ = settings(
    max_examples=150,
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


def say_nothing_else(capfd: pytest.CaptureFixture[str], error: PellucidError | None) -> None:
    assert capfd.readouterr() == ("", "")
    if error is not None:
        assert str(error).isprintable()  # one line, whatever the file held
        assert len(str(error)) < 1000


@pytest.mark.parametrize("name", IMAGES)
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
        say_nothing_else(capfd, error)

    check()


def write_h5(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file["train_set_x"], file["train_set_y"] = PIXELS[:, :, np.newaxis], np.arange(12) % 2
        file["list_classes"] = np.array([b"non-cat", b"cat"])


def write_npz(path: Path) -> None:
    np.savez(path, X=PIXELS / 255, y=np.arange(12) % 2, classes=["no", "yes"])


def write_small_npz(path: Path) -> None:
    np.savez_compressed(path, X=PIXELS, y=np.arange(12) % 2)


@pytest.mark.parametrize("write", [write_h5, write_npz, write_small_npz])
def test_damaged_files(write: object, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / ("toy.h5" if write is write_h5 else "toy.npz")
    write(path)  # type: ignore[operator]
    whole = path.read_bytes()
    assert load_data(path).train.X.dtype.kind in "uf"

    @FUZZ
    @given(DAMAGES)
    def check(damage: tuple[str, object]) -> None:
        path.write_bytes(damaged(whole, damage))
        error = None
        try:
            split = load_data(path)
            assert len(split.train) > 0
            assert np.isfinite(split.train.X).all()
        except PellucidError as caught:
            error = caught
        say_nothing_else(capfd, error)

    check()
