"""Where a Network estimator's model comes from, how it is trained by default, and how a pickle keeps it."""

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pellucid.data.augmentation.augment import Augment, augment_preset
from pellucid.errors import OptionError
from pellucid.estimators.parameters import AUTO
from pellucid.formats.architecture import load_architecture
from pellucid.formats.toml.training import training_optimizer
from pellucid.nn.dense import Dense, Flatten
from pellucid.nn.model import Model
from pellucid.nn.presets import PRESETS, check_has_body, preset
from pellucid.nn.sequential import Sequential
from pellucid.ops.losses.regression import MeanSquaredError
from pellucid.training.loss_setup import standardized_for
from pellucid.training.optimizers import OPTIMIZERS, Optimizer
from pellucid.training.recipes import GENERAL, RECIPES
from pellucid.training.recommend import Recommendation
from pellucid.training.schedules.base import SCHEDULES, Schedule
from pellucid.types import Array

PLAIN: dict[str, Any] = {"n_epochs": 200, "batch_size": 200, "learning_rate": 0.001, "optimizer": "adam"}


def model_spec(
    model: Any,
    n_outputs: int,
    chosen: Recommendation | None = None,
    *,
    body: str | Path | None = None,
    pixels: str | None = None,
) -> tuple[Model, Mapping[str, Any]]:
    """Return the model that an estimator's ``model`` parameter describes, a new one each time, and its recipe.

    Parameters
    ----------
    model : None, str, Path or Model
        None: one hidden layer of 100 relu units. A preset's name, a TOML file, or a model, which is copied.
        "auto": the preset that was chosen for the samples.
    n_outputs : int
    chosen : Recommendation, optional
        For "auto", once there are samples; before, its recipe and network are those of "cnn".
    body, pixels : optional
        Of the preset "pretrained": see :func:`pellucid.nn.presets.preset`.

    Examples
    --------
    >>> model_spec("logistic", 1)[1]["optimizer"]
    'sgd'
    """
    if body is not None or pixels is not None:
        name = str(model) if isinstance(model, str | Path) else type(model).__name__
        check_has_body(name, "body" if body is not None else "pixels")
    if model is None:
        return Sequential([Flatten(), Dense(100, "relu"), Dense(n_outputs)]), PLAIN
    if isinstance(model, Model):
        return copy.deepcopy(model), GENERAL
    if isinstance(model, str) and model == AUTO:
        name = "cnn" if chosen is None else chosen.model
        recipe = RECIPES[name] if chosen is None else chosen.recipe
        return preset(name, n_outputs=n_outputs), recipe
    if str(model) in PRESETS:
        made = preset(str(model), n_outputs=n_outputs, body=body, pixels=pixels)
        return made, RECIPES[str(model)]
    if Path(model).suffix != ".toml":
        known = ", ".join((*PRESETS, AUTO))
        raise OptionError(f"model: expected a preset ({known}), a .toml file or a model, got {str(model)!r}.")
    architecture = load_architecture(model)
    own = {} if "optimizer" in architecture.training else GENERAL
    return architecture.model, {**own, **architecture.training}


def choose_optimizer(optimizer: Any, learning_rate: float | None, recipe: Mapping[str, Any]) -> Optimizer:
    """Return a new optimizer: the one that was given, else the recipe's.

    Examples
    --------
    >>> choose_optimizer("auto", 0.5, PLAIN).learning_rate, choose_optimizer("sgd", None, PLAIN).learning_rate
    (0.5, 0.0075)
    """
    if isinstance(optimizer, Optimizer):
        chosen = copy.deepcopy(optimizer)
    elif optimizer == AUTO:
        chosen = training_optimizer(recipe) or OPTIMIZERS.make("adam")
    else:
        chosen = OPTIMIZERS.make(optimizer)
    if learning_rate is not None:
        chosen.learning_rate = float(learning_rate)
    return chosen


def choose_schedule(schedule: Any, recipe: Mapping[str, Any]) -> Schedule | None:
    """Return a new schedule, or None for a constant rate."""
    if schedule == AUTO:
        schedule = recipe.get("schedule")
    return None if schedule is None else SCHEDULES.resolve(copy.deepcopy(schedule))


def choose_augment(augment: Any, recipe: Mapping[str, Any]) -> Augment | None:
    """Return the augmentation, or None."""
    if augment == AUTO:
        augment = recipe.get("augment")
    if isinstance(augment, str) and augment == "none":  # as a file may say
        return None
    return augment_preset(augment) if isinstance(augment, str) else augment


def preset_loss(model: Model, y: Array) -> MeanSquaredError | None:
    """Return the default loss of a preset for quantities: that of standardized targets; None for other networks.

    One that is trained further keeps what its outputs stand for.
    """
    if not model._has_chosen_loss:
        return standardized_for(model, y)
    own = model._loss
    return own if isinstance(own, MeanSquaredError) and own.centre else None
