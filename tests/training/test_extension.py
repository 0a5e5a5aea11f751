"""A training that goes on for longer ends as one that was to be so long from the start."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.every import every

from pellucid import BatchNorm, Dataset, Dense, Flatten, Sequential, train
from pellucid.errors import FormatError
from pellucid.training.callbacks import Checkpoint, PreciseBatchNorm, WeightEMA
from pellucid.training.optimizers import SGD, Adam
from pellucid.training.schedules import Constant, Cosine, Exponential, OneCycle, ReduceOnPlateau, Step


@pytest.fixture
def data(rng: np.random.Generator) -> Dataset:
    X = rng.standard_normal((40, 6))
    return Dataset(X, (X[:, 0] > 0).astype(np.int64), ("low", "high"))


def network() -> Sequential:
    return Sequential([Flatten(), Dense(8, activation="relu"), BatchNorm(), Dense(1)])


def options(**changes: Any) -> dict[str, Any]:
    return {"optimizer": Adam(0.01), "batch_size": 7, "validation": 0.2, "callbacks": [], **changes}


def saved(data: Dataset, folder: Path, n_epochs: int, **changes: Any) -> Any:
    """Train, with a checkpoint at the end, and return the history."""
    callbacks = [*changes.pop("callbacks", ()), Checkpoint(folder, every_minutes=60)]
    return train(network(), data, **options(callbacks=callbacks, **changes), n_epochs=n_epochs)


@every("schedule", [None, Constant(), Step(every=9), Exponential(every=4), ReduceOnPlateau(patience=0)])
def test_a_longer_training_goes_on_bit_for_bit(data: Dataset, tmp_path: Path, schedule: Any) -> None:
    whole, extended = network(), network()
    history = train(whole, data, **options(schedule=schedule), n_epochs=9)
    assert saved(data, tmp_path, 6, schedule=schedule).is_complete
    resumed = train(extended, data, **options(schedule=schedule), n_epochs=9, resume=tmp_path)
    np.testing.assert_array_equal(extended.theta, whole.theta)
    assert (resumed.columns, resumed.n_steps, resumed.is_complete) == (history.columns, history.n_steps, True)


def test_what_is_done_at_the_end_is_no_part_of_what_goes_on(data: Dataset, tmp_path: Path) -> None:
    whole, extended = network(), network()
    ends: list[Any] = [WeightEMA(0.9), PreciseBatchNorm()]
    train(whole, data, **options(callbacks=ends), n_epochs=5)
    saved(data, tmp_path, 3, callbacks=ends)
    train(extended, data, **options(callbacks=ends), n_epochs=5, resume=tmp_path)
    np.testing.assert_array_equal(extended.theta, whole.theta)
    variances = (model.layers[2].state["running_var"] for model in (extended, whole))
    np.testing.assert_array_equal(*variances)


def test_it_goes_on_in_the_form_that_it_began_in(data: Dataset, tmp_path: Path) -> None:
    """Of few epochs the direct form is cheaper, of many the dual; the bits differ."""

    def made() -> tuple[Sequential, Dataset]:
        X = np.random.default_rng(1).standard_normal((20, 300))
        model = Sequential([Dense(5, activation="relu"), Dense(1)], dtype="float64")
        return model, Dataset(X, (X[:, 0] > 0).astype(np.int64))

    whole, data = made()
    assert train(whole, data, optimizer=SGD(0.1), n_epochs=400, form="direct").form == "direct"
    assert train(made()[0], data, optimizer=SGD(0.1), n_epochs=400).form == "dual"
    short = [Checkpoint(tmp_path, every_minutes=60)]
    assert train(made()[0], data, optimizer=SGD(0.1), n_epochs=2, callbacks=short).form == "direct"
    extended = made()[0]
    history = train(extended, data, optimizer=SGD(0.1), n_epochs=400, resume=tmp_path)
    assert (history.form, history.note) == ("direct", "direct form, as it began")
    np.testing.assert_array_equal(extended.theta, whole.theta)


MADE = "so far are those of 4 epochs, not of 6. Choose a rate .* --learning-rate 0.001"
CHOSEN = r"depend on the number of epochs, and cannot begin after 4 of them.* --learning-rate 0\.002\)"


@every(
    ("before", "chosen", "rate", "words"),
    [
        *((each, each, 0.01, MADE) for each in (OneCycle(), Cosine(), Step(every=0.5), Exponential())),
        (OneCycle(), OneCycle(), 0.002, CHOSEN),  # another rate does not let it begin in the middle
        (OneCycle(), Cosine(), 0.002, CHOSEN),
        *((Constant(), each, 0.002, CHOSEN) for each in (OneCycle(), Step(every=0.5))),
    ],
)
def test_rates_that_depend_on_the_length_are_refused_in_one_line(
    data: Dataset, tmp_path: Path, before: Any, chosen: Any, rate: float, words: str
) -> None:
    saved(data, tmp_path, 4, schedule=before)
    with pytest.raises(FormatError, match=words):
        train(network(), data, **options(schedule=chosen, optimizer=Adam(rate)), n_epochs=6, resume=tmp_path)


def test_a_rate_that_is_chosen_takes_the_place_of_the_schedule(data: Dataset, tmp_path: Path) -> None:
    before = saved(data, tmp_path, 4, schedule=OneCycle(momentum_range=(0.85, 0.95)))
    chosen = options(optimizer=Adam(0.002), schedule="constant")
    model, again, whole = network(), network(), network()
    writing = {**chosen, "callbacks": [Checkpoint(tmp_path, every_minutes=60)]}
    after = train(model, data, **writing, n_epochs=6, resume=tmp_path)
    assert after.losses[:4] == before.losses
    assert after.columns["learning_rate"] == [*before.columns["learning_rate"], 0.002, 0.002]
    train(again, data, **chosen, n_epochs=8, resume=tmp_path)  # and once more
    optimizer = chosen["optimizer"]
    assert (optimizer.learning_rate, optimizer.beta1) == (0.002, 0.9)
    train(whole, data, **{**chosen, "optimizer": Adam(0.002)}, n_epochs=6, resume=tmp_path)
    np.testing.assert_array_equal(whole.theta, model.theta)  # it was complete
    assert not np.array_equal(again.theta, model.theta)


def test_another_constant_rate_without_a_schedule(data: Dataset, tmp_path: Path) -> None:
    saved(data, tmp_path, 2)
    lower, named = (
        train(network(), data, **options(optimizer=Adam(0.001), **more), n_epochs=3, resume=tmp_path)
        for more in ({}, {"schedule": "constant"})
    )
    assert "learning_rate" not in lower.columns
    assert named.columns["learning_rate"] == [0.01, 0.01, 0.001]
    assert named.losses == lower.losses


def test_shorter_trainings_and_other_settings_are_refused(data: Dataset, tmp_path: Path) -> None:
    saved(data, tmp_path, 4)
    for n_epochs, size, words in (
        (3, 7, r"has made 4 epochs already; expected n_epochs \(--epochs\) above 4 .* got 3"),
        (6, 8, "batch_size = 7, this training batch_size = 8"),
    ):
        with pytest.raises(FormatError, match=words):
            train(network(), data, **options(batch_size=size), n_epochs=n_epochs, resume=tmp_path)
