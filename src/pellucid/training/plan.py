"""What happens before the first step: options checked, data made ready, the form of the training chosen."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from pellucid.data.batches import Batch, Batches, Change
from pellucid.data.dataset import Dataset
from pellucid.data.preprocess import Preprocessing, check_finite
from pellucid.data.validate import hold_out
from pellucid.errors import DataError, OptionError, ShapeError, unknown_name
from pellucid.nn.model import Model
from pellucid.nn.sequential import Sequential
from pellucid.rng import stream
from pellucid.training.cost import is_for_one_blas_thread, worthwhile_threads
from pellucid.training.dual.form import dual_form, first_dense_shape, operations, why_not_dual
from pellucid.training.dual.full_batch import FullBatchStep, fits
from pellucid.training.executor.executor import n_cores
from pellucid.training.executor.process_shards import CAN_FORK
from pellucid.training.executor.shared_memory import shared_array
from pellucid.training.history import History
from pellucid.training.loss_setup import augment_weighted, encode_targets, set_loss, weigh_samples
from pellucid.training.optimizers.base import Optimizer
from pellucid.training.options import FORMS
from pellucid.training.schedules.base import Schedule
from pellucid.training.validate import check_flag
from pellucid.types import Array, map_arrays, n_rows
from pellucid.workspace import Workspace


@dataclass(eq=False)
class Job:
    """A training that has been checked and may begin.

    Attributes
    ----------
    X, X_validation : Array, dict of Array, or None
        Prepared, or where ``change`` prepares each batch, as loaded.
    Y, Y_validation : targets, as the loss wants them
    """

    model: Model
    optimizer: Optimizer
    n_epochs: int
    batch_size: int | None
    shuffle: bool
    seed: int
    form: str
    n_threads: int
    X: Any
    Y: Any
    X_validation: Any
    Y_validation: Any
    weights: Array | None
    change: Change | None
    settings: dict[str, Any]
    is_ahead: bool = False  # whether a core is free to change the next batch meanwhile
    holds_blas: bool = False  # to one thread, where a step is too small for more

    @property
    def n_steps(self) -> int:
        """Steps an epoch."""
        return 1 if self.batch_size is None else -(-n_rows(self.X) // self.batch_size)


@dataclass(eq=False)
class Validation:
    """Held-out samples, measured after each epoch."""

    X: Any
    Y: Any

    def measure(self, model: Model) -> dict[str, float]:
        """Return the model's loss on them and, for a classifier, its accuracy."""
        return {f"validation_{name}": value for name, value in model.measure(self.X, self.Y).items()}


@dataclass(eq=False)
class Form:
    """What the loop runs on: in the dual form, numbers of rows instead of inputs."""

    batches: Batches
    validation: Validation | None
    step: FullBatchStep | None = None  # computes the steps in the model's place


def prepare(
    model: Model,
    data: Dataset,
    validation: Dataset | float | None,
    *,
    loss: Any,
    optimizer: Optimizer,
    n_epochs: int,
    batch_size: int | None,
    shuffle: bool,
    seed: int,
    dtype: str | None,
    form: str,
    schedule: Schedule | None,
    augment: Any,
    sample_weight: Array | None,
    class_weight: Any,
    n_threads: int | None,
) -> Job:
    """Check every option of ``train``, and make the model ready for the data and the data for the model."""
    _check(data, n_epochs, form, n_threads)
    check_flag("shuffle", shuffle)
    if isinstance(validation, float):
        data, validation, sample_weight = _hold_out(data, validation, seed, sample_weight)
    _fit_model(model, data, seed, dtype)
    set_loss(model, data, loss)
    Y = encode_targets(model, data, are_mixed=augment is not None and augment.mixes_targets)
    weights = weigh_samples(model, data, sample_weight, class_weight)
    # Each batch is prepared when its turn comes, unless there is nothing to do.
    is_lazy = augment is not None or (batch_size is not None and not _is_prepared(model, data.X))
    change = _change(model, augment, seed) if is_lazy else None
    Batches(data.X, Y, batch_size, seed)  # refuses a wrong size before any work
    if optimizer.is_full_batch and (batch_size is not None or augment is not None or schedule is not None):
        raise OptionError(
            f"{type(optimizer).__name__}: it works on the whole batch and chooses its own steps: leave out "
            "batch_size, augment and schedule."
        )
    rule = model.preprocessing
    assert rule is not None
    shards = n_threads or worthwhile_threads(model, n_rows(data.X), batch_size, n_epochs)
    X = data.X if is_lazy else map_arrays(lambda array: rule.apply(array, model.dtype), data.X)
    return Job(
        model=model,
        optimizer=optimizer,
        n_epochs=n_epochs,
        batch_size=batch_size,
        shuffle=shuffle,
        seed=seed,
        form=form,
        n_threads=shards,
        is_ahead=augment is not None
        and batch_size is not None
        and n_threads is None
        and shards == 1 < n_cores(),
        X=X,
        Y=Y,
        X_validation=None
        if validation is None
        else map_arrays(lambda array: rule.apply(array, model.dtype), validation.X),
        Y_validation=None if validation is None else model.encode(validation.y),
        weights=weights,
        change=change,
        settings={
            "architecture": model.config(),
            "dtype": model.dtype,
            "loss": model.loss,
            "loss_options": dict(model.loss_options),
            "optimizer": optimizer.config(),
            "schedule": None if schedule is None else schedule.config(),
            "augment": None if augment is None else augment.config(),
            "n_epochs": n_epochs,
            "batch_size": batch_size,
            "shuffle": shuffle,
            "seed": seed,
            "n_samples": n_rows(data.X),
        },
    )


@contextmanager
def choose_form(job: Job, history: History) -> Iterator[Form]:
    """Yield the direct or the dual form of a training, whichever is cheaper, and note the choice in the history."""
    is_dual, history.note = _choose(job)
    if not is_dual:
        job.holds_blas = is_for_one_blas_thread(job.model, job.X, job.batch_size)
        history.form, history.n_threads = "direct", job.n_threads
        # Where steps are split over processes, batches are written to where all of them can read.
        workspace = Workspace(shared_array) if job.n_threads > 1 and CAN_FORK else None
        batches = Batches(
            job.X,
            job.Y,
            job.batch_size,
            job.seed,
            weights=job.weights,
            change=job.change,
            shuffle=job.shuffle,
            workspace=workspace,
            is_ahead=job.is_ahead,
        )
        check = None if job.X_validation is None else Validation(job.X_validation, job.Y_validation)
        yield Form(batches, check)
        return
    history.form = "dual"
    job.n_threads = 1  # what is left of a step is too small to be split
    assert isinstance(job.model, Sequential)
    X = job.X if job.change is None else job.change(job.X, job.Y, None, 0)[0]
    with dual_form(job.model, X, job.X_validation) as dual:
        batches = Batches(
            dual.rows_train, job.Y, job.batch_size, job.seed, weights=job.weights, shuffle=job.shuffle
        )
        check = None if job.X_validation is None else Validation(dual.rows_validation, job.Y_validation)
        job.optimizer.grad_norm = dual.grad_norm
        try:
            is_plain = job.batch_size is None and job.weights is None and fits(job.model, dual)
            yield Form(batches, check, FullBatchStep(job.model, dual, job.Y) if is_plain else None)
        finally:
            job.optimizer.grad_norm = None


def _choose(job: Job) -> tuple[bool, str]:
    if job.form == "direct":
        return False, "direct form, as asked"
    m, m_validation = n_rows(job.X), 0 if job.X_validation is None else n_rows(job.X_validation)
    reason = why_not_dual(job.model, job.optimizer, m + m_validation)
    if not reason and job.settings["augment"] is not None:
        reason = "augmentation changes the training rows"
    if reason:
        if job.form == "dual":
            raise OptionError(f"form: the dual form does not hold here: {reason}. Use form='auto'.")
        return False, f"direct form: {reason}"
    assert isinstance(job.model, Sequential)
    n_in, n_out = first_dense_shape(job.model)
    direct, dual = operations(n_in, n_out, m, m_validation, job.batch_size or m, job.n_epochs * job.n_steps)
    if job.form == "auto" and dual >= direct:
        return False, "direct form: the dual form would cost more here"
    return True, f"dual form, exact: {direct / dual:.3g} times fewer operations in the first layer"


def _check(data: Dataset, n_epochs: int, form: str, n_threads: int | None) -> None:
    if form not in FORMS:
        raise OptionError(unknown_name("form", form, FORMS))
    if n_epochs < 1:
        raise OptionError(f"n_epochs: expected 1 or more, got {n_epochs}.")
    if n_threads is not None and n_threads < 1:
        raise OptionError(f"n_threads: expected 1 or more, got {n_threads}.")
    if n_rows(data.X) == 0:
        raise DataError("train: expected at least one sample, got none.")
    if n_rows(data.X) != n_rows(data.y):
        raise DataError(f"train: X has {n_rows(data.X)} samples and y has {n_rows(data.y)} labels.")
    for array in data.X.values() if isinstance(data.X, dict) else (data.X,):
        check_finite(array, "train")


def _hold_out(
    data: Dataset, share: float, seed: int, sample_weight: Array | None
) -> tuple[Dataset, Dataset, Array | None]:
    """Set a share of the samples aside, with the same share of every class."""
    m = n_rows(data.X)
    y = np.zeros(m) if isinstance(data.y, dict) else data.y  # of several targets none is the one to go by
    numbered = Dataset(np.arange(m)[:, None], y, data.classes)
    parts = hold_out(numbered, name="validation", seed=seed, test_fraction=share)
    rows, held = parts.train.X[:, 0], parts.test.X[:, 0]
    return data.take(rows), data.take(held), None if sample_weight is None else sample_weight[rows]


def _fit_model(model: Model, data: Dataset, seed: int, dtype: str | None) -> None:
    shape = map_arrays(lambda array: array.shape[1:], data.X)
    if not model.is_initialized:
        model.initialize(shape, seed=seed, dtype=dtype)
    elif shape != model.input_shape:
        raise ShapeError(f"train: expected samples of shape {model.input_shape}, got {shape}.")
    elif dtype is not None and dtype != model.dtype:
        raise OptionError(f"dtype: the model is already {model.dtype}; make a new one for {dtype}.")
    if not np.isfinite(model.theta).all():
        raise DataError("train: the model's weights hold NaN or infinite numbers. Initialize it anew.")
    if model.preprocessing is None:
        first = next(iter(data.X.values())) if isinstance(data.X, dict) else data.X
        model.preprocessing = Preprocessing.for_data(first)
    model.classes = data.classes or model.classes


def _is_prepared(model: Model, X: Any) -> bool:
    assert model.preprocessing is not None
    return not isinstance(X, dict) and model.preprocessing.kind == "none" and X.dtype == model.dtype


def _change(model: Model, augment: Any, seed: int) -> Change:
    rule = model.preprocessing
    assert rule is not None

    def change(X: Any, Y: Any, weights: Array | None, step: int) -> Batch:
        X = map_arrays(lambda array: rule.apply(array, model.dtype), X)
        if augment is not None:
            return augment_weighted(augment, X, Y, weights, stream(seed, "augment", step))
        return X, Y, weights

    return change
