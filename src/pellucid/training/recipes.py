"""How each preset is trained unless something else is asked for: fields of TrainingOptions."""

from typing import Any

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

RECIPES: dict[str, dict[str, Any]] = {
    "logistic": TUTORIAL,
    "two-layer": TUTORIAL,
    "mlp": TUTORIAL,
    "mlp-wide": {**GENERAL, "batch_size": 64},
    "cnn": {
        **GENERAL,
        "n_epochs": 120,
        "learning_rate": 0.015,
        "weight_decay": 0.05,
        "augment": "photo-cutmix",
        "label_smoothing": 0.1,
        "precise_bn": True,
    },
    "resnet-small": {
        **GENERAL,
        "n_epochs": 60,
        "learning_rate": 0.01,
        "weight_decay": 0.05,
        "augment": "photo",
    },
    "transfer": GENERAL,  # of a model that begins from a trained one: see pellucid.nn.transfer
}
