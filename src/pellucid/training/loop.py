"""The only training loop. Everything else that happens during a training is a callback."""

import math
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext

import numpy as np

from pellucid.data.batches import Batches
from pellucid.data.door import hold_out
from pellucid.data.preprocess import Preprocessing, check_finite
from pellucid.errors import DataError, OptionError, ShapeError, TrainingError, unknown_name
from pellucid.nn.model import Model, Sequential
from pellucid.training.callbacks import Callback, EpochEnd, Event, History, StepEnd, TrainEnd, TrainStart
from pellucid.training.dual import DualDense, dual_form, first_dense_shape, operations, why_not_dual
from pellucid.training.optimizers import SGD, Optimizer
from pellucid.types import Array, Dataset

PATHS = ("auto", "direct", "dual")


def train(
    model: Model,
    data: Dataset,
    *,
    loss: str | None = None,
    optimizer: Optimizer | None = None,
    n_epochs: int = 2500,
    batch_size: int | None = None,
    validation: Dataset | float | None = None,
    seed: int = 1,
    dtype: str | None = None,
    path: str = "auto",
    callbacks: Sequence[Callback] = (),
) -> History:
    """Train a model on data, in place.

    Parameters
    ----------
    model : Model
        Initialized here, from ``seed``, if it is not yet; else trained further.
    data : Dataset
        The training samples, as loaded: the model's preprocessing is applied here.
    loss : str, optional
        Default: the model's own.
    optimizer : Optimizer, optional
        Default: ``SGD(learning_rate=0.0075)``, the tutorial's.
    n_epochs : int, optional
        Passes over the data.
    batch_size : int or None, optional
        None: the full batch, so that one epoch is one step.
    validation : Dataset or float, optional
        Samples whose loss is computed after each epoch; a number is the share of the data that is held out for
        it, stratified, by ``seed``.
    seed : int, optional
        Of the start and of the order of the batches.
    dtype : {"float32", "float64"}, optional
        Default: the model's own, else float32.
    path : {"auto", "direct", "dual"}, optional
        How the first layer is trained: see :mod:`pellucid.training.dual`. ``"auto"`` takes the cheaper.
    callbacks : sequence of callable
        Each is called with every event; one that returns True ends the training after the step.

    Returns
    -------
    History

    Raises
    ------
    DataError, OptionError, ShapeError
        If data, an option or a shape does not fit, before anything is changed.
    TrainingError
        If the loss is no longer a finite number. The model keeps the parameters that gave it.

    Examples
    --------
    >>> from pellucid.nn.layers import Dense
    >>> from pellucid.nn.model import Sequential
    >>> data = Dataset(np.array([[0.0], [1.0], [2.0], [3.0]]), np.array([0, 0, 1, 1]))
    >>> model = Sequential([Dense(1)])
    >>> history = train(model, data, optimizer=SGD(1.0), n_epochs=200)
    >>> model.predict(data.X)
    array([0, 0, 1, 1])
    """
    started = time.perf_counter()
    optimizer = optimizer or SGD()
    _check_options(data, n_epochs, path)
    if isinstance(validation, float):
        parts = hold_out(data, name="validation", seed=seed, test_fraction=validation)
        data, validation = parts.train, parts.test
    X, X_validation = _prepare(model, data, validation, loss, seed, dtype)
    Y = model.encode(data.y)
    Batches(X, Y, batch_size, seed)  # refuses a wrong size before the set-up's work
    history = History()
    form = _choose_path(model, optimizer, X, X_validation, batch_size, n_epochs, path, history)
    start = TrainStart(model, n_epochs, 0, history.path, history.note)
    try:
        with form as dual, np.errstate(over="ignore", invalid="ignore"):
            inputs = X if dual is None else dual.rows_train
            batches = Batches(inputs, Y, batch_size, seed)
            optimizer.start(model.theta, model.flat_decay_mask())
            history.setup_seconds = time.perf_counter() - started
            _tell(callbacks, start._replace(n_steps=batches.n_steps))
            check = None
            if validation is not None and X_validation is not None:
                rows = X_validation if dual is None else dual.rows_validation
                check = rows, model.encode(validation.y)
            _run(model, optimizer, batches, n_epochs, check, callbacks, history)
    finally:
        history.seconds = time.perf_counter() - started
        _tell(callbacks, TrainEnd(model))
    return history


def _run(
    model: Model,
    optimizer: Optimizer,
    batches: Batches,
    n_epochs: int,
    check: tuple[Array, Array] | None,
    callbacks: Sequence[Callback],
    history: History,
) -> None:
    step, m = 0, len(batches.X)
    for epoch in range(n_epochs):
        total, stop = 0.0, False
        for X, Y in batches.epoch(epoch):
            loss = model.loss_and_grad(X, Y)
            if not math.isfinite(loss):
                raise TrainingError(
                    f"train: the loss became {loss} at step {step} (epoch {epoch}). "
                    "Try a smaller learning rate, or look for outliers in the data."
                )
            optimizer.step(model.theta, model.grad)
            total += loss * len(X)
            stop = _tell(callbacks, StepEnd(step, epoch, loss))
            step += 1
            if stop and step % batches.n_steps:  # in the middle of an epoch: its mean is not complete
                break
        else:
            history.losses.append(total / m if batches.n_steps > 1 else loss)
            loss_validation = None if check is None else model.loss_of(*check)
            if loss_validation is not None:
                history.validation_losses.append(loss_validation)
            stop |= _tell(callbacks, EpochEnd(epoch, step - 1, history.losses[-1], loss_validation))
        history.n_steps = step
        if stop:
            break
    history.is_complete = step == n_epochs * batches.n_steps


def _tell(callbacks: Sequence[Callback], event: Event) -> bool:
    return any([callback(event) for callback in callbacks])  # noqa: C419 - a list: every callback runs


def _check_options(data: Dataset, n_epochs: int, path: str) -> None:
    if path not in PATHS:
        raise OptionError(unknown_name("path", path, PATHS))
    if n_epochs < 1:
        raise OptionError(f"n_epochs: expected 1 or more, got {n_epochs}.")
    if len(data.X) == 0:
        raise DataError("train: expected at least one sample, got none.")
    if len(data.X) != len(data.y):
        raise DataError(f"train: X has {len(data.X)} samples and y has {len(data.y)} labels.")
    check_finite(data.X, "train")


def _prepare(
    model: Model, data: Dataset, validation: Dataset | None, loss: str | None, seed: int, dtype: str | None
) -> tuple[Array, Array | None]:
    """Make the model ready for the data and the data for the model."""
    if loss is not None:
        model.set_loss(loss)
    if not model.is_initialized:
        model.initialize(data.X.shape[1:], seed=seed, dtype=dtype)
    elif data.X.shape[1:] != model.input_shape:
        raise ShapeError(f"train: expected samples of shape {model.input_shape}, got {data.X.shape[1:]}.")
    elif dtype is not None and dtype != model.dtype:
        raise OptionError(f"dtype: the model is already {model.dtype}; make a new one for {dtype}.")
    if model.preprocessing is None:
        model.preprocessing = Preprocessing.for_data(data.X)
    model.classes = data.classes or model.classes
    X = model.preprocessing.apply(data.X, model.dtype)
    return X, None if validation is None else model.preprocessing.apply(validation.X, model.dtype)


def _choose_path(
    model: Model,
    optimizer: Optimizer,
    X: Array,
    X_validation: Array | None,
    batch_size: int | None,
    n_epochs: int,
    path: str,
    history: History,
) -> AbstractContextManager[DualDense | None]:
    """Return the context that the steps run in, and note the choice in the history."""
    if path == "direct":
        history.note = "direct form, as asked"
        return nullcontext()
    n_validation = 0 if X_validation is None else len(X_validation)
    reason = why_not_dual(model, optimizer, len(X) + n_validation)
    if not reason:
        assert isinstance(model, Sequential)
        n_in, n_out = first_dense_shape(model)
        batch = batch_size or len(X)
        n_steps = n_epochs * -(-len(X) // batch)
        direct, dual = operations(n_in, n_out, len(X), n_validation, batch, n_steps)
        if path == "dual" or dual < direct:
            history.path = "dual"
            history.note = f"dual form, exact: {direct / dual:.3g} times fewer operations in the first layer"
            return dual_form(model, X, X_validation)
        reason = "the dual form would cost more here"
    elif path == "dual":
        raise OptionError(f"path: the dual form does not hold here: {reason}. Use path='auto'.")
    history.note = f"direct form: {reason}"
    return nullcontext()
