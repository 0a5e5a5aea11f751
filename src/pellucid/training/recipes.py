"""How each preset is trained unless something else is asked for: fields of TrainingOptions."""

import copy
from typing import Any

from pellucid.errors import OptionError, unknown_name
from pellucid.registry import validate_call

TUTORIAL: dict[str, Any] = {"n_epochs": 2500, "batch_size": 0, "learning_rate": 0.0075, "optimizer": "sgd"}

# A network of one's own without a [training] table.
GENERAL: dict[str, Any] = {
    "n_epochs": 50,
    "batch_size": 32,
    "learning_rate": 0.002,
    "optimizer": "adamw",
    "weight_decay": 0.01,
    "schedule": "one_cycle",
}

UNFREEZE = "unfreeze"  # of RECIPES, where the last blocks of a pretrained body are trained on

PHOTOS: dict[str, Any] = {
    **GENERAL,
    "n_epochs": 120,
    "learning_rate": 0.015,
    "weight_decay": 0.05,
    "augment": "photo-cutmix",
    "label_smoothing": 0.1,
    "precise_bn": True,
}

# One layer of weights: a logistic or ridge regression, its penalty chosen by folds.
LINEAR: dict[str, Any] = {
    "n_epochs": 1000,
    "batch_size": 0,
    "optimizer": "lbfgs",
    "optimizer_options": {"folds": 5},
}

# After RealMLP (Holzmueller et al., 2024): see benchmarks/tables.py.
REALMLP: dict[str, Any] = {
    "n_epochs": 128,
    "batch_size": 256,
    "learning_rate": 0.05,
    "optimizer": "adamw",
    "optimizer_options": {"beta2": 0.95, "ntk": True},
    "weight_decay": 0.02,
    "schedule": "coslog",
    "label_smoothing": 0.1,
    "scaling": "robust",
    "validation": 0.15,
    "patience": 32,
}

RECIPES: dict[str, dict[str, Any]] = {
    "logistic": TUTORIAL,
    "linear": LINEAR,
    "two-layer": TUTORIAL,
    "mlp": TUTORIAL,
    "mlp-small": {**GENERAL, "learning_rate": 0.01},
    "mlp-wide": {**GENERAL, "batch_size": 64},
    "realmlp": REALMLP,
    "realmlp-mean": REALMLP,
    "cnn-small": {**GENERAL, "n_epochs": 20, "batch_size": 64, "learning_rate": 0.005, "precise_bn": True},
    "cnn": PHOTOS,
    "cnn-large": PHOTOS,
    "resnet-small": {
        **GENERAL,
        "n_epochs": 60,
        "learning_rate": 0.01,
        "weight_decay": 0.05,
        "augment": "photo",
        "precise_bn": True,
    },
    "pretrained": LINEAR,  # of what a frozen network makes of each photo
    # The last blocks of that network, once the last layer is trained (--unfreeze): see docs/benchmarks.md.
    "unfreeze": {
        "n_epochs": 4,
        "batch_size": 32,
        "learning_rate": 0.001,
        "optimizer": "adamw",
        "weight_decay": 0.01,
        "schedule": "one_cycle",
        "augment": "photo",
    },
    # Of a model that begins from a trained one: see pellucid.nn.transfer, and benchmarks/transfer.py.
    "transfer": {**GENERAL, "learning_rate": 0.01},
}


@validate_call("name")
def recipe(name: str) -> dict[str, Any]:
    """Return how a preset is trained unless something else is asked for: arguments of ``pl.train``, to change.

    Parameters
    ----------
    name : str
        A preset, "transfer" for a model that begins from a trained one, or "unfreeze" for the last blocks of a
        pretrained body.

    Returns
    -------
    dict
        A new one at every call.

    Raises
    ------
    OptionError
        If there is no such preset; the nearest name is given.

    Notes
    -----
    Of quantities ``pl.train`` leaves a preset's own label smoothing out.

    Examples
    --------
    >>> recipe("mlp")
    {'n_epochs': 2500, 'batch_size': 0, 'learning_rate': 0.0075, 'optimizer': 'sgd'}
    >>> longer = recipe("cnn") | {"n_epochs": 200}  # pl.train(pl.preset("cnn"), data, **longer)
    """
    if name not in RECIPES:
        raise OptionError(unknown_name("preset", name, RECIPES))
    found = copy.deepcopy(RECIPES[name])
    if "optimizer_options" in found:
        found["optimizer"] = {"type": found["optimizer"], **found.pop("optimizer_options")}
    return found
