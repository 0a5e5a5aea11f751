"""Folders of photos: layouts, order of classes, sizes, and what is refused."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.every import every

from pellucid.data.readers.listing import order_classes
from pellucid.data.source import load_data
from pellucid.errors import DataError, OptionError


def photos(folder: Path, n: int = 5, size: tuple[int, int] = (6, 4), start: int = 0) -> None:
    """Write n images of (height, width), each of one grey value of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    for i in range(n):
        Image.new("RGB", size[::-1], (start + i,) * 3).save(folder / f"{i:02d}.png")


@pytest.fixture
def pets(tmp_path: Path) -> Path:
    photos(tmp_path / "pets" / "dog", start=100)
    photos(tmp_path / "pets" / "cat", start=50)
    return tmp_path / "pets"


def test_one_sub_folder_a_class(pets: Path) -> None:
    split = load_data(pets)
    assert split.classes == ("cat", "dog")
    assert split.train.X.shape == (8, 6, 4, 3)
    assert split.train.X.dtype == np.uint8
    np.testing.assert_array_equal(split.train.X[:, 0, 0, 0] >= 100, split.train.y)
    assert split.test.counts.tolist() == [1, 1]
    assert split.notes == ("images kept at 6 × 4", "held out 20 % (2 of 10 samples), stratified, seed 1")
    assert load_data(str(pets)).name == str(pets)


def test_hidden_and_loose_files_are_not_samples(pets: Path) -> None:
    (pets / "cat" / ".DS_Store").write_text("hidden")
    (pets / "cat" / "Thumbs.db").write_text("left behind")
    (pets / ".git").mkdir()
    (pets / "__MACOSX").mkdir()
    for name in ("README.txt", "cat/notes.txt", "dog/clip.mp4"):
        (pets / name).write_text("about the pets")
    split = load_data(pets)
    assert len(split.train) + len(split.test) == 10
    assert split.notes[0] == "not used: README.txt, cat/notes.txt, dog/clip.mp4"


def test_of_two_classes_the_negative_comes_first_others_are_sorted() -> None:
    assert order_classes(["c++", "non-c++"]) == ("non-c++", "c++")
    for negative in ("non-cat", "not-cat", "no-cat", "Non_Cat", "noncat"):
        assert order_classes(["cat", negative]) == order_classes([negative, "cat"]) == (negative, "cat")
    others = [
        ("cat", "dog", "non-cat"),
        ("cat", "non-dog"),
        ("c.t", "non-cat"),
        ("cat", "cat-non"),
        ("1", "10"),
    ]
    assert [order_classes([*names][::-1]) for names in others] == others


@every("test_name", ["test", "val", "valid", "validation", "Test"])
def test_train_and_test_above_the_classes(tmp_path: Path, test_name: str) -> None:
    extra = "val" if test_name == "test" else "extra"  # test goes before validation
    for part, n in (("train", 3), (test_name, 2), (extra, 1)):
        photos(tmp_path / part / "cat", n, start=10)
        photos(tmp_path / part / "dog", n, start=20)
    split = load_data(tmp_path)
    assert (len(split.train), len(split.test)) == (6, 4)
    assert split.train.X[:, 0, 0, 0].tolist() == [10, 11, 12, 20, 21, 22]
    assert split.test.y.tolist() == [0, 0, 1, 1]
    assert split.notes == (f"not used: {extra}", "images kept at 6 × 4")


def test_train_and_test_with_different_classes(tmp_path: Path) -> None:
    for path in ("train/a", "train/b", "test/a", "test/c"):
        photos(tmp_path / path)
    with pytest.raises(DataError, match=r"only in train/: b; only in test/: c\. Give both the same"):
        load_data(tmp_path)


def test_sizes(pets: Path, tmp_path: Path) -> None:
    assert load_data(pets, image_size=(3, 5)).train.X.shape == (8, 3, 5, 3)
    assert load_data(pets, image_size=(3, 5)).notes[0] == "images squeezed to 3 × 5 (they were all 6 × 4)"
    cropped = "images cropped to 3 × 4 (they were all 6 × 4), which cuts off up to 50 % of a photo ("
    assert load_data(pets, image_size=(3, 4), fit="crop").notes[0].startswith(cropped)
    assert "cuts" not in load_data(pets, image_size=(3, 2), fit="crop").notes[0]
    assert "cuts" not in load_data(pets, image_size=(3, 4), fit="pad").notes[0]
    photos(pets / "cat", 1, (9, 9))
    split = load_data(pets)
    assert split.train.X.shape == (8, 64, 64, 3)
    assert split.notes[0] == "images squeezed to 64 × 64 (they were of 2 sizes)"
    for name in ("a", "b"):
        photos(tmp_path / "camera" / name, size=(257, 100))
    split = load_data(tmp_path / "camera")  # made small, though all are of one size
    assert split.train.X.shape == (8, 64, 64, 3)
    assert split.notes[0] == "images squeezed to 64 × 64 (they were all 257 × 100)"


@every("size", [(0, 4), (4,), (4.0, 4), (4, 4, 3)])
def test_impossible_sizes(pets: Path, size: tuple[int, int]) -> None:
    with pytest.raises(OptionError, match="image_size to be a list of 2"):
        load_data(pets, image_size=size)


def spoil(pets: Path) -> None:
    """Add one file that is no image at all and one whose pixels break off."""
    (pets / "cat" / "notes.jpg").write_text("a text file called .jpg\n" * 20)
    Image.effect_noise((40, 40), 50).save(pets / "dog" / "torn.png")
    data = (pets / "dog" / "torn.png").read_bytes()
    (pets / "dog" / "torn.png").write_bytes(data[: len(data) // 2])


def test_unreadable_images_are_named_and_counted_or_skipped(pets: Path) -> None:
    spoil(pets)
    message = (
        r"pets: 2 of 12 images cannot be read\. cat/notes\.jpg: .*\. dog/torn\.png: .*cut off.*skip_bad=True"
    )
    for image_size in (None, (6, 4)):
        with pytest.raises(DataError, match=message):
            load_data(pets, image_size=image_size)
    split = load_data(pets, skip_bad=True, image_size=(6, 4))
    assert len(split.train) + len(split.test) == 10
    assert split.notes[0] == "skipped 2 of 12 images that cannot be read: cat/notes.jpg, dog/torn.png"
    np.testing.assert_array_equal(split.train.X[:, 0, 0, 0] >= 100, split.train.y)
    for path in (pets / "cat").iterdir():
        path.write_text("?")
    with pytest.raises(DataError, match="no image of class 'cat' can be read"):
        load_data(pets, skip_bad=True)


@every(
    ("paths", "message"),
    [
        ([], "found none"),
        (["photo.png"], "found none, but 1 files"),
        (["cat/photo.png"], "found one, 'cat'"),
    ],
)
def test_one_class_or_none(tmp_path: Path, paths: list[str], message: str) -> None:
    for path in paths:
        (tmp_path / path).parent.mkdir(exist_ok=True)
        Image.new("RGB", (2, 2)).save(tmp_path / path)
    with pytest.raises(DataError, match=rf"expected at least two sub-folders, one per class, {message}"):
        load_data(tmp_path)


def test_an_empty_class_and_folders_in_a_class(pets: Path) -> None:
    (pets / "fox").mkdir()
    with pytest.raises(DataError, match=r"fox: expected the images of class 'fox', found nothing"):
        load_data(pets)
    (pets / "fox" / "red" / "old").mkdir(parents=True)
    with pytest.raises(
        DataError, match=r"red: expected images of class 'fox' that belong together, .* 'old'"
    ):
        load_data(pets)
