"""The choice between the direct and the dual form of a training, whichever is cheaper."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from pellucid import dispatch, ranks
from pellucid.data.batches import Batches, is_on_disk
from pellucid.data.novelty import MOST_KEPT, NoveltyTest
from pellucid.data.preprocess import Preprocessing
from pellucid.data.stored.base import BLOCK_BYTES, StoredArray, choose_rows
from pellucid.errors import OptionError
from pellucid.nn.hooks import is_hooked
from pellucid.nn.model import Model
from pellucid.training.cost import BLAS_OPERATIONS, step_operations
from pellucid.training.dual.form import DualForm, dual_form, first_dense_shape, operations, why_not_dual
from pellucid.training.dual.full_batch import FullBatchStep, fits
from pellucid.training.dual.many_steps import ManySteps
from pellucid.training.dual.rows import SlicedRows, sliced_rows
from pellucid.training.executor.executor import Executor
from pellucid.training.features import features_of, n_frozen_places
from pellucid.training.form import Form, Validation
from pellucid.training.history import History
from pellucid.training.job import Job
from pellucid.training.ranks import RankBatches
from pellucid.types import map_arrays, n_rows, take_rows

MOST_MEASURED = 2000  # training samples, after each epoch


@contextmanager
def choose_form(job: Job, history: History) -> Iterator[Form]:
    """Have the model in its direct or dual form, whichever is cheaper, and record the choice in the history."""
    takes_dual, history.note = _choose(job)
    if takes_dual:
        job.n_threads = 1  # what is left of a step is too small to be split
        X, own = job.X, job.rule
        if own is not None:
            X = map_arrays(lambda array: own.apply(array, job.model.dtype), X)
        with sliced_rows(X, job.X_validation) as rows, _in_dual_form(job, rows) as form:
            history.form = form.name
            yield form
        return
    job.holds_blas = step_operations(job.part, job.batch_size or n_rows(job.X)) < BLAS_OPERATIONS
    history.n_threads = job.n_threads * ranks.n_ranks()
    X, held_out, rule, part = job.X, job.X_validation, job.rule, None
    if job.part is not job.model:
        part = job.part
        history.note = "direct form: what the frozen layers make of the samples is computed once"
        assert rule is not None
        with dispatch.use(job.feature_kernels):
            X, held_out = (
                None if array is None else features_of(job.model, array, rule) for array in (X, held_out)
            )
        if n_frozen_places(job.model) == job.model._n_body and len(job.X) > 1:
            job.model._novelty = NoveltyTest.of(job.X, X, most=MOST_KEPT)
        rule = None
    if part is None and _is_large(job):
        raise OptionError(
            f"train: a full batch of samples that stay in their file (on_disk) is trained in the dual form alone "
            f"({history.note}). Choose batch_size=32, or load without on_disk."
        )
    # What is augmented is read again at each step.
    if is_on_disk(X) and job.batch_size is None and job.change is None:
        X = map_arrays(lambda array: array[:], X)
    batches = batches_of(job, X, rule)
    if ranks.world() is not None:  # of which this one takes its part
        batches = RankBatches(batches, job.augment, job.model)
    yield Form(batches, validation_of(job, X, held_out, rule, part), part=part)


@contextmanager
def _in_dual_form(job: Job, rows: SlicedRows) -> Iterator[Form]:
    optimizer, gram = job.optimizer, None
    if job.shared is not None:
        gram = job.shared.of(rows.X, "Gram matrix", rows.gram)
    with dual_form(job.model, rows, gram) as dual:
        batches = batches_of(job, dual.rows_train)
        held = validation_of(job, dual.rows_train, dual.rows_validation)
        is_plain = job.batch_size is None and job.weights is None and fits(job.model, dual)
        step: Executor | None = FullBatchStep(job.model, dual, job.Y) if is_plain else None
        if job.batch_size is None and dispatch.current() == "numba":
            step = ManySteps(job.model, dual, job.Y, job.weights, step or Executor(job.model))
            job.holds_blas = 3 * 2.0 * len(rows) ** 2 * dual.output_shape[0] < BLAS_OPERATIONS
        form = DualForm(dual, batches, held, step)
        optimizer.grad_norm = form.grad_norm
        try:
            yield form
        finally:
            optimizer.grad_norm = None


def batches_of(job: Job, X: Any, rule: Preprocessing | None = None) -> Batches:
    """Return the batches of a training, of samples that ``rule`` prepares."""
    return Batches(
        X,
        job.Y,
        job.batch_size,
        job.options.seed,
        weights=job.weights,
        rule=rule,
        dtype=job.model.dtype,
        change=job.change,
        shuffle=job.options.shuffle,
    )


def validation_of(
    job: Job, X: Any, held_out: Any, rule: Preprocessing | None = None, part: Model | None = None
) -> Validation | None:
    """Return what is measured after each epoch; ``X``: what the model, or its part, takes for training samples."""
    if job.X_validation is None:
        return None
    model, m = job.model, n_rows(job.X)
    held = Validation(held_out, job.Y_validation, part=part, weights=job.options.validation_weight)
    if model._loss.kind != "classification":
        return held
    rows = np.unique(np.linspace(0, m - 1, min(m, n_rows(job.X_validation), MOST_MEASURED)).astype(int))
    sample = choose_rows(X, rows)
    if rule is not None:
        sample = map_arrays(lambda array: rule.apply(array, model.dtype), sample)
    held.X_train, held.Y_train = sample, model._encode(take_rows(job.data.y, rows))
    return held


def _choose(job: Job) -> tuple[bool, str]:
    """Return whether the dual form is taken, and why."""
    asked, m = job.form, n_rows(job.X)
    if asked == "direct":
        return False, f"direct form, as {'asked' if job.options.form == asked else 'it began'}"
    m_validation = 0 if job.X_validation is None else n_rows(job.X_validation)
    reason = why_not_dual(job.model, job.optimizer, m + m_validation)
    if job.kernels == "plain":
        reason = "kernels='plain' runs each layer by itself"
    if is_hooked(job.model):
        reason = "a layer is hooked"
    if not reason and job.augment is not None:
        reason = "augmentation changes the training rows"
    if reason:
        if asked == "dual":
            raise OptionError(f"form: the dual form does not hold here: {reason}. Use form='auto'.")
        return False, f"direct form: {reason}"
    n_in, n_out = first_dense_shape(job.model)
    n_steps = job.options.n_epochs * job.n_steps
    direct, dual = operations(n_in, n_out, m, m_validation, job.batch_size or m, n_steps)
    if asked == "auto" and m > n_in and job.model.dtype == "float32":
        why = f"with {m:,} samples of {n_in:,} numbers, float32 would lose digits in the dual form"
        return False, f"direct form: {why}"
    if asked == "auto" and dual >= direct and not _is_large(job):
        return False, "direct form: the dual form would cost more here"
    return True, f"dual form, exact: {direct / dual:.3g} times fewer operations in the first layer"


def _is_large(job: Job) -> bool:
    """Return whether a full batch stays in its file and is too large to be read whole at each step."""
    arrays = job.X.values() if isinstance(job.X, dict) else [job.X]
    n_bytes = sum(array.nbytes for array in arrays if isinstance(array, StoredArray))
    return job.batch_size is None and n_bytes > BLOCK_BYTES


def is_dual(job: Job) -> bool:
    """Return whether the dual form is taken."""
    return _choose(job)[0]
