"""The [training] table of a TOML file: checked here, made into optimizers and schedules by whoever trains."""

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

from pellucid.data.augmentation.augment import AUGMENT_PRESETS
from pellucid.errors import OptionError, PellucidError
from pellucid.formats.signatures import Signature, fits, type_in_words
from pellucid.formats.toml.lines import KeyPath
from pellucid.formats.toml.source import TomlSource, in_words
from pellucid.ops.losses.table import LOSSES, get_loss
from pellucid.training.optimizers.base import Optimizer
from pellucid.training.registry import OPTIMIZERS, SCHEDULES, get_optimizer, get_schedule
from pellucid.training.validate import check_count, check_flag, check_number

_NAMED: Mapping[str, Mapping[str, Any]] = {"loss": LOSSES, "optimizer": OPTIMIZERS, "schedule": SCHEDULES}
_NUMBERS: Mapping[str, Callable[[Any], Any]] = {
    "learning_rate": lambda value: check_number("learning_rate", value, above=0),
    "weight_decay": lambda value: check_number("weight_decay", value, at_least=0),
    "epochs": lambda value: check_count("epochs", value),
    "batch_size": lambda value: check_count("batch_size", value, at_least=0),  # 0: the full batch
    "validation": lambda value: check_number("validation", value, above=0, below=1),
    "patience": lambda value: check_count("patience", value, at_least=0),
    "label_smoothing": lambda value: check_number("label_smoothing", value, at_least=0, below=1),
    "average": lambda value: check_number("average", value, above=0, below=1),
    "seed": lambda value: check_count("seed", value, at_least=0),
}
_NAMES: Mapping[str, Iterable[str]] = {"augment": (*AUGMENT_PRESETS, "none"), "class_weight": ("balanced",)}
_FLAGS = ("recalibrate",)
TRAINING_KEYS = (*_NAMED, *_NAMES, *_NUMBERS, *_FLAGS)


def named_with_options(value: str | Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """Return the name and the options of a loss, an optimizer or a schedule as a file has it.

    Examples
    --------
    >>> named_with_options({"type": "huber", "delta": 2.0}), named_with_options("hinge")
    (('huber', {'delta': 2.0}), ('hinge', {}))
    """
    options = {"type": value} if isinstance(value, str) else dict(value)
    return options.pop("type"), options


def training_optimizer(training: Mapping[str, Any]) -> Optimizer | None:
    """Return a new optimizer as a checked [training] table wants it; None where it leaves it open.

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
    name, options = named_with_options(training.get("optimizer", "sgd"))
    for key in given:
        if key in options:
            raise OptionError(f"{key}: given twice, under [training] and of the optimizer. Leave one out.")
    return get_optimizer(name, **options, **given)


def read_training(source: TomlSource, at: KeyPath, value: Any) -> dict[str, Any]:
    """Return the [training] table as it stands, every key and value checked.

    Raises
    ------
    FormatError
        With the line, what was wanted and the nearest right name.
    """
    table = source.table(at, value, "a table")
    source.check_keys(at, table, TRAINING_KEYS, "key of [training]")
    for key, value in table.items():
        if key in _NAMED:
            _check_named(source, (*at, key), key, value)
        elif key in _NAMES:
            source.one_of((*at, key), value, key, _NAMES[key])
        elif key in _FLAGS:
            _told_at(source, (*at, key), partial(check_flag, key, value))
    for key, check in _NUMBERS.items():
        if key in table:
            if not fits(table[key], float):
                raise source.fault((*at, key), f"{key}: expected a number, got {in_words(table[key])}.")
            _told_at(source, (*at, key), partial(check, table[key]))
    _told_at(source, at, lambda: training_optimizer(table), table)  # do they go together?
    if "loss" in table and table.get("label_smoothing"):
        name, options = named_with_options(table["loss"])
        if "label_smoothing" in options or "label_smoothing" not in LOSSES[name].options:
            why = "has it among its own options" if "label_smoothing" in options else "takes none"
            raise source.fault((*at, "label_smoothing"), f"label_smoothing: {name} {why}. Leave it out.")
    return table


def _check_named(source: TomlSource, at: KeyPath, kind: str, value: Any) -> None:
    """Check a name, or a table of a type and its options."""
    if not isinstance(value, dict):
        value = {"type": source.one_of(at, value, kind, _NAMED[kind])}
    elif "type" not in value:
        known = ", ".join(sorted(_NAMED[kind]))
        raise source.fault(at, f"{kind}: type is missing. Known: {known}.")
    else:
        source.one_of((*at, "type"), value["type"], kind, _NAMED[kind])
    name, options = named_with_options(value)
    if kind != "loss":  # whose table says itself what each option may be
        hints = Signature.of(_NAMED[kind][name]).hints
        for key in options:
            if not fits(options[key], hint := hints.get(key, Any)):
                wanted, came = type_in_words(hint), in_words(options[key])
                raise source.fault((*at, key), f"{name}: {key}: expected {wanted}, got {came}.")
    make: Callable[..., Any] = {"loss": get_loss, "optimizer": get_optimizer, "schedule": get_schedule}[kind]
    _told_at(source, at, lambda: make(name, **options), options)


def _told_at(
    source: TomlSource, at: KeyPath, check: Callable[[], Any], options: Mapping[str, Any] | None = None
) -> None:
    """Call the check; its complaint gets the line of the option that it names first, else that of ``at``."""
    try:
        check()
    except (PellucidError, TypeError, ValueError, ArithmeticError) as error:
        message = str(error)
        named = [key for key in options or () if key in message]
        place = (*at, min(named, key=message.index)) if named else at
        raise source.fault(place, message) from None
