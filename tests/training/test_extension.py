"""A training that goes on for longer ends as one that was to be so long from the start."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.every import every

from pellucid.data.dataset import Dataset
from pellucid.errors import FormatError
from pellucid.nn.dense import Dense, Flatten
from pellucid.nn.norm import BatchNorm
from pellucid.nn.sequential import Sequential
from pellucid.training.callbacks.checkpoint import Checkpoint
from pellucid.training.callbacks.precise_bn import PreciseBatchNorm
from pellucid.training.callbacks.weight_ema import WeightEMA
from pellucid.training.fit import train
from pellucid.training.optimizers.adam import Adam
from pellucid.training.optimizers.sgd import SGD
from pellucid.training.schedules.cosine import Cosine, OneCycle
from pellucid.training.schedules.decay import Constant, Exponential, Step
from pellucid.training.schedules.plateau import ReduceOnPlateau


@pytest.fixture
def data(rng: np.random.Generator) -> Dataset:
    X = rng.standard_normal((40, 6))
    return Dataset(X, (X[:, 0] > 0).astype(np.int64), ("low", "high"))


def network() -> Sequential:
    return Sequential([Flatten(), Dense(8, activation="relu"), BatchNorm(), Dense(1)])


def options(**changes: Any) -> dict[str, Any]:
    given: dict[str, Any] = {"optimizer": Adam(0.01), "batch_size": 7, "validation": 0.2, "callbacks": []}
    return {**given, **changes}


@every("schedule", [None, Constant(), Step(every=9), Exponential(every=4), ReduceOnPlateau(patience=0)])
def test_a_longer_training_goes_on_bit_for_bit(data: Dataset, tmp_path: Path, schedule: Any) -> None:
    whole, extended = network(), network()
    history = train(whole, data, **options(schedule=schedule), n_epochs=9)
    short = options(schedule=schedule, callbacks=[Checkpoint(tmp_path, every_minutes=60)])
    assert train(network(), data, **short, n_epochs=6).is_complete
    resumed = train(extended, data, **options(schedule=schedule), n_epochs=9, resume=tmp_path)
    np.testing.assert_array_equal(extended.theta, whole.theta)
    assert (resumed.columns, resumed.n_steps, resumed.is_complete) == (history.columns, history.n_steps, True)


def test_what_is_done_at_the_end_is_no_part_of_what_goes_on(data: Dataset, tmp_path: Path) -> None:
    whole, extended = network(), network()

    def with_ends(*more: Any) -> dict[str, Any]:
        return options(callbacks=[WeightEMA(0.9), PreciseBatchNorm(), *more])

    train(whole, data, **with_ends(), n_epochs=5)
    train(network(), data, **with_ends(Checkpoint(tmp_path, every_minutes=60)), n_epochs=3)
    train(extended, data, **with_ends(), n_epochs=5, resume=tmp_path)
    np.testing.assert_array_equal(extended.theta, whole.theta)
    np.testing.assert_array_equal(
        extended.layers[2].state["running_var"], whole.layers[2].state["running_var"]
    )


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


@every("schedule", [OneCycle(), Cosine(), Step(every=0.5), Exponential()])
def test_rates_that_depend_on_the_length_are_refused_in_one_line(
    data: Dataset, tmp_path: Path, schedule: Any
) -> None:
    saved = options(schedule=schedule, callbacks=[Checkpoint(tmp_path, every_minutes=60)])
    train(network(), data, **saved, n_epochs=4)
    words = "so far are those of 4 epochs, not of 6. Choose a rate .* --learning-rate 0.001"
    with pytest.raises(FormatError, match=words):
        train(network(), data, **options(schedule=schedule), n_epochs=6, resume=tmp_path)


@every(
    ("before", "chosen"),
    [
        (OneCycle(), OneCycle()),
        (OneCycle(), Cosine()),
        (Constant(), OneCycle()),
        (Constant(), Step(every=0.5)),
    ],
)
def test_another_rate_does_not_let_a_schedule_begin_in_the_middle(
    data: Dataset, tmp_path: Path, before: Any, chosen: Any
) -> None:
    saved = options(schedule=before, callbacks=[Checkpoint(tmp_path, every_minutes=60)])
    train(network(), data, **saved, n_epochs=4)
    words = r"depend on the number of epochs, and cannot begin after 4 of them.* --learning-rate 0\.002\)"
    with pytest.raises(FormatError, match=words):
        train(network(), data, **options(schedule=chosen, optimizer=Adam(0.002)), n_epochs=6, resume=tmp_path)


def test_a_rate_that_is_chosen_takes_the_place_of_the_schedule(data: Dataset, tmp_path: Path) -> None:
    cycle = OneCycle(momentum_range=(0.85, 0.95))
    saved = options(schedule=cycle, callbacks=[Checkpoint(tmp_path, every_minutes=60)])
    before = train(network(), data, **saved, n_epochs=4)
    chosen = options(optimizer=Adam(0.002), schedule="constant")
    model = network()
    after = train(
        model,
        data,
        **{**chosen, "callbacks": [Checkpoint(tmp_path, every_minutes=60)]},
        n_epochs=6,
        resume=tmp_path,
    )
    assert after.losses[:4] == before.losses
    assert after.columns["learning_rate"] == [*before.columns["learning_rate"], 0.002, 0.002]
    again, whole = network(), network()
    train(again, data, **chosen, n_epochs=8, resume=tmp_path)  # and once more
    optimizer = chosen["optimizer"]
    assert (optimizer.learning_rate, optimizer.beta1) == (0.002, 0.9)
    train(whole, data, **{**chosen, "optimizer": Adam(0.002)}, n_epochs=6, resume=tmp_path)
    np.testing.assert_array_equal(whole.theta, model.theta)  # it was complete
    assert not np.array_equal(again.theta, model.theta)


def test_another_constant_rate_without_a_schedule(data: Dataset, tmp_path: Path) -> None:
    train(network(), data, **options(callbacks=[Checkpoint(tmp_path, every_minutes=60)]), n_epochs=2)
    lower = train(network(), data, **options(optimizer=Adam(0.001)), n_epochs=3, resume=tmp_path)
    assert "learning_rate" not in lower.columns
    named = train(
        network(), data, **options(optimizer=Adam(0.001), schedule="constant"), n_epochs=3, resume=tmp_path
    )
    assert named.columns["learning_rate"] == [0.01, 0.01, 0.001]
    assert named.losses == lower.losses


def test_shorter_trainings_and_other_settings_are_refused(data: Dataset, tmp_path: Path) -> None:
    train(network(), data, **options(callbacks=[Checkpoint(tmp_path, every_minutes=60)]), n_epochs=4)
    with pytest.raises(
        FormatError, match=r"has made 4 epochs already; expected n_epochs \(--epochs\) above 4 .* got 3"
    ):
        train(network(), data, **options(), n_epochs=3, resume=tmp_path)
    with pytest.raises(FormatError, match="batch_size = 7, this training batch_size = 8"):
        train(network(), data, **options(batch_size=8), n_epochs=6, resume=tmp_path)
