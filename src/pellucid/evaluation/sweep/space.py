"""The space of a sweep: which options are tried, and their values, as a TOML file says.

::

    learning_rate = { log = [1e-4, 1e-1] }     # as likely in each decade
    epochs = { range = [10, 40] }              # between whole numbers: whole numbers
    optimizer = ["adamw", { type = "sgd", momentum = 0.9 }]
    layers.1.units = [16, 32, 64]              # of the network's file, counted from 0

"""

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pellucid.errors import FormatError, OptionError, PellucidError, unknown_name
from pellucid.formats.architecture import load_architecture
from pellucid.formats.toml.lines import KeyPath
from pellucid.formats.toml.source import TomlSource, dotted, in_words
from pellucid.formats.toml.training import TRAINING_KEYS, read_training
from pellucid.nn.presets import PRESETS

if TYPE_CHECKING:
    from optuna import Trial

MODEL = "model"
NETWORK = ("layers", "nodes")  # tables of the network's file
OF_NAMED = ("optimizer_options", "schedule_options", "loss_options")
RANGES = ("log", "range")  # of numbers: as likely in each decade, or evenly
KNOWN = (*(key for key in TRAINING_KEYS if key != "seed"), MODEL, *NETWORK, *OF_NAMED)
DIGITS = 4  # of a drawn number: as it is written, so it is trained
MOST_CHOICES = 1000
MOST = 1e15  # of a number


@dataclass(frozen=True)
class Space:
    """What is tried of each option.

    Attributes
    ----------
    entries : dict of str to (list or IntDistribution or FloatDistribution)
        By the option's name, dotted where it is one of a layer.
    tables : dict
        The file, as it was read.
    """

    entries: dict[str, Any]
    tables: dict[str, Any]

    @property
    def n_combinations(self) -> int | None:
        """How many there are; None where a number is drawn from a range."""
        values = self.entries.values()
        return math.prod(map(len, values)) if all(isinstance(one, list) for one in values) else None

    def suggest(self, trial: "Trial") -> None:
        """Let Optuna choose a value of every option that the trial has none of; of a list, as JSON."""
        from optuna.distributions import CategoricalDistribution

        for name, values in self.entries.items():
            is_list = isinstance(values, list)
            trial._suggest(name, CategoricalDistribution([*map(json.dumps, values)]) if is_list else values)

    def options(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Return the values that Optuna chose as a training takes them."""
        return {
            name: json.loads(params[name]) if isinstance(values, list) else _written(values, params[name])
            for name, values in self.entries.items()
            if name in params
        }

    def combination(self, number: int) -> dict[str, str]:
        """Return the combination of that number, from 0, as Optuna knows it; where there are no ranges.

        Examples
        --------
        >>> Space({"batch_size": [16, 32], "epochs": [5, 10, 15]}, {}).combination(4)
        {'batch_size': '32', 'epochs': '10'}
        """
        found: dict[str, str] = {}
        for name, values in reversed(self.entries.items()):
            number, i = divmod(number, len(values))
            found[name] = json.dumps(values[i])
        return {name: found[name] for name in self.entries}


def _written(ends: Any, value: float) -> float:
    """Return a number of a range as it is written: whole, or with four digits."""
    if isinstance(ends.low, int):
        return round(value)
    return float(np.clip(float(f"{value:.{DIGITS}g}"), ends.low, ends.high))


def is_of_network(name: str) -> bool:
    """Return whether an option is of the network's file.

    Examples
    --------
    >>> is_of_network("layers.1.units"), is_of_network("epochs")
    (True, False)
    """
    return name.partition(".")[0] in NETWORK


def read_space(space: str | Path | Mapping[str, Any], model: str) -> Space:
    """Return the space of a TOML file or a mapping, every value of which suits its option.

    Parameters
    ----------
    space : str, Path or mapping
        Of a mapping, keys may be dotted: ``{"layers.1.units": [16, 32]}``.
    model : str
        The preset or TOML file whose options are tried.

    Raises
    ------
    FormatError
        With the key, and of a file with its line: what was expected, and the nearest valid name.

    Examples
    --------
    >>> read_space({"learning_rate": {"log": [1e-4, 1e-1]}, "batch_size": [16, 32]}, "mlp").entries
    {'batch_size': [16, 32], 'learning_rate': FloatDistribution(high=0.1, log=True, low=0.0001, step=None)}
    >>> read_space({"lerning_rate": [0.1]}, "mlp")
    Traceback (most recent call last):
        ...
    pellucid.errors.FormatError: space, line 1: unknown option 'lerning_rate'. Did you mean 'learning_rate'? ...
    """
    source = _of_mapping(space) if isinstance(space, Mapping) else TomlSource(space)
    if not source.data:
        raise FormatError(
            f"{source.name}: the space is empty. Write such as: learning_rate = {{ log = [1e-4, 1e-1] }}"
        )
    entries = {dotted(path): _read(source, path, value, model) for path, value in _leaves(source)}
    if MODEL in entries and any(map(is_of_network, entries)):
        raise source.fault(
            (MODEL,), "model: options of layers are those of one network. Leave one of both out."
        )
    return Space(entries, source.data)


def _of_mapping(space: Mapping[str, Any]) -> TomlSource:
    import tomli_w

    tables: dict[str, Any] = {}
    for name, value in space.items():
        *above, last = str(name).split(".")
        place = tables
        for key in above:
            place = place.setdefault(key, {})
        place[last] = list(value) if isinstance(value, tuple) else value
    try:
        return TomlSource("space", tomli_w.dumps(tables))
    except (TypeError, AttributeError, ValueError) as error:
        raise OptionError(
            f"space: expected options with lists of values, as TOML can hold them: {error}."
        ) from None


def _leaves(source: TomlSource) -> Iterator[tuple[KeyPath, Any]]:
    """Yield each option's path and what is written for it."""

    def walk(path: KeyPath, value: Any) -> Iterator[tuple[KeyPath, Any]]:
        is_table = isinstance(value, dict) and not any(key in value for key in RANGES)
        if not is_table or path[0] not in (*NETWORK, *OF_NAMED):
            yield path, value
            return
        if not value:
            raise source.fault(
                path, f"{dotted(path)}: expected options with their values, got an empty table."
            )
        for key, inner in value.items():
            yield from walk((*path, key), inner)

    for key, value in source.data.items():
        if key not in KNOWN:
            raise source.fault((key,), unknown_name("option", key, KNOWN))
        yield from walk((key,), value)


def _read(source: TomlSource, path: KeyPath, value: Any, model: str) -> Any:
    """Return the values of one option, each checked."""
    name = dotted(path)
    if isinstance(value, dict):
        found = _read_range(source, path, value)
        ends = found if isinstance(found, list) else [found.low, found.high]
    elif isinstance(value, list) and 0 < len(value) <= MOST_CHOICES:
        found = ends = value
    else:
        wanted = f"a list of values (1 to {MOST_CHOICES}), {{ log = [from, to] }} or {{ range = [from, to] }}"
        raise source.fault(path, f"{name}: expected {wanted}, got {in_words(value)}.")
    for one in ends:
        _check(source, path, one, model)
    return found


def _read_range(source: TomlSource, path: KeyPath, table: dict[str, Any]) -> Any:
    """Return a range as Optuna's distribution, or its steps."""
    from optuna.distributions import FloatDistribution, IntDistribution

    name, kinds = dotted(path), [kind for kind in RANGES if kind in table]
    source.check_keys(path, table, (*RANGES, "steps"), f"key of {name}")
    try:
        (kind,) = kinds
        low, high = ends = table[kind]
        if not all(type(end) in (int, float) and abs(end) < MOST for end in ends):
            raise ValueError(f"expected two numbers, got {in_words(ends)}")
        is_whole = type(low) is type(high) is int
        found = (IntDistribution if is_whole else FloatDistribution)(low, high, log=kind == "log")
        steps = table.get("steps")
        if steps is None:
            return found
        if type(steps) is not int or not 2 <= steps <= MOST_CHOICES:
            raise ValueError(f"expected steps to be a whole number from 2 to {MOST_CHOICES}")
    except (TypeError, ValueError) as error:
        raise source.fault(
            path, f"{name}: expected numbers such as {{ log = [1e-4, 1e-1], steps = 5 }}: {error}."
        ) from None
    values = (np.geomspace if found.log else np.linspace)(low, high, steps).tolist()
    return list(dict.fromkeys(_written(found, one) for one in values))


def _check(source: TomlSource, path: KeyPath, value: Any, model: str) -> None:
    """Raise FormatError, with the line of the space, unless a value suits its option."""
    name, top = dotted(path), path[0]
    if top in OF_NAMED:
        if len(path) != 2:
            raise source.fault(path, f"{name}: expected {top}.NAME, such as optimizer_options.momentum.")
        return  # whose names depend on what it is an option of
    if top not in (MODEL, *NETWORK):
        read_training(source, (), {top: value})
        return
    is_network = top in NETWORK
    if is_network and not model.endswith(".toml"):
        raise source.fault(
            path, f"{name}: it is an option of a network's file, and {model} is a preset. Name a .toml file."
        )
    if not is_network and value in [*PRESETS]:
        return
    if not is_network and not str(value).endswith(".toml"):
        raise source.fault(path, f"{unknown_name('preset', value, PRESETS)} Or name a .toml file.")
    try:
        load_architecture(*((model, {path: value}) if is_network else (value,)))
    except PellucidError as error:
        raise source.fault(path, f"{name} = {in_words(value)}: {error}") from None
