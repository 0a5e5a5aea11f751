"""The rule of convergence: when it stops, what it keeps, how it cuts the rate, in either form."""

import math
from typing import Any

import numpy as np
import pytest
from tests.every import every

import pellucid as pl
from pellucid.estimators.stopping import Convergence
from pellucid.estimators.warm_start import Continuation
from pellucid.training.events import EpochEnd, StepEnd
from pellucid.training.optimizers.adam import Adam
from pellucid.training.optimizers.sgd import SGD


def stops(losses: list[float], **options: Any) -> int:
    """Return after how many epochs a training with these losses ends."""
    rule = Convergence(**options)
    for i, loss in enumerate(losses):
        if rule(EpochEnd(None, i, i, {"loss": loss})):
            assert rule.has_converged
            return i + 1
    assert not rule.has_converged
    return len(losses)


def test_patience_counts_epochs_in_a_row() -> None:
    assert stops([1.0] * 10, patience=3) == 5  # the first is better than nothing
    assert stops([1.0, 1.0, 0.5, 0.5, 0.5, 0.5], patience=2) == 6
    assert stops([1.0] * 10, patience=math.inf) == 10
    assert stops([1.0, 0.95, 0.9, 0.85, 0.8], patience=1, tolerance=0.06) == 3
    assert stops([1.0, 0.93, 0.86, 0.79], patience=1, tolerance=0.06) == 4
    assert stops([2.0] * 9, patience=3, best=1.0, n_waited=2) == 2  # goes on from an earlier training


def test_nan_starts_the_patience_anew() -> None:
    assert stops([1.0, 1.0, math.nan, 1.0, 1.0, 1.0], patience=2) == 6


@every("form", ["direct", "dual"])
def test_put_back_after_a_failure(form: str) -> None:
    outputs: list[Any] = []
    X = np.random.default_rng(0).standard_normal((20, 50))
    rule = Convergence(
        score=lambda run, event: outputs.append(run.model._raw_outputs(X)) or float(-event.epoch)
    )  # type: ignore[func-returns-value]
    model = pl.Sequential([pl.Dense(3, activation="tanh"), pl.Dense(1)], dtype="float64")

    def fail(event: Any) -> None:
        if isinstance(event, StepEnd) and event.epoch == 3:
            raise RuntimeError

    data = pl.Dataset(X, np.arange(20) % 2)
    with pytest.raises(RuntimeError):
        pl.train(model, data, optimizer=SGD(0.1), n_epochs=9, form=form, callbacks=[rule, fail])
    assert rule.put_back(model)
    np.testing.assert_allclose(model._raw_outputs(X), outputs[0], atol=1e-12)  # epoch 0 was the best
    assert not Convergence().put_back(model)


def test_another_optimizer_begins_again(rng: np.random.Generator) -> None:
    data = pl.Dataset(rng.standard_normal((10, 3)), rng.integers(0, 2, 10))
    model = pl.Sequential([pl.Dense(1)])
    first = Continuation()
    pl.train(model, data, optimizer=SGD(0.1, momentum=0.9), n_epochs=2, callbacks=[first])
    second = Continuation(first.end, n_epochs=1)
    pl.train(model, data, optimizer=Adam(), n_epochs=2, callbacks=[second])
    assert second.end.epoch == 3
    assert second.end.optimizer["n_steps"] == 1
