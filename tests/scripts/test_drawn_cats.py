"""The program that draws the cats: it draws the shipped ones again, and no short cut tells a cat."""

import hashlib

import numpy as np
import pytest
from scripts.drawn_cats.draw import SHIPPED_SEED, draw, draw_new, draw_shipped
from sklearn.linear_model import LogisticRegression
from tests.every import every

from pellucid.data.built_in import load_drawn_cats, load_new_picture
from pellucid.data.dataset import Dataset
from pellucid.errors import OptionError
from pellucid.types import Array


@pytest.fixture(scope="module")
def fresh() -> Dataset:
    return draw(400, 2)


def hashes(X: Array) -> set[str]:
    return {hashlib.sha256(picture.tobytes()).hexdigest() for picture in X}


def test_the_generator_draws_the_shipped_pictures() -> None:
    # Another version of Pillow may move an edge: the labels must agree, and nearly every pixel.
    again, shipped = draw_shipped(), load_drawn_cats()
    for a, b in ((again.train, shipped.train), (again.test, shipped.test)):
        np.testing.assert_array_equal(a.y, b.y)
        differ = np.abs(a.X.astype(int) - b.X) > 8
        assert differ.mean() < 0.02
    new, shipped_new = draw_new(), load_new_picture()
    assert new.shape == shipped_new.shape
    assert (np.abs(new.astype(int) - shipped_new) > 8).mean() < 0.02


def test_the_same_seed_draws_the_same_pictures_and_another_draws_others(fresh: Dataset) -> None:
    again, other = draw(12, 2), draw(12, 3)
    np.testing.assert_array_equal(again.X, fresh.X[:12])  # picture i does not depend on n
    np.testing.assert_array_equal(again.y, fresh.y[:12])
    assert not hashes(again.X) & hashes(other.X)


def test_no_picture_comes_twice(fresh: Dataset) -> None:
    cats = load_drawn_cats()
    # The shipped seed too: its shipped pictures come from streams of their own.
    parts = (cats.train.X, cats.test.X, fresh.X, draw(20, SHIPPED_SEED).X)
    assert len(set.union(*map(hashes, parts))) == sum(map(len, parts))


@every("n", [1, 2, 7])
def test_draws_are_balanced_to_within_one(n: int) -> None:
    for seed in range(4):
        few = draw(n, seed, size=16)
        assert len(few.X) == len(few.y) == n
        assert abs(int(np.diff(few.counts)[0])) == n % 2


def test_draws_are_shuffled(fresh: Dataset) -> None:
    assert fresh.counts.tolist() == [200, 200]
    first = fresh.y[::2]  # of each pair; a fair coin lands outside of this once in 10,000 seeds
    assert 72 <= first.sum() <= 128
    assert 0.3 < np.mean(first[1:] == first[:-1]) < 0.7


def test_the_size_changes_the_detail_and_not_the_scene() -> None:
    small, large = draw(6, 5), draw(6, 5, size=128)
    assert large.X.shape == (6, 128, 128, 3)
    np.testing.assert_array_equal(large.y, small.y)
    shrunk = large.X.reshape(6, 64, 2, 64, 2, 3).mean(axis=(2, 4))
    assert np.abs(shrunk - small.X).mean() < 8  # grey levels; two different scenes differ by 50
    assert np.abs(shrunk - small.X[::-1]).mean() > 30


def test_every_picture_shows_something(fresh: Dataset) -> None:
    assert fresh.X.reshape(400, -1).std(axis=1).min() > 1
    assert not np.any((fresh.X == 0).all(axis=(1, 2, 3)))


@every(
    ("arguments", "name"),
    [
        *(({"n": value}, "n") for value in (0, -3, 2.0, True, "4")),
        *(({"seed": value}, "seed") for value in (-1, 1.5, None)),
        *(({"size": value}, "size") for value in (15, 1025, 64.0)),
    ],
)
def test_bad_arguments_are_named(arguments: dict[str, object], name: str) -> None:
    with pytest.raises(OptionError, match=rf"draw: expected {name} to be a whole number.*got .*Try {name}="):
        draw(**{"n": 1, "seed": 1, **arguments})  # type: ignore[arg-type]


def test_numpy_integers_are_whole_numbers() -> None:
    np.testing.assert_array_equal(draw(np.int64(2), np.uint8(3)).X, draw(2, 3).X)  # type: ignore[arg-type]


def test_colour_and_brightness_alone_do_not_tell_a_cat(fresh: Dataset) -> None:
    X = fresh.X.reshape(400, -1, 3) / 255.0
    features = np.concatenate([X.mean(axis=1), X.std(axis=1)], axis=1)
    features = (features - features.mean(axis=0)) / features.std(axis=0)
    fold = np.arange(400) // 2 % 4  # a pair stays together
    right = 0
    for k in range(4):
        model = LogisticRegression().fit(features[fold != k], fresh.y[fold != k])
        right += int((model.predict(features[fold == k]) == fresh.y[fold == k]).sum())
    assert right / 400 < 0.65
