"""The only training loop. Everything else that happens during a training is a callback."""

import copy
import math
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from pellucid import dispatch
from pellucid.data.dataset import Dataset
from pellucid.errors import TrainingError
from pellucid.job_threads import stop_if_nobody_waits
from pellucid.nn.model import Model
from pellucid.registry import options_of
from pellucid.training.checkpoint import open_checkpoint, restore
from pellucid.training.choose_form import Place, choose_form
from pellucid.training.compiling import compile_ahead
from pellucid.training.events import (
    Callback,
    EpochEnd,
    Interrupted,
    Run,
    StepEnd,
    StepsEnd,
    TrainEnd,
    TrainStart,
)
from pellucid.training.executor.choose import open_executor
from pellucid.training.executor.executor import Executor, StepLost
from pellucid.training.history import History
from pellucid.training.nonfinite import find_fault, write_step
from pellucid.training.optimizers.base import Optimizer
from pellucid.training.optimizers.lbfgs import LBFGS
from pellucid.training.plan import Job, Plan
from pellucid.training.prepare import prepare
from pellucid.types import n_rows, take_rows


def run_plan(
    model: Model,
    data: Dataset,
    plan: Plan,
    callbacks: Sequence[Callback] = (),
    *,
    resume: str | Path | None = None,
    nonfinite: str | Path | None = None,
    place: Place = choose_form,
) -> History:
    """Train a model as a plan says, in place; what is left out has its default, whatever the model's recipe.

    Parameters and exceptions are those of :func:`pellucid.training.fit.train`.
    """
    started = time.perf_counter()
    job = prepare(model, data, plan, resume)
    compile_ahead(job, callbacks)
    history, optimizer, schedule = History(kernels=job.kernels), plan.optimizer, plan.schedule
    run = _run_of(job, history, callbacks)
    try:
        with (
            np.errstate(over="ignore", invalid="ignore"),
            dispatch.use(job.kernels),
            _options_put_back(optimizer),
            place(job, history) as run.form,
        ):
            run.settings |= {"form": run.form.name, "n_threads": job.n_threads}
            optimizer.start(model.theta, model.flat_decay_mask())
            if schedule is not None:
                schedule.start(optimizer.learning_rate, plan.n_epochs * job.n_steps)
            history.setup_seconds = time.perf_counter() - started
            n_threads = job.n_threads if run.form.step is None else 1
            with open_executor(job.part, n_threads, optimizer, holds_blas=job.holds_blas) as executor:
                saved = None if resume is None else open_checkpoint(run, resume)
                # From here to the end of the steps, parameters lie where they are now.
                run.notify(TrainStart(run))
                if saved is not None:
                    restore(run, saved)
                steps_started = time.perf_counter()
                executor = run.form.step or executor
                try:
                    if isinstance(optimizer, LBFGS):
                        _minimize(run, executor, optimizer)
                    else:
                        _take_steps(run, executor, nonfinite)
                except StepLost:
                    run.notify(Interrupted(run))
                    raise
                history.loop_seconds = time.perf_counter() - steps_started
                run.notify(StepsEnd(run))
    finally:
        history.seconds = time.perf_counter() - started
        run.notify(TrainEnd(run))
        run.callbacks.clear()  # some keep the run: in a circle, model and data would wait for Python to look for it
    return history


def _run_of(job: Job, history: History, callbacks: Sequence[Callback]) -> Run:
    plan = job.plan
    run = Run(
        job.model, job.data, plan.optimizer, plan.schedule, history, plan.n_epochs, job.n_steps, plan.seed
    )
    run.callbacks = sorted(callbacks, key=lambda callback: getattr(callback, "is_last", False))
    run.settings, run.hashes, run.counts_rows = job.settings, job.hashes, plan.counts_rows
    return run


@contextmanager
def _options_put_back(optimizer: Optimizer) -> Iterator[None]:
    """Give an optimizer its options back at the end: schedules and penalties change them from step to step."""
    names = {*optimizer.number_names, *options_of(type(optimizer))}
    options = {name: getattr(optimizer, name) for name in names}
    try:
        yield
    finally:
        for name, value in options.items():
            setattr(optimizer, name, value)


def _take_steps(run: Run, executor: Executor, nonfinite: str | Path | None) -> None:
    """Take every step that is left."""
    optimizer, schedule, batches = run.optimizer, run.schedule, run.form.batches
    if schedule is None and batches.batch_size is None and executor.takes_many(optimizer):
        _take_many_steps(run, executor, nonfinite)
        return
    is_watched = any(getattr(callback, "needs_every_step", True) for callback in run.callbacks)
    if not is_watched and executor.takes_epochs(batches, optimizer):
        _take_epochs(run, executor, nonfinite)
        return
    stop, is_random, counts_rows = False, run.model.draws_random_numbers, run.counts_rows
    while run.epoch < run.n_epochs and not stop:
        stop_if_nobody_waits()
        for X, Y, weights in batches.epoch(run.epoch, skip=run.step_in_epoch):
            if schedule is not None:
                schedule.apply(optimizer, run.step)
            if is_random:
                executor.seed_step(run.seed, run.step)
            loss = executor.loss_and_grad(X, Y, weights=weights)
            if not math.isfinite(loss):
                raise _broken(run, X, Y, loss, nonfinite)
            executor.update(optimizer)
            if weights is None or counts_rows:
                run.epoch_loss += loss * (n_rows(Y) / batches.n_rows)
            else:
                run.add_weighted(loss, float(weights.sum(dtype=np.float64)))
            run.step += 1
            run.step_in_epoch += 1
            if run.callbacks and run.notify(StepEnd(run, run.step - 1, run.epoch, loss)):
                stop = True
                break
        if run.step_in_epoch < run.n_steps:  # in the middle of an epoch: its mean is not complete
            break
        stop |= _end_epoch(run, run.epoch_loss)
    run.history.n_steps = run.step
    run.history.is_complete = run.epoch == run.n_epochs


def _take_epochs(run: Run, executor: Executor, nonfinite: str | Path | None) -> None:
    """Take every step that is left, many in one call, of which callbacks are told the last."""
    optimizer, schedule, batches, stop = run.optimizer, run.schedule, run.form.batches, False

    def before(step_in_epoch: int) -> None:
        if schedule is not None:
            schedule.apply(optimizer, run.epoch * run.n_steps + step_in_epoch)

    size = batches.batch_size or batches.n_rows
    while run.epoch < run.n_epochs and not stop:
        while run.step_in_epoch < run.n_steps and not stop:
            stop_if_nobody_waits()
            losses = executor.take_some(batches, run.epoch, run.step_in_epoch, optimizer, before)
            for loss in losses:
                if not math.isfinite(loss):
                    X, Y, _ = next(batches.epoch(run.epoch, skip=run.step_in_epoch))
                    raise _broken(run, X, Y, loss, nonfinite)
                m = min(size, batches.n_rows - run.step_in_epoch * size)
                run.epoch_loss += loss * (m / batches.n_rows)
                run.step += 1
                run.step_in_epoch += 1
            if run.callbacks:
                stop = run.notify(StepEnd(run, run.step - 1, run.epoch, losses[-1]))
        if run.step_in_epoch < run.n_steps:  # in the middle of an epoch: its mean is not complete
            break
        stop |= _end_epoch(run, run.epoch_loss)
    run.history.n_steps = run.step
    run.history.is_complete = run.epoch == run.n_epochs


def _take_many_steps(run: Run, executor: Executor, nonfinite: str | Path | None) -> None:
    """Take every step that is left on the full batch, many at once where nobody looks in between."""
    is_watched = bool(run.callbacks) or run.form.validation is not None
    # A checkpoint may have been written between the step and the end of its epoch.
    stop = run.step_in_epoch > 0 and _end_epoch(run, run.epoch_loss)
    while run.epoch < run.n_epochs and not stop:
        stop_if_nobody_waits()
        losses = executor.take_many(_n_unseen(run), run.optimizer).tolist()
        is_broken = not math.isfinite(losses[-1])
        kept = losses[:-1] if is_broken or is_watched else losses
        run.history.losses.extend(kept)
        run.step, run.epoch = run.step + len(kept), run.epoch + len(kept)
        if is_broken:
            ((X, Y, _),) = run.form.batches.epoch(run.epoch)
            raise _broken(run, X, Y, losses[-1], nonfinite)
        if is_watched:
            run.step, run.step_in_epoch, run.epoch_loss = run.step + 1, 1, losses[-1]
            stop = run.notify(StepEnd(run, run.step - 1, run.epoch, losses[-1]))
            stop |= _end_epoch(run, losses[-1])
    run.history.n_steps = run.step
    run.history.is_complete = run.epoch == run.n_epochs


def _n_unseen(run: Run) -> int:
    """Return how many steps on the full batch may be taken in one call: up to the next that somebody looks at."""
    left = run.n_epochs - run.epoch
    if run.form.validation is not None:
        return 1
    waits = (getattr(callback, "steps_to_next", None) for callback in run.callbacks)
    return max(1, min([left, *(1 if wait is None else wait(run.step) for wait in waits)]))


def _end_epoch(run: Run, loss: float) -> bool:
    """Measure and record an epoch; return whether a callback asks to stop."""
    metrics = {"loss": loss}
    if run.form.validation is not None:
        metrics |= run.form.validation.measure(run.model)
    if run.schedule is not None:
        metrics["learning_rate"] = run.optimizer.learning_rate
        run.schedule.observe(metrics.get("validation_loss", loss))
    run.history.append(metrics)
    event = EpochEnd(run, run.epoch, run.step - 1, metrics)
    run.epoch, run.step_in_epoch, run.epoch_loss, run.epoch_weight = run.epoch + 1, 0, 0.0, 0.0
    return run.notify(event)


def _minimize(run: Run, executor: Executor, optimizer: LBFGS) -> None:
    """Hand the full batch to an optimizer that evaluates the loss itself; an iteration counts as an epoch."""
    ((X, Y, weights),) = run.form.batches.epoch(0)

    def loss_and_grad() -> float:
        return executor.loss_and_grad(X, Y, weights=weights)

    def on_iteration(loss: float) -> bool:
        run.step += 1
        stop = run.notify(StepEnd(run, run.step - 1, run.epoch, loss))
        return _end_epoch(run, loss) or stop or run.epoch >= run.n_epochs

    optimizer.minimize(run.model.theta, loss_and_grad, run.model.grad, on_iteration)
    run.history.n_steps, run.history.is_complete = run.step, True


def _broken(run: Run, X: Any, Y: Any, loss: float, nonfinite: str | Path | None) -> TrainingError:
    """Return the error for a loss that is NaN or infinity, naming the operation that produced it first."""
    run.history.n_steps = run.step
    model, X = run.form.plain_step(run.model, X)
    if len(Y) > n_rows(X):  # of a full batch on disk some are looked at
        Y = take_rows(Y, slice(n_rows(X)))
    model.seed_step(run.seed, run.step)
    fault = find_fault(model, X, Y)
    where = "" if fault is None else f" It began {fault.in_words()}."
    kept = ""
    if nonfinite is not None:
        if run.form.part is not None:  # whose layers have the names that they have in the whole model
            model = copy.deepcopy(model)
            model.name_layers()
        write_step(nonfinite, model, X, Y, fault, seed=run.seed, step=run.step, epoch=run.epoch)
        kept = f" The step is kept in {nonfinite}."
    return TrainingError(
        f"train: the loss became {loss} at step {run.step} (epoch {run.epoch + 1}).{where} "
        f"Try a smaller learning rate, or look for outliers in the data.{kept}"
    )
