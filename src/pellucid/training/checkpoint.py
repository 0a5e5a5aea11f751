"""Checkpoints: everything that a training needs to go on exactly as if it had never stopped.

Random streams are not stored: each is made from the seed and the number of its epoch or step. What a training
is given is stored, data as hashes: it goes on from a checkpoint of the same settings and the same data only. Its
length may be changed: see :mod:`pellucid.training.extension`.
"""

import json
import warnings
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

from pellucid.data.dataset import Dataset
from pellucid.data.hashing import data_hash
from pellucid.errors import FormatError
from pellucid.nn.model import Model
from pellucid.registry import check_option
from pellucid.registry.configurable import name_of
from pellucid.tensors import read_header, read_tensors, write_tensors
from pellucid.text import shown
from pellucid.training.events import TrainingState
from pellucid.training.extension import check_length, set_rates_from_here, settings_of_length
from pellucid.training.saved_state import check_array, saved_number, saved_position
from pellucid.types import Array, with_prefix

FORMAT_VERSION = 2
FILES = "step-*.checkpoint"
_KEY = "pellucid_checkpoint"
_NOTHING = "nothing"  # in place of a setting that only the other training has
_READING: dict[str, str] = {"kind": "checkpoint", "advice": "Remove it to go on from an earlier one."}


class Saved(NamedTuple):
    """What a checkpoint holds, compared with the training that goes on from it."""

    path: Path
    header: dict[str, Any]
    arrays: dict[str, Array]
    has_new_rates: bool = False  # from here on: a learning rate or a schedule of another choice


def checkpoints_of(folder: str | Path) -> list[Path]:
    """Return the checkpoints of a folder in the order in which they were written."""
    return sorted(Path(folder).glob(FILES), key=lambda path: (path.stat().st_mtime_ns, path.name))


def latest_checkpoint(folder: str | Path) -> Path:
    """Return the checkpoint of a folder that was written last.

    Raises
    ------
    FormatError
        If there is none.
    """
    found = checkpoints_of(folder)
    if not found:
        raise FormatError(f"{folder}: there is no checkpoint to resume from (expected step-N.checkpoint).")
    return found[-1]


def save_checkpoint(run: TrainingState, path: Path) -> None:
    """Write the state of a run, whole or not at all."""
    owners = _owners(run)
    header: dict[str, Any] = {
        "format_version": FORMAT_VERSION,
        "settings": _settings(run),
        "position": [run.epoch, run.step, run.step_in_epoch],
        "epoch_loss": [run.epoch_loss, run.epoch_weight],
        "history": run.history.columns,
        "owners": list(owners),
    }
    arrays = _arrays_of(run.model) | {f"form/{key}": value for key, value in run.form.state().items()}
    for name, owner in owners.items():
        state = owner.state()
        header[name] = {key: value for key, value in state.items() if not hasattr(value, "dtype")}
        arrays |= {f"{name}/{key}": value for key, value in state.items() if hasattr(value, "dtype")}
    write_tensors(path, _KEY, header, arrays)


def open_checkpoint(run: TrainingState, path: str | Path) -> Saved:
    """Return what a checkpoint holds for a run that is about to start.

    Raises
    ------
    FormatError
        If the file is missing, cut off, not a checkpoint, of a training with other settings or data, or of one of
        another length that this one cannot go on from. Other kernels, or another number of ranks, give a warning:
        they compute the same but for the last digits.
    """
    path = Path(path)
    if path.is_dir():
        path = latest_checkpoint(path)
    saved = Saved(path, *read_checkpoint(path))
    known, wanted, has_new_rates = saved.header.get("settings"), _settings(run), False
    if isinstance(known, dict):
        wanted = {key: value for key, value in wanted.items() if key != "columns" or key in known}
        wanted, has_new_rates = settings_of_length(known, wanted)
        if known != wanted and (changed := _last_digits(known, wanted)):
            began, goes_on = (
                ", ".join(f"{name}={settings.get(name, 1)!r}" for name in changed)
                for settings in (known, wanted)
            )
            warnings.warn(
                f"{path}: this training goes on with {goes_on}, it began with {began}: the last digits will differ "
                "from those of one that never stopped.",
                RuntimeWarning,
                stacklevel=2,
            )
            known = wanted
    if known != wanted:
        name, a, b = _first_difference("", known, wanted)
        raise FormatError(
            f"{path}: the checkpoint has {name} = {_short(a)}, this training {name} = {_short(b)}. Use the same "
            "settings and data, or start again."
        )
    try:
        check_length(run, path, saved.header, has_new_rates=has_new_rates)
    except (KeyError, ValueError, TypeError) as error:
        raise _of_file(path, error) from None
    return saved._replace(has_new_rates=has_new_rates)


def _last_digits(known: dict[str, Any], wanted: dict[str, Any]) -> list[str]:
    """Return the settings in which two trainings differ, where these change the last digits alone; else nothing.

    Examples
    --------
    >>> _last_digits({"kernels": "numpy", "seed": 1}, {"kernels": "numpy", "seed": 1, "n_ranks": 2})
    ['n_ranks']
    """
    if not isinstance(known.get("kernels"), str) or not isinstance(known.get("n_ranks", 1), int):
        return []  # of a damaged file
    changed = [name for name in ("kernels", "n_ranks") if known.get(name) != wanted.get(name)]
    free = {*changed, "n_threads"} if "n_ranks" in changed else {*changed}
    fixed = ({name: its[name] for name in its.keys() - free} for its in (known, wanted))
    return changed if next(fixed) == next(fixed) else []


def restore(run: TrainingState, saved: Saved) -> None:
    """Put a run that has just started where a checkpoint was written.

    Raises
    ------
    FormatError
        If something in it does not fit the run.
    """
    path, header, arrays, has_new_rates = saved
    chosen = run.optimizer.config()
    try:
        if arrays["theta"].shape != run.model.theta.shape:
            raise FormatError(f"{path}: it holds another number of parameters than the model.")
        owners, of_file = _owners(run), header["owners"]
        if has_new_rates:
            owners.pop("schedule", None)
            of_file = [name for name in of_file if name != "schedule"]
        if of_file != list(owners):
            theirs, here = ", ".join(of_file), ", ".join(owners)
            raise FormatError(f"{path}: it holds the state of {theirs}; this training has {here}.")
        epoch, step, step_in_epoch = saved_position(header["position"], run.n_steps)
        columns = _columns(header["history"], epoch)
        epoch_loss, epoch_weight = (saved_number("epoch_loss", each, 0.0) for each in header["epoch_loss"])
        kept = _arrays_of(run.model)
        for name, array in kept.items():
            check_array(f"{path}: {name}", arrays[name], array)
        for name, array in kept.items():
            array[...] = arrays[name]
        run.form.load_state(with_prefix("form/", arrays))
        for name, owner in owners.items():
            owner.load_state({**header[name], **with_prefix(f"{name}/", arrays)})
        run.epoch, run.step, run.step_in_epoch = epoch, step, step_in_epoch
        run.epoch_loss, run.epoch_weight, run.history.columns = epoch_loss, epoch_weight, columns
        set_rates_from_here(run, chosen, header["settings"]["optimizer"], has_new_rates=has_new_rates)
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise _of_file(path, error) from None


def _arrays_of(model: Model) -> dict[str, Array]:
    """Return the parameters and the layers' state, by the names that they have in the file."""
    states = ((i, leaf.state) for i, leaf in enumerate(model._leaves()))
    return {"theta": model.theta, **{f"state.{i}.{key}": state[key] for i, state in states for key in state}}


def _of_file(path: Path, error: Exception) -> FormatError:
    """Return an error that names the checkpoint."""
    if isinstance(error, FormatError):
        return FormatError(str(error) if str(path) in str(error) else f"{path}: {error}")
    return FormatError(f"{path}: it does not fit this training ({error}).")


def _columns(history: Any, epoch: int) -> dict[str, list[float]]:
    """Return the columns of a history, of one length, that of the epochs that are over."""
    columns = check_option("checkpoint", "history", history, dict[str, list[Any]])
    lengths = {len(column) for column in columns.values()} or {0}
    if len(lengths) > 1 or not epoch <= lengths.pop() <= epoch + 1:
        raise ValueError(f"a history of other epochs than the {epoch} that are over")
    for value in chain(*columns.values()):  # NaN and infinite ones are values, too
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ValueError(f"expected numbers in the history, got {shown(value)}")
    return columns


def _owners(run: TrainingState) -> dict[str, Any]:
    """Return all that has a state of its own, by the name that it has in the file."""
    owners: dict[str, Any] = {"optimizer": run.optimizer}
    if run.schedule is not None:
        owners["schedule"] = run.schedule
    stateful = [one for one in run.callbacks if hasattr(one, "state") and hasattr(one, "load_state")]
    return owners | _by_name(stateful)


def _by_name(callbacks: list[Any]) -> dict[str, Any]:
    """Return callbacks by the names of their classes, numbered where there are several of one."""
    named: dict[str, Any] = {}
    for callback in callbacks:
        name, n = name_of(type(callback)), 1
        while (key := name if n == 1 else f"{name} {n}") in named:
            n += 1
        named[key] = callback
    return named


def _settings(run: TrainingState) -> dict[str, Any]:
    """Return all that a training must have in common with the one that it goes on from, as JSON has it."""
    if run.compared is not None:
        return run.compared
    changing = _by_name([one for one in run.callbacks if getattr(one, "changes_training", False)])
    callbacks = {name: callback.config() for name, callback in changing.items()}
    settings = {**run.settings, **callbacks, **run.hashes()}
    run.compared = json.loads(json.dumps(settings, default=_in_json))
    return run.compared


def _in_json(value: Any) -> Any:
    if isinstance(value, Dataset):
        return data_hash(value)
    if hasattr(value, "tolist"):
        return value.tolist()
    return getattr(value, "__qualname__", repr(value))


def _first_difference(name: str, saved: Any, wanted: Any) -> tuple[str, Any, Any]:
    """Return the name of the first setting that differs, and its two values.

    Examples
    --------
    >>> _first_difference("", {"optimizer": {"type": "sgd"}}, {"optimizer": {"type": "adam"}})
    ('optimizer.type', 'sgd', 'adam')
    """
    pairs: Any = ()
    if isinstance(saved, dict) and isinstance(wanted, dict):
        pairs = [(key, saved.get(key, _NOTHING), wanted.get(key, _NOTHING)) for key in {**saved, **wanted}]
    elif isinstance(saved, list) and isinstance(wanted, list) and len(saved) == len(wanted):
        pairs = zip(range(len(saved)), saved, wanted, strict=True)
    for key, a, b in pairs:
        if a != b:
            return _first_difference(f"{name}.{key}" if name else str(key), a, b)
    return name, saved, wanted


def _short(value: Any) -> str:
    text = value if value is _NOTHING else json.dumps(value)
    return text if len(text) <= 60 else text[:57] + "..."


def checkpoint_settings(path: str | Path) -> dict[str, Any]:
    """Return what a training must agree on to go on from a checkpoint, or from the newest of a folder.

    Raises
    ------
    FormatError
        As :func:`open_checkpoint` does.
    """
    path = Path(path)
    settings = _header(latest_checkpoint(path) if path.is_dir() else path).get("settings")
    return settings if isinstance(settings, dict) else {}


def position_of(path: str | Path) -> list[int]:
    """Return how many epochs, steps, and steps of the epoch that was open, were made when a checkpoint was written.

    Raises
    ------
    FormatError
        As :func:`open_checkpoint` does.
    """
    position = _header(Path(path)).get("position")
    if not isinstance(position, list) or len(position) != 3:
        raise FormatError(f"{path}: it does not say how many epochs were made. {_READING['advice']}")
    return [saved_number(f"{path}: position", number, 0) for number in position]


def read_checkpoint(path: str | Path) -> tuple[dict[str, Any], dict[str, Array]]:
    """Return the header and the arrays of a checkpoint; FormatError if it is not a whole one of this version."""
    header, arrays = read_tensors(path, _KEY, **_READING)
    return _checked(path, header), arrays


def _header(path: Path) -> dict[str, Any]:
    return _checked(path, read_header(path, _KEY, **_READING))


def _checked(path: str | Path, header: dict[str, Any]) -> dict[str, Any]:
    if header.get("format_version") != FORMAT_VERSION:
        raise FormatError(
            f"{path}: not a checkpoint of this pellucid. Resume with the version that wrote it."
        )
    return header
