"""What a run was asked for: data, model, and how it is trained."""

import tomllib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import tomli_w

from pellucid.data.dataset import Dataset
from pellucid.data.source import DataSource
from pellucid.errors import OptionError, unknown_name
from pellucid.nn.presets import PRESETS
from pellucid.nn.transfer import RECIPE
from pellucid.training.options import TrainingOptions
from pellucid.training.recipes import GENERAL, RECIPES, UNFREEZE
from pellucid.training.recommend import AUTO

OF_A_NETWORK = ("freeze", "body", "pixels", "unfreeze")  # what is asked of a network that was trained before


class Stage(NamedTuple):
    """The first part of a training that went on at other learning rates."""

    until: int  # the epochs made by its end
    options: TrainingOptions


@dataclass(frozen=True)
class RunConfig:
    """The data and the model of a run, and the options of its training: what config.toml holds.

    Attributes
    ----------
    source : DataSource
    model : str
        A preset, a TOML file, or the trained model that it begins from: a file or a run folder.
    options : TrainingOptions
    photo : str or None
        A new photo that is predicted at the end.
    reason : str
        Why it is this model, where it was chosen for the data ("auto").
    freeze : str or None
        The last layer that is frozen, of a model that begins from a trained one.
    body, pixels : str or None
        The network that the preset "pretrained" begins with, a name or a file, and what that takes of a photo.
    unfreeze : int or None
        How many of its last blocks are trained on.
    stages : tuple of Stage
        How the epochs before were trained, where a training went on at other learning rates; ``options`` are those
        since.
    """

    source: DataSource
    model: str
    options: TrainingOptions
    photo: str | None = None
    reason: str = ""
    freeze: str | None = None
    body: str | None = None
    pixels: str | None = None
    unfreeze: int | None = None
    stages: tuple[Stage, ...] = ()

    @property
    def recipe(self) -> str | None:
        """The recipe it is trained by: a preset's, that of transfers or of unfrozen blocks; None of a TOML file."""
        if self.unfreeze is not None:
            return UNFREEZE
        return RECIPE if self.start is not None else self.model if self.model in RECIPES else None

    @property
    def start(self) -> Path | None:
        """The trained model that it begins from, if any."""
        is_new = self.model in (*PRESETS, AUTO) or self.model.endswith(".toml")
        return None if is_new else Path(self.model)

    @property
    def model_name(self) -> str:
        """A short name of the model: the preset's, or the file's or run folder's without its path."""
        path = Path(self.model)
        return path.parent.name if path.name == "model.safetensors" and path.parent.name else path.stem

    def for_data(self, data: Dataset) -> "RunConfig":
        """Return the configuration with what depends on the training data decided."""
        recipe = GENERAL if self.recipe is None else RECIPES[self.recipe]
        return replace(self, options=self.options.for_data(recipe, data.y))

    def going_on_from(self, before: "RunConfig", n_made: int) -> "RunConfig":
        """Return the configuration of a training that goes on from one that has made some epochs.

        Examples
        --------
        >>> from dataclasses import replace
        >>> cycle = TrainingOptions(n_epochs=3, schedule="one_cycle")
        >>> before = RunConfig(DataSource("drawn-cats"), "mlp", cycle)
        >>> longer = replace(before, options=TrainingOptions(n_epochs=5, schedule="constant"))
        >>> [stage.until for stage in longer.going_on_from(before, 3).stages]
        [3]
        """
        n_made = max(n_made, 1)
        stages = [Stage(min(stage.until, n_made), stage.options) for stage in before.stages]
        last = stages[-1].until if stages else 0
        if last < n_made and _rates(before.options) != _rates(self.options):
            stages.append(Stage(n_made, before.options))
        return replace(self, stages=tuple(stages))

    def to_toml(self) -> str:
        """Return the configuration as a TOML file, paths absolute; what was left open is left out.

        Examples
        --------
        >>> config = RunConfig(DataSource("drawn-cats"), "mlp", TrainingOptions(n_epochs=3))
        >>> RunConfig.from_toml(config.to_toml()) == config
        True
        """
        named = {name: getattr(self, name) for name in ("model", "photo", "reason", *OF_A_NETWORK)}
        own = {name: value for name, value in named.items() if value}
        tables = {"data": self.source.resolved().to_dict(), "training": self.options.to_table()}
        stages = [{"until": stage.until, **stage.options.to_table()} for stage in self.stages]
        return tomli_w.dumps({**own, **tables, **({"stages": stages} if stages else {})})

    @classmethod
    def from_toml(cls, text: str) -> "RunConfig":
        """Return the configuration that ``to_toml`` wrote.

        Raises
        ------
        OptionError
            If a table is missing, or a key or value is wrong.
        """
        tables: dict[str, Any] = tomllib.loads(text)
        for name, kind in (("model", str), ("data", dict), ("training", dict)):
            if not isinstance(tables.get(name), kind):
                raise OptionError(f"config: {name} is missing")
        return cls(
            DataSource.from_dict(tables["data"]),
            tables["model"],
            TrainingOptions.from_table(tables["training"]),
            tables.get("photo"),
            tables.get("reason", ""),
            **{name: tables.get(name) for name in OF_A_NETWORK},
            stages=_stages(tables.get("stages", [])),
        )


def _rates(options: TrainingOptions) -> tuple[Any, ...]:
    """Return what may change where a training goes on."""
    return options.learning_rate, options.schedule, options.schedule_options


def _stages(tables: Any) -> tuple[Stage, ...]:
    known = isinstance(tables, list) and all(
        isinstance(table, dict) and type(table.get("until")) is int for table in tables
    )
    if not known:
        raise OptionError("config: expected stages to be tables, each with until, a number of epochs")
    return tuple(
        Stage(table["until"], TrainingOptions.from_table({k: v for k, v in table.items() if k != "until"}))
        for table in tables
    )


def is_preset(model: str) -> bool:
    """Return whether a model is a preset or "auto" rather than a file; OptionError if it is neither.

    Examples
    --------
    >>> is_preset("mlp"), is_preset("net.toml")
    (True, False)
    """
    if model in PRESETS or model == AUTO:
        return True
    if model.endswith(".toml"):
        return False
    if Path(model).suffix == ".safetensors" or Path(model).exists():
        raise OptionError(
            f"--model: {model} is no .toml file. To begin from a trained model, name it with --start."
        )
    raise OptionError(f"{unknown_name('preset', model, PRESETS)} Or name a .toml file, or auto.")
