"""The only training loop. Everything else that happens during a training is a callback."""

import math
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pellucid.data.dataset import Dataset
from pellucid.errors import TrainingError
from pellucid.nn.model import Model
from pellucid.training.checkpoint import load_checkpoint
from pellucid.training.dual.form import as_plain
from pellucid.training.events import Callback, EpochEnd, Run, StepEnd, StepsEnd, TrainEnd, TrainStart
from pellucid.training.executor.executor import Stepper
from pellucid.training.executor.shards import sharded
from pellucid.training.history import History
from pellucid.training.nonfinite import find_fault, write_black_box
from pellucid.training.optimizers.base import Optimizer
from pellucid.training.optimizers.lbfgs import LBFGS
from pellucid.training.optimizers.sgd import SGD
from pellucid.training.plan import Form, Job, Validation, choose_form, prepare
from pellucid.training.schedules.base import Schedule
from pellucid.types import Array, n_rows


def train(
    model: Model,
    data: Dataset,
    *,
    loss: Any = None,
    optimizer: Optimizer | None = None,
    n_epochs: int = 2500,
    batch_size: int | None = None,
    shuffle: bool = True,
    validation: Dataset | float | None = None,
    seed: int = 1,
    dtype: str | None = None,
    form: str = "auto",
    callbacks: Sequence[Callback] = (),
    schedule: Schedule | None = None,
    augment: Any = None,
    sample_weight: Array | None = None,
    class_weight: Any = None,
    n_threads: int | None = None,
    resume: str | Path | None = None,
    nonfinite: str | Path | None = None,
) -> History:
    """Train a model on data, in place.

    Parameters
    ----------
    model : Model
        Initialized here, from ``seed``, if it is not yet; else trained further.
    data : Dataset
        The training samples, as loaded: the model's preprocessing is applied here.
    loss : str, dict or Loss, optional
        A name of :data:`~pellucid.ops.losses.LOSSES`, ``{"type": name, **options}``, or such as ``Huber(delta=2)``;
        for a graph with several outputs a dictionary from output to one of these. Default: the model's own, else
        what suits outputs and targets, which goes by the name ``"auto"`` where options are given.
    optimizer : Optimizer, optional
        Default: ``SGD(learning_rate=0.0075)``, the tutorial's.
    n_epochs : int, optional
        Passes over the data.
    batch_size : int or None, optional
        None: the full batch, so that one epoch is one step.
    shuffle : bool, optional
        Whether mini-batches are drawn anew each epoch; False takes them in the order of the data.
    validation : Dataset or float, optional
        Samples whose loss and accuracy are computed after each epoch; a number is the share of the data that is
        held out for it, stratified, by ``seed``.
    seed : int, optional
        Of the start and of the order of the batches.
    dtype : {"float32", "float64"}, optional
        Default: the model's own, else float32.
    form : {"auto", "direct", "dual"}, optional
        How the first layer is trained: see :mod:`pellucid.training.dual.form`. ``"auto"`` takes the cheaper.
    callbacks : sequence of callable
        Each is called with every event; one that returns True ends the training after the step. See
        :mod:`pellucid.training.events`.
    schedule : Schedule, optional
        How the learning rate changes; default: not at all.
    augment : pellucid.data.augmentation.augment.Augment, optional
        Changes every batch at random before it is trained on.
    sample_weight : Array, shape (m,), optional
        How much each sample counts.
    class_weight : "balanced", mapping or sequence, optional
        How much each class counts; times ``sample_weight`` where both are given.
    n_threads : int, optional
        Split every batch over so many cores: processes that share memory on Linux, threads elsewhere. Default: all
        cores where the work is worth it; else 1, and augmented batches are made ready on another. With another
        number the sums are added in another order, and the last digits differ.
    resume : str or Path, optional
        A checkpoint, or a folder of them, to go on from: the same call as before, and the result is the same bit
        for bit as if it had never stopped.
    black_box : str or Path, optional
        Where to write the batch and the parameters if the loss is no longer a finite number.

    Returns
    -------
    History

    Raises
    ------
    DataError, OptionError, ShapeError
        If data, an option or a shape does not fit, before anything is changed.
    TrainingError
        If the loss is no longer a finite number, naming the first operation that gave one. The model keeps the
        parameters that it broke at.
    FormatError
        If the checkpoint is of another model or training.

    Examples
    --------
    >>> from pellucid.nn.dense import Dense
    >>> from pellucid.nn.sequential import Sequential
    >>> data = Dataset(np.array([[0.0], [1.0], [2.0], [3.0]]), np.array([0, 0, 1, 1]))
    >>> model = Sequential([Dense(1)])
    >>> history = train(model, data, optimizer=SGD(1.0), n_epochs=200)
    >>> model.predict(data.X)
    array([0, 0, 1, 1])
    """
    started = time.perf_counter()
    job = prepare(
        model,
        data,
        validation,
        loss=loss,
        optimizer=optimizer or SGD(),
        n_epochs=n_epochs,
        batch_size=batch_size,
        shuffle=shuffle,
        seed=seed,
        dtype=dtype,
        form=form,
        schedule=schedule,
        augment=augment,
        sample_weight=sample_weight,
        class_weight=class_weight,
        n_threads=n_threads,
    )
    history = History()
    run = Run(model, job.optimizer, schedule, history, n_epochs, job.n_steps)
    run.callbacks = sorted(callbacks, key=lambda callback: getattr(callback, "is_last", False))
    run.settings = job.settings
    hyperparameters = {name: getattr(job.optimizer, name) for name in job.optimizer.number_names}
    try:
        with np.errstate(over="ignore", invalid="ignore"), choose_form(job, history) as chosen:
            job.optimizer.start(model.theta, model.flat_decay_mask())
            if schedule is not None:
                schedule.start(job.optimizer.learning_rate, n_epochs * job.n_steps)
            history.setup_seconds = time.perf_counter() - started
            with sharded(model, job.n_threads, job.optimizer, holds_blas=job.holds_blas) as stepper:
                # From here to the end of the steps, parameters lie where they are now.
                run.notify(TrainStart(run))
                if resume is not None:
                    load_checkpoint(run, resume)
                steps_started = time.perf_counter()
                if isinstance(job.optimizer, LBFGS):
                    _minimize(run, stepper, chosen, job.optimizer)
                else:
                    _run(run, chosen.step or stepper, chosen, job, nonfinite)
                history.loop_seconds = time.perf_counter() - steps_started
                run.notify(StepsEnd(run))
    finally:
        for name, value in hyperparameters.items():  # a schedule moved them; others start from these
            setattr(job.optimizer, name, value)
        history.seconds = time.perf_counter() - started
        run.notify(TrainEnd(run))
    return history


def _run(run: Run, stepper: Stepper, form: Form, job: Job, nonfinite: str | Path | None) -> None:
    """Take every step that is left."""
    model, optimizer, schedule, batches = run.model, run.optimizer, run.schedule, form.batches
    stop, is_random = False, model.draws_random_numbers
    while run.epoch < run.n_epochs and not stop:
        for X, Y, weights in batches.epoch(run.epoch, skip=run.step_in_epoch):
            if schedule is not None:
                schedule.apply(optimizer, run.step)
            if is_random:
                stepper.seed_step(job.seed, run.step)
            loss = stepper.loss_and_grad(X, Y, weights=weights)
            if not math.isfinite(loss):
                raise _broken(run, X, Y, loss, nonfinite)
            stepper.update(optimizer)
            run.epoch_loss += loss * (n_rows(Y) / batches.n_rows)
            run.step += 1
            run.step_in_epoch += 1
            stop = run.notify(StepEnd(run.step - 1, run.epoch, loss))
            if stop:
                break
        if run.step_in_epoch < run.n_steps:  # in the middle of an epoch: its mean is not complete
            break
        stop |= _end_epoch(run, run.epoch_loss, form.validation)
    run.history.n_steps = run.step
    run.history.is_complete = run.epoch == run.n_epochs


def _end_epoch(run: Run, loss: float, validation: Validation | None) -> bool:
    metrics = {"loss": loss}
    if validation is not None:
        metrics |= validation.measure(run.model)
    if run.schedule is not None:
        metrics["learning_rate"] = run.optimizer.learning_rate
        run.schedule.observe(metrics.get("validation_loss", loss))
    run.history.append(metrics)
    event = EpochEnd(run.epoch, run.step - 1, metrics)
    run.epoch, run.step_in_epoch, run.epoch_loss = run.epoch + 1, 0, 0.0
    return run.notify(event)


def _minimize(run: Run, stepper: Any, form: Form, optimizer: LBFGS) -> None:
    """Hand the full batch to an optimizer that evaluates the loss itself; an iteration counts as an epoch."""
    ((X, Y, weights),) = form.batches.epoch(0)

    def loss_and_grad() -> float:
        loss: float = stepper.loss_and_grad(X, Y, weights=weights)
        return loss

    def on_iteration(loss: float) -> bool:
        run.step += 1
        stop = run.notify(StepEnd(run.step - 1, run.epoch, loss))
        return _end_epoch(run, loss, form.validation) or stop or run.epoch >= run.n_epochs

    optimizer.minimize(run.model.theta, loss_and_grad, run.model.grad, on_iteration)
    run.history.n_steps, run.history.is_complete = run.step, True


def _broken(run: Run, X: Any, Y: Any, loss: float, nonfinite: str | Path | None) -> TrainingError:
    run.history.n_steps = run.step
    model, X = as_plain(run.model, X)
    fault = find_fault(model, X, Y)
    where = "" if fault is None else f" It began {fault.in_words()}."
    kept = ""
    if nonfinite is not None:
        write_black_box(nonfinite, model, X, Y, fault, run.step, run.epoch)
        kept = f" The step is kept in {nonfinite}."
    return TrainingError(
        f"train: the loss became {loss} at step {run.step} (epoch {run.epoch}).{where} "
        f"Try a smaller learning rate, or look for outliers in the data.{kept}"
    )
