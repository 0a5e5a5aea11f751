"""Processes that share memory do what threads do, bit for bit; and nothing is left behind when one dies."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pellucid as pl
from pellucid.errors import TrainingError
from pellucid.nn.activation import Dropout
from pellucid.nn.dense import Dense
from pellucid.nn.layer import Layer
from pellucid.nn.model import Model
from pellucid.nn.norm import BatchNorm
from pellucid.nn.sequential import Sequential
from pellucid.training.executor.executor import Executor
from pellucid.training.executor.process_shards import CAN_FORK, ProcessShards
from pellucid.training.executor.thread_shards import ThreadShards
from pellucid.training.executor.worker_pool import EXCHANGE_BYTES, UPDATE_SIZE
from pellucid.training.optimizers.adagrad import Adagrad
from pellucid.training.optimizers.adam import Adam, AdamW
from pellucid.training.optimizers.base import Optimizer
from pellucid.training.optimizers.rmsprop import RMSprop
from pellucid.training.optimizers.sgd import SGD
from pellucid.types import Array

pytestmark = pytest.mark.skipif(not CAN_FORK, reason="processes that share memory need Linux on x86")
WIDTH = 150  # enough parameters for the optimizer's work to be divided


def network(dtype: str = "float32") -> Sequential:
    layers = [Dense(WIDTH), BatchNorm(), Dropout(0.3), Dense(WIDTH, activation="relu"), Dense(3)]
    model = Sequential(layers, dtype=dtype)
    model.initialize((20,), seed=1)
    model.set_loss("categorical_cross_entropy")
    assert model.theta.size > UPDATE_SIZE
    return model


def batches(model: Model, *, weighted: bool = False) -> Iterator[tuple[Array, Array, Array | None]]:
    rng = np.random.default_rng(3)
    for m in (5, 12, 7, 12, 1, 12):
        X, y = rng.standard_normal((m, 20)).astype(model.dtype), rng.integers(0, 3, m)
        yield X, model.encode(y), rng.random(m) if weighted else None


def trained(
    kind: Any, optimizer: Optimizer, *, dtype: str = "float32", n_shards: int = 2, weighted: bool = False
) -> tuple[list[float], dict[str, Any]]:
    """Return the losses of a few steps and everything that they left behind."""
    model = network(dtype)
    optimizer.start(model.theta, model.flat_decay_mask())
    theta, grad = model.theta, model.grad
    stepper: Executor = kind(model, n_shards) if kind is ThreadShards else kind(model, n_shards, optimizer)
    losses = []
    try:
        for i, batch in enumerate(batches(model, weighted=weighted)):
            stepper.seed_step(5, i)
            losses.append(stepper.loss_and_grad(*batch[:2], weights=batch[2]))
            optimizer.learning_rate *= 0.9  # as a schedule does
            stepper.update(optimizer)
    finally:
        stepper.close()
    assert model.theta is theta  # in the memory that it came in
    assert model.grad is grad
    assert all(leaf.params[key].base is theta for leaf in model.leaves() for key in leaf.params)
    left = {"theta": model.theta, **optimizer.state()}
    left |= {f"{leaf.name}.{key}": value for leaf in model.leaves() for key, value in leaf.state.items()}
    return losses, left


OPTIMIZERS = {
    "sgd": lambda: SGD(0.1, momentum=0.9, nesterov=True, weight_decay=0.1),
    "clipped": lambda: SGD(0.1, clip_norm=0.05),
    "adam": lambda: Adam(0.01, weight_decay=0.01),
    "adamw": lambda: AdamW(0.01, weight_decay=0.3, clip_value=0.01),
    "rmsprop": lambda: RMSprop(0.01),
    "adagrad": lambda: Adagrad(0.01),
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_processes_train_as_threads_do_bit_for_bit(name: str) -> None:
    ours, left = trained(ProcessShards, OPTIMIZERS[name]())
    theirs, there = trained(ThreadShards, OPTIMIZERS[name]())
    assert ours == theirs
    assert left.keys() == there.keys()
    for key in left:
        np.testing.assert_array_equal(left[key], there[key], err_msg=key)


@pytest.mark.parametrize("options", [{"n_shards": 3}, {"weighted": True}, {"dtype": "float64"}])
def test_the_same_with_more_of_them_weights_and_other_numbers(options: dict[str, Any]) -> None:
    ours, left = trained(ProcessShards, Adam(0.01), **options)
    theirs, there = trained(ThreadShards, Adam(0.01), **options)
    assert ours == theirs
    np.testing.assert_array_equal(left["theta"], there["theta"])


def test_several_inputs_and_outputs_by_name() -> None:
    rng = np.random.default_rng(0)
    X = {name: rng.standard_normal((8, n)).astype("float32") for name, n in (("a", 4), ("b", 3))}
    Y = {name: rng.integers(0, 2, (8, 1)).astype("float32") for name in ("left", "right")}
    found = []
    for kind in (ProcessShards, ThreadShards):
        nodes = {"ab": ("concat", ["a", "b"]), "left": (Dense(1), "ab"), "right": (Dense(1), "b")}
        model = pl.Graph(inputs=["a", "b"], nodes=nodes, outputs=["left", "right"])
        model.initialize({"a": (4,), "b": (3,)}, seed=1)
        model.set_loss({"left": "binary_cross_entropy", "right": "mean_squared_error"})
        stepper = kind(model, 2)
        found.append((stepper.loss_and_grad(X, Y), model.grad.copy()))
        stepper.close()
    assert found[0][0] == found[1][0]
    np.testing.assert_array_equal(found[0][1], found[1][1])


class Adding(Layer):
    """Adds up a vector longer than what is exchanged at a time, over the whole batch."""

    reduce: Any = None
    length = EXCHANGE_BYTES // 8 + 5

    def build(self, input_shape: Any, rng: Any) -> None:
        self.input_shape = self.output_shape = input_shape
        self.found: list[Array] = []

    def forward(self, X: Array, *, training: bool = False) -> Array:
        if self.reduce is not None:
            self.found.append(self.reduce(np.arange(self.length) * float(X.sum())))
        return X

    def backward(self, dY: Array) -> Array:
        return dY


def test_a_sum_longer_than_the_exchange_goes_in_pieces() -> None:
    adding = Adding()
    model = Sequential([adding, Dense(1)], dtype="float64")
    model.initialize((2,))
    stepper = ProcessShards(model, 2)
    X = np.arange(12.0).reshape(6, 2)
    try:
        stepper.loss_and_grad(X, np.ones((6, 1)))
    finally:
        stepper.close()
    np.testing.assert_array_equal(adding.found[0], np.arange(Adding.length) * X.sum())


class Failing(Layer):
    """Fails in a process that is not the first."""

    def __init__(self, fault: Any = None) -> None:
        super().__init__()
        self.first, self.fault = os.getpid(), fault

    def build(self, input_shape: Any, rng: Any) -> None:
        self.input_shape = self.output_shape = input_shape

    def forward(self, X: Array, *, training: bool = False) -> Array:
        if os.getpid() != self.first:
            self.fault()
        return X

    def backward(self, dY: Array) -> Array:
        return dY


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def fail() -> None:
    raise RuntimeError("only here")


def nap() -> None:
    time.sleep(60)


def children() -> set[int]:
    """Return the processes that this one has started and that still exist."""
    task = Path(f"/proc/self/task/{os.getpid()}/children")
    return {int(pid) for pid in task.read_text().split()}


@pytest.mark.parametrize("fault", [die, fail])
@pytest.mark.parametrize("norm", [False, True])
def test_where_one_fails_the_first_goes_on_alone(fault: Any, norm: bool) -> None:
    def make(*first: Layer) -> Model:
        model = Sequential([*first, Dense(4), *([BatchNorm()] if norm else []), Dense(1)], dtype="float64")
        model.initialize((2,), seed=1)
        return model

    X, Y = np.random.default_rng(0).standard_normal((6, 2)), np.ones((6, 1))
    plain = make()
    model, before = make(Failing(fault)), children()
    stepper = ProcessShards(model, 3)
    try:
        assert stepper.loss_and_grad(X, Y) == plain.loss_and_grad(X, Y)
        assert children() == before
        assert stepper.loss_and_grad(X, Y) == plain.loss_and_grad(X, Y)
    finally:
        stepper.close()
    np.testing.assert_array_equal(model.grad, plain.grad)


def test_an_error_of_the_models_own_is_raised_here() -> None:
    class Broken(Failing):
        def forward(self, X: Array, *, training: bool = False) -> Array:
            raise ValueError("mine")

    model, before = Sequential([Broken(), Dense(1)]), children()
    model.initialize((2,))
    stepper = ProcessShards(model, 2)
    with pytest.raises(ValueError, match="mine"):
        stepper.loss_and_grad(np.ones((4, 2), "float32"), np.ones((4, 1), "float32"))
    assert children() == before
    stepper.close()


def test_an_interrupt_ends_the_others_at_once() -> None:
    model, before = Sequential([Failing(nap), Dense(1)]), children()
    model.initialize((2,))
    stepper = ProcessShards(model, 2)
    signal.signal(signal.SIGALRM, signal.default_int_handler)
    signal.setitimer(signal.ITIMER_REAL, 0.3)
    started = time.monotonic()
    try:
        with pytest.raises(KeyboardInterrupt):
            stepper.loss_and_grad(np.ones((4, 2), "float32"), np.ones((4, 1), "float32"))
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
    assert children() == before
    assert time.monotonic() - started < 30
    stepper.close()


def test_one_that_is_killed_between_gradient_and_update_is_told_of() -> None:
    model, optimizer, before = network(), Adam(), children()
    optimizer.start(model.theta, model.flat_decay_mask())
    stepper = ProcessShards(model, 2, optimizer)
    X, Y, _ = next(batches(model))
    stepper.seed_step(1, 0)
    stepper.loss_and_grad(X, Y)
    (other,) = children() - before
    os.kill(other, signal.SIGKILL)
    with pytest.raises(TrainingError, match=r"killed in the middle of a step.*n_threads=1"):
        stepper.update(optimizer)
    stepper.close()
    assert children() == before


PROGRAM = """
import os, time
import numpy as np
from pellucid.nn.dense import Dense
from pellucid.nn.sequential import Sequential
from pellucid.training.executor.process_shards import ProcessShards
model = Sequential([Dense(1)])
model.initialize((2,))
ProcessShards(model, 2).loss_and_grad(np.ones((4, 2), "float32"), np.ones((4, 1), "float32"))
print(open(f"/proc/self/task/{os.getpid()}/children").read(), flush=True)
time.sleep(60)
"""


def test_the_others_end_where_the_first_is_killed() -> None:
    first = subprocess.Popen([sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE, text=True)
    assert first.stdout is not None
    other = Path(f"/proc/{int(first.stdout.readline())}/stat")
    first.kill()
    first.wait()
    first.stdout.close()
    for _ in range(400):
        if not other.exists() or other.read_text().rpartition(")")[2].split()[0] == "Z":
            return
        time.sleep(0.05)
    pytest.fail("it is still there")


def test_a_system_without_room_for_processes_trains_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> int:
        raise BlockingIOError("no more processes")

    monkeypatch.setattr(os, "fork", refuse)
    model, plain = network(), network()
    stepper = ProcessShards(model, 2)
    X, Y, _ = next(batches(model))
    for one in (stepper, plain):
        one.seed_step(1, 0)
    assert stepper.loss_and_grad(X, Y) == plain.loss_and_grad(X, Y)
    stepper.close()


def test_train_takes_them_and_ends_where_threads_end(monkeypatch: pytest.MonkeyPatch) -> None:
    from pellucid.training.executor import choose

    rng, runs = np.random.default_rng(0), []
    data = pl.Dataset(rng.standard_normal((50, 20)), rng.integers(0, 3, 50))
    for can_fork in (True, False):
        monkeypatch.setattr(choose, "CAN_FORK", can_fork)
        model = network()
        history = pl.train(
            model, data, optimizer=Adam(0.01), n_epochs=4, batch_size=16, n_threads=2, form="direct",
            schedule=pl.schedules.OneCycle(), validation=0.2,
        )  # fmt: skip
        runs.append((history.losses, model.theta.copy()))
    assert runs[0][0] == runs[1][0]
    np.testing.assert_array_equal(runs[0][1], runs[1][1])
