"""Training a model: by arguments (``train``), or by the options of a command or file (``fit``)."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from numbers import Real
from pathlib import Path
from typing import Any

import numpy as np

from pellucid.data.augmentation.augment import Augment
from pellucid.data.coerce import as_dataset, as_weights, like
from pellucid.data.dataset import Dataset, Split
from pellucid.dispatch import resolve
from pellucid.errors import OptionError
from pellucid.nn.by_name import ModelLike, as_model
from pellucid.nn.model import Model
from pellucid.progress import Progress as ProgressLike
from pellucid.registry import validate_call
from pellucid.training.callbacks.early_stopping import EarlyStopping
from pellucid.training.callbacks.metrics import Metrics
from pellucid.training.callbacks.precise_bn import PreciseBatchNorm
from pellucid.training.callbacks.progress import progress_bar
from pellucid.training.callbacks.time_limit import TimeLimit
from pellucid.training.callbacks.weight_ema import WeightEMA
from pellucid.training.choose_form import is_dual
from pellucid.training.compiling import compile_ahead
from pellucid.training.cost import operations_of
from pellucid.training.events import Callback
from pellucid.training.history import History
from pellucid.training.job import Job
from pellucid.training.loop import train_by_options
from pellucid.training.optimizers.base import Optimizer
from pellucid.training.options import TrainingOptions, fill_in, recipe_of
from pellucid.training.samples import read_samples, take_schema
from pellucid.training.schedules.base import Schedule
from pellucid.training.training_cache import TrainingCache
from pellucid.types import Array
from pellucid.version import __version__


@validate_call("optimizer", "schedule", "shuffle", "callbacks", "resume", "nonfinite")
def train(
    model: ModelLike,
    data: Any,
    *,
    n_epochs: int | None = None,
    optimizer: str | Mapping[str, Any] | Optimizer | None = None,
    learning_rate: float | None = None,
    weight_decay: float | None = None,
    loss: Any = None,
    label_smoothing: float | None = None,
    batch_size: int | None = None,
    shuffle: bool | None = None,
    schedule: str | Mapping[str, Any] | Schedule | None = None,
    augment: str | Mapping[str, Any] | Augment | None = None,
    validation: Dataset | tuple[Any, Any] | float | None = None,
    patience: int | None = None,
    minutes: float | None = None,
    positive: str | None = None,
    weight_ema: float | None = None,
    scaling: str | None = None,
    precise_bn: bool | None = None,
    sample_weight: Array | None = None,
    class_weight: Any = None,
    seed: int | None = None,
    dtype: str | None = None,
    form: str | None = None,
    n_threads: int | None = None,
    kernels: str | None = None,
    metrics: Any = None,
    callbacks: Sequence[Callback] = (),
    progress: ProgressLike = None,
    resume: str | Path | None = None,
    nonfinite: str | Path | None = None,
) -> History:
    """Train a model on data, in place.

    What is left out comes from the recipe of the preset that the model was made from, as on the command line; for a
    network of one's own it has the default given here. Optimizer, schedule, loss and augmentation may be given as
    an object, as a name, or as ``{"type": name, **options}``.

    Parameters
    ----------
    model : Model, str or Path
        Initialized here, from ``seed``, if it is not yet; else trained further. By a preset's name or a path a
        model is made or loaded; ``history.model`` is the one that was trained.
    data : Dataset, (X, y), Split, str or Path
        The training samples, as loaded: the model's preprocessing is applied here. y holds class numbers, class
        names, or quantities. Of a Split, or of data by name, the training part; of a table a new model keeps the
        columns, and standardizes their quantities.
    n_epochs : int, optional
        Passes over the data. No default for a network of one's own.
    optimizer : Optimizer, str or dict, optional
        Default: ``SGD(learning_rate=0.0075)``.
    learning_rate, weight_decay : float, optional
        Of an optimizer that is not given as an object. Default: the optimizer's own.
    loss : str, dict or Loss, optional
        Such as ``Huber(delta=2)`` or its name; for a graph with several outputs a dictionary from output to loss.
        Default: the model's own, else ``"auto"``: what suits outputs and targets.
    label_smoothing : float, optional
        Fraction by which targets are moved towards the uniform distribution.
    batch_size : int, optional
        0: the full batch, so that one epoch is one step. Default: 0.
    shuffle : bool, optional
        Whether mini-batches are shuffled again each epoch, the default; False takes them in the order of the data.
    schedule : Schedule, str or dict, optional
        How the learning rate changes; default: not at all.
    augment : Augment, str or dict, optional
        Random changes to every batch, such as ``"photo"``; ``"none"`` leaves out the recipe's.
    validation : Dataset, (X, y) or float, optional
        Samples whose loss and accuracy are computed after each epoch; a number is the fraction of the data held out
        for it, stratified, by ``seed``.
    patience : int, optional
        Stop after this many epochs without a lower validation loss, and restore the best weights.
    minutes : float, optional
        Stop after this many minutes of training; the model is what it is by then.
    positive : str, optional
        Of two classes, the one that sensitivity is of; the model keeps it. Default: the rarer if it is
        clearly so, else the second.
    weight_ema : float, optional
        Decay of an exponential moving average of the weights, which the model is left with.
    scaling : {"robust", "standardize"}, optional
        How the columns of a table are scaled where the model has no preprocessing yet, by the samples that are
        trained on: see :class:`~pellucid.data.preprocess.Preprocessing`. Default: arrays are taken as they are.
    precise_bn : bool, optional
        Whether batch-norm statistics are recomputed over all training samples at the end.
    sample_weight : Array, shape (m,), optional
        Weight of each sample in the loss.
    class_weight : "balanced", mapping or sequence, optional
        Weight of each class; multiplied by ``sample_weight`` where both are given.
    seed : int, optional
        Of initialization, batches, augmentation and dropout. Default: 1.
    dtype : {"float32", "float64"}, optional
        Default: the model's own, else float32.
    form : {"auto", "direct", "dual"}, optional
        How the first layer is trained: see :mod:`pellucid.training.dual.dense`. ``"auto"`` takes the cheaper.
    n_threads : int, optional
        Threads to split every batch over. Default: one a core where the work is worth it, else 1. With another
        number the sums are added in another order, and the last digits differ.
    kernels : {"auto", "numba", "numpy", "plain"}, optional
        What does the work: loops compiled by Numba, or NumPy. ``"auto"`` compiles where a training has at least
        ``pellucid.dispatch.AUTO_OPERATIONS`` operations, so that small ones never wait for a compiler. ``"plain"``
        runs the formulas alone, to read and to step through: each layer by itself, the direct form, one thread.
        Default: the environment variable ``PELLUCID_KERNELS``, else ``"auto"``. Without Numba, NumPy serves.
    metrics : sequence of str or callable, optional
        What is measured after each epoch besides the loss, on the validation samples, or where there are none on
        those of the training: names such as ``"f1"`` (see :mod:`pellucid.ops.metrics`) or functions of
        (y_true, y_pred). The history has a column for each.
    callbacks : sequence of callable, optional
        Each is called with every event; one that returns True ends the training after the step. See
        :mod:`pellucid.training.events`.
    progress : callable or bool, optional
        Whether to show a bar with the epoch, the loss, the validation loss and the time left; or what is called
        with a stage, the steps, their total and the loss. Default: a bar on a terminal and in a notebook, where
        the training takes more than half a second; never in a pipe.
    resume : str or Path, optional
        A checkpoint, or a folder of them, to go on from: with the same arguments the result is bit for bit that of
        a training that never stopped. ``n_epochs`` may be larger than it was; where the schedule depends on it, as
        one_cycle and cosine do, choose what comes now: ``schedule="constant"`` and a learning rate.
    nonfinite : str or Path, optional
        Where to write the batch and the parameters if the loss becomes NaN or infinite.

    Returns
    -------
    History

    Raises
    ------
    DataError, OptionError, ShapeError
        If data, an option or a shape does not fit, before anything is changed.
    TrainingError
        If the loss becomes NaN or infinite, naming the first operation that produced it. The model keeps the
        parameters that it broke at.
    FormatError
        If the checkpoint is of another model or training.

    Examples
    --------
    >>> import numpy as np
    >>> from pellucid.nn.dense import Dense
    >>> from pellucid.nn.sequential import Sequential
    >>> X, y = np.array([[0.0], [1.0], [2.0], [3.0]]), np.array([0, 0, 1, 1])
    >>> model = Sequential([Dense(1)])
    >>> history = train(model, (X, y), n_epochs=200, optimizer="sgd", learning_rate=1.0)
    >>> model.predict(X)
    array([0, 0, 1, 1])
    """
    given = dict(locals())
    for name in ("model", "data", "metrics", "callbacks", "progress", "resume", "nonfinite"):
        del given[name]
    if isinstance(data, str | Path):
        from pellucid.data.source import load_data

        data = load_data(data)
    split, data = data, as_dataset(data, "train")
    model = as_model(model, "train", data)
    if isinstance(split, Split):
        take_schema(model, split, scaling or recipe_of(model).get("scaling"))
    data = read_samples(model, data, "train", loss=loss)
    if sample_weight is not None:
        given["sample_weight"] = as_weights(sample_weight, "train: sample_weight")
    if validation is not None and not isinstance(validation, Real):
        where = "train: validation"
        held = as_dataset(validation, where, part="")
        given["validation"] = like(read_samples(model, held, where, loss=loss), data, where)
    for callback in callbacks:
        if isinstance(callback, type):
            raise OptionError(
                f"train: expected callbacks to be objects, got a class. Write {callback.__name__}()."
            )
    options = fill_in(model, data, given)
    first = [] if metrics is None else [Metrics(metrics)]
    bar = progress_bar(progress, callbacks)
    listeners: list[Callback] = [*first, *callbacks, *_callbacks_of(options, data, callbacks), *bar]
    history = train_by_options(model, data, options, listeners, resume=resume, nonfinite=nonfinite)
    model._summary_of_training |= _class_counts(model, data, options)
    history.model = model
    return history


def fit(
    model: Model,
    data: Dataset,
    options: TrainingOptions,
    callbacks: Sequence[Callback] = (),
    *,
    resume: Path | None = None,
    nonfinite: Path | None = None,
    shared: TrainingCache | None = None,
    held: Array | None = None,
) -> History:
    """Train a model as the options say, and record in it what was done.

    Parameters
    ----------
    model : Model
        Trained in place.
    data : Dataset
        The training part.
    options : TrainingOptions
    callbacks, resume, nonfinite : optional
        As for :func:`train`.
    shared : TrainingCache, optional
        What it has in common with other trainings on the same samples.
    held : Array of int, optional
        The rows to hold out for validation, in place of the fraction that the options say.

    Raises
    ------
    PellucidError
        As ``train`` does.

    Examples
    --------
    >>> import numpy as np
    >>> from pellucid.nn.presets import preset
    >>> data = Dataset(np.array([[0.0], [1.0], [2.0], [3.0]]), np.array([0, 0, 1, 1]), ("low", "high"))
    >>> fit(preset("logistic"), data, TrainingOptions(n_epochs=20)).n_steps
    20
    """
    options = options.for_data(recipe_of(model), data.y)
    asked = options if held is None else replace(options, validation=held)
    listeners = [*callbacks, *_callbacks_of(options, data, callbacks)]
    how: dict[str, Any] = {"resume": resume, "nonfinite": nonfinite, "shared": shared}
    history = train_by_options(model, data, asked, listeners, **how)
    known = model._summary_of_training
    found: dict[str, Any] = {name: known[name] for name in ("body", "weight_decay") if name in known}
    model._summary_of_training = {
        **found,
        "pellucid": __version__,
        "options": options._option_values(),
        "n_steps": history.n_steps,
        "final_loss": history.losses[-1] if history.losses else None,
        "form": history.form,
        "kernels": history.kernels,
        **_class_counts(model, data, options),
    }
    return history


def _callbacks_of(options: TrainingOptions, data: Dataset, given: Sequence[Callback]) -> list[Callback]:
    """Return the callbacks that options ask for, next to those that are given."""
    callbacks: list[Callback] = []
    if options.weight_ema is not None:
        callbacks.append(WeightEMA(options.weight_ema))
    if options.minutes is not None:
        callbacks.append(TimeLimit(options.minutes))
    if options.patience is not None:
        callbacks.append(EarlyStopping(patience=options.patience))
    if options.precise_bn and not any(isinstance(callback, PreciseBatchNorm) for callback in given):
        callbacks.append(PreciseBatchNorm(data))
    return callbacks


def _class_counts(model: Model, data: Dataset, options: TrainingOptions) -> dict[str, Any]:
    """Return how many samples each class has, for the majority-class baseline, and which is the positive one."""
    if model._loss.kind != "classification" or data.y.ndim != 1 or data.y.dtype.kind not in "bui":
        return {}
    named = {} if options.positive is None else {"positive": options.positive}
    return {"class_counts": np.bincount(data.y.astype(np.int64)).tolist(), **named}


def kernels_for(model: Model, data: Dataset, options: TrainingOptions, n_trainings: int) -> tuple[str, bool]:
    """Return what several trainings alike will run on; what they need is compiled once, before they begin.

    Parameters
    ----------
    model : Model
        Initialized; it is prepared for the data, not trained.
    data : Dataset
    options : TrainingOptions
    n_trainings : int

    Returns
    -------
    str
        "numba", "numpy" or "plain".
    bool
        Whether each is spent in one kernel, many steps at a time, so that threads can train side by side.
    """
    options = options.for_data(recipe_of(model), data.y)
    kernels = resolve(options.kernels, n_trainings * operations_of(model, options, len(data)))
    is_in_one = False
    if kernels == "numba":
        job = Job(model, data, replace(options, kernels=kernels))
        compile_ahead(job)
        kernels = job.kernels
        is_in_one = kernels == "numba" and job.batch_size is None and is_dual(job)
    return kernels, is_in_one
