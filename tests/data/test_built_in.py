"""The data sets that ship or are drawn by a seed: their shapes, their bits, and a damaged file."""

import hashlib
from pathlib import Path

import numpy as np
import pytest
from tests.every import every

import pellucid as pl
from pellucid.data import built_in
from pellucid.data.built_in import CLASSES, FILE_NAME, SHA256, TOYS, load_drawn_cats, load_new_picture
from pellucid.errors import DataError

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


def test_the_new_picture_never_changes() -> None:
    picture = load_new_picture()
    assert picture.dtype == np.uint8
    assert hashlib.sha256(picture.tobytes()).hexdigest().startswith("20b1e6d7eec0ae91")


@every("damage", ["cut", "flip", "empty"])
def test_a_damaged_file_says_reinstall(damage: str, monkeypatch: pytest.MonkeyPatch) -> None:
    content = SHIPPED.read_bytes()
    middle = len(content) // 2
    flipped = content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]
    damaged = {"cut": content[:middle], "flip": flipped, "empty": b""}[damage]
    monkeypatch.setattr(Path, "read_bytes", lambda path: damaged)
    for load in (load_drawn_cats, load_new_picture):
        with pytest.raises(DataError, match=r"drawn-cats: .*sha256.*Reinstall"):
            load()


def test_a_missing_file_says_reinstall(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(built_in, "FILE_NAME", "no-such-file.png")
    with pytest.raises(DataError, match=r"no-such-file\.png.*Reinstall"):
        load_drawn_cats()


@every("name", TOYS)
def test_a_seed_draws_the_same_points(name: str) -> None:
    data, again, other = pl.load_data(name), pl.load_data(name), pl.load_data(name, seed=2)
    assert np.array_equal(data.train.X, again.train.X)
    assert not np.array_equal(data.train.X, other.train.X)
    assert (data.train.X.shape, data.test.X.shape) == ((300, 2), (200, 2))
    assert np.ptp(data.train.counts) <= 1
    assert len(data.train.counts) == len(data.classes)
    both = np.concatenate([data.train.X, data.test.X])
    assert len(np.unique(both, axis=0)) == 500


@every("name", TOYS)
def test_a_curve_parts_them_and_a_line_does_not(name: str) -> None:
    data = pl.load_data(name)
    n_out = len(data.classes) if len(data.classes) > 2 else 1
    scores = []
    for layers in ([], [pl.Dense(16, "tanh"), pl.Dense(16, "tanh")]):
        model = pl.Sequential([*layers, pl.Dense(n_out)])
        pl.train(model, data.train, n_epochs=300, optimizer="adam", learning_rate=0.01)
        scores.append((model.predict(data.test.X) == data.test.y).mean())
    assert scores[0] < 0.9
    assert scores[1] > 0.97
