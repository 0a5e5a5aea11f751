"""Checkpoints: everything that a training needs to go on exactly as if it had never stopped.

Random streams are not stored: each is made anew from the seed and the number of its epoch or step.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pellucid.errors import FormatError
from pellucid.tensors import read_tensors, write_tensors
from pellucid.training.events import Run
from pellucid.types import Array

FORMAT_VERSION = 1
FILES = "step-*.checkpoint"
_KEY = "pellucid_checkpoint"


def latest_checkpoint(folder: str | Path) -> Path:
    """Return the newest checkpoint of a folder.

    Raises
    ------
    FormatError
        If there is none.
    """
    found = sorted(Path(folder).glob(FILES))
    if not found:
        raise FormatError(f"{folder}: there is no checkpoint to resume from (expected step-N.checkpoint).")
    return found[-1]


def save_checkpoint(run: Run, path: Path) -> None:
    """Write the state of a run, whole or not at all."""
    header: dict[str, Any] = {
        "format_version": FORMAT_VERSION,
        "settings": run.settings,
        "position": [run.epoch, run.step, run.step_in_epoch, run.epoch_loss],
        "history": run.history.columns,
    }
    arrays: dict[str, Array] = {"theta": run.model.theta}
    for i, leaf in enumerate(run.model.leaves()):
        arrays |= {f"state.{i}.{key}": value for key, value in leaf.state.items()}
    arrays |= {f"form/{key}": value for key, value in run.form.state().items()}
    for name, state in _states(run).items():
        header[name] = {key: value for key, value in state.items() if not hasattr(value, "dtype")}
        arrays |= {f"{name}/{key}": value for key, value in state.items() if hasattr(value, "dtype")}
    write_tensors(path, _KEY, header, arrays)


def load_checkpoint(run: Run, path: str | Path) -> None:
    """Put a run that is about to start where a checkpoint was written.

    Raises
    ------
    FormatError
        If the file is missing, cut off, not a checkpoint, or of another model or another training.
    """
    path = Path(path)
    if path.is_dir():
        path = latest_checkpoint(path)
    header, arrays = read_checkpoint(path)
    _check_settings(path, header.get("settings", {}), run.settings)
    try:
        if arrays["theta"].shape != run.model.theta.shape:
            raise FormatError(f"{path}: it holds another number of parameters than the model.")
        run.model.theta[...] = arrays["theta"]
        for i, leaf in enumerate(run.model.leaves()):
            for key, value in leaf.state.items():
                value[...] = arrays[f"state.{i}.{key}"]
        run.form.load_state(_under("form/", arrays))
        for name, owner in _owners(run).items():
            owner.load_state({**header[name], **_under(f"{name}/", arrays)})
        *counts, run.epoch_loss = header["position"]
        run.epoch, run.step, run.step_in_epoch = map(int, counts)
        run.history.columns = {name: list(values) for name, values in header["history"].items()}
    except (KeyError, ValueError, TypeError) as error:
        raise FormatError(f"{path}: it does not fit this training ({error}).") from None


def _under(prefix: str, arrays: Mapping[str, Array]) -> dict[str, Array]:
    return {key.removeprefix(prefix): value for key, value in arrays.items() if key.startswith(prefix)}


def _owners(run: Run) -> dict[str, Any]:
    """Return all that has a state of its own, by the name that it has in the file."""
    owners: dict[str, Any] = {"optimizer": run.optimizer}
    if run.schedule is not None:
        owners["schedule"] = run.schedule
    for i, callback in enumerate(run.callbacks):
        if hasattr(callback, "state") and hasattr(callback, "load_state"):
            owners[f"callback.{i}.{type(callback).__name__}"] = callback
    return owners


def _states(run: Run) -> dict[str, Mapping[str, Any]]:
    return {name: owner.state() for name, owner in _owners(run).items()}


def _check_settings(path: Path, saved: Mapping[str, Any], wanted: Mapping[str, Any]) -> None:
    wanted = json.loads(json.dumps(wanted))
    for name, value in wanted.items():
        if name in saved and saved[name] != value:  # an older file knows fewer of them
            raise FormatError(
                f"{path}: it is of another training: its {name.replace('_', ' ')} is {_short(saved[name])}, "
                f"here it is {_short(value)}. Use the same settings, or start anew."
            )


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 60 else text[:57] + "..."


def checkpoint_settings(path: str | Path) -> dict[str, Any]:
    """Return what a training must agree on to go on from a checkpoint, or from the newest of a folder.

    Raises
    ------
    FormatError
        As ``load_checkpoint`` does.
    """
    path = Path(path)
    header, _ = read_checkpoint(latest_checkpoint(path) if path.is_dir() else path)
    settings = header.get("settings")
    return settings if isinstance(settings, dict) else {}


def read_checkpoint(path: str | Path) -> tuple[dict[str, Any], dict[str, Array]]:
    """Return the header and the arrays of a checkpoint; FormatError if it is not a whole one of this version."""
    header, arrays = read_tensors(path, _KEY, kind="checkpoint", advice="Resume from an earlier one.")
    if header.get("format_version") != FORMAT_VERSION:
        raise FormatError(
            f"{path}: not a checkpoint of this pellucid. Resume with the version that wrote it."
        )
    return header, arrays
