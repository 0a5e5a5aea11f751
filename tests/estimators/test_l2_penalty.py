"""The penalty is in the loss that is reported and in the step that is taken, in every form of a training."""

from typing import Any

import numpy as np

from pellucid.data.dataset import Dataset
from pellucid.estimators.l2_penalty import L2Penalty
from pellucid.nn.dense import Dense
from pellucid.nn.sequential import Sequential
from pellucid.training.fit import train
from pellucid.training.optimizers.adam import AdamW
from pellucid.training.optimizers.sgd import SGD


def data_of(m: int = 12, n: int = 30) -> Dataset:
    rng = np.random.default_rng(1)
    return Dataset(rng.standard_normal((m, n)), rng.integers(0, 2, m))


def model_of() -> Sequential:
    return Sequential([Dense(4, activation="relu"), Dense(1)], dtype="float64")


def test_shards_add_it_once() -> None:
    losses = []
    for n in (1, 2, 3):
        options: dict[str, Any] = {"optimizer": SGD(0.1), "n_epochs": 3, "n_threads": n, "form": "direct"}
        losses.append(train(model_of(), data_of(), callbacks=[L2Penalty(2.0)], **options).losses)
    np.testing.assert_allclose(losses[1:], [losses[0]] * 2, rtol=1e-12)


def test_without_alpha_nothing_decays() -> None:
    models = [model_of(), model_of()]
    train(models[0], data_of(), optimizer=AdamW(0.01, weight_decay=0.0), n_epochs=2)
    train(models[1], data_of(), optimizer=AdamW(0.01), n_epochs=2, callbacks=[L2Penalty(0.0)])
    np.testing.assert_array_equal(models[0].theta, models[1].theta)
