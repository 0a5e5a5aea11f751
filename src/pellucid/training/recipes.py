"""How each preset is trained unless something else is asked for."""

from typing import Any

TUTORIAL: dict[str, Any] = {"epochs": 2500, "batch_size": 0, "learning_rate": 0.0075, "optimizer": "sgd"}

RECIPES: dict[str, dict[str, Any]] = {
    "logistic": TUTORIAL,
    "two-layer": TUTORIAL,
    "mlp": TUTORIAL,
    "mlp-wide": {
        "epochs": 50,
        "batch_size": 64,
        "learning_rate": 0.002,
        "optimizer": "adamw",
        "weight_decay": 0.01,
        "schedule": "one_cycle",
    },
    "cnn": {
        "epochs": 120,
        "batch_size": 32,
        "learning_rate": 0.015,
        "optimizer": "adamw",
        "weight_decay": 0.05,
        "schedule": "one_cycle",
        "augment": "photo-cutmix",
        "label_smoothing": 0.1,
        "recalibrate": True,
    },
    "resnet-small": {
        "epochs": 60,
        "batch_size": 32,
        "learning_rate": 0.01,
        "optimizer": "adamw",
        "weight_decay": 0.05,
        "schedule": "one_cycle",
        "augment": "photo",
    },
}
# A network of one's own without a [training] table.
GENERAL: dict[str, Any] = {
    "epochs": 50,
    "batch_size": 32,
    "learning_rate": 0.002,
    "optimizer": "adamw",
    "weight_decay": 0.01,
    "schedule": "one_cycle",
}
