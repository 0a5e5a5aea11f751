"""The penalty is in the loss that is reported and in the step that is taken, in every form of a training."""

from typing import Any

import numpy as np

import pellucid as pl
from pellucid.estimators.solvers import L2Penalty
from pellucid.training.optimizers.adam import AdamW
from pellucid.training.optimizers.sgd import SGD


def data_of(m: int = 12, n: int = 30) -> pl.Dataset:
    rng = np.random.default_rng(1)
    return pl.Dataset(rng.standard_normal((m, n)), rng.integers(0, 2, m))


def model_of() -> pl.Sequential:
    return pl.Sequential([pl.Dense(4, activation="relu"), pl.Dense(1)], dtype="float64")


def test_shards_add_it_once() -> None:
    losses = []
    for n in (1, 2, 3):
        options: dict[str, Any] = {"optimizer": SGD(0.1), "n_epochs": 3, "n_threads": n, "form": "direct"}
        losses.append(pl.train(model_of(), data_of(), callbacks=[L2Penalty(2.0)], **options).losses)
    np.testing.assert_allclose(losses[1:], [losses[0]] * 2, rtol=1e-12)


def test_without_alpha_nothing_decays() -> None:
    models = [model_of(), model_of()]
    pl.train(models[0], data_of(), optimizer=AdamW(0.01, weight_decay=0.0), n_epochs=2)
    pl.train(models[1], data_of(), optimizer=AdamW(0.01), n_epochs=2, callbacks=[L2Penalty(0.0)])
    np.testing.assert_array_equal(models[0].theta, models[1].theta)
