"""Nearest training samples: equal to the plain way, by pixels and by the model's own features."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pellucid.data.preprocess import Preprocessing
from pellucid.data.source import load_data
from pellucid.errors import DataError, OptionError, ShapeError
from pellucid.evaluation.explain import neighbours
from pellucid.evaluation.explain.neighbours import hidden_features, nearest, nearest_by_features
from pellucid.nn.presets import preset
from pellucid.types import Array


def plain(T: Array, X: Array, n: int) -> tuple[Array, Array]:
    """The slow, obvious twin."""
    differences = X.reshape(len(X), 1, -1).astype(float) - T.reshape(1, len(T), -1).astype(float)
    distances = np.sqrt((differences**2).mean(axis=2))
    order = np.argsort(distances, axis=1, kind="stable")[:, :n]
    return order, np.take_along_axis(distances, order, axis=1)


@settings(deadline=None, max_examples=40)
@given(
    st.integers(1, 40), st.integers(1, 7), st.integers(1, 20), st.integers(1, 9), st.integers(0, 2**32 - 1)
)
def test_nearest_equals_the_plain_way(m_train: int, m: int, d: int, n: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    T, X = (rng.integers(0, 256, (rows, d), dtype=np.uint8) for rows in (m_train, m))
    indices, distances = nearest(T, X, n)
    expected = plain(T, X, n)
    assert distances == pytest.approx(expected[1], rel=1e-12)
    chosen = np.sqrt(((T[indices].astype(float) - X[:, None].astype(float)) ** 2).mean(axis=2))
    assert chosen == pytest.approx(
        expected[1], rel=1e-12
    )  # ties may come in another order beyond the spare ones


def test_many_pieces_give_what_one_gives(rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch) -> None:
    T, X = rng.standard_normal((50, 6)), rng.standard_normal((13, 6))
    whole = nearest(T, X, 3)
    monkeypatch.setattr(neighbours, "BLOCK", 70)
    parts = nearest(T, X, 3)
    assert (whole[0] == parts[0]).all()
    assert (whole[1] == parts[1]).all()
    assert (whole[0] == plain(T, X, 3)[0]).all()


def test_a_large_common_part_costs_no_digits(rng: np.random.Generator) -> None:
    T, X = 1e6 + rng.standard_normal((30, 5)), 1e6 + rng.standard_normal((4, 5))
    assert (nearest(T, X, 4)[0] == plain(T, X, 4)[0]).all()


def test_what_cannot_be_compared_is_said() -> None:
    T = np.zeros((3, 4))
    with pytest.raises(ShapeError, match=r"expected samples of shape \(4,\), as in training, got \(5,\)"):
        nearest(T, np.zeros((1, 5)))
    with pytest.raises(OptionError, match="n of 1 or more, got 0"):
        nearest(T, T, 0)
    with pytest.raises(DataError, match="expected a training sample"):
        nearest(T[:0], T)


def test_hidden_features_are_the_input_of_the_last_layer() -> None:
    X = load_data("drawn-cats").test.X[:7]
    model = preset("mlp")
    model.initialize((64, 64, 3))
    model.preprocessing = Preprocessing.for_data(X)
    A = X / 255.0
    for layer in model.layers[:-1]:
        A = layer.forward(A.reshape(len(A), -1))
    assert hidden_features(model, X) == pytest.approx(A, rel=1e-12)
    logistic = preset("logistic")
    logistic.initialize((64, 64, 3))
    logistic.preprocessing = model.preprocessing
    assert (hidden_features(logistic, X) == X.reshape(7, -1) / 255.0).all()


def test_features_are_measured_in_their_own_spread(rng: np.random.Generator) -> None:
    X = rng.integers(0, 256, (60, 4, 4, 1), dtype=np.uint8)
    model = preset("two-layer")
    model.initialize((4, 4, 1), seed=1)
    first, last = (leaf for leaf in model._leaves() if leaf.params)
    first.params["W"] *= 100
    first.params["b"][:] = 1.0
    first.params["b"][2] = -1e6  # a unit that never fires
    F = hidden_features(model, X)
    assert not F.std(axis=0).all()
    assert last.params["W"].shape[0] == F.shape[1]
    indices, distances = nearest_by_features(model, X[:50], X[50:], 4)
    part = F[:50].std(axis=0) > 0
    spread = F[:50][:, part].std(axis=0)
    twin = plain(F[:50][:, part] / spread, F[50:][:, part] / spread, 4)
    assert (indices == twin[0]).all()
    assert distances == pytest.approx(twin[1], rel=1e-9)


def test_a_network_whose_features_never_change_calls_all_alike(rng: np.random.Generator) -> None:
    X = rng.integers(0, 256, (9, 4, 4, 1), dtype=np.uint8)
    model = preset("two-layer")
    model.initialize((4, 4, 1))
    next(leaf for leaf in model._leaves() if leaf.params).params["b"][:] = -1e6
    indices, distances = nearest_by_features(model, X, X[:1], 3)
    assert indices.tolist() == [[0, 1, 2]]
    assert (distances == 0).all()
