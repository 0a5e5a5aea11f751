"""Which options hold: the given, the file's, the model's own recipe, the optimizer's defaults."""

from typing import Any

import pytest

from pellucid.app.config import training_config


def chosen(config: Any) -> tuple[str, float, float, str | None]:
    return config.optimizer, config.learning_rate, config.weight_decay, config.schedule


@pytest.mark.parametrize(
    ("table", "options", "wanted"),
    [
        ({}, {}, ("adamw", 0.002, 0.01, "one_cycle")),
        ({"epochs": 3}, {}, ("adamw", 0.002, 0.01, "one_cycle")),
        ({"optimizer": "sgd"}, {}, ("sgd", 0.0075, 0.0, None)),
        ({"optimizer": "adamw", "learning_rate": 0.1}, {}, ("adamw", 0.1, 0.01, None)),
        ({"optimizer": "adamw", "schedule": "cosine"}, {"optimizer": "adam"}, ("adam", 0.001, 0.0, None)),
    ],
)
def test_a_file_that_names_its_optimizer_gets_that_ones_defaults(
    table: dict[str, Any], options: dict[str, Any], wanted: tuple[Any, ...]
) -> None:
    assert chosen(training_config(table, model="net.toml", **options)) == wanted


def test_another_optimizer_than_the_recipes_gets_its_own_defaults() -> None:
    assert chosen(training_config(model="cnn", optimizer="sgd")) == ("sgd", 0.0075, 0.0, None)
    assert chosen(training_config(model="cnn", optimizer="adamw")) == ("adamw", 0.015, 0.05, "one_cycle")
    assert chosen(training_config(model="mlp", learning_rate=0.1)) == ("sgd", 0.1, 0.0, None)
