"""The next batch in the making: the same batches, in the same order, and nothing left behind."""

import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import pellucid as pl
from pellucid.data.augmentation.augment import Augment
from pellucid.data.augmentation.crops import Crop
from pellucid.data.augmentation.flips import HorizontalFlip
from pellucid.data.augmentation.mixing import Mixup
from pellucid.data.batches import Batches
from pellucid.data.prefetch import one_ahead
from pellucid.errors import DataError
from pellucid.training import cost as worth
from pellucid.training import prepare as setup
from pellucid.training.events import StepEnd


def prefetching() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("pellucid-prefetch")]


def test_the_next_item_is_made_while_this_one_is_used() -> None:
    is_made = threading.Event()

    def items() -> Iterator[int]:
        yield 1
        is_made.set()
        yield 2

    ahead = one_ahead(items())
    assert next(ahead) == 1
    assert is_made.wait(timeout=10)
    assert list(ahead) == [2]


def test_an_error_comes_in_its_turn() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise DataError("the second is damaged")

    ahead = one_ahead(items())
    assert next(ahead) == 1
    with pytest.raises(DataError, match="the second is damaged"):
        next(ahead)
    assert not prefetching()


def test_no_thread_is_left_by_who_stops_early() -> None:
    ahead = one_ahead(iter(range(10)))
    assert next(ahead) == 0
    assert prefetching()
    ahead.close()  # type: ignore[attr-defined]
    assert not prefetching()


def test_what_numpy_does_about_overflow_goes_along() -> None:
    def items() -> Iterator[str]:
        yield np.geterr()["over"]
        yield np.geterr()["over"]

    with np.errstate(over="ignore"):
        assert list(one_ahead(items())) == ["ignore", "ignore"]


@pytest.mark.parametrize("batch_size", [None, 1, 4, 5])
def test_batches_are_the_same(batch_size: int | None) -> None:
    rng = np.random.default_rng(0)
    X, Y, weights = rng.random((11, 3)), rng.random((11, 1)), rng.random(11)

    def change(X: Any, Y: Any, weights: Any, step: int) -> tuple[Any, Any, Any]:
        return X + step, Y, weights  # the targets stay where they are: in an array that is written again

    plain, ahead = (
        Batches(X, Y, batch_size, 3, weights=weights, change=change, is_ahead=is_ahead)
        for is_ahead in (False, True)
    )
    for epoch, skip in ((0, 0), (1, 2)):
        pairs = zip(plain.epoch(epoch, skip=skip), ahead.epoch(epoch, skip=skip), strict=True)
        for mine, other in pairs:
            for a, b in zip(mine, other, strict=True):
                np.testing.assert_array_equal(a, b)


def test_a_batch_is_whole_while_the_next_is_made() -> None:
    made: list[int] = []
    second = threading.Event()

    def change(X: Any, Y: Any, weights: Any, step: int) -> tuple[Any, Any, Any]:
        made.append(step)
        if step == 1:
            second.set()
        return X, Y, weights

    batches = Batches(np.arange(4.0)[:, None], np.arange(4.0)[:, None], 2, 0, change=change, is_ahead=True)
    first = next(iter(batches.epoch(0)))
    assert second.wait(timeout=10)
    order = [row for X, Y, _ in Batches(batches.X, batches.Y, 2, 0).epoch(0) for row in X[:, 0]]
    assert first[0][:, 0].tolist() == first[1][:, 0].tolist() == order[:2]


@pytest.mark.parametrize("augment", [[HorizontalFlip(), Crop(2)], [HorizontalFlip(), Mixup(0.3)]])
def test_training_gives_the_same_bits(monkeypatch: pytest.MonkeyPatch, augment: list[Any]) -> None:
    rng = np.random.default_rng(0)
    data = pl.Dataset(rng.integers(0, 256, (21, 8, 8, 3), dtype=np.uint8), rng.integers(0, 2, 21))
    thetas, threads = [], []

    def look(event: object) -> None:
        if isinstance(event, StepEnd):
            threads[-1] |= bool(prefetching())

    for cores in (1, 2):
        monkeypatch.setattr(setup, "n_cores", lambda cores=cores: cores)
        threads.append(False)
        model = pl.Sequential([pl.Flatten(), pl.Dense(4, activation="relu"), pl.Dense(1)])
        options = {"n_epochs": 3, "batch_size": 5, "augment": Augment(augment)}
        pl.train(model, data, optimizer=pl.optimizers.Adam(0.01), callbacks=[look], **options)
        thetas.append(model.theta)
    np.testing.assert_array_equal(*thetas)
    assert threads == [False, True]
    assert not prefetching()


@pytest.mark.parametrize(
    ("cores", "options"),
    [
        (3, {"batch_size": 2, "n_threads": None}),  # fewer samples a step than cores: all of them are shards
        (2, {"batch_size": 5, "n_threads": 1}),  # as asked for
        (2, {"batch_size": None, "n_threads": None}),  # there is no next batch
    ],
)
def test_where_no_core_is_free_nothing_is_made_ahead(
    monkeypatch: pytest.MonkeyPatch, cores: int, options: dict[str, Any]
) -> None:
    for module in (setup, worth):
        monkeypatch.setattr(module, "n_cores", lambda: cores)
    monkeypatch.setattr(worth, "SPLIT_OPERATIONS", 0)
    monkeypatch.setattr(worth, "SPLIT_TRAINING", 0 if options["batch_size"] == 2 else 1e30)
    rng = np.random.default_rng(0)
    data = pl.Dataset(rng.integers(0, 256, (6, 8, 8, 3), dtype=np.uint8), np.arange(6) % 2)
    threads = []

    def look(event: object) -> None:
        if isinstance(event, StepEnd):
            threads.extend(prefetching())

    def run() -> Any:
        model = pl.Sequential([pl.Flatten(), pl.Dense(1)])
        augment = Augment([HorizontalFlip()])
        return pl.train(model, data, n_epochs=4, augment=augment, callbacks=[look], **options)

    one, two = run(), run()
    assert not threads
    assert one.losses == two.losses
    assert one.n_threads == (2 if options["batch_size"] == 2 else 1)
