"""What a training costs, and so on how many cores and on which kernels it runs."""

from pellucid.nn.model import Model
from pellucid.ranks import n_ranks
from pellucid.threads import n_cores
from pellucid.training.dual.form import first_dense_shape, operations, why_not_dual
from pellucid.training.executor.stack_layers import layers_of, n_parts
from pellucid.training.options import TrainingOptions, make_optimizer

# Of a step, from which it pays to split it over threads, compiled or not: `cnn` gains from 8 photos a batch on.
SPLIT_OPERATIONS = 1.5e9
SPLIT_TRAINING = 1e10  # operations of a training, from which it pays to start threads
BLAS_OPERATIONS = 2e8  # of a step, below which a second BLAS thread costs time
LAYER_OPERATIONS = 2e6  # that could be done while NumPy is called for one layer's step, forward and backward


def worthwhile_threads(model: Model, m: int, options: TrainingOptions, kernels: str) -> int:
    """Return how many cores to split a batch over: all of them where steps and training are long enough, else 1.

    Parameters
    ----------
    model : Model
        Initialized.
    m : int
        Training samples.
    options : TrainingOptions
    kernels : {"numba", "numpy", "plain"}
    """
    batch, n = options.batch_size or m, n_ranks()
    if kernels == "numba" and n == 1 and (layers := layers_of(model)):
        return max(n_parts(layer, batch, n_cores()) for layer in layers)
    step = step_operations(model, batch) / n
    is_worth_it = step >= SPLIT_OPERATIONS and step * options.n_epochs * m / batch >= SPLIT_TRAINING
    return min(n_cores(), max(1, batch // n)) if is_worth_it else 1


def step_operations(model: Model, batch: int) -> float:
    """Return about how many operations a step takes: the forward pass, and twice that for the backward."""
    return 3.0 * batch * model._n_operations


def operations_of(model: Model, options: TrainingOptions, m: int) -> float:
    """Return the operations of a training, and those that could be done while NumPy is called."""
    n_steps = round(m * options.n_epochs / min(options.batch_size or m, m))
    return arithmetic_of(model, options, m, n_steps) + LAYER_OPERATIONS * n_steps * len(model._leaves())


def arithmetic_of(model: Model, options: TrainingOptions, m: int, n_steps: int) -> float:
    """Return about how many multiplications and additions a training takes, in the form that it will have."""
    batch = min(options.batch_size or m, m)
    work = step_operations(model, batch) * n_steps
    if can_be_dual(model, options, m):
        n_in, n_out = first_dense_shape(model)
        direct, dual = operations(n_in, n_out, m, 0, batch, n_steps)
        work += min(direct, dual) - 3.0 * batch * n_steps * 2 * n_in * n_out
    return work


def can_be_dual(model: Model, options: TrainingOptions, n_samples: int) -> bool:
    """Return whether a training could take the dual form: its first weights stay in the span of the samples."""
    is_open = options.form != "direct" and options.augment is None
    return is_open and not why_not_dual(model, make_optimizer(options), n_samples)
