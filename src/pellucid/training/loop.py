"""The only training loop. Everything else that happens during a training is a callback."""

import copy
import math
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import numpy as np

from pellucid import dispatch, ranks
from pellucid.data.dataset import Dataset
from pellucid.errors import OptionError, TrainingError
from pellucid.job_threads import stop_if_cancelled
from pellucid.nn.blocks import branches_of
from pellucid.nn.hooks import is_hooked
from pellucid.nn.model import Model
from pellucid.registry import options_of
from pellucid.training.apart import train_apart
from pellucid.training.checkpoint import open_checkpoint, restore
from pellucid.training.choose_form import choose_form
from pellucid.training.compiling import compile_ahead
from pellucid.training.events import (
    Callback,
    EpochEnd,
    StepEnd,
    StepsEnd,
    TrainEnd,
    TrainingState,
    TrainStart,
)
from pellucid.training.executor.executor import Executor, StepLoss
from pellucid.training.history import History
from pellucid.training.job import Job
from pellucid.training.nonfinite import find_nonfinite, write_step
from pellucid.training.optimizers.base import Optimizer
from pellucid.training.options import TrainingOptions
from pellucid.training.training_cache import TrainingCache
from pellucid.types import n_rows, take_rows

LATE_HOOK = (
    "hook: a layer was hooked during a training whose steps do not run its layers one by one, so that the hook "
    "would not be called. Enter it before pl.train."
)


@ranks.together()
def train_by_options(
    model: Model,
    data: Dataset,
    options: TrainingOptions,
    callbacks: Sequence[Callback] = (),
    *,
    resume: str | Path | None = None,
    nonfinite: str | Path | None = None,
    shared: TrainingCache | None = None,
    together: bool = False,
) -> History:
    """Train a model as options say, in place; what is left out has its default, whatever the model's recipe.

    Networks whose mean is the output are trained one after another, unless ``together``. The other parameters and
    exceptions are those of :func:`pellucid.training.fit.train`.
    """
    with model._run_lock.training():
        return _train(model, data, options, callbacks, resume, nonfinite, shared, together)


def _train(
    model: Model,
    data: Dataset,
    options: TrainingOptions,
    callbacks: Sequence[Callback],
    resume: str | Path | None,
    nonfinite: str | Path | None,
    shared: TrainingCache | None,
    together: bool,
) -> History:
    if branches_of(model) and not together:
        one = partial(train_by_options, nonfinite=nonfinite, shared=shared, together=True)
        return train_apart(one, model, data, options, callbacks, resume=resume)
    started = time.perf_counter()
    job = Job(model, data, options, resume=resume, shared=shared)
    compile_ahead(job, callbacks)
    history, optimizer, schedule = History(kernels=job.kernels), job.optimizer, job.schedule
    run = TrainingState(job, history, callbacks)
    try:
        with (
            np.errstate(over="ignore", invalid="ignore"),
            dispatch.use(job.kernels),
            _options_put_back(optimizer),
            choose_form(job, history) as run.form,
        ):
            run.settings |= {"form": run.form.name, "n_threads": job.n_threads}
            run.settings |= {"n_ranks": ranks.n_ranks()} if ranks.n_ranks() > 1 else {}
            optimizer.start_for(model)
            if schedule is not None:
                schedule.start(optimizer.learning_rate, options.n_epochs * job.n_steps)
            history.note += f", on {ranks.n_ranks()} ranks" if ranks.n_ranks() > 1 else ""
            history.setup_seconds = time.perf_counter() - started
            with run.form.open_executor(job, optimizer) as executor, ranks.together():
                saved = None if resume is None else open_checkpoint(run, resume)
                # From here to the end of the steps, parameters lie where they are now.
                run.notify(TrainStart(run))
                if saved is not None:
                    restore(run, saved)
                _take_steps(run, executor, nonfinite)
                run.notify(StepsEnd(run))
    finally:
        history.seconds = time.perf_counter() - started
        run.notify(TrainEnd(run))
        # Some keep the run: in a circle, model and data would wait for Python to look for it.
        run.callbacks.clear()
        run._of_steps.clear()
    return history


@contextmanager
def _options_put_back(optimizer: Optimizer) -> Iterator[None]:
    """Give an optimizer its options back at the end: schedules and penalties change them from step to step."""
    names = {*optimizer.number_names, *options_of(type(optimizer))}
    options = {name: getattr(optimizer, name) for name in names}
    try:
        yield
    finally:
        for name, value in options.items():
            optimizer._keep(name, value)


def _take_steps(run: TrainingState, executor: Executor, nonfinite: str | Path | None) -> None:
    """Take every step that is left, and record the time and a weight decay that was chosen.

    Of steps that were one call, callbacks are told the last.
    """
    started, history, optimizer = time.perf_counter(), run.history, run.optimizer
    run.model._summary_of_training.pop("weight_decay", None)
    is_decay_chosen = getattr(optimizer, "folds", 0) and not optimizer.weight_decay
    goes_on, agree = True, ranks.most if ranks.n_ranks() > 1 else bool
    runs_layers = executor.runs_layers and run.form.dual is None and run.form.part is None
    # A checkpoint may have been written between an epoch's last step and its end.
    stop = run.step_in_epoch == run.n_steps and _end_epoch(run)

    def tell(taken: Sequence[StepLoss]) -> bool:
        nonlocal stop
        for i, one in enumerate(taken, start=1):
            loss, m, weight = one
            if not math.isfinite(loss):
                raise _broken(run, loss, nonfinite)
            run.step, run.step_in_epoch = run.step + 1, run.step_in_epoch + 1
            if weight is None or run.counts_rows:
                run.epoch_loss += loss * (m / run.form.batches.n_rows)
            elif weight:  # counts as much as its samples weigh
                run.epoch_weight += weight
                run.epoch_loss += (loss - run.epoch_loss) * (weight / run.epoch_weight)
            is_told = i == len(taken)
            if is_told:
                stop = bool(agree(run.notify(StepEnd(run, run.step - 1, run.epoch, loss))))
                if not runs_layers and is_hooked(run.model):
                    raise OptionError(LATE_HOOK)
            if run.step_in_epoch == run.n_steps:
                stop |= _end_epoch(run, is_told=is_told)
        return stop or run.epoch >= run.n_epochs

    while goes_on and run.epoch < run.n_epochs and not stop:
        stop_if_cancelled()
        goes_on = executor.run(run.steps_to_next(), tell)
    if is_decay_chosen:  # else the options say it
        history.note += f"; weight decay {optimizer.weight_decay:.3g}, chosen on held-out folds"
        run.model._summary_of_training["weight_decay"] = optimizer.weight_decay
    history.n_steps, history.loop_seconds = run.step, time.perf_counter() - started
    history.is_complete = run.epoch == run.n_epochs or not goes_on


def _end_epoch(run: TrainingState, *, is_told: bool = True) -> bool:
    """Measure and record an epoch; return whether a callback asks to stop."""
    metrics = {"loss": run.epoch_loss}
    if run.form.validation is not None:
        metrics |= run.form.validation.measure(run.model)
    if run.schedule is not None:
        metrics["learning_rate"] = run.optimizer.learning_rate
        run.schedule.observe(metrics.get("validation_loss", run.epoch_loss))
    run.history.append(metrics)
    event = EpochEnd(run, run.epoch, run.step - 1, metrics)
    run.epoch, run.step_in_epoch, run.epoch_loss, run.epoch_weight = run.epoch + 1, 0, 0.0, 0.0
    return is_told and bool(ranks.most(run.notify(event)))


def _broken(run: TrainingState, loss: float, nonfinite: str | Path | None) -> TrainingError:
    """Return the error for a loss that is NaN or infinity, naming the operation that produced it first."""
    run.history.n_steps = run.step
    X, Y, _ = next(run.form.batches.whole.epoch(run.epoch, skip=run.step_in_epoch))
    model, X = run.form.plain_step(run.model, X)
    if len(Y) > n_rows(X):  # of a full batch on disk some are looked at
        Y = take_rows(Y, slice(n_rows(X)))
    model._seed_step(run.seed, run.step)
    fault = find_nonfinite(model, X, Y)
    where = "" if fault is None else f" It began {fault.in_words()}."
    kept = ""
    if nonfinite is not None and ranks.rank() == 0:
        if run.form.part is not None:  # whose layers have the names that they have in the whole model
            model = copy.deepcopy(model)
            model._name_layers()
        write_step(nonfinite, model, X, Y, fault, seed=run.seed, step=run.step, epoch=run.epoch)
        kept = f" The step is kept in {nonfinite}."
    return TrainingError(
        f"train: the loss became {loss} at step {run.step} (epoch {run.epoch + 1}).{where} "
        f"Try a smaller learning rate, or look for outliers in the data.{kept}"
    )
