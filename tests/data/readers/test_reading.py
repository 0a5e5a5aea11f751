"""Files of other programs, many at a time: threads give what one gives, and every failure is explained."""

import io
import threading
import time
import warnings
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.every import every

from pellucid.data.readers import reading as reading_files
from pellucid.data.readers.folder import open_folder
from pellucid.data.readers.reading import Room, reading
from pellucid.data.source import load_data
from pellucid.errors import DataError, OptionError


@every("failure", [KeyError("x"), RuntimeError("x"), SyntaxError("x"), RecursionError("x"), MemoryError()])
def test_any_exception_becomes_one_of_ours(failure: Exception) -> None:
    message = r"^a\.bin: expected a widget, but cannot read it \(.*x.*\)\. Try b\.$|does not fit in memory"
    before = list(warnings.filters)

    def fail() -> None:
        warnings.warn("an error in this test suite, unless ignored", stacklevel=1)
        raise failure

    with pytest.raises(DataError, match=message) as caught, reading("a.bin", "a widget", "Try b."):
        fail()
    assert caught.value.__cause__ is (None if isinstance(failure, MemoryError) else failure)
    assert list(warnings.filters) == before


@every("failure", [OptionError("x"), KeyboardInterrupt()])
def test_our_own_errors_and_interrupts_pass(failure: BaseException) -> None:
    with pytest.raises(type(failure)) as caught, reading("a.bin", "a widget", "Try b."):
        raise failure
    assert caught.value is failure


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """24 pictures of two classes and several formats, three of them damaged."""
    rng = np.random.default_rng(1)
    for i in range(24):
        path = tmp_path / ("cat" if i % 2 else "dog") / f"{i:02}.{('jpg', 'png', 'webp', 'gif')[i % 4]}"
        path.parent.mkdir(exist_ok=True)
        side = 300 if i == 8 else 40
        Image.fromarray(rng.integers(0, 256, (side, 50, 3), np.uint8)).save(path)
        if i in (4, 11, 19):
            path.write_bytes(path.read_bytes()[:60])
    return tmp_path


def test_threads_give_what_one_gives(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = {}
    for n in (1, 4):
        monkeypatch.setattr(reading_files, "allowed_threads", lambda n=n: n)
        stages: list[tuple[str, int, int]] = []
        photos = open_folder(folder, progress=lambda *shown, to=stages: to.append(shown))
        found[n] = (photos, *photos.read())
        assert [shown for shown in stages if shown[0] == "reading photos"] == [
            ("reading photos", i, 24) for i in range(1, 25)
        ]
    one, four = found[1], found[4]
    np.testing.assert_array_equal(one[1], four[1])
    assert one[2:] == four[2:]
    assert [photo.path.stem for photo in four[3]] == ["11", "19", "04"]  # cats first
    assert [photo.size for photo in four[2]].count((300, 50)) == 1
    assert len(four[1]) == 21


def test_each_file_of_several_sizes_is_opened_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    counts: dict[str, int] = {}
    real = Image.open

    def counting(file: Path, *args: object) -> Image.Image:
        counts[file.name] = counts.get(file.name, 0) + 1
        return real(file, *args)

    for path in folder.glob("*/*"):
        if path.stem in ("01", "04", "11", "19"):
            path.unlink()
    Image.new("RGB", (400, 300)).save(folder / "cat" / "000.jpg")  # the first: too large to be kept
    monkeypatch.setattr(Image, "open", counting)
    data = load_data(folder)
    assert counts.pop("000.jpg") == 2  # looked at, then read
    assert set(counts.values()) == {1}
    assert data.train.X.shape[1:] == (64, 64, 3)
    assert "images squeezed to 64 × 64 (they were of 3 sizes)" in data.notes


def test_large_pictures_wait_for_room() -> None:
    room, most = Room(100), []

    def work(n: int) -> None:
        with room.taken(n):
            most.append(room.used)
            time.sleep(0.002)

    threads = [threading.Thread(target=work, args=(n,)) for n in (40, 60, 50, 500, 30, 70) * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(most) == 12
    assert all(used <= 100 or used == 500 for used in most)
    assert room.used == 0


HEIC = b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic"


def test_heic_is_read_where_pillow_heif_is(tmp_path: Path) -> None:
    pillow_heif = pytest.importorskip("pillow_heif")
    pixels = np.full((32, 48, 3), (200, 40, 40), np.uint8)
    for i, name in enumerate(("cat", "cat", "dog", "dog")):
        path = tmp_path / name / f"{i}.heic"
        path.parent.mkdir(exist_ok=True)
        file = io.BytesIO()
        pillow_heif.from_pillow(Image.fromarray(pixels)).save(file, quality=95)
        path.write_bytes(file.getvalue())
    data = load_data(tmp_path, test_fraction=0.5)
    assert data.train.X.shape == (2, 32, 48, 3)
    assert np.abs(data.train.X[0].astype(int) - pixels).max() < 12


def test_heic_without_pillow_heif_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from pellucid.data.readers.images import read_image

    monkeypatch.setitem(__import__("sys").modules, "pillow_heif", None)
    monkeypatch.setattr(Image, "ID", [name for name in Image.ID if "HEI" not in name])
    monkeypatch.setattr(Image, "_initialized", 2)
    path = tmp_path / "photo.heic"
    path.write_bytes(HEIC + bytes(50))
    with pytest.raises(
        DataError, match=r"photo\.heic: HEIC pictures take an extra: pip install 'pellucid\[heic\]'"
    ):
        read_image(path)
