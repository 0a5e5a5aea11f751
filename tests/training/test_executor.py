"""A batch on several cores gives the gradient of the batch on one."""

import copy
import gc
import os
import threading
import weakref

import numpy as np
import pytest
from tests.every import every
from tests.ops.cases import HAS_NUMBA

from pellucid import dispatch
from pellucid.errors import TrainingError
from pellucid.nn.activation import Activation, Dropout
from pellucid.nn.conv import Conv2D
from pellucid.nn.dense import Dense, Flatten
from pellucid.nn.norm import BatchNorm, LayerNorm
from pellucid.nn.pooling import MaxPool2D
from pellucid.nn.sequential import Sequential
from pellucid.training.executor import thread_shards
from pellucid.training.executor.choose import executor_for
from pellucid.training.executor.thread_shards import ThreadShards
from pellucid.training.optimizers import SGD, Adagrad, Adam, AdamW, Optimizer, RMSprop


def network(*, norm: bool = True) -> Sequential:
    middle = [BatchNorm()] if norm else []
    first = Dense(8, activation="tanh")  # with a norm after it, no stack of Dense layers has a kernel
    model = Sequential([Flatten(), first, *middle, Dense(4, activation="relu"), Dense(1)], dtype="float64")
    model.initialize((3, 2), seed=1)
    return model


def test_a_batch_smaller_than_the_shards_is_done_alone(rng: np.random.Generator) -> None:
    model = network()
    X, Y = rng.standard_normal((1, 3, 2)), np.ones((1, 1))
    alone = copy.deepcopy(model)  # a batch of one is scaled by the running statistics, which each step moves
    alone._bind()
    with executor_for(model, 2) as stepper:
        loss = stepper.loss_and_grad(X, Y)
        stepper.loss_and_grad(rng.standard_normal((4, 3, 2)), np.ones((4, 1)))  # and goes on together
    assert loss == alone.loss_and_grad(X, Y)


def test_dropout_is_that_of_the_whole_batch_however_it_is_divided() -> None:
    """Rows of 3 and of 35 values, four to a draw; one layer in two places; the threads, and none of them."""
    wrong, shared = [], Dropout(0.3)
    rng = np.random.default_rng(0)
    for kernels in ("plain", "numpy", "numba") if HAS_NUMBA else ("plain", "numpy"):
        for layers, m in [
            ([Dense(3, "tanh"), Dropout(0.5), Dense(8, "tanh"), Dropout(0.2), Dense(1)], 11),
            (
                [
                    Conv2D(5, activation="tanh"),
                    Dropout(0.5),
                    LayerNorm(),
                    shared,
                    Flatten(),
                    shared,
                    Dense(1),
                ],
                10,
            ),
        ]:
            X, Y = rng.standard_normal((m, 7, 3)), rng.integers(0, 2, (m, 1)).astype(float)
            X = X[..., None] if isinstance(layers[0], Conv2D) else X.reshape(m, -1)
            model = Sequential(copy.deepcopy(layers), dtype="float64")
            model.initialize(X.shape[1:], seed=1)
            with dispatch.use(kernels):
                model._seed_step(3, 7)
                loss, grad = model.loss_and_grad(X, Y), model.grad.copy()
                for n in (2, 3):
                    shards = ThreadShards(model, n)
                    try:
                        for is_alone in (False, True):
                            shards._is_alone = is_alone
                            shards.seed_step(3, 7)
                            ours = shards.loss_and_grad(X, Y)
                            if abs(ours - loss) > 1e-12 or np.abs(model.grad - grad).max() > 1e-12:
                                wrong.append((kernels, m, n, is_alone, ours - loss))
                    finally:
                        shards.close()
    assert not wrong


def test_a_failure_in_one_shard_reaches_the_caller_and_the_next_step_works(
    rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = network()
    X, Y = rng.standard_normal((8, 3, 2)), model._encode(rng.integers(0, 2, 8))
    stepper = ThreadShards(model, 2)
    try:
        monkeypatch.setattr(stepper.replicas[1].layers[1], "forward", None)
        with pytest.raises(TypeError, match="not callable"):
            stepper.loss_and_grad(X, Y)
        monkeypatch.undo()
        assert stepper.loss_and_grad(X, Y) == pytest.approx(network().loss_and_grad(X, Y), rel=1e-13)
    finally:
        stepper.close()


def test_threads_end_and_the_model_is_as_before() -> None:
    before = threading.active_count()
    model = network()
    threads = ThreadShards(model, 3)
    assert threading.active_count() == before + 2
    threads.close()
    assert threading.active_count() == before
    assert all(getattr(leaf, "reduce", None) is None for leaf in model._leaves())


@every("n_shards", [1, 2])
def test_nothing_is_left_in_memory_when_the_model_goes(rng: np.random.Generator, n_shards: int) -> None:
    """Buffers are large: they must not wait for the collector of cycles."""
    conv = Conv2D(16)
    model = Sequential([conv, BatchNorm(), Activation("relu"), MaxPool2D(2), Conv2D(16), Flatten(), Dense(1)])
    model.initialize((8, 8, 3), seed=1)
    X, Y = rng.standard_normal((4, 8, 8, 3)).astype("float32"), model._encode(rng.integers(0, 2, 4))
    gc.collect()
    gc.disable()
    try:
        with executor_for(model, n_shards) as stepper:
            stepper.loss_and_grad(X, Y)
        left = [weakref.ref(thing) for leaf in model._leaves() for thing in (leaf, leaf._workspace)]
        del model, conv, stepper
        assert [there for there in left if there() is not None] == []
    finally:
        gc.enable()


OPTIMIZERS = [
    SGD(0.1, momentum=0.9, nesterov=True, weight_decay=0.1),
    SGD(0.1, clip_norm=0.05),
    Adam(0.01, weight_decay=0.01),
    AdamW(0.01, weight_decay=0.3, clip_value=0.01),
    RMSprop(0.01),
    Adagrad(0.01),
]


@every("n_shards", [2, 3])
@every("rule", OPTIMIZERS)
def test_an_update_that_is_divided_moves_the_same_bits(
    monkeypatch: pytest.MonkeyPatch, rule: Optimizer, n_shards: int
) -> None:
    found = []
    for size in (10**9, 1):
        monkeypatch.setattr(thread_shards, "UPDATE_SIZE", size)
        model, optimizer, rng = network(), copy.deepcopy(rule), np.random.default_rng(3)
        optimizer.start(model.theta, model._flat_decay_mask())
        with executor_for(model, n_shards, optimizer) as executor:
            for m in (5, 12, 7, 12, 1, 12):
                X, Y = rng.standard_normal((m, 3, 2)), model._encode(rng.integers(0, 2, m))
                executor.loss_and_grad(X, Y)
                optimizer.learning_rate *= 0.9  # as a schedule does
                executor.update(optimizer)
        found.append({"theta": model.theta, **optimizer.state()})
    assert executor.is_divided == (rule.clip_norm is None)  # type: ignore[attr-defined]
    for key, value in found[0].items():
        np.testing.assert_array_equal(found[1][key], value, err_msg=key)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
@every("norm", [False, True])
def test_a_child_forked_in_the_middle_of_a_training_goes_on_alone(norm: bool) -> None:
    X, Y = np.random.default_rng(0).standard_normal((6, 3, 2)), np.ones((6, 1))
    wanted = network(norm=norm).loss_and_grad(X, Y)
    model = network(norm=norm)
    with executor_for(model, 2) as executor:
        executor.loss_and_grad(X, Y)
        child = os.fork()
        if child == 0:
            code = 1
            try:
                code = 0 if abs(executor.loss_and_grad(X, Y) - wanted) < 1e-12 else 2
            finally:
                os._exit(code)
        assert os.waitpid(child, 0)[1] == 0
        assert executor.loss_and_grad(X, Y) == pytest.approx(wanted, rel=1e-13)


def test_a_thread_that_is_gone_between_gradient_and_update_is_reported(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(thread_shards, "UPDATE_SIZE", 1)
    model, optimizer = network(), Adam()
    optimizer.start(model.theta, model._flat_decay_mask())
    with executor_for(model, 2, optimizer) as executor:
        executor.loss_and_grad(np.ones((4, 3, 2)), np.ones((4, 1)))
        executor.workers.close()  # type: ignore[attr-defined]
        with pytest.raises(TrainingError, match=r"a thread .* is gone.*n_threads=1"):
            executor.update(optimizer)
