"""The [training] table of a TOML file: checked here, turned into optimizers and schedules by the training code."""

import re
from collections.abc import Mapping
from typing import Any

from pellucid.errors import OptionError
from pellucid.formats.toml.layers import naming_options
from pellucid.formats.toml.lines import KeyPath
from pellucid.formats.toml.source import TomlSource
from pellucid.ops.losses.base import LOSSES
from pellucid.registry import NO_LIMITS, flags_of, options_of
from pellucid.training.optimizers.base import OPTIMIZERS, Optimizer
from pellucid.training.options import TABLES, TrainingOptions

_FIELDS = {
    key: name
    for key, name in flags_of(TrainingOptions).items()
    if not name.endswith("_options") and name not in ("dtype", "form", "n_threads", "kernels")
}
TRAINING_KEYS = tuple(_FIELDS)


def training_optimizer(training: Mapping[str, Any]) -> Optimizer | None:
    """Return a new optimizer as a checked [training] table describes it; None where it names none.

    Examples
    --------
    >>> training_optimizer({"optimizer": "adam", "learning_rate": 0.01}).learning_rate
    0.01
    >>> training_optimizer({"loss": "hinge"}) is None
    True
    """
    given = {key: training[key] for key in ("learning_rate", "weight_decay") if key in training}
    if not given and "optimizer" not in training:
        return None
    name, options = OPTIMIZERS.split(training.get("optimizer", "sgd"))
    for key in given:
        if key in options:
            raise OptionError(f"{key}: given twice, under [training] and for the optimizer. Leave one out.")
    return OPTIMIZERS.make(name, **options, **given)


def read_training(source: TomlSource, at: KeyPath, value: Any) -> dict[str, Any]:
    """Return the [training] table by the fields of TrainingOptions, every key and value checked.

    Raises
    ------
    FormatError
        With the line, what was expected and the nearest valid name.
    """
    table = source.table(at, value, "a table")
    source.check_keys(at, table, TRAINING_KEYS, "key of [training]")
    known = options_of(TrainingOptions)
    for key, value in table.items():
        hint, limits = known[_FIELDS[key]]
        if key in TABLES:
            _check_named(source, (*at, key), key, value)
        elif limits.choices is not None:
            source.one_of((*at, key), value, key, limits.choices())
        else:
            source.checked((*at, key), "training", key, value, hint, limits)
    with naming_options(source, at, {re.escape(key): (*at, key) for key in table}):
        training_optimizer(table)  # are they compatible?
    if "loss" in table and table.get("label_smoothing"):
        name, options = LOSSES.split(table["loss"])
        if "label_smoothing" in options or "label_smoothing" not in options_of(LOSSES[name]):
            why = "has it among its own options" if "label_smoothing" in options else "takes none"
            raise source.fault((*at, "label_smoothing"), f"label_smoothing: {name} {why}. Leave it out.")
    return {_FIELDS[key]: value for key, value in table.items()}


def _check_named(source: TomlSource, at: KeyPath, kind: str, value: Any) -> None:
    """Check a name, or a table of a type and its options."""
    if not isinstance(value, dict):
        value = {"type": source.one_of(at, value, kind, TABLES[kind])}
    elif "type" not in value:
        raise source.fault(at, f"{kind}: type is missing. Known: {', '.join(sorted(TABLES[kind]))}.")
    else:
        source.one_of((*at, "type"), value["type"], kind, TABLES[kind])
    name, options = TABLES[kind].split(value)
    declared = options_of(TABLES[kind][name])
    for key, value in options.items():
        source.checked((*at, key), name, key, value, *declared.get(key, (Any, NO_LIMITS)))
    with naming_options(source, at, {re.escape(key): (*at, key) for key in options}):
        TABLES[kind].make(name, **options)
