"""The penalty is in the loss that is reported and in the step that is taken, in every form of a training."""

import copy
from typing import Any

import numpy as np
import pytest

from pellucid.data.dataset import Dataset
from pellucid.estimators.l2_penalty import L2Penalty
from pellucid.nn.dense import Dense
from pellucid.nn.norm import BatchNorm
from pellucid.nn.sequential import Sequential
from pellucid.training.fit import train
from pellucid.training.optimizers.adam import Adam, AdamW
from pellucid.training.optimizers.sgd import SGD
from pellucid.types import Array


def data_of(m: int = 12, n: int = 30) -> Dataset:
    rng = np.random.default_rng(1)
    return Dataset(rng.standard_normal((m, n)), rng.integers(0, 2, m))


def model_of(*, norm: bool = False) -> Sequential:
    middle = [BatchNorm()] if norm else []
    return Sequential([Dense(4, activation="relu"), *middle, Dense(1)], dtype="float64")


def penalty_of(model: Sequential) -> float:
    return sum(float((layer.params["W"] ** 2).sum()) for layer in model.layers if "W" in layer.params)


@pytest.mark.parametrize("norm", [False, True])
@pytest.mark.parametrize("weights", [None, np.arange(12) / 3])
@pytest.mark.parametrize("form", ["direct", "dual"])
def test_first_loss_and_first_step(form: str, weights: Array | None, norm: bool) -> None:
    data, model = data_of(), model_of(norm=norm)
    model.initialize((30,), seed=3)
    before, plain = copy.deepcopy(model), copy.deepcopy(model)
    total = 12 if weights is None else weights.sum()
    options: dict[str, Any] = {"n_epochs": 1, "sample_weight": weights, "form": form}
    bare = train(plain, data, optimizer=SGD(0.1), **options)
    history = train(model, data, optimizer=SGD(0.1), callbacks=[L2Penalty(0.6, factor=0.5)], **options)
    wanted = bare.losses[0] / 2 + 0.6 / 2 * penalty_of(before) / total
    assert history.losses[0] == pytest.approx(wanted, rel=1e-12)
    for layer, start, without in zip(model.layers, before.layers, plain.layers, strict=True):
        for key, array in layer.params.items():
            decay = 0.1 * 0.6 / total * start.params[key] if key == "W" else 0.0
            np.testing.assert_allclose(array, without.params[key] - decay, atol=1e-14)
    assert model.reported is None


@pytest.mark.parametrize("optimizer", [SGD, Adam])
def test_each_batch_has_its_own_divisor(optimizer: Any) -> None:
    data, model = data_of(), model_of()
    model.initialize((30,), seed=3)
    by_hand = copy.deepcopy(model)
    decays: list[float] = []
    chosen = optimizer(0.05)

    def note(event: Any) -> None:
        if type(event).__name__ == "StepEnd":
            decays.append(chosen.weight_decay)

    train(model, data, optimizer=chosen, n_epochs=1, batch_size=5, callbacks=[L2Penalty(1.0), note])
    assert decays == [0.2, 0.2, 0.5]  # 12 samples in batches of 5, 5 and 2
    assert not np.array_equal(model.theta, by_hand.theta)


def test_dual_equals_direct_over_many_steps() -> None:
    data = data_of()
    runs = []
    for form in ("direct", "dual"):
        model = model_of()
        optimizer = SGD(0.05, momentum=0.9, nesterov=True)
        history = train(
            model, data, optimizer=optimizer, n_epochs=25, batch_size=5, form=form, callbacks=[L2Penalty(2.0)]
        )
        runs.append((history.losses, model.theta))
    np.testing.assert_allclose(runs[1][0], runs[0][0], rtol=1e-11)
    np.testing.assert_allclose(runs[1][1], runs[0][1], atol=1e-11)


def test_shards_add_it_once() -> None:
    data = data_of()
    losses = [
        train(
            model_of(),
            data,
            optimizer=SGD(0.1),
            n_epochs=3,
            n_threads=n,
            form="direct",
            callbacks=[L2Penalty(2.0)],
        ).losses
        for n in (1, 2, 3)
    ]
    np.testing.assert_allclose(losses[1], losses[0], rtol=1e-12)
    np.testing.assert_allclose(losses[2], losses[0], rtol=1e-12)


def test_the_full_batch_step_reports_it_too() -> None:
    data = data_of(10, 500)
    losses = [
        train(model_of(), data, optimizer=SGD(0.1), n_epochs=4, form=form, callbacks=[L2Penalty(2.0)]).losses
        for form in ("direct", "dual")
    ]
    np.testing.assert_allclose(losses[1], losses[0], rtol=1e-11)


def test_without_alpha_nothing_decays() -> None:
    models = [model_of(), model_of()]
    train(models[0], data_of(), optimizer=AdamW(0.01, weight_decay=0.0), n_epochs=2)
    train(models[1], data_of(), optimizer=AdamW(0.01), n_epochs=2, callbacks=[L2Penalty(0.0)])
    np.testing.assert_array_equal(models[0].theta, models[1].theta)
