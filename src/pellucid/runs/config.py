"""What a run was asked for: data, model, and how it is trained."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import tomli_w

from pellucid.data.dataset import Dataset
from pellucid.errors import OptionError, unknown_name
from pellucid.nn.presets import PRESETS
from pellucid.registry import check_option, flags_of, options_of
from pellucid.training.options import TrainingOptions
from pellucid.training.recipes import GENERAL, RECIPES


@dataclass(frozen=True)
class RunConfig:
    """Which data and model a run is of, and the options of its training.

    Attributes
    ----------
    data : str
        As it was named.
    model : str
        A preset or a TOML file.
    options : TrainingOptions
    target : str or None
        The column of a table that is predicted.
    """

    data: str
    model: str
    options: TrainingOptions
    target: str | None = None

    @property
    def recipe(self) -> str | None:
        """The preset whose recipe it is trained by; None where the model is a file."""
        return self.model if self.model in RECIPES else None

    def for_data(self, data: Dataset) -> "RunConfig":
        """Return the configuration with what depends on the training data decided."""
        recipe = RECIPES.get(self.model, GENERAL)
        return replace(self, options=self.options.for_data(recipe, data.y))

    def to_toml(self) -> str:
        """Return the configuration as a TOML file; what was left open is left out."""
        own = {"data": self.data, "model": self.model, "target": self.target}
        given = {name: value for name, value in own.items() if value is not None}
        return tomli_w.dumps({**given, **self.options.to_table()})

    @classmethod
    def from_toml(cls, text: str) -> "RunConfig":
        """Return the configuration that ``to_toml`` wrote."""
        table = tomllib.loads(text)
        own = {name: table.pop(name) for name in ("data", "model", "target") if name in table}
        return cls(options=TrainingOptions.from_table(table), **own)


def run_config(
    model: str = "mlp",
    table: Mapping[str, Any] | None = None,
    *,
    data: str = "drawn-cats",
    target: str | None = None,
    **options: Any,
) -> RunConfig:
    """Return the configuration of a run, its options resolved: see :meth:`TrainingOptions.resolve`.

    Examples
    --------
    >>> run_config("mlp", n_epochs=10).options.learning_rate
    0.0075
    """
    _check_given(options)
    recipe = RECIPES.get(model, GENERAL)
    return RunConfig(data, model, TrainingOptions.resolve(recipe, table, **options), target)


def _check_given(options: Mapping[str, Any]) -> None:
    """Check each option by the name that it has on the command line."""
    known = options_of(TrainingOptions)
    for flag, name in flags_of(TrainingOptions).items():
        if options.get(name) is not None:
            check_option("training", f"--{flag.replace('_', '-')}", options[name], *known[name])


def is_preset(model: str) -> bool:
    """Return whether a model is named by a preset rather than a file; OptionError if it is neither.

    Examples
    --------
    >>> is_preset("mlp"), is_preset("net.toml")
    (True, False)
    """
    if model in PRESETS:
        return True
    if model.endswith(".toml"):
        return False
    raise OptionError(f"{unknown_name('preset', model, PRESETS)} Or name a .toml file.")
