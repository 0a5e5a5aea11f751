"""Points in the plane: the same for a seed, in two parts, and not parted by a straight line."""

import numpy as np
from tests.every import every

import pellucid as pl
from pellucid.data.toy import TOYS


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
