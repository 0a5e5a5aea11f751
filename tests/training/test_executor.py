"""A batch on several cores gives the gradient of the batch on one."""

import gc
import threading
import weakref
from typing import Any

import numpy as np
import pytest

from pellucid.nn.activation import Activation, Dropout
from pellucid.nn.conv import Conv2D
from pellucid.nn.dense import Dense, Flatten
from pellucid.nn.norm import BatchNorm
from pellucid.nn.pooling import MaxPool2D
from pellucid.nn.sequential import Sequential
from pellucid.training.executor import choose
from pellucid.training.executor.choose import open_executor
from pellucid.training.executor.process_shards import CAN_FORK
from pellucid.training.executor.thread_shards import Exchange, ThreadShards


def network(*, norm: bool = True) -> Sequential:
    middle = [BatchNorm()] if norm else []
    model = Sequential([Flatten(), Dense(8), *middle, Dense(4, activation="relu"), Dense(1)], dtype="float64")
    model.initialize((3, 2), seed=1)
    return model


@pytest.fixture(
    params=[
        "threads",
        pytest.param("processes", marks=pytest.mark.skipif(not CAN_FORK, reason="needs Linux on x86")),
    ]
)
def kind(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Let ``open_executor`` split over the one or the other."""
    monkeypatch.setattr(choose, "CAN_FORK", request.param == "processes")
    return str(request.param)


@pytest.mark.usefixtures("kind")
@pytest.mark.parametrize("n_shards", [2, 3])
@pytest.mark.parametrize("norm", [False, True])
def test_loss_gradient_and_running_statistics_are_those_of_one_thread(
    rng: np.random.Generator, n_shards: int, norm: bool
) -> None:
    X, y = rng.standard_normal((11, 3, 2)), rng.integers(0, 2, 11)
    weights = rng.random(11)
    alone, together = network(norm=norm), network(norm=norm)
    loss = alone.loss_and_grad(X, y, weights=weights)
    with open_executor(together, n_shards) as stepper:
        assert stepper.loss_and_grad(X, together.encode(y), weights=weights) == pytest.approx(loss, rel=1e-13)
    np.testing.assert_allclose(together.grad, alone.grad, rtol=0, atol=1e-13)
    for one, two in zip(alone.leaves(), together.leaves(), strict=True):
        for key in one.state:
            np.testing.assert_allclose(two.state[key], one.state[key], rtol=0, atol=1e-14)


@pytest.mark.usefixtures("kind")
def test_replicas_follow_the_parameters(rng: np.random.Generator) -> None:
    model = network()
    X, Y = rng.standard_normal((8, 3, 2)), model.encode(rng.integers(0, 2, 8))
    with open_executor(model, 2) as stepper:
        first = stepper.loss_and_grad(X, Y)
        model.theta *= 1.5
        second = stepper.loss_and_grad(X, Y)
    assert first != second
    assert second == pytest.approx(model.loss_and_grad(X, Y), rel=1e-13)


@pytest.mark.usefixtures("kind")
def test_every_run_gives_the_same_bits(rng: np.random.Generator) -> None:
    X, y = rng.standard_normal((64, 3, 2)), rng.integers(0, 2, 64)
    grads = []
    for _ in range(3):
        model = network()
        with open_executor(model, 2) as stepper:
            stepper.loss_and_grad(X, model.encode(y))
        grads.append(model.grad.copy())
    np.testing.assert_array_equal(grads[0], grads[1])
    np.testing.assert_array_equal(grads[0], grads[2])


@pytest.mark.usefixtures("kind")
def test_a_batch_smaller_than_the_shards_is_done_alone(rng: np.random.Generator) -> None:
    model = network()
    X, Y = rng.standard_normal((1, 3, 2)), np.ones((1, 1))
    with open_executor(model, 2) as stepper:
        loss = stepper.loss_and_grad(X, Y)
        stepper.loss_and_grad(rng.standard_normal((4, 3, 2)), np.ones((4, 1)))  # and goes on together
    assert loss == model.loss_and_grad(X, Y)


def test_dropout_draws_another_mask_in_each_shard() -> None:
    model = Sequential([Dropout(0.5), Dense(1)], dtype="float64")
    model.initialize((50,), seed=1)
    threads = ThreadShards(model, 2)
    try:
        threads.seed_step(3, 7)
        masks = [one.layers[0].forward(np.ones((1, 50)), training=True).copy() for one in threads.replicas]
        assert (masks[0] != masks[1]).any()
        threads.seed_step(3, 7)
        again = threads.replicas[1].layers[0].forward(np.ones((1, 50)), training=True)
        np.testing.assert_array_equal(again, masks[1])
    finally:
        threads.close()


def test_a_failure_in_one_shard_reaches_the_caller_and_the_next_step_works(rng: np.random.Generator) -> None:
    model = network()
    X, Y = rng.standard_normal((8, 3, 2)), model.encode(rng.integers(0, 2, 8))
    stepper = ThreadShards(model, 2)
    try:
        broken: Any = stepper.replicas[1].layers[1]
        plain = broken.forward

        def fail(*arguments: Any, **options: Any) -> Any:
            raise RuntimeError("mine")

        broken.forward = fail
        with pytest.raises(RuntimeError, match="mine"):
            stepper.loss_and_grad(X, Y)
        broken.forward = plain
        assert stepper.loss_and_grad(X, Y) == pytest.approx(network().loss_and_grad(X, Y), rel=1e-13)
    finally:
        stepper.close()


def test_threads_end_and_the_model_is_as_before(rng: np.random.Generator) -> None:
    before = threading.active_count()
    model = network()
    threads = ThreadShards(model, 3)
    assert threading.active_count() == before + 2
    threads.close()
    assert threading.active_count() == before
    assert all(getattr(leaf, "reduce", None) is None for leaf in model.leaves())


def test_an_exchange_sums_in_the_order_of_the_shards() -> None:
    exchange, sums = Exchange(3), {}

    def bring(shard: int) -> None:
        for round_number in range(50):
            sums[shard, round_number] = exchange.sum(shard, np.array([10.0**shard * (round_number + 1)]))

    threads = [threading.Thread(target=bring, args=(shard,)) for shard in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=20)
    for (_, round_number), total in sums.items():
        assert total[0] == 111 * (round_number + 1)


@pytest.mark.usefixtures("kind")
@pytest.mark.parametrize("n_shards", [1, 2])
def test_nothing_is_left_in_memory_when_the_model_goes(rng: np.random.Generator, n_shards: int) -> None:
    """Buffers are large: they must not wait for the collector of cycles."""
    conv = Conv2D(16)
    model = Sequential([conv, BatchNorm(), Activation("relu"), MaxPool2D(2), Conv2D(16), Flatten(), Dense(1)])
    model.initialize((8, 8, 3), seed=1)
    X, Y = rng.standard_normal((4, 8, 8, 3)).astype("float32"), model.encode(rng.integers(0, 2, 4))
    gc.collect()
    gc.disable()
    try:
        with open_executor(model, n_shards) as stepper:
            stepper.loss_and_grad(X, Y)
        left = [weakref.ref(thing) for leaf in model.leaves() for thing in (leaf, leaf.workspace)]
        del model, conv, stepper
        assert [there for there in left if there() is not None] == []
    finally:
        gc.enable()
