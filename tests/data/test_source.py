"""Data by name: built-in sets, files and folders, and every option and fault of a source."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_digits
from tests.every import every

import pellucid as pl
from pellucid.data import built_in
from pellucid.data.built_in import CLASSES, FILE_NAME, SHA256, TOYS, load_drawn_cats, load_new_picture
from pellucid.data.dataset import Dataset
from pellucid.data.source import DataSource, load_data
from pellucid.data.validate import hold_out
from pellucid.errors import DataError, OptionError


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "table.npz"
    np.savez(path, X=np.arange(200.0).reshape(100, 2), y=np.repeat([0, 1, 2], [60, 30, 10]))
    return path


@every(
    ("source", "content", "message"),
    [
        ("drawn-cat", None, r"unknown data set 'drawn-cat'\. Did you mean 'drawn-cats'\? .*\.csv file"),
        *(
            (name, None, "no such file|cannot access it|unknown data set")
            for name in ("a/b", "a.csv", "./a", "\0")
        ),
        ("./a.txt", "1,2\n", r"a.txt: expected a folder of images, an \.h5, \.hdf5, \.npz, \.npy, \.csv or"),
        ("./a", "1,2\n", r"a: expected a folder of images, an \.h5, \.hdf5, \.npz, \.npy, \.csv or"),
        ("./a.jpg", "1,2\n", "one photo is no data set"),
        ("https://example.org/table.csv", None, "addresses are not read"),
    ],
)
def test_what_is_no_data_set(
    source: str, content: str | None, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    if content:
        Path(source).write_text(content)
    with pytest.raises(DataError, match=message):
        load_data(source)


def test_a_file_in_the_home_folder(table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(table.parent))
    monkeypatch.setenv("USERPROFILE", str(table.parent))
    assert len(load_data("~/table.npz").train) == 80


@every(
    ("source", "options", "message"),
    [
        ("table.npz", {"skip_bad": True}, r"a file\): skip_bad"),
        ("table.npz", {"mirror": "https://example.org"}, r"a file\): mirror"),
        (".", {"x_key": "X", "y_key": "y"}, r"a folder\): x_key"),
        ("drawn-cats", {"mirror": "https://example.org"}, "drawn-cats: mirror"),
        *((name, {"target": "y"}, ": target") for name in ("table.npz", ".", "drawn-cats", "digits")),
        ("pets.csv", {"y_key": "y"}, r"a table\): y_key"),
        ("catvnoncat", {"image_size": (32, 32)}, "catvnoncat: image_size"),
    ],
)
def test_options_that_would_have_no_effect_are_refused(source: str, options: Any, message: str) -> None:
    with pytest.raises(OptionError, match=f"{message} does not apply here"):
        load_data(source, **options)


def test_a_source_goes_into_json_and_back(table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = DataSource(table, x_key="X", y_key="y", seed=3)  # type: ignore[arg-type]
    assert source.to_dict() == {"name": str(table), "x_key": "X", "y_key": "y", "seed": 3}
    assert DataSource.from_dict(json.loads(json.dumps(source.to_dict()))) == source
    sized = DataSource("photos", image_size=(8, 9), skip_bad=True)
    assert DataSource.from_dict(json.loads(json.dumps(sized.to_dict()))) == sized
    monkeypatch.chdir(table.parent)
    assert DataSource("table.npz").resolved() == DataSource(str(table.resolve()))
    assert DataSource("digits").resolved() == DataSource("digits")
    for wrong in ({}, {"name": "a", "colour": 1}, {"name": "a", "image_size": [8]}, {"name": 3}):
        with pytest.raises(OptionError, match="data: "):
            DataSource.from_dict(wrong)


def test_the_held_out_part_is_stratified_ordered_and_complete(table: Path) -> None:
    split = load_data(table)
    assert split.notes == ("held out 20 % (20 of 100 samples), stratified, seed 1",)
    assert split.train.counts.tolist() == [48, 24, 8]
    assert split.test.counts.tolist() == [12, 6, 2]
    first = [part.X[:, 0] for part in (split.train, split.test)]
    assert all((np.diff(values) > 0).all() for values in first)
    np.testing.assert_array_equal(np.sort(np.concatenate(first)), np.arange(0, 200, 2))
    np.testing.assert_array_equal(split.test.y, np.digitize(split.test.X[:, 0] / 2, [60, 90]))


def test_the_seed_and_the_fraction(table: Path) -> None:
    rows = [load_data(table, seed=seed).test.X[:, 0].tolist() for seed in (1, 1, 2)]
    assert rows[0] == rows[1] != rows[2]
    assert load_data(table, seed=2).notes[-1].endswith("seed 2")
    split = load_data(table, test_fraction=0.125)
    assert split.notes == ("held out 12.5 % (13 of 100 samples), stratified, seed 1",)
    assert len(split.test) == 13
    for fraction in (0.01, 0.99):
        with pytest.raises(
            DataError, match=r"\d+ of 100 samples leaves a part with fewer samples than the 3"
        ):
            load_data(table, test_fraction=fraction)
    for fraction in (0, 1, -0.2, 20, float("nan")):
        with pytest.raises(OptionError, match="test_fraction to be a number above 0 and below 1"):
            load_data(table, test_fraction=fraction)
    for seed in (-1, 2**32):
        with pytest.raises(OptionError, match=r"seed.* a whole number (of at least|from) 0"):
            load_data(table, seed=seed)


def test_quantities_and_several_answers_are_held_out_at_random() -> None:
    for y in (np.linspace(0, 1, 10), np.eye(10, 3, dtype=np.int64)):
        split = hold_out(Dataset(np.arange(10)[:, None], y), name="toy", seed=3, test_fraction=0.25)
        assert split.notes == ("held out 25 % (3 of 10 samples), at random, seed 3",)
        for part in (split.train, split.test):
            np.testing.assert_array_equal(part.y, y[part.X[:, 0]])
        with pytest.raises(DataError, match="holding out 10 of 10 samples leaves a part without samples"):
            hold_out(Dataset(np.arange(10)[:, None], y), name="toy", seed=3, test_fraction=0.99)


def test_digits_are_photos_in_ten_classes() -> None:
    split = load_data("digits")
    assert split.train.X.shape == (1437, 8, 8, 1)
    assert split.test.X.shape == (360, 8, 8, 1)
    assert split.train.X.dtype == np.uint8
    assert split.classes == tuple("0123456789")
    assert split.notes == ("held out 20 % (360 of 1797 samples), stratified, seed 1",)
    assert set(split.test.counts.tolist()) <= {35, 36, 37}
    # 17 shades of grey, the nearest whole number to v / 16 of 255
    assert np.unique(split.train.X).tolist() == [round(v * 255 / 16) for v in range(17)]
    whole = load_digits()
    rest = sorted(X.tobytes() for part in (split.train, split.test) for X in part.X)
    assert rest == sorted(np.rint(X * 255 / 16).astype(np.uint8).tobytes() for X in whole.images)


def test_importing_loads_no_heavy_package() -> None:
    code = (
        "import sys, pellucid.data.source; "  # and with it every reader
        "print(sorted({'PIL', 'h5py', 'sklearn', 'pooch', 'requests', 'scipy', 'tqdm'} & set(sys.modules)))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


SHIPPED = Path(built_in.__file__).with_name(FILE_NAME)


def test_the_shipped_pictures_have_the_published_shape() -> None:
    cats = load_drawn_cats()
    assert cats.name == "drawn-cats"
    assert cats.classes == cats.test.classes == CLASSES == ("non-cat", "cat")
    for part, shape, counts in (
        (cats.train, (209, 64, 64, 3), [104, 105]),
        (cats.test, (50, 64, 64, 3), [25, 25]),
    ):
        assert part.X.shape == shape
        assert part.X.dtype == np.uint8
        assert part.y.shape == shape[:1]
        assert part.y.dtype == np.int64
        assert part.counts.tolist() == counts
        assert part.X.flags.writeable


def test_the_shipped_bits_never_change() -> None:
    # Written out here once more: an edit of the constant alone must not pass.
    pinned = "90bbcdb8e26b9888e45b4fb3dfa57c2d36586a6c8e0150462130f3c50efdc528"
    assert hashlib.sha256(SHIPPED.read_bytes()).hexdigest() == SHA256[FILE_NAME] == pinned
    cats = load_drawn_cats()
    content = b"".join(a.tobytes() for a in (cats.train.X, cats.train.y, cats.test.X, cats.test.y))
    pinned = "3b665a3aa9009e36ed856afa40f28b4a104eea95c16857ae835fe0f13e7c5de7"
    assert hashlib.sha256(content).hexdigest() == pinned
    picture = load_new_picture()
    assert picture.dtype == np.uint8
    assert hashlib.sha256(picture.tobytes()).hexdigest().startswith("20b1e6d7eec0ae91")


@every("damage", ["cut", "flip", "empty", "missing"])
def test_a_damaged_or_missing_file_says_reinstall(damage: str, monkeypatch: pytest.MonkeyPatch) -> None:
    content = SHIPPED.read_bytes()
    middle = len(content) // 2
    flipped = content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]
    damaged = {"cut": content[:middle], "flip": flipped, "empty": b""}

    def read(path: Path) -> bytes:
        if damage == "missing":
            raise FileNotFoundError
        return damaged[damage]

    monkeypatch.setattr(Path, "read_bytes", read)
    for load in (load_drawn_cats, load_new_picture):
        with pytest.raises(DataError, match=r"drawn-cat.*(sha256|among pellucid's own files).*Reinstall"):
            load()


@every("name", TOYS)
def test_points_are_drawn_by_a_seed_and_parted_by_a_curve_alone(name: str) -> None:
    data, again, other = pl.load_data(name), pl.load_data(name), pl.load_data(name, seed=2)
    assert np.array_equal(data.train.X, again.train.X)
    assert not np.array_equal(data.train.X, other.train.X)
    assert (data.train.X.shape, data.test.X.shape) == ((300, 2), (200, 2))
    assert np.ptp(data.train.counts) <= 1
    assert len(data.train.counts) == len(data.classes)
    assert len(np.unique(np.concatenate([data.train.X, data.test.X]), axis=0)) == 500
    n_out = len(data.classes) if len(data.classes) > 2 else 1
    scores = []
    for layers in ([], [pl.Dense(16, "tanh"), pl.Dense(16, "tanh")]):
        model = pl.Sequential([*layers, pl.Dense(n_out)])
        pl.train(model, data.train, n_epochs=300, optimizer="adam", learning_rate=0.01)
        scores.append((model.predict(data.test.X) == data.test.y).mean())
    assert scores[0] < 0.9
    assert scores[1] > 0.97
