"""Which samples belong into a gallery, in which order, with what was said of them."""

import math

import numpy as np
import pytest

from pellucid.data.dataset import Dataset
from pellucid.errors import OptionError, ShapeError
from pellucid.evaluation.scores.predictions import GALLERIES, confusion_cells, pick, sample_losses, verdicts


@pytest.fixture
def answers(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Labels and probabilities of 400 samples in 7 classes, half of them right."""
    P = rng.dirichlet(np.full(7, 0.5), 400)
    y = np.where(rng.random(400) < 0.5, P.argmax(axis=1), rng.integers(0, 7, 400))
    return y, P


@pytest.mark.parametrize("n", [None, 1, 12, 5000])
def test_each_gallery_by_its_plain_twin(answers: tuple[np.ndarray, np.ndarray], n: int | None) -> None:
    y, P = answers
    rows = range(len(y))
    wrong = [i for i in rows if P[i].argmax() != y[i]]
    right = [i for i in rows if P[i].argmax() == y[i]]
    assert wrong
    assert right
    twins = {
        "mistakes": wrong,
        "confident mistakes": sorted(wrong, key=lambda i: -P[i].max()),
        "highest losses": sorted(rows, key=lambda i: P[i, y[i]]),
        "confident hits": sorted(right, key=lambda i: -P[i].max()),
    }
    assert list(twins) == list(GALLERIES)
    for kind, twin in twins.items():
        assert pick(kind, y, P, n).tolist() == twin[:n], kind


def test_the_cells_hold_every_sample_once_the_surest_first(answers: tuple[np.ndarray, np.ndarray]) -> None:
    y, P = answers
    cells = confusion_cells(y, P)
    assert sorted(np.concatenate(list(cells.values())).tolist()) == list(range(len(y)))
    for (true, guess), inside in cells.items():
        assert (y[inside] == true).all()
        assert (P[inside].argmax(axis=1) == guess).all()
        assert (np.diff(P[inside, guess]) <= 0).all()


def test_one_column_of_two_classes_says_the_same_as_two(rng: np.random.Generator) -> None:
    y, p = rng.integers(0, 2, 30), rng.random(30)
    both = np.stack([1 - p, p], axis=1)
    for kind in GALLERIES:
        for given in (p, p[:, None]):
            assert pick(kind, y, given).tolist() == pick(kind, y, both).tolist()
    data = Dataset(np.zeros((30, 2)), y, ("no", "yes"))
    assert verdicts(data, p) == verdicts(data, both)


def test_losses_stay_exact_where_probabilities_are_rounded() -> None:
    y, Z = np.array([0, 0, 1]), np.array([900.0, 40.0, -800.0])
    P = np.where(Z > 0, 1.0, 0.0)  # what a probability of such a logit is
    losses = sample_losses(Z, y)
    assert losses.tolist() == [900, 40, 800]
    assert pick("highest losses", y, P).tolist() == [0, 1, 2]  # all infinite: the order of the data
    assert pick("highest losses", y, P, losses=losses).tolist() == [0, 2, 1]
    data = Dataset(np.zeros((3, 1)), y, ("no", "yes"))
    assert [v.loss for v in verdicts(data, P)] == [math.inf] * 3
    assert [v.loss for v in verdicts(data, P, losses=losses)] == [900, 40, 800]


def test_losses_of_many_classes_are_the_cross_entropy(rng: np.random.Generator) -> None:
    Z, y = rng.standard_normal((20, 5)), rng.integers(0, 5, 20)
    P = np.exp(Z) / np.exp(Z).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(sample_losses(Z, y), -np.log(P[np.arange(20), y]), rtol=1e-12)
    np.testing.assert_allclose(sample_losses(Z + 1000, y), sample_losses(Z, y), rtol=1e-9)


def test_nan_comes_last_and_empty_is_empty() -> None:
    y, p = np.array([0, 0, 1]), np.array([math.nan, 0.8, 0.1])
    assert pick("highest losses", y, p).tolist() == [2, 1, 0]
    for kind in GALLERIES:
        assert pick(kind, np.zeros(0, int), np.zeros((0, 2))).tolist() == []
    assert confusion_cells(np.zeros(0, int), np.zeros((0, 2))) == {}


def test_what_does_not_fit_is_refused() -> None:
    y, p = np.array([0, 1]), np.array([0.2, 0.3])
    with pytest.raises(OptionError, match=r"unknown gallery 'mistake'. Did you mean 'mistakes'"):
        pick("mistake", y, p)
    with pytest.raises(OptionError, match="n of at least 1, or None for all, got 0"):
        pick("mistakes", y, p, 0)
    with pytest.raises(ShapeError, match=r"probabilities of shape \(2, k\).*got \(3,\)"):
        pick("mistakes", y, np.zeros(3))
    with pytest.raises(ShapeError, match=r"labels from 0 to 1 .*got labels from 0 to 2"):
        pick("highest losses", np.array([0, 2]), p)
    with pytest.raises(ShapeError, match=r"losses of shape \(2,\), got \(3,\)"):
        pick("highest losses", y, p, losses=np.zeros(3))
