"""How many cores a training is worth, by the operations of a step."""

from typing import Any

from pellucid.nn.model import Model
from pellucid.threads import n_cores
from pellucid.training.executor.stack_layers import layers_of, n_parts
from pellucid.types import n_rows

# Of a step, from which it pays to split it over threads, compiled or not: `cnn` gains from 8 photos a batch on.
SPLIT_OPERATIONS = 1.5e9
SPLIT_TRAINING = 1e10  # operations of a training, from which it pays to start threads
BLAS_OPERATIONS = 2e8  # of a step, below which a second BLAS thread costs time


def worthwhile_threads(model: Model, m: int, batch_size: int | None, n_epochs: int, kernels: str) -> int:
    """Return how many cores to split a batch over: all of them where steps and training are long enough, else 1.

    Parameters
    ----------
    model : Model
        Initialized.
    m : int
        Training samples.
    batch_size : int or None
    n_epochs : int
    kernels : {"numba", "numpy", "plain"}
    """
    batch = batch_size or m
    if kernels == "numba" and (layers := layers_of(model)):
        return max(n_parts(layer, batch, n_cores()) for layer in layers)
    step = _step_operations(model, batch)
    is_worth_it = step >= SPLIT_OPERATIONS and step * n_epochs * m / batch >= SPLIT_TRAINING
    return min(n_cores(), batch) if is_worth_it else 1


def is_for_one_blas_thread(model: Model, X: Any, batch_size: int | None) -> bool:
    """Return whether a step is so small that a second BLAS thread costs time."""
    return _step_operations(model, batch_size or n_rows(X)) < BLAS_OPERATIONS


def _step_operations(model: Model, batch: int) -> float:
    """Return about how many operations a step takes: the forward pass, and twice that for the backward."""
    return 3.0 * batch * model.n_operations
