"""Folders: files are looked at before anything is resized, and none of them stops the checkup."""

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scripts.drawn_cats.draw import draw

from pellucid.checks.check import DataReport, examine
from pellucid.checks.opening import Opened, open_data
from pellucid.data.dataset import Dataset
from pellucid.data.readers.images import read_facts
from pellucid.data.source import load_data
from pellucid.errors import DataError, OptionError


@pytest.fixture(scope="module")
def drawn() -> Dataset:
    return draw(40, seed=4, size=80)


@pytest.fixture
def pets(tmp_path: Path, drawn: Dataset) -> Path:
    """40 drawings in two classes, 16 of each in train/ and 4 in test/."""
    for i, (image, label) in enumerate(zip(drawn.X, drawn.y, strict=True)):
        folder = tmp_path / "pets" / ("train" if i < 32 else "test") / drawn.classes[label]
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(folder / f"{i:02d}.png")
    return tmp_path / "pets"


def cat(drawn: Dataset, n: int) -> Image.Image:
    return Image.fromarray(drawn.X[np.flatnonzero(drawn.y == 1)[n]])


def check(folder: Path) -> DataReport:
    opened = open_data(folder)
    return examine(opened.split, names=opened.names, also=opened.findings)


def named(checkup: DataReport) -> dict[str, list[str]]:
    """Return the files of each kind of finding."""
    found: dict[str, list[str]] = {}
    for finding in checkup.findings:
        found.setdefault(finding.kind, []).extend(sample.name for sample in finding.samples)
    return found


def test_a_folder_in_order(pets: Path) -> None:
    assert named(check(pets)) == {}


@pytest.mark.parametrize("has_parts", [True, False])
def test_pictures_and_names_are_those_that_load_data_gives(pets: Path, has_parts: bool) -> None:
    folder = pets if has_parts else pets / "train"
    opened, loaded = open_data(folder, seed=3), load_data(folder, seed=3)
    for ours, theirs, names in (
        (opened.split.train, loaded.train, opened.names.train),
        (opened.split.test, loaded.test, opened.names.test),
    ):
        np.testing.assert_array_equal(ours.X, theirs.X)
        np.testing.assert_array_equal(ours.y, theirs.y)
        for image, label, name in zip(ours.X, ours.y, names, strict=True):
            assert Path(name).parent.name == opened.split.classes[label]
            shown = np.asarray(Image.open(folder / name))
            np.testing.assert_array_equal(
                np.asarray(Image.fromarray(shown).resize(image.shape[1::-1])), image
            )
    assert opened.split.notes == loaded.notes
    assert opened.split.classes == loaded.classes


def test_copies_of_other_sizes_and_formats_name_their_files(pets: Path, drawn: Dataset) -> None:
    cat(drawn, 0).resize((120, 120)).save(pets / "test/cat/larger.jpg", quality=70)
    cat(drawn, 1).save(pets / "test/cat/same.png")
    cat(drawn, 2).save(pets / "train/non-cat/wrong.png")
    checkup = check(pets)
    leaks = {finding.samples[0].name: finding.samples[1].name for finding in checkup.of_kind("leak")}
    first, second, third = (f"train/cat/{row:02d}.png" for row in np.flatnonzero(drawn.y == 1)[:3])
    assert leaks == {"test/cat/larger.jpg": first, "test/cat/same.png": second}
    (conflict,) = checkup.of_kind("conflict")
    assert {sample.name for sample in conflict.samples} == {"train/non-cat/wrong.png", third}
    assert "train/non-cat/wrong.png (train" in conflict.found


def test_files_that_cannot_be_read(pets: Path, drawn: Dataset) -> None:
    (pets / "train/cat/text.jpg").write_text("no picture")
    (pets / "train/cat/nothing.png").touch()
    whole = (pets / "test/cat").glob("*.png").__next__().read_bytes()
    (pets / "test/cat/torn.png").write_bytes(whole[: len(whole) // 2])
    checkup = check(pets)
    assert set(named(checkup)["unreadable"]) == {
        "train/cat/text.jpg",
        "train/cat/nothing.png",
        "test/cat/torn.png",
    }
    torn = next(f for f in checkup.findings if f.samples[0].name == "test/cat/torn.png")
    assert torn.found.startswith("test/cat/torn.png cannot be read: expected an image, but cannot read it (")
    assert (torn.samples[0].part, torn.samples[0].index, torn.samples[0].label) == ("test", None, "cat")
    assert (checkup.n_train, checkup.n_test) == (32, 8)


def png_of_16_bits(height: int = 80, width: int = 80) -> bytes:
    """Return a colour PNG of 16 bits a value, which Pillow reads but cannot write."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rng = np.random.default_rng(0)
    smooth = np.kron(rng.integers(0, 65536, (4, 4, 3)), np.ones((height // 4, width // 4, 1))).astype(">u2")
    rows = b"".join(b"\0" + row.tobytes() for row in smooth)
    header = struct.pack(">IIBBBBB", width, height, 16, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


def test_odd_kinds_of_files(pets: Path, drawn: Dataset) -> None:
    home = pets / "train/cat"
    pictures = [cat(drawn, n) for n in range(7)]
    for path in sorted(home.glob("*.png"))[:7]:
        path.unlink()
    pictures[0].convert("CMYK").save(home / "print.jpg")
    pictures[1].convert("P").save(home / "palette.png")
    pictures[2].convert("L").save(home / "grey.png")
    pictures[3].putalpha(200)
    pictures[3].save(home / "ghost.png")
    (home / "deep.png").write_bytes(png_of_16_bits())
    pictures[5].convert("1").save(home / "ink.png")
    pictures[6].save(home / "moving.gif", save_all=True, append_images=pictures[:1])
    checkup = check(pets)
    found = {
        f.found.split(", ")[1].split(";")[0]: [s.name for s in f.samples]
        for f in checkup.of_kind("mode")[:-1]
    }
    assert found == {
        "CMYK (colours for print)": ["train/cat/print.jpg"],
        "with a palette (at most 256 colours)": ["train/cat/moving.gif", "train/cat/palette.png"],
        "grey": ["train/cat/grey.png"],
        "with transparency": ["train/cat/ghost.png"],
        "16 bits a value": ["train/cat/deep.png"],
        "black and white": ["train/cat/ink.png"],
    }
    moving = checkup.of_kind("mode")[-1]  # and grey.png is not told again as a grey picture
    assert [sample.name for sample in moving.samples] == ["train/cat/moving.gif"]
    assert "is animated: of several pictures the first is read (1 cat;" in moving.found


def test_one_kind_for_all_is_not_odd(tmp_path: Path, drawn: Dataset) -> None:
    for image, label in zip(drawn.X, drawn.y, strict=True):
        folder = tmp_path / drawn.classes[label]
        folder.mkdir(exist_ok=True)
        Image.fromarray(image).convert("P").save(folder / f"{len(list(folder.iterdir()))}.png")
    assert "mode" not in named(check(tmp_path))
    Image.fromarray(drawn.X[np.flatnonzero(drawn.y == 1)[0]]).save(tmp_path / "cat/plain.png")
    assert "mode" not in named(check(tmp_path))  # plain colour is never odd among coloured kinds


def test_tiny_wide_and_odd_sizes(pets: Path, drawn: Dataset) -> None:
    for i, path in enumerate(sorted((pets / "train/cat").glob("*.png"))[:3]):
        size = ((24, 24), (300, 80), (90, 90))[i]
        Image.open(path).resize(size).save(path.with_name(("tiny.png", "wide.png", "larger.png")[i]))
        path.unlink()
    checkup = check(pets)
    assert named(checkup)["tiny"] == ["train/cat/tiny.png"]
    assert "to 64 x 64, the smallest from 24 x 24" in checkup.of_kind("tiny")[0].found
    shape, size = checkup.of_kind("size")
    assert [sample.name for sample in shape.samples] == ["train/cat/wide.png"]
    assert "such as 80 x 300 pixels" in shape.found
    assert [sample.name for sample in size.samples] == ["train/cat/larger.png", "train/cat/tiny.png"]
    assert "2 of 40 files" in size.found
    assert "the others are all 80 x 80" in size.found


def test_photos_of_many_sizes_are_not_odd(pets: Path) -> None:
    for i, path in enumerate(sorted(pets.rglob("*.png"))):
        Image.open(path).resize((80 + i, 70 + 2 * i)).save(path)
    assert named(check(pets)) == {}


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        ("nothing", "expected at least two sub-folders, one a class, found none"),
        ("one class", "expected at least two sub-folders, one a class, found one, 'cat'"),
        ("all broken", r"not one of 4 images can be read\..*The first: cat/0\.png cannot be read"),
        ("an empty class", "expected the images of class 'dog', found nothing"),
    ],
)
def test_folders_without_anything_to_look_at(tmp_path: Path, spoil: str, words: str) -> None:
    if spoil != "nothing":
        for name in ("cat",) if spoil == "one class" else ("cat", "dog"):
            (tmp_path / name).mkdir()
            for i in range(0 if (name, spoil) == ("dog", "an empty class") else 2):
                (tmp_path / name / f"{i}.png").write_text("?" if spoil == "all broken" else "")
    with pytest.raises(DataError, match=words):
        open_data(tmp_path)


def test_options_that_do_not_apply(pets: Path) -> None:
    with pytest.raises(OptionError, match="target does not apply here"):
        open_data(pets, target="cat")
    for size in ((0, 3), (3, 99_999)):
        with pytest.raises(OptionError, match="image size: expected two whole numbers from 1 up to 4096"):
            open_data(pets, image_size=size)


def test_another_size_on_request(pets: Path) -> None:
    opened: Opened = open_data(pets, image_size=(20, 30))
    assert opened.split.train.X.shape == (32, 20, 30, 3)


def test_facts_of_a_file(tmp_path: Path) -> None:
    image = Image.new("RGB", (30, 20))
    exif = image.getexif()
    exif[0x0112] = 6  # to be turned by a quarter
    image.save(tmp_path / "turned.jpg", exif=exif)
    assert read_facts(tmp_path / "turned.jpg") == (30, 20, "RGB", False, False, 1)
    assert read_facts(png_of_16_bits()).is_deep
    with pytest.raises(DataError, match="found no such file"):
        read_facts(tmp_path / "missing.jpg")
