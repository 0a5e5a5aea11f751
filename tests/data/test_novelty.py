"""The novelty test keeps its promise on photos like the training ones, and sees what is plainly none."""

from pathlib import Path

import numpy as np
import pytest
from scripts.drawn_cats.draw import draw

from pellucid.data.novelty import Novelty, NoveltyTest, appearance_features
from pellucid.data.readers.images import resize_image
from pellucid.data.source import load_data
from pellucid.errors import DataError, ShapeError
from pellucid.types import Array


@pytest.fixture(scope="module")
def drawings() -> Array:
    X: Array = load_data("drawn-cats").train.X
    return X


@pytest.fixture(scope="module")
def judge(drawings: Array) -> NoveltyTest:
    return NoveltyTest.of(drawings)


def share_unlike(test: NoveltyTest, X: Array) -> float:
    return float(np.mean([bool(found.is_unlike) for found in test.judge(np.ascontiguousarray(X))]))


@pytest.mark.slow
def test_false_alarms_on_fresh_drawings_are_as_rare_as_promised(judge: NoveltyTest) -> None:
    fresh = draw(300, 77).X
    found = judge.judge(fresh)
    assert np.mean([bool(one.is_unlike) for one in found]) <= 0.01 + 2.5 * np.sqrt(0.01 * 0.99 / 300)
    p = np.array([one.p_value for one in found])
    for level in (0.05, 0.2, 0.5):  # the p-values are about uniform: neither timid nor bold
        assert (p <= level).mean() == pytest.approx(
            level, abs=3 * np.sqrt(level * (1 - level) / len(judge.usual))
        )


@pytest.mark.slow
def test_false_alarms_on_photos_held_out(published_dir: Path) -> None:
    data = load_data("catvnoncat")
    X = np.concatenate([data.train.X, np.delete(data.test.X, 17, axis=0)])  # 17 is a training photo
    shares = []
    for seed in range(12):
        rows = np.random.default_rng(seed).permutation(len(X))
        shares.append(share_unlike(NoveltyTest.of(X[rows[:209]]), X[rows[209:]]))
    assert np.mean(shares) <= 0.025


def test_noise_plain_colours_and_the_dark_are_unlike_drawings(judge: NoveltyTest, drawings: Array) -> None:
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 256, (20, 64, 64, 3), dtype=np.uint8)
    plain = np.zeros_like(noise) + rng.integers(0, 256, (20, 1, 1, 3), dtype=np.uint8)
    large = rng.integers(0, 256, (200, 300, 3), dtype=np.uint8)
    assert share_unlike(judge, noise) == 1
    assert share_unlike(judge, resize_image(large, 64, 64)[None]) == 1  # noise, averaged to a grey
    assert share_unlike(judge, plain) == 1
    assert share_unlike(judge, (drawings[:50] * 0.15).astype(np.uint8)) == 1
    told = judge.judge(noise)[0]
    assert told.headline("drawing") == "Unlike the training drawings (p = 0.005)."
    assert told.p_value <= 0.01
    assert told.percentile >= 99


def test_what_it_knows_and_cannot_see(judge: NoveltyTest, drawings: Array) -> None:
    """Upside down, mirrored and inverted drawings have the usual colours: few are noticed, as the docs say."""
    for changed in (drawings[:100, ::-1], drawings[:100, :, ::-1], 255 - drawings[:100]):
        assert share_unlike(judge, changed) <= 0.1
    known = judge.judge(drawings)
    assert not any(one.is_unlike for one in known)
    assert known[0].p_value == 1.0


def test_the_p_value_is_the_rank_among_the_training_photos(judge: NoveltyTest, drawings: Array) -> None:
    X = draw(30, 5).X
    found = judge.judge(X)
    T, Q = appearance_features(drawings), appearance_features(X)
    mean, spread = T.mean(axis=0), T.std(axis=0)
    T, Q = (T - mean) / spread, (Q - mean) / spread
    w, V = np.linalg.eigh(np.cov(T.T))
    whiten = V / np.sqrt(w + 0.003 * w.max())
    T, Q = T @ whiten, Q @ whiten
    D = np.sqrt(((T[:, None] - T[None]) ** 2).sum(axis=2))
    np.fill_diagonal(D, np.inf)
    own, far = D.min(axis=1), np.sqrt(((Q[:, None] - T[None]) ** 2).sum(axis=2)).min(axis=1)
    expected = [(1 + (own >= one).sum()) / (len(own) + 1) for one in far]
    assert [one.p_value for one in found] == pytest.approx(expected)


def test_too_few_training_photos_leave_it_open(drawings: Array) -> None:
    """Of so few that one in 20 familiar photos is beyond all, none is an alarm."""
    black = np.zeros((1, 64, 64, 3), np.uint8)
    for n, X, is_unlike, is_alarm, headline in (
        (10, black, None, False, "Novelty not tested: 10 training photos, 99 needed."),
        (72, black, None, True, "More unusual than all 72 training photos; 99 needed to be sure."),
        (98, drawings[98:99], None, False, "Novelty not tested: 98 training photos, 99 needed."),
        (99, black, True, True, "Unlike the training photos (p = 0.010)."),
    ):
        found = NoveltyTest.of(drawings[:n]).judge(X)[0]
        assert (found.is_unlike, found.is_alarm, found.headline()) == (is_unlike, is_alarm, headline)


def test_many_training_photos_are_represented_by_some(drawings: Array) -> None:
    test = NoveltyTest.of(drawings, most=120, seed=1)
    assert len(test.looks) == 120
    assert test.judge(drawings[:1])[0].n_train == 120
    assert (NoveltyTest.of(drawings, most=120, seed=1).looks == test.looks).all()


def test_features_of_a_body_count_as_much_as_looks(drawings: Array) -> None:
    features = np.random.default_rng(0).normal(size=(len(drawings), 8)).astype(np.float32) + 3
    test, X = NoveltyTest.of(drawings, features), drawings[:3]
    own, other = test.judge(X, features[:3]), test.judge(X, -features[:3])
    assert [one.is_unlike for one in own] == [False] * 3
    assert [one.is_unlike for one in other] == [True] * 3
    looks = NoveltyTest.of(drawings).judge(X)
    assert [one.p_value for one in test.judge(X)] == [one.p_value for one in looks]


@pytest.mark.slow
def test_two_distances_give_no_more_false_alarms_than_one() -> None:
    shares = []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        X, features = rng.integers(0, 256, (300, 8, 8, 3)).astype(np.uint8), rng.normal(size=(300, 6)) + 2
        test = NoveltyTest.of(X[:200], features[:200])
        shares.append(np.mean([one.is_unlike for one in test.judge(X[200:], features[200:])]))
    assert 0.003 < np.mean(shares) < 0.02


def test_photos_as_floats_and_of_one_channel(drawings: Array) -> None:
    grey = drawings[:120, :, :, 0]
    as_floats = NoveltyTest.of((grey / 255).astype(np.float32)).judge((grey[:5] / 255).astype(np.float32))
    as_bytes = NoveltyTest.of(grey).judge(grey[:5])
    assert [one.p_value for one in as_floats] == [one.p_value for one in as_bytes]
    digits = load_data("digits")
    assert share_unlike(NoveltyTest.of(digits.train.X), digits.test.X) <= 0.03
    same = np.full((120, 6, 6, 3), 7, np.uint8)  # which divides nothing by zero
    found = NoveltyTest.of(same).judge(np.concatenate([same[:1], same[:1] + 1]))
    assert [one.is_unlike for one in found] == [False, True]


def test_what_cannot_be_compared_is_said(judge: NoveltyTest) -> None:
    with pytest.raises(ShapeError, match="expected images"):
        NoveltyTest.of(np.zeros((5, 4)))
    with pytest.raises(DataError, match="two training images or more, got 1"):
        NoveltyTest.of(np.zeros((1, 4, 4, 3)))
    with pytest.raises(ShapeError, match=r"images of shape \(64, 64, 3\)"):
        judge.judge(np.zeros((1, 8, 8, 3), np.uint8))


def test_rare_photos_are_not_called_usual() -> None:
    for p_value, percentile, words in ((3 / 210, 98.6, "Rare among"), (52 / 210, 75.4, "Not unlike")):
        text = f"{words} the training photos: more unusual than {int(percentile)} % of them."
        assert Novelty(False, p_value, percentile, 209).headline() == text
