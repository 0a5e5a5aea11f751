"""Optimizers and schedules by name."""

from collections.abc import Mapping
from typing import Any

from pellucid.training.one_cycle import OneCycle
from pellucid.training.optimizers.adam import Adam, AdamW
from pellucid.training.optimizers.adaptive import Adagrad, RMSprop
from pellucid.training.optimizers.base import Optimizer
from pellucid.training.optimizers.lbfgs import LBFGS
from pellucid.training.optimizers.sgd import SGD
from pellucid.training.plateau import ReduceOnPlateau
from pellucid.training.schedules import Constant, Cosine, Exponential, Schedule, Step
from pellucid.training.validate import make_by_name, make_from_config

OPTIMIZERS: dict[str, type[Optimizer]] = {
    "sgd": SGD,
    "rmsprop": RMSprop,
    "adagrad": Adagrad,
    "adam": Adam,
    "adamw": AdamW,
    "lbfgs": LBFGS,
}

SCHEDULES: dict[str, type[Schedule]] = {
    "constant": Constant,
    "step": Step,
    "exponential": Exponential,
    "cosine": Cosine,
    "one_cycle": OneCycle,
    "reduce_on_plateau": ReduceOnPlateau,
}


def get_optimizer(name: str, **options: Any) -> Optimizer:
    """Return a new optimizer.

    Parameters
    ----------
    name : {"sgd", "rmsprop", "adagrad", "adam", "adamw", "lbfgs"}
    **options
        For its constructor.

    Raises
    ------
    OptionError
        If the name or an option is not known (the nearest is told), or a value is out of its bounds.

    Examples
    --------
    >>> get_optimizer("adam", learning_rate=0.01).learning_rate
    0.01
    >>> get_optimizer("adam", learning_rat=0.01)
    Traceback (most recent call last):
        ...
    pellucid.errors.OptionError: adam: unknown option 'learning_rat'. Did you mean 'learning_rate'? Known: ...
    """
    return make_by_name("optimizer", OPTIMIZERS, name, options)


def optimizer_from_config(config: Mapping[str, Any]) -> Optimizer:
    """Return the optimizer that ``config`` describes, not yet started; the inverse of ``Optimizer.config``.

    Examples
    --------
    >>> optimizer_from_config(SGD(0.1, momentum=0.9).config()).config()["momentum"]
    0.9
    """
    return make_from_config("optimizer", OPTIMIZERS, config)


def get_schedule(name: str, **options: Any) -> Schedule:
    """Return a new schedule.

    Parameters
    ----------
    name : {"constant", "step", "exponential", "cosine", "one_cycle", "reduce_on_plateau"}
    **options
        For its constructor.

    Raises
    ------
    OptionError
        If the name or an option is not known (the nearest is told), or a value is out of its bounds.

    Examples
    --------
    >>> get_schedule("cosine", warmup=0.1).config()
    {'type': 'Cosine', 'warmup': 0.1, 'final': 0.0}
    """
    return make_by_name("schedule", SCHEDULES, name, options)


def schedule_from_config(config: Mapping[str, Any]) -> Schedule:
    """Return the schedule that ``config`` describes; the inverse of ``Schedule.config``.

    Examples
    --------
    >>> schedule_from_config({"type": "Cosine", "warmup": 0.1}).warmup
    0.1
    """
    return make_from_config("schedule", SCHEDULES, config)
