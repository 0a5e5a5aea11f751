"""Compilation of kernels before the first step of a training; NumPy where it fails."""

import copy
from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any, NamedTuple

import numpy as np

from pellucid import dispatch, ranks
from pellucid.data.batches import Batches
from pellucid.data.dataset import Dataset
from pellucid.nn.model import Model
from pellucid.nn.replica import replica
from pellucid.progress import ProgressBar
from pellucid.training.callbacks.precise_bn import PreciseBatchNorm, measure_batch_norms
from pellucid.training.choose_form import is_dual
from pellucid.training.dual import many_steps
from pellucid.training.events import (
    Callback,
)
from pellucid.training.executor.choose import executor_for
from pellucid.training.executor.executor import Executor
from pellucid.training.executor.stack_layers import layers_of
from pellucid.training.job import Job
from pellucid.training.optimizers.base import Optimizer
from pellucid.types import map_arrays, n_rows, take_rows

MOST_SENT = 2**27  # bytes of parameters, to a process that helps to compile


class Rehearsal(NamedTuple):
    """What a training computes of a batch and after it, for samples of zeros."""

    model: Model  # a copy
    m: int  # samples; for a stack of Dense layers as many as in a batch: its threads depend on it
    Y: Any  # targets of some
    optimizer: Optimizer
    seed: int
    n_threads: int  # of a stack's kernel; 0: the layers run by themselves
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
        else:
            rehearsal = _rehearsal_of(job, callbacks)
            is_small = rehearsal.model.theta.nbytes <= MOST_SENT and not rehearsal.n_threads
            with dispatch.helped(rehearse, rehearsal) if is_small else nullcontext():
                X, Y = (take_rows(part, slice(0, 2)) for part in (job.X, job.Y))
                how: dict[str, Any] = {"rule": job.rule, "dtype": job.model.dtype, "change": job.change}
                list(Batches(X, Y, n_rows(X), job.options.seed, **how).epoch(0))
                rehearse(rehearsal)
    job.kernels = dispatch.resolve("numba")  # numpy where something could not be compiled


def _rehearsal_of(job: Job, callbacks: Sequence[Callback]) -> Rehearsal:
    model, two, measured, m, n_threads = replica(job.part), slice(0, 2), None, 2, 0
    model._move(model.theta.copy(), model.grad)
    if job.part is job.model and any(isinstance(callback, PreciseBatchNorm) for callback in callbacks):
        measured = job.data.take(two)
    if layers_of(job.part) and ranks.n_ranks() == 1:
        m, n_threads = job.batch_size or n_rows(job.X), job.n_threads
    Y, has_validation = take_rows(job.Y, two), job.X_validation is not None
    return Rehearsal(model, m, Y, job.optimizer, job.options.seed, n_threads, has_validation, measured)


def rehearse(r: Rehearsal) -> None:
    """Call each kernel that a training calls once it has a batch; nothing but the rehearsal's model changes."""
    model, rule = r.model, copy.copy(r.optimizer)
    X: Any = map_arrays(lambda shape: np.zeros((r.m, *shape), model.dtype), model.input_shape)
    Y = map_arrays(lambda array: np.resize(array, (r.m, *array.shape[1:])), r.Y)
    rule.grad_norm = None
    rule.start_for(model)
    taken = executor_for(model, r.n_threads, rule) if r.n_threads else nullcontext(Executor(model))
    with dispatch.use("numba"), taken as executor:
        executor.seed_step(r.seed, 0)
        executor.loss_and_grad(X, Y)
        if not rule.is_full_batch:
            executor.update(rule)
        if r.predicts:
            model.forward(map_arrays(lambda array: array[:2], X))
        if r.measured is not None:
            measure_batch_norms(model, r.measured)
