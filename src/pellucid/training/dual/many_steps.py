"""Full-batch steps in the dual form by one compiled loop, which takes many of them in one call."""

from typing import Any

import numpy as np

from pellucid import dispatch
from pellucid.nn.dense import Dense
from pellucid.nn.sequential import Sequential
from pellucid.training.dual.dense import DualDense
from pellucid.training.dual.form import dual_form
from pellucid.training.dual.rows import SlicedRows
from pellucid.training.executor.executor import Executor, StepLoss, Steps, Tell
from pellucid.training.executor.stack_layers import ACTIVATIONS, layers_above, loss_kind
from pellucid.training.optimizers.base import runs_of
from pellucid.training.optimizers.sgd import SGD
from pellucid.types import Array
from pellucid.workspace import aligned

OPERATIONS = 2e9  # of the first layer in one call: some tens of milliseconds, for which Ctrl-C waits
MOST = 500  # steps


def compile_ahead(dtype: str) -> None:
    """Compile the kernel for a dtype, by a step of a tiny network."""
    model, X, optimizer = Sequential([Dense(1)], dtype=dtype), np.zeros((2, 1), dtype), SGD()
    model.initialize((1,))
    with dual_form(model, SlicedRows(X)) as dual:
        optimizer.start(model.theta, model._flat_decay_mask())
        ManySteps(model, dual, X, None, Executor(model)).take_many(1, optimizer)


class ManySteps(Executor):
    """Computes steps by :mod:`pellucid.kernels.dual`, whose arrays are laid out its own way.

    Parameters
    ----------
    model : Model
        In the dual form.
    dual : DualDense
        Its first layer.
    Y : Array
        Encoded targets of all samples.
    weights : Array, shape (m,), optional
        How much each sample counts.
    one : Executor
        Computes single steps where an optimizer is not served.
    """

    def __init__(self, model: Any, dual: DualDense, Y: Array, weights: Array | None, one: Executor) -> None:
        super().__init__(model)
        self.dual, self.Y, self.weights, self.one = dual, Y, weights, one
        self.kernel = dispatch.module("dual")
        self._memory: tuple[Array, ...] | None = None  # made late: a checkpoint may bring another W_0
        self.layers = layers_above(dual, model.layers)
        self.loss, self.n_out = model._loss, model.output_shape[-1]
        self.is_served = False
        if self.kernel is not None and self.layers:
            stack = dispatch.module("dense_stack")
            self.kind = loss_kind(self.loss, self.n_out, stack)
            self.is_served = self.kind != stack.OTHER
            self.n_scales = 1 if self.kind == stack.SOFTMAX else self.n_out

    def loss_and_grad(self, X: Any, Y: Any, *, weights: Array | None = None) -> float:
        """Return the loss of a single step, and fill the model's ``grad``."""
        return self.one.loss_and_grad(X, Y, weights=weights)

    def run(self, steps: Steps, tell: Tell) -> bool:
        """Take some steps, an epoch each, in one call, where the kernel has the model, the loss and the rule."""
        rule, n_rows = steps.optimizer, steps.batches.n_rows
        is_plain = type(rule) is SGD and rule.clip_value is None and rule.clip_norm is None
        has_more = steps.schedule is not None or self.model._loss_hook is not None
        if has_more or not (self.is_served and is_plain):
            return super().run(steps, tell)
        tell([StepLoss(loss, n_rows) for loss in self.take_many(steps.at_most, rule).tolist()])
        return True

    def take_many(self, n: int, optimizer: Any) -> Array:
        """Take n steps, fewer where that lasts long; return their losses, shape (at most n,).

        A loss that is NaN or infinite is the last, and its step is not taken.
        """
        if self._memory is None:
            self._memory = self._make_memory(optimizer)
        _, _, theta, _, velocity, *_ = self._memory
        self._copy_in(self.model.theta, theta)
        if velocity.size:
            self._copy_in(optimizer.slots[0], velocity)
        m, n_units = len(self.dual.samples), self.layers[0].n_out
        losses = np.empty(min(n, MOST, max(1, int(OPERATIONS / (2.0 * m * m * n_units)))))
        smoothing = float(getattr(self.loss, "label_smoothing", 0.0))
        rate, momentum, decay = optimizer.learning_rate, optimizer.momentum, optimizer.weight_decay
        how = float(rate), float(momentum), bool(optimizer.nesterov), float(decay)
        taken = self.kernel.take_steps(self._memory, self.kind, smoothing, *how, losses)
        optimizer.n_steps += taken
        self._copy_out(theta, self.model.theta)
        if velocity.size:
            self._copy_out(velocity, optimizer.slots[0])
        return losses[: taken + 1]

    def _copy_in(self, flat: Array, ours: Array) -> None:
        """Lay parameters out as the kernel has them: C, t, b, the number s, and the rest."""
        (m, n), C = self._size, flat[: self.dual.params["C"].size].reshape(self.dual.params["C"].shape)
        first = self._first(ours)
        first[: m + 1, :n], first[m + 1, :n], first[m + 2, :n] = C[:, : m + 1].T, C[:, -1], C[0, m + 1]
        ours[first.size :] = flat[C.size :]

    def _copy_out(self, ours: Array, flat: Array) -> None:
        """Lay parameters out as the model has them."""
        (m, n), C = self._size, flat[: self.dual.params["C"].size].reshape(self.dual.params["C"].shape)
        first = self._first(ours)
        C[:, : m + 1], C[:, -1] = first[: m + 1, :n].T, first[m + 1, :n]
        np.fill_diagonal(C[:, m + 1 : -1], first[m + 2, 0])
        flat[C.size :] = ours[first.size :]

    def _first(self, ours: Array) -> Array:
        """Return the first layer's part, C, t, b and s; rows are as long as its outputs'."""
        m, n = self._size
        width = self.kernel.row_length(n)
        return ours[: (m + 3) * width].reshape(m + 3, width)

    @property
    def _size(self) -> tuple[int, int]:
        return len(self.dual.samples), self.layers[0].n_out

    def _make_memory(self, optimizer: SGD) -> tuple[Array, ...]:
        stack, (m, n), dtype = dispatch.module("dense_stack"), self._size, self.model.theta.dtype
        table = self.dual.table[:m]
        width, row_length = self.kernel.row_length(n), self.kernel.row_length
        K = _zeros(m * row_length(m + 1), dtype).reshape(m, -1)[:, : m + 2]
        Z_0 = _zeros(m * width, dtype).reshape(m, width)
        K[:, :-1], K[:, -1], Z_0[:, :n] = table[:, : m + 1], 1, table[:, m + 1 : -1]
        theta = _zeros((m + 3) * width + self.model.theta.size - self.dual.params["C"].size, dtype)
        decays = np.ones_like(theta)
        if not optimizer.decay_biases:
            self._copy_in(self.model._flat_decay_mask(), decays)
        plan = np.zeros((len(self.layers), stack.N_COLUMNS), np.int64)
        W_at = out_at = 0
        for k, (row, layer) in enumerate(zip(plan, self.layers, strict=True)):
            n_in = layer.n_in if k else m
            row[[stack.N_IN, stack.N_OUT, stack.W_AT, stack.OUT_AT]] = n_in, layer.n_out, W_at, out_at
            row[stack.ACTIVATION] = ACTIVATIONS.index(layer.activation)
            W_at += (n_in + 1) * layer.n_out if k else (m + 3) * width
            out_at += m * row_length(layer.n_out)
        scale = np.ones((m, 1), dtype) * self.loss.scale(m, self.n_out, dtype, weights=self.weights)
        Y = self.Y.copy()
        labels = Y if Y.ndim == 1 else np.zeros(0, np.intp)
        return (
            K,
            Z_0,
            theta,
            _zeros(theta.size, dtype),
            _zeros(theta.size if optimizer.momentum else 0, dtype),
            *(_zeros(out_at, dtype) for _ in range(3)),
            plan,
            np.array([layer.option for layer in self.layers]),
            runs_of(decays)[0],
            labels,
            np.zeros((0, self.n_out), dtype) if labels.size else Y,
            np.repeat(scale.astype(dtype), self.n_scales),
        )


def _zeros(size: int, dtype: Any) -> Array:
    return aligned((size,), dtype, make=np.zeros)
