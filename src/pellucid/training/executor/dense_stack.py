"""Steps of a stack of Dense layers by one compiled kernel, with the optimizer's work in it: two calls a step."""

import importlib
import math
import os
import threading
import time
from typing import Any, NamedTuple

import numpy as np

from pellucid.data.batches import Batches
from pellucid.nn.activation import Dropout
from pellucid.nn.model import Model
from pellucid.nn.norm import BatchNorm
from pellucid.ops.batch_norm import BatchMoments
from pellucid.ops.dropout import LEVELS, draw_levels, dropped_levels
from pellucid.training.executor.executor import Executor, StepLoss, Steps, Tell
from pellucid.training.executor.pace import Pace
from pellucid.training.executor.stack_layers import ACTIVATIONS, Layer, layers_of, loss_kind, n_parts
from pellucid.training.optimizers.adam import Adam, AdamW
from pellucid.training.optimizers.sgd import SGD
from pellucid.types import Array
from pellucid.workspace import aligned

OPERATIONS = 2e9  # of the steps of one call: some tens of milliseconds, for which Ctrl-C waits

_threads = threading.Lock()  # held by the training that has the compiled threads: they serve one at a time


class Memory(NamedTuple):
    """What steps on batches of one size read and write."""

    arrays: tuple[Array, ...]  # as the kernel takes them
    Z: Array  # (m, n_out) the last layer's outputs
    dZ: Array  # (m, n_out)
    scale: Array  # by which each sample's or each output's loss enters the sum, where all count the same
    moments: list[tuple[BatchNorm, Array, Array]]  # mean and variance that a step leaves for each batch norm
    pace: Pace
    draws: list[tuple[Dropout, Array]]  # room for the random numbers of each dropout


class DenseStack(Executor):
    """A model's steps by :mod:`pellucid.kernels.dense_stack`.

    The backward pass waits for ``update``, which moves every weight as soon as its gradient is known. The model's
    ``grad`` is filled only where the optimizer's rule is not part of the kernel.

    Parameters
    ----------
    model : Model
        Initialized, one that has ``layers_of``.
    n_threads : int
        Into how many parts a layer is divided at most. They are computed side by side unless another training has
        the compiled threads, or this is a forked child, where they may not be used: the numbers are the same.
    optimizer : Optimizer, optional
        Started; the one that ``update`` will be called with.
    """

    runs_layers = False

    def __init__(self, model: Model, n_threads: int, optimizer: Any = None) -> None:
        super().__init__(model)
        self.kernel: Any = importlib.import_module("pellucid.kernels.dense_stack")
        self.layers, self.n_threads, self.optimizer = layers_of(model), n_threads, optimizer
        self.loss, dtype, n_out = model._loss, model.theta.dtype, self.layers[-1].n_out
        self.loss_kind = loss_kind(self.loss, n_out, self.kernel)
        self.n_scales = 1 if self.loss_kind == self.kernel.SOFTMAX else n_out
        self.smoothing = float(getattr(self.loss, "label_smoothing", 0.0))
        self.rule: Any = RULES.get(type(optimizer), _keep)
        if optimizer is None or optimizer.clip_norm is not None:  # which needs the whole gradient
            self.rule = _keep
        self.waits = optimizer is not None and not optimizer.is_full_batch
        self.numbers, self.no_labels = np.zeros(8), np.zeros(0, np.intp)
        self.no_targets = np.zeros((0, n_out), dtype)
        self._memories: dict[int, Memory] = {}
        self._room = 0
        self._pending: tuple[Any, ...] = ()  # the backward pass that waits for ``update``
        self._n_before = 0  # of the compiled threads, before they were taken; 0: they are not
        self._has_threads = False  # whether the kernel is compiled with them
        self._epoch, self._order = -1, self.no_labels  # of the samples

    def loss_and_grad(self, X: Any, Y: Any, *, weights: Array | None = None) -> float:
        """Return the loss; the gradient waits for ``update``, but for an optimizer that asks for it."""
        m = len(X)
        has_variance = m > 1 or not any(layer.norm for layer in self.layers)
        if not (has_variance and self._fits(X, Y)):  # the model says what is wrong
            return self._leave_to_model(X, Y, weights)
        memory = self._memories.get(m) or self._make_memory(m)
        arrays, Z, dZ, scale, moments, pace, draws = memory
        if X.ndim != 2 or not X.flags.carray or X.dtype != Z.dtype:
            X = np.require(X.reshape(m, -1), Z.dtype, ["C", "A", "W"])
        Y = Y if Y.flags.carray else Y.copy()
        labels, targets = (Y, self.no_targets) if Y.ndim == 1 else (self.no_labels, Y)
        is_other = self.loss_kind == self.kernel.OTHER
        if weights is not None and not is_other:
            scale = np.repeat(self.loss.scale(m, Z.shape[1], Z.dtype, weights=weights), self.n_scales)
        for dropout, bits in draws:  # the random numbers that the layer itself would draw
            bits[:] = draw_levels(bits.shape, dropout.step_rng())
        threads = self._threads(pace)
        started = time.perf_counter()
        how = self.loss_kind, labels, targets, self.smoothing, scale, threads
        loss = self.kernel.forward(X, X, self.no_labels, arrays, *how)
        if loss == -math.inf:  # a label is no class
            return self._leave_to_model(X, Y, weights)
        if is_other:
            loss, cache = self.loss.forward(Z, Y, weights=weights)
            self.loss.backward(cache, dZ=dZ)
        seconds = time.perf_counter() - started
        for norm, mean, var in moments:
            norm.record(BatchMoments(mean, var, m))
        if self.model._loss_hook is not None:
            loss = self.model._loss_hook(loss, float(m if weights is None else weights.sum()))
        self._pending = X, arrays, pace, threads, seconds
        if not self.waits:
            self._finish_step(self.kernel.KEEP)
        return float(loss)

    def update(self, optimizer: Any) -> None:
        """Compute the gradient of the last batch, and let the optimizer move the parameters by it."""
        if not self._pending:
            super().update(optimizer)
            return
        rule = int(self.rule(optimizer, self.numbers, self.kernel))
        self._finish_step(rule)
        if rule == self.kernel.KEEP:
            optimizer.step(self.model.theta, self.model.grad)

    def run(self, steps: Steps, tell: Tell) -> bool:
        """Take some steps of an epoch in one call; the smaller batch at its end has one of its own."""
        batches, epoch, step, skip, optimizer, schedule, at_most = steps
        if not self._takes_several(batches, optimizer):
            return super().run(steps, tell)
        size = batches.batch_size or batches.n_rows
        if epoch != self._epoch:
            self._epoch, self._order = epoch, batches.order(epoch)
        m = min(size, batches.n_rows - skip * size)
        memory = self._memories.get(m) or self._make_memory(m)
        threads = self._threads(memory.pace)
        operations = 6.0 * m * sum(layer.n_in * layer.n_out for layer in self.layers)
        most = int(OPERATIONS / operations) if threads or self.n_threads == 1 else 1
        n = max(1, min(most, at_most, (batches.n_rows - skip * size) // m))
        rows = self._order[skip * size : skip * size + n * m].reshape(n, m)
        numbers, losses, n_steps = np.empty((n, len(self.numbers))), np.empty(n), optimizer.n_steps
        for s in range(n):
            if schedule is not None:
                schedule.apply(optimizer, step + s)
            rule = self.rule(optimizer, numbers[s], self.kernel)
        data, Y = batches.X.reshape(batches.n_rows, -1), batches.Y
        labels, targets = (Y, self.no_targets) if Y.ndim == 1 else (self.no_labels, Y)
        room = (np.empty((m if len(part) else 0, *part.shape[1:]), part.dtype) for part in (labels, targets))
        X = self.model._workspace.take("batch", (m, data.shape[1]), data.dtype)  # new, it would be paged in
        what = self.loss_kind, labels, targets, *room
        started = time.perf_counter()
        how = self.smoothing, memory.scale, rule, numbers, threads, losses
        taken = self.kernel.take_steps(X, data, rows, memory.arrays, *what, *how)
        memory.pace.record((time.perf_counter() - started) / n, n)
        optimizer.n_steps = n_steps + taken
        tell([StepLoss(loss, m) for loss in losses[: taken + 1].tolist()])
        return True

    def _takes_several(self, batches: Batches, optimizer: Any) -> bool:
        """Return whether the kernel gathers these batches, knows their loss and the optimizer's rule."""
        as_they_are = batches.rule is None and batches.change is None and batches.weights is None
        is_known = self.rule is not _keep and self.loss_kind != self.kernel.OTHER
        has_more = self.model._loss_hook is not None or any(
            layer.norm or layer.dropout for layer in self.layers
        )
        return (
            as_they_are
            and is_known
            and not has_more
            and optimizer is self.optimizer
            and all(isinstance(part, np.ndarray) and part.flags.carray for part in (batches.X, batches.Y))
            and batches.X.dtype == self.model.theta.dtype
        )

    def close(self) -> None:
        """Leave the compiled threads to others."""
        super().close()
        if self._n_before:
            if os.getpid() == self.kernel.PROCESS:
                self.kernel.numba.set_num_threads(self._n_before)
            self._n_before = 0
            _threads.release()

    def _fits(self, X: Any, Y: Any) -> bool:
        """Return whether samples and targets have the shapes by which the kernel reads them, unchecked."""
        m, n_out = len(X), self.layers[-1].n_out
        has_labels = self.loss_kind == self.kernel.SOFTMAX and n_out > 1 and Y.shape == (m,)
        return X.size == m * self.layers[0].n_in and (has_labels or Y.shape == (m, n_out))

    def _leave_to_model(self, X: Any, Y: Any, weights: Array | None) -> float:
        self._pending = ()
        return super().loss_and_grad(X, Y, weights=weights)

    def _threads(self, pace: Pace) -> bool | None:
        """Return whether this step is taken on the compiled threads; None: not even compiled for them."""
        if pace.is_on_threads and os.getpid() != self.kernel.PROCESS:
            self.close()  # a child that was forked meanwhile
        return pace.is_on_threads and self._n_before > 0 if self._has_threads else None

    def _finish_step(self, rule: int) -> None:
        X, arrays, pace, threads, seconds = self._pending
        started = time.perf_counter()
        self.kernel.backward(X, X, self.no_labels, arrays, rule, threads)
        pace.record(seconds + time.perf_counter() - started)

    def _take_threads(self) -> None:
        """Take the compiled threads where they are free; a forked child must not touch them."""
        numba = self.kernel.numba
        if self._n_before or os.getpid() != self.kernel.PROCESS or not _threads.acquire(blocking=False):
            return
        before = numba.get_num_threads()  # which starts them
        if before == 1 or numba.threading_layer() == "workqueue":  # one that several must not use at a time
            _threads.release()
            return
        self._n_before = before
        numba.set_num_threads(min(before, self.n_threads))
        self._has_threads = True

    def _make_memory(self, m: int) -> Memory:
        """Return what batches of m samples need, in the same arrays as those of other sizes."""
        kernel, layers, theta = self.kernel, self.layers, self.model.theta
        parts = [n_parts(layer, m, self.n_threads) for layer in layers]
        if max(parts) > 1:
            self._take_threads()
        widths = [layer.n_out for layer in layers]
        n_values, n_out = m * sum(widths), widths[-1]
        n_sums, n_deltas = m * max(map(math.prod, zip(widths, parts, strict=True))), m * max(widths)
        has_norm = any(layer.norm for layer in layers)
        if self._room < m:
            self._room = m
            self._memories.clear()
            sizes = n_values, n_values, 2 * n_deltas, 2 * n_sums, n_values if has_norm else 0
            self._slabs = [aligned((n,), theta.dtype, make=np.zeros) for n in sizes]
            self._bits = np.zeros(m * sum(layer.n_out for layer in layers if layer.dropout), np.uint16)
        values, _, deltas, *_ = self._slabs
        plan = self._plan(m, parts, n_sums, n_deltas)
        statistics = np.zeros((kernel.N_STATISTICS, sum(widths) if has_norm else 0))
        moments, draws = [], []
        for layer, row in zip(layers, plan, strict=True):
            at = row[kernel.OUT_AT] // m
            if layer.norm:
                moments.append((layer.norm, *statistics[: kernel.RSTD, at : at + layer.n_out]))
            if layer.dropout:
                draws.append((layer.dropout, self._bits[row[kernel.BITS_AT] :][: m * layer.n_out]))
        has_rule = self.rule is not _keep
        n_block = max(kernel.rows_at_a_time(m, layer.n_in, layer.n_out) * layer.n_out for layer in layers)
        decays_biases = self.optimizer is not None and self.optimizer.decay_biases
        arrays = (
            theta,
            self.model.grad,
            *[*(self.optimizer.slots if has_rule else ()), theta[:0], theta[:0]][:2],
            *self._slabs,
            statistics,
            self._bits,
            aligned((max(parts), n_block if has_rule else 0), theta.dtype),
            plan,
            np.array([_options_of(layer) for layer in layers]).T.copy(),
            np.array([[0, theta.size, 1], [0, theta.size, decays_biases]]),
            self._rates(plan),
            self.numbers,
        )
        Z, dZ = values[n_values - m * n_out : n_values], deltas[plan[-1, kernel.DELTAS_AT] :][: m * n_out]
        scale = np.full(m * self.n_scales, self.loss.scale(m, n_out, theta.dtype), theta.dtype)
        shaped = Z.reshape(m, n_out), dZ.reshape(m, n_out)
        self._memories[m] = Memory(arrays, *shaped, scale, moments, Pace(), draws)
        return self._memories[m]

    def _plan(self, m: int, parts: list[int], n_sums: int, n_deltas: int) -> Array:
        """Return what the kernel's ``plan`` says of each layer, for batches of m samples."""
        kernel, layers = self.kernel, self.layers
        n_in, n_out = (np.array([layer[i] for layer in layers]) for i in range(2))
        has_norm, has_dropout, has_scale = (
            np.array([each is not None for each in column])
            for column in zip(*((layer.norm, layer.dropout, layer.scale) for layer in layers), strict=True)
        )
        turn = np.arange(len(layers)) % 2
        plan = np.empty((len(layers), kernel.N_COLUMNS), np.int64)
        for column, numbers in {
            kernel.N_IN: n_in,
            kernel.N_OUT: n_out,
            kernel.PARTS: parts,
            kernel.ACTIVATION: [ACTIVATIONS.index(layer.activation) for layer in layers],
            kernel.W_AT: _starts((n_in + np.where(has_norm, 3, 1)) * n_out) + has_scale[0] * n_in[0],
            kernel.OUT_AT: _starts(m * n_out),
            kernel.SUMS_AT: turn * n_sums,
            kernel.DELTAS_AT: turn * n_deltas,
            kernel.HAS_NORM: has_norm,
            kernel.BITS_AT: np.where(has_dropout, _starts(m * n_out * has_dropout), -1),
            kernel.SCALE_AT: np.where(has_scale, 0, -1),
        }.items():
            plan[:, column] = numbers
        return plan

    def _rates(self, plan: Array) -> Array:
        """Return what multiplies the learning rate of W, b, gamma, beta and the inputs' scale of each layer."""
        kernel = self.kernel
        rates = np.ones((len(plan), kernel.N_RATES))
        flat = None if self.optimizer is None else self.optimizer.ntk_rates
        if flat is not None:
            for own, row in zip(rates, plan, strict=True):
                n_vectors = 3 if row[kernel.HAS_NORM] else 1
                vectors = row[kernel.W_AT] + (row[kernel.N_IN] + np.arange(n_vectors)) * row[kernel.N_OUT]
                own[: 1 + n_vectors], own[-1] = flat[[row[kernel.W_AT], *vectors]], flat[row[kernel.SCALE_AT]]
        return rates


def _starts(sizes: Array) -> Array:
    """Return where parts of these sizes begin, one behind the other."""
    return np.cumsum(sizes) - sizes


def _options_of(layer: Layer) -> tuple[float, ...]:
    """Return a layer's column of the kernel's options."""
    n_dropped = dropped_levels(layer.dropout.rate) if layer.dropout else 0
    epsilon = layer.norm.epsilon if layer.norm else 0.0
    return layer.option, epsilon, n_dropped, LEVELS / (LEVELS - n_dropped)


def _keep(optimizer: Any, numbers: Array, kernel: Any) -> int:
    return int(kernel.KEEP)


def _sgd(optimizer: SGD, numbers: Array, kernel: Any) -> int:
    optimizer.begin_step()
    rate, momentum = optimizer.learning_rate, optimizer.momentum
    numbers[:] = _limit(optimizer), optimizer.weight_decay, 1, rate, momentum, optimizer.nesterov, 0, 0
    return int(kernel.SGD)


def _adam(optimizer: Adam, numbers: Array, kernel: Any) -> int:
    optimizer.begin_step()
    beta1, beta2, t, rate = optimizer.beta1, optimizer.beta2, optimizer.n_steps, optimizer.learning_rate
    decay, keep = optimizer.weight_decay, 1.0
    if optimizer.decouples_decay:
        decay, keep = 0.0, 1 - rate * decay
    corrected = rate / (1 - beta1**t), beta1, beta2, 1 / math.sqrt(1 - beta2**t), optimizer.epsilon
    numbers[:] = _limit(optimizer), decay, keep, *corrected
    return int(kernel.ADAM)


def _limit(optimizer: Any) -> float:
    return optimizer.clip_value or math.inf


RULES = {SGD: _sgd, Adam: _adam, AdamW: _adam}  # write the numbers of a step, and return the kernel's rule
