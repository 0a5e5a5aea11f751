"""Compilation of kernels before the first step of a training; NumPy where it fails."""

import copy
from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any, NamedTuple

import numpy as np

from pellucid import dispatch
from pellucid.data.batches import Batches
from pellucid.data.dataset import Dataset
from pellucid.nn.model import Model
from pellucid.nn.replica import replica
from pellucid.progress import ProgressBar
from pellucid.ranks import n_ranks
from pellucid.training.callbacks.precise_bn import PreciseBatchNorm, measure_batch_norms
from pellucid.training.choose_form import is_dual
from pellucid.training.dual import many_steps
from pellucid.training.events import Callback
from pellucid.training.executor.choose import executor_for
from pellucid.training.executor.stack_layers import layers_of
from pellucid.training.job import Job
from pellucid.training.optimizers.base import Optimizer
from pellucid.types import Array, map_arrays, n_rows, take_rows

MOST_SENT = 2**27  # bytes of parameters, to a process that helps to compile


class Rehearsal(NamedTuple):
    """What a training computes of a batch and after it, for two samples."""

    model: Model
    Y: Any  # their targets
    optimizer: Optimizer
    seed: int
    predicts: bool  # for its validation
    measured: Dataset | None  # for the statistics of batch norms at the end


def compile_ahead(job: Job, callbacks: Sequence[Callback] = ()) -> None:
    """Compile what a training needs, on two samples: a bar shows it, and where it fails NumPy is chosen.

    Nothing of the model or the optimizer changes.
    """
    if job.kernels != "numba":
        return
    with (
        ProgressBar(patience=0.0) as bar,
        dispatch.use("numba"),
        dispatch.compiling(bar),
        dispatch.giving_up(),
    ):
        if is_dual(job) and job.batch_size is None:
            many_steps.compile_ahead(job.model.dtype)
        elif layers_of(job.part) and n_ranks() == 1:
            _make_a_batch(job)
            _take_a_step_of_a_stack(job)
        else:
            rehearsal = _rehearsal_of(job, callbacks)
            is_small = rehearsal.model.theta.nbytes <= MOST_SENT
            with dispatch.helped(rehearse, rehearsal) if is_small else nullcontext():
                _make_a_batch(job)
                rehearse(rehearsal)
    job.kernels = dispatch.resolve("numba")  # numpy where something could not be compiled


def _make_a_batch(job: Job) -> None:
    X, Y = (take_rows(part, slice(0, 2)) for part in (job.X, job.Y))
    few = Batches(X, Y, n_rows(X), job.options.seed, rule=job.rule, dtype=job.model.dtype, change=job.change)
    list(few.epoch(0))


def _rehearsal_of(job: Job, callbacks: Sequence[Callback]) -> Rehearsal:
    model, two, measured = replica(job.part), slice(0, 2), None
    model._loss_hook = None
    if job.part is job.model and any(isinstance(callback, PreciseBatchNorm) for callback in callbacks):
        measured = job.data.take(two)
    has_validation = job.X_validation is not None
    return Rehearsal(model, take_rows(job.Y, two), job.optimizer, job.options.seed, has_validation, measured)


def rehearse(r: Rehearsal) -> None:
    """Call each kernel that a training calls once it has a batch; nothing but the rehearsal's model changes."""
    model = r.model
    X: Any = map_arrays(lambda shape: np.zeros((2, *shape), model.dtype), model.input_shape)
    Y = map_arrays(lambda array: np.resize(array, (2, *array.shape[1:])), r.Y)
    with dispatch.use("numba"):
        model._seed_step(r.seed, 0)
        model._loss_and_grad_of_encoded(X, Y)
        if r.predicts:
            model.forward(X)
        if not r.optimizer.is_full_batch:
            _update_a_few(r.optimizer, model.theta[:2].copy())
        if r.measured is not None:
            measure_batch_norms(model, r.measured)


def _take_a_step_of_a_stack(job: Job) -> None:
    m, model = (
        job.batch_size or n_rows(job.X),
        replica(job.part),
    )  # as many samples: threads depend on it
    model._move(model.theta.copy(), model.grad)
    rule = copy.copy(job.optimizer)
    rule.start(model.theta, model._flat_decay_mask())
    X = np.zeros((m, *model.input_shape), model.dtype)
    with executor_for(model, job.n_threads, rule) as executor:
        executor.seed_step(job.options.seed, 0)
        executor.loss_and_grad(X, take_rows(job.Y, slice(0, m)))
        if not rule.is_full_batch:
            executor.update(rule)
    if job.X_validation is not None:
        model.forward(X[:2])


def _update_a_few(optimizer: Optimizer, theta: Array) -> None:
    rule = copy.copy(optimizer)
    rule.grad_norm = None
    rule.start(theta, np.ones_like(theta))
    rule.step(theta, np.zeros_like(theta))
