"""From names to objects: what the options of a training name is made, and what is left out is filled in."""

from collections.abc import Mapping
from typing import Any

from pellucid.data.augmentation.augment import Augment, augment_preset
from pellucid.data.dataset import Dataset
from pellucid.errors import OptionError
from pellucid.nn.model import Model
from pellucid.training.callbacks.early_stopping import EarlyStopping
from pellucid.training.callbacks.precise_bn import PreciseBatchNorm
from pellucid.training.callbacks.weight_ema import WeightEMA
from pellucid.training.events import Callback
from pellucid.training.loss_setup import AUTO
from pellucid.training.optimizers.base import OPTIMIZERS, Optimizer
from pellucid.training.options import TrainingOptions, bound_to_optimizer
from pellucid.training.plan import Plan
from pellucid.training.recipes import GENERAL, RECIPES
from pellucid.training.schedules.base import SCHEDULES


def recipe_of(model: Model) -> dict[str, Any]:
    """Return the recipe of the preset that a model was made from, else the general one."""
    return GENERAL if model.recipe is None else RECIPES[model.recipe]


def plan_from(options: TrainingOptions, **objects: Any) -> Plan:
    """Return the plan that options describe; objects take the place of what the options name.

    Examples
    --------
    >>> plan_from(TrainingOptions(n_epochs=5, optimizer="adam", learning_rate=0.01)).optimizer.learning_rate
    0.01
    """
    named: dict[str, Any] = {
        "n_epochs": options.n_epochs,
        "optimizer": objects.get("optimizer") or make_optimizer(options),
        "batch_size": options.batch_size or None,
        "loss": loss_of(options),
        "validation": options.validation,
        "seed": options.seed,
        "dtype": options.dtype,
        "form": options.form,
        "class_weight": options.class_weight,
        "n_threads": options.n_threads,
        "kernels": options.kernels,
    }
    if options.schedule is not None:
        named["schedule"] = SCHEDULES.make(options.schedule, **options.schedule_options)
    if options.augment is not None:
        named["augment"] = augment_preset(options.augment)
    return Plan(**{**named, **objects})


def callbacks_of(options: TrainingOptions, data: Dataset) -> list[Callback]:
    """Return the callbacks that options ask for."""
    callbacks: list[Callback] = []
    if options.weight_ema is not None:
        callbacks.append(WeightEMA(options.weight_ema))
    if options.patience is not None:
        callbacks.append(EarlyStopping(patience=options.patience))
    if options.precise_bn:
        callbacks.append(PreciseBatchNorm(data))
    return callbacks


def fill_in(model: Model, data: Dataset, given: Mapping[str, Any]) -> tuple[TrainingOptions, dict[str, Any]]:
    """Return the options of a training, and the objects that were given in the place of names.

    Parameters
    ----------
    model : Model
        A preset brings its recipe, from which comes what is left out.
    data : Dataset
    given : mapping
        Arguments of :func:`pellucid.training.fit.train`; None counts as left out.

    Raises
    ------
    OptionError
        If an option is wrong, or the number of epochs is left out and nothing brings it.
    """
    named = {name: value for name, value in given.items() if value is not None}
    objects = {name: named.pop(name) for name in list(named) if _is_object(name, named[name])}
    recipe = {} if model.recipe is None else RECIPES[model.recipe]
    if isinstance(objects.get("augment"), Mapping | list | tuple):
        objects["augment"] = Augment.from_config(objects["augment"])
    optimizer: Optimizer | None = objects.get("optimizer")
    if optimizer is not None:
        recipe = _without_rival(recipe, named, optimizer)
        if optimizer.is_full_batch and "n_epochs" not in {**recipe, **named}:
            named["n_epochs"] = getattr(optimizer, "max_iterations", 1) + 1
    if "n_epochs" not in {**recipe, **named}:
        raise OptionError(
            "train: n_epochs is missing. Say how many passes over the data to make, such as n_epochs=50; only a "
            "preset brings a number of its own."
        )
    options = TrainingOptions.resolve(recipe, **named)
    takes_recipe = "loss" not in objects and not (model.has_chosen_loss and options.loss is None)
    return options.for_data(recipe if takes_recipe else {**recipe, "label_smoothing": None}, data.y), objects


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
    if options.label_smoothing is not None:
        chosen["label_smoothing"] = options.label_smoothing
    return {"type": options.loss or AUTO, **chosen} if options.loss or chosen else None


def _is_object(name: str, value: Any) -> bool:
    """Return whether an argument of ``train`` is an object, which options cannot hold, rather than a name."""
    if name == "validation":
        return not isinstance(value, int | float)
    if name == "class_weight":
        return not isinstance(value, str)
    if name == "loss":  # a dictionary without a type has a loss for each output
        kind = value.get("type") if isinstance(value, Mapping) else value
        return not isinstance(kind, str) or kind == AUTO
    if name == "augment":
        return not isinstance(value, str)
    return name in ("shuffle", "sample_weight") or (
        name in ("optimizer", "schedule") and not isinstance(value, str | Mapping)
    )


def _without_rival(
    recipe: Mapping[str, Any], named: Mapping[str, Any], optimizer: Optimizer
) -> dict[str, Any]:
    """Return a recipe without what goes with another optimizer than the one given."""
    for name in ("learning_rate", "weight_decay"):
        if name in named:
            raise OptionError(f"train: {name} is the optimizer's own; give it to {type(optimizer).__name__}.")
    if optimizer.registered_as == recipe.get("optimizer"):
        return dict(recipe)
    rival = ("optimizer", *bound_to_optimizer(is_full_batch=optimizer.is_full_batch))
    return {name: value for name, value in recipe.items() if name not in rival}
