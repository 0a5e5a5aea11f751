"""Several trainings in a row are one long training; and the schedule that counts samples over them."""

import numpy as np
import pytest

from pellucid.data.dataset import Dataset
from pellucid.estimators.inv_scaling import InverseScaling
from pellucid.estimators.warm_start import Continuation
from pellucid.nn.dense import Dense
from pellucid.nn.sequential import Sequential
from pellucid.training.fit import train
from pellucid.training.optimizers.adam import Adam
from pellucid.training.optimizers.sgd import SGD


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
