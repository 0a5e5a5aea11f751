"""A training that goes on with another optimizer."""

import numpy as np

from pellucid.data.dataset import Dataset
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
