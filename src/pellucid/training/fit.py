"""Training by options: what they name is made, and the loop is run."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pellucid import __version__
from pellucid.data.augmentation.augment import augment_preset
from pellucid.data.dataset import Dataset
from pellucid.data.hashing import data_hash
from pellucid.nn.model import Model
from pellucid.training.early_stopping import EarlyStopping
from pellucid.training.events import Callback
from pellucid.training.history import History
from pellucid.training.loop import train
from pellucid.training.loss_setup import AUTO
from pellucid.training.optimizers.base import OPTIMIZERS, Optimizer
from pellucid.training.options import TrainingOptions
from pellucid.training.precise_bn import PreciseBatchNorm
from pellucid.training.recipes import GENERAL, RECIPES
from pellucid.training.schedules.base import SCHEDULES
from pellucid.training.weight_ema import WeightEMA


def fit(
    model: Model,
    data: Dataset,
    options: TrainingOptions,
    callbacks: Sequence[Callback] = (),
    *,
    resume: Path | None = None,
    nonfinite: Path | None = None,
) -> History:
    """Train a model as the options say, and record in it what was done.

    Parameters
    ----------
    model : Model
        Trained in place.
    data : Dataset
        The training part.
    options : TrainingOptions
    callbacks : sequence of callable, optional
    resume, nonfinite : Path, optional
        As :func:`pellucid.training.loop.train` takes them.

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
    own: list[Callback] = [] if options.weight_ema is None else [WeightEMA(options.weight_ema)]
    if options.patience is not None:
        own.append(EarlyStopping(patience=options.patience))
    if options.precise_bn:
        own.append(PreciseBatchNorm(data))
    history = train(
        model,
        data,
        loss=loss_of(options),
        optimizer=make_optimizer(options),
        n_epochs=options.n_epochs,
        batch_size=options.batch_size or None,
        validation=options.validation,
        seed=options.seed,
        dtype=options.dtype,
        form=options.form,
        callbacks=[*callbacks, *own],
        schedule=None
        if options.schedule is None
        else SCHEDULES.make(options.schedule, **options.schedule_options),
        augment=None if options.augment is None else augment_preset(options.augment),
        class_weight=options.class_weight,
        n_threads=options.n_threads,
        resume=resume,
        nonfinite=nonfinite,
    )
    model.summary_of_training = {
        "pellucid": __version__,
        "options": dataclasses.asdict(options),
        "data_sha256": data_hash(data),
        "n_steps": history.n_steps,
        "final_loss": history.losses[-1] if history.losses else None,
        "seconds": history.seconds,
        "form": history.form,
    }
    return history


def recipe_of(model: Model) -> dict[str, Any]:
    """Return the recipe of the preset that a model was made from, else the general one."""
    return GENERAL if model.recipe is None else RECIPES[model.recipe]


def make_optimizer(options: TrainingOptions) -> Optimizer:
    """Return the optimizer that the options name.

    Examples
    --------
    >>> make_optimizer(TrainingOptions(n_epochs=5, optimizer="adam", learning_rate=0.01)).learning_rate
    0.01
    """
    numbers: dict[str, Any] = {"weight_decay": options.weight_decay}
    if options.optimizer == "lbfgs":
        numbers["max_iterations"] = options.n_epochs
    else:
        numbers["learning_rate"] = options.learning_rate
    return OPTIMIZERS.make(options.optimizer, **{**numbers, **options.optimizer_options})


def loss_of(options: TrainingOptions) -> dict[str, Any] | None:
    """Return the loss that the options name, as ``train`` takes it; None where the data decides.

    Examples
    --------
    >>> loss_of(TrainingOptions(n_epochs=5, label_smoothing=0.1))
    {'type': 'auto', 'label_smoothing': 0.1}
    """
    chosen = dict(options.loss_options)
    if options.label_smoothing:
        chosen["label_smoothing"] = options.label_smoothing
    return {"type": options.loss or AUTO, **chosen} if options.loss or chosen else None
