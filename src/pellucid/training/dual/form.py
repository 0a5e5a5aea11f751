"""The dual form of a training: when it holds, what it costs, and how a model enters and leaves it."""

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, final

import numpy as np

from pellucid.data.batches import Batches
from pellucid.nn.dense import Dense, Flatten
from pellucid.nn.model import Model
from pellucid.nn.sequential import Sequential
from pellucid.training.dual.dense import DualDense
from pellucid.training.dual.rows import SlicedRows
from pellucid.training.executor.executor import Executor
from pellucid.training.form import Form, Validation
from pellucid.training.optimizers.base import Optimizer
from pellucid.types import Array

MAX_TABLE_BYTES = 1_000_000_000


@final
class DualForm(Form):
    """The dual form: the first layer is a :class:`~pellucid.training.dual.dense.DualDense` meanwhile.

    Parameters
    ----------
    dual : DualDense
    batches, validation, step
        As for :class:`~pellucid.training.form.Form`; rows are numbers into the dual layer's table.
    """

    name = "dual"

    def __init__(
        self, dual: DualDense, batches: Batches, validation: Validation | None, step: Executor | None
    ) -> None:
        super().__init__(batches, validation, step)
        self.dual, self.grad_norm = dual, dual.grad_norm

    def to_plain(self, flat: Array) -> Array:
        """Return W, b and the rest where ``flat`` holds C, s, b and the rest."""
        C = self.dual.params["C"]
        dense = self.dual.to_dense(flat[: C.size].reshape(C.shape))
        return np.concatenate([dense.params["W"].reshape(-1), dense.params["b"], flat[C.size :]])

    def plain_step(self, model: Any, X: Any) -> tuple[Model, Any]:
        """Return a copy of the model in the plain form, and the inputs, flat, that the rows stand for."""
        plain = Sequential([self.dual.to_dense(), *copy.deepcopy(model.layers[1:])], dtype=model.dtype)
        plain.input_shape, plain.output_shape = self.dual.input_shape, model.output_shape
        plain._bind()
        plain._mark_input_gradient(False)
        plain._copy_loss(model)
        return plain, self.dual.samples.sample(X)

    def squared_weights(self, model: Model) -> Callable[[], float]:
        """Return a function of no arguments: the sum of squares of all weights that decay, as they are then."""
        rest = super().squared_weights(model)
        return lambda: rest() + self.dual.weight_norm_squared()

    def state(self) -> dict[str, Array]:
        """Return W_0, from which the weights are reached by C and s."""
        return {"W_0": self.dual.dense.params["W"]}

    def load_state(self, state: dict[str, Array]) -> None:
        """Take the W_0 of the training that a checkpoint goes on with."""
        self.dual.restart_from(state["W_0"])


@contextmanager
def dual_form(model: Any, rows: SlicedRows, gram: Array | None = None) -> Iterator[DualDense]:
    """Swap a DualDense in for the model's first Dense, and the trained Dense back in at the end, whatever happens.

    Parameters
    ----------
    model : Sequential
        Initialized, of a kind that :func:`why_not_dual` has nothing against.
    rows : SlicedRows
        Of prepared inputs.
    gram : Array, optional
        As for :class:`~pellucid.training.dual.dense.DualDense`.

    Yields
    ------
    DualDense
        Its ``rows_train`` and ``rows_validation`` are what the model takes as input meanwhile. Where the weights
        cannot be computed at the end, since a file is gone, the first layer is the one of the start.
    """
    at = _first_dense(model)
    dense, before = model.layers[at], model.layers[:at]
    dual = DualDense(dense, rows, gram)
    model._keep("layers", (dual, *model.layers[at + 1 :]))
    model._bind()
    model._mark_input_gradient(False)
    trained = dense
    try:
        yield dual
    finally:
        try:
            trained = dual.to_dense(over_ranks=True)
        finally:
            model._keep("layers", (*before, trained, *model.layers[1:]))
            model._bind()
            model._mark_input_gradient(False)


def why_not_dual(model: Model, optimizer: Optimizer, n_rows: int) -> str:
    """Return why the dual form does not hold for this training, in words; empty if it does.

    Parameters
    ----------
    model : Model
    optimizer : Optimizer
    n_rows : int
        Training and validation rows together.
    """
    if model._n_frozen:
        return "its first layers are frozen"
    if not isinstance(model, Sequential) or _first_dense(model) < 0:
        return "the model does not begin with Flatten and Dense"
    if model._further():
        first = model._further()[0]._first_use
        return f"the model uses {first._label if first else ''} in several places"
    if not optimizer.is_linear:
        return f"{type(optimizer).__name__} is not linear in the gradient"
    if n_rows * n_rows * 8 > MAX_TABLE_BYTES:
        return f"the Gram matrix of {n_rows:,} rows would not fit in 1 GB"
    return ""


def operations(
    n_in: int, n_out: int, m: int, m_validation: int, batch: int, n_steps: int
) -> tuple[float, float]:
    """Return the first layer's operations over a whole training: (direct, dual), set-up included."""
    direct = 4.0 * batch * n_in * n_out * n_steps
    setup = 2.0 * (m + m_validation) * n_in * (m + n_out) + 2.0 * m * n_in * n_out
    step = 2.0 * batch * (m + n_out) * n_out + 3.0 * (m + n_out) * n_out
    return direct, setup + step * n_steps


def first_dense_shape(model: Any) -> tuple[int, int]:
    """Return (n_in, n_out) of the model's first Dense."""
    n_in, n_out = model.layers[_first_dense(model)].params["W"].shape
    return n_in, n_out


def _first_dense(model: Any) -> int:
    """Return where a model's first layer but for Flatten is, if it is a Dense; else -1."""
    at = next((i for i, layer in enumerate(model.layers) if not isinstance(layer, Flatten)), -1)
    return at if isinstance(model.layers[at], Dense) else -1
