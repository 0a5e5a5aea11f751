from typing import Any

import numpy as np
import pytest
from tests.every import every

from pellucid import Dataset, Dense, Model, Sequential, train
from pellucid.errors import OptionError
from pellucid.training.callbacks.early_stopping import EarlyStopping
from pellucid.training.optimizers.sgd import SGD


@pytest.fixture
def data(rng: np.random.Generator) -> Dataset:
    return Dataset(rng.standard_normal((20, 30)), rng.integers(0, 2, 20), ("a", "b"))


@pytest.fixture
def held(rng: np.random.Generator) -> Dataset:
    return Dataset(rng.standard_normal((20, 30)), rng.integers(0, 2, 20), ("a", "b"))


def network() -> Sequential:
    return Sequential([Dense(10, activation="relu"), Dense(1)], dtype="float64")


@every("form", ["direct", "dual"])
def test_stops_after_patience_and_puts_the_best_back(data: Dataset, held: Dataset, form: str) -> None:
    model, stopper = network(), EarlyStopping(patience=5)
    options: dict[str, Any] = {"optimizer": SGD(0.3), "n_epochs": 500, "validation": held, "form": form}
    history = train(model, data, callbacks=[stopper], **options)
    losses = history.validation_losses
    assert len(losses) < 500
    assert stopper.best_epoch == int(np.argmin(losses)) == len(losses) - 7
    assert model._measure(held.X, model._encode(held.y))["loss"] == pytest.approx(min(losses), rel=1e-10)
    assert not history.is_complete


def test_a_callable_and_a_maximum(data: Dataset, held: Dataset) -> None:
    seen: list[float] = []

    def norm(model: Model) -> float:
        seen.append(float(np.abs(model.theta).sum()))
        return seen[-1]

    model, stopper = network(), EarlyStopping(norm, mode="max", patience=100)
    train(model, data, optimizer=SGD(0.3), n_epochs=30, form="direct", callbacks=[stopper])
    assert np.abs(model.theta).sum() == max(seen)
    accuracy = EarlyStopping("validation_accuracy", patience=3)
    history = train(network(), data, n_epochs=60, optimizer=SGD(0.3), validation=held, callbacks=[accuracy])
    assert accuracy.best == max(history.columns["validation_accuracy"])


def test_min_delta_counts_only_real_improvements(data: Dataset) -> None:
    history = train(network(), data, n_epochs=50, callbacks=[EarlyStopping("loss", patience=0, min_delta=10)])
    assert len(history.losses) == 2


def test_bad_options(data: Dataset) -> None:
    with pytest.raises(OptionError, match="Give train\\(\\) validation data"):
        train(network(), data, n_epochs=2, callbacks=[EarlyStopping()])
    with pytest.raises(OptionError, match="Did you mean 'max'"):
        EarlyStopping(mode="maxi")
    with pytest.raises(OptionError, match="patience"):
        EarlyStopping(patience=-1)
