"""A run as the command that asks for it: its data, its model, and the options that are not the recipe's."""

import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from pellucid.data.source import DataSource
from pellucid.errors import PellucidError, TrainingError
from pellucid.formats.architecture import load_architecture
from pellucid.registry import flags_of
from pellucid.runs.config import RunConfig
from pellucid.training.options import NONE, TrainingOptions, make_optimizer
from pellucid.training.recipes import GENERAL, RECIPES

# Options that `find-lr` does not take
NOT_OF_A_SEARCH = (
    "learning_rate",
    "validation",
    "patience",
    "weight_ema",
    "precise_bn",
    "form",
    "minutes",
    "positive",
)
# Options that are kept where another model is trained
OF_ANY_MODEL = ("class_weight", "validation", "positive")


def command_line(verb: str, config: RunConfig, **changes: Any) -> str:
    """Return the command that trains as a run was trained, but for some changes.

    Parameters
    ----------
    verb : str
        The command, such as ``"train"``.
    config : RunConfig
    **changes
        Options of the training by name, ``freeze``, and ``model``; another model is trained by a recipe of its own.

    Examples
    --------
    >>> from pellucid.runs.build import plan
    >>> config = plan("mlp", DataSource("my pets", image_size=(64, 64)), weight_decay=0.01).config
    >>> command_line("train", config, model="cnn")
    "pellucid train 'my pets' --image-size 64x64 --model cnn"
    >>> command_line("train", config, n_epochs=100)
    "pellucid train 'my pets' --image-size 64x64 --model mlp --epochs 100 --weight-decay 0.01"
    """
    model, freeze = changes.pop("model", config.model), changes.pop("freeze", config.freeze)
    is_same = model == config.model
    chosen = {name: value for name, value in _chosen(config).items() if is_same or name in OF_ANY_MODEL}
    network = ["--model", shlex.quote(model)]
    if config.start is not None and is_same:
        network = ["--start", shlex.quote(_here(model)), *(["--freeze", freeze] if freeze else [])]
    parts = ["pellucid", verb, *data_parts(config.source), *network]
    if is_same:
        for name in ("body", "pixels", "unfreeze"):
            parts += _flag(name, _here(getattr(config, name)))
    options = {**chosen, **changes}
    if verb == "find-lr":
        options = {name: value for name, value in options.items() if name not in NOT_OF_A_SEARCH}
    for flag, name in flags_of(TrainingOptions).items():
        if name in options and not (name == "seed" and config.source.seed == options[name]):
            parts += _flag(flag, options[name])
    return " ".join(parts)


@contextmanager
def naming_a_cure(config: RunConfig) -> Iterator[None]:
    """Add to the error of a training that diverged the command that finds a learning rate."""
    try:
        yield
    except TrainingError as error:
        if config.start is not None or make_optimizer(config.options).is_full_batch:
            raise
        raise TrainingError(f"{error} To find a rate: {command_line('find-lr', config)}") from None


def _here(path: Any) -> Any:
    """Return a path as it is written from the current folder; any other value as it is."""
    is_inside = isinstance(path, str) and Path(path).is_absolute() and Path(path).is_relative_to(Path.cwd())
    return str(Path(path).relative_to(Path.cwd())) if is_inside else path


def data_parts(source: DataSource) -> list[str]:
    """Return a data source as a command names it: its name, then the options of its reader.

    Examples
    --------
    >>> data_parts(DataSource("wine.csv", target="quality", seed=3))
    ['wine.csv', '--target', 'quality', '--seed', '3']
    """
    name, options = source.name if source.kind == "built-in" else _here(source.name), source.to_dict()
    own = [part for key, value in options.items() if key != "name" for part in _flag(key, value)]
    return [shlex.quote(name), *own]


def check_command(source: DataSource) -> str:
    """Return the command that checks data; files that cannot be read are what it reports.

    Examples
    --------
    >>> check_command(DataSource("pets", skip_bad=True))
    'pellucid data check pets'
    """
    return " ".join(["pellucid data check", *data_parts(replace(source, skip_bad=False))])


def _chosen(config: RunConfig) -> dict[str, Any]:
    """Return the options of a run's training that are not its recipe's or its network's file's."""
    recipe, table = GENERAL if config.recipe is None else RECIPES[config.recipe], None
    if config.recipe is None:
        try:
            table = load_architecture(config.model).training
        except PellucidError:  # the file is no longer there, or another
            return {}
    usual = TrainingOptions.resolve(recipe, table)
    smoothing = recipe.get("label_smoothing")
    counts = smoothing is not None or config.start is not None  # where 0 is a choice
    decided = {
        "label_smoothing": (None, smoothing) if counts else (None, smoothing, 0.0),
        "batch_size": (0, usual.batch_size),
    }
    found = {}
    for name in flags_of(TrainingOptions).values():
        value = getattr(config.options, name)
        if value != getattr(usual, name) and value not in decided.get(name, ()):
            found[name] = value
    if "optimizer" in found:  # which brought its own
        usual = TrainingOptions.resolve(recipe, table, optimizer=found["optimizer"])
        found = {
            name: value
            for name, value in found.items()
            if value != getattr(usual, name) or name == "optimizer"
        }
    return found


def _word(text: str) -> str:
    """Return a word of several with commas between them, in double quotes where it has one itself."""
    return '"' + text.replace('"', '""') + '"' if set(text) & set(',"') else text


def _flag(name: str, value: Any) -> list[str]:
    flag = "--" + name.replace("_", "-")
    if value is None:
        return [flag, NONE] if name == "augment" else []
    if isinstance(value, bool):
        return [flag] if value else [f"--no-{flag[2:]}"]
    if isinstance(value, list | tuple):
        words = all(isinstance(one, str) for one in value)
        text = ",".join(map(_word, value)) if words else "x".join(map(str, value))
        return [flag, shlex.quote(text)] if value else []
    if isinstance(value, dict):
        return (
            [flag, shlex.quote(",".join(f"{_word(key)}={part}" for key, part in value.items()))]
            if value
            else []
        )
    return [flag, shlex.quote(f"{value:g}" if isinstance(value, float) else str(value))]
