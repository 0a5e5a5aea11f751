"""Several trainings in a row are one long training; and the schedule that counts samples over them."""

from typing import Any

import numpy as np
import pytest

from pellucid.data.batches import Batches
from pellucid.data.dataset import Dataset
from pellucid.estimators.inv_scaling import InverseScaling
from pellucid.estimators.warm_start import Continuation
from pellucid.nn.dense import Dense
from pellucid.nn.sequential import Sequential
from pellucid.training.fit import train
from pellucid.training.optimizers.adam import Adam
from pellucid.training.optimizers.sgd import SGD

MAKERS: list[Any] = [lambda: SGD(0.1), lambda: SGD(0.1, momentum=0.9, nesterov=True), lambda: Adam(0.01)]


def test_another_optimizer_begins_anew(rng: np.random.Generator) -> None:
    data = Dataset(rng.standard_normal((10, 3)), rng.integers(0, 2, 10))
    model = Sequential([Dense(1)])
    first = Continuation()
    train(model, data, optimizer=SGD(0.1, momentum=0.9), n_epochs=2, callbacks=[first])
    second = Continuation(first.end, n_epochs=1)
    train(model, data, optimizer=Adam(), n_epochs=2, callbacks=[second])
    assert second.end.epoch == 3
    assert second.end.optimizer["n_steps"] == 1


def test_inverse_scaling_goes_by_samples() -> None:
    schedule = InverseScaling(8, 0.5)
    schedule.start(0.1, 100)
    assert schedule.rate(0) == schedule.rate(7) == 0.1
    schedule.observe(1.0)
    assert schedule.rate(8) == pytest.approx(0.1 / 9**0.5)
    later = InverseScaling(8, 0.5, n_seen=16, is_resumed=True)
    later.start(0.1, 100)
    assert later.rate(0) == pytest.approx(0.1 / 17**0.5)
    later.load_state({**later.state(), "n_epochs_done": 2})
    assert later.rate(0) == pytest.approx(0.1 / 33**0.5)
    assert (
        InverseScaling(**{k: v for k, v in later.config().items() if k != "type"}).config() == later.config()
    )


def test_batches_in_order_share_memory_with_the_data() -> None:
    X = np.arange(10.0)[:, None]
    batches = Batches(X, X, 4, seed=1, weights=X[:, 0], shuffle=False)
    for epoch in (0, 1):
        got = list(batches.epoch(epoch))
        assert [x[:, 0].tolist() for x, _, _ in got] == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
        assert all(np.shares_memory(x, X) for x, _, _ in got)
        assert [w.tolist() for _, _, w in got] == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
