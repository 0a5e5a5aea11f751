"""Checkpoints: everything that a training needs to go on exactly as if it had never stopped.

Random streams need no place in them: each is made anew from the seed and the number of its epoch or step.
"""

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, final

from pellucid.errors import FormatError, OptionError
from pellucid.tensors import read_tensors, write_tensors
from pellucid.training.events import Event, Run, StepEnd, TrainStart
from pellucid.training.validate import check_count, check_number
from pellucid.types import Array

FORMAT_VERSION = 1
_KEY, _PATTERN = "pellucid_checkpoint", "step-*.checkpoint"


@final
class Checkpoint:
    """Write a checkpoint every few steps or minutes, each whole or not at all, and keep the last few.

    Parameters
    ----------
    folder : str or Path
        Made where it is missing; the files are called ``step-00001200.checkpoint``.
    every_steps : int, optional
    every_minutes : float, optional
        Give one of the two, or both.
    keep : int, optional
        How many of the latest are kept.
    """

    is_last = True  # what other callbacks do after a step belongs to the state after it

    def __init__(
        self,
        folder: str | Path,
        *,
        every_steps: int | None = None,
        every_minutes: float | None = None,
        keep: int = 3,
    ) -> None:
        if every_steps is None and every_minutes is None:
            raise OptionError("Checkpoint: say how often with every_steps or every_minutes.")
        self.folder = Path(folder)
        self.every_steps = None if every_steps is None else check_count("every_steps", every_steps)
        self.every_seconds = (
            None if every_minutes is None else 60 * check_number("every_minutes", every_minutes, above=0)
        )
        self.keep = check_count("keep", keep)
        self._last = 0.0

    def __call__(self, event: Event) -> None:
        """Write a checkpoint where one is due."""
        if isinstance(event, TrainStart):
            self._last = time.monotonic()
        elif isinstance(event, StepEnd) and self._is_due(event.step + 1):
            save_checkpoint(event.run, self.folder / f"step-{event.run.step:08d}.checkpoint")
            self._last = time.monotonic()
            for old in sorted(self.folder.glob(_PATTERN))[: -self.keep]:
                old.unlink(missing_ok=True)

    def _is_due(self, n_steps: int) -> bool:
        if self.every_steps is not None and n_steps % self.every_steps == 0:
            return True
        return self.every_seconds is not None and time.monotonic() - self._last >= self.every_seconds


def latest_checkpoint(folder: str | Path) -> Path:
    """Return the newest checkpoint of a folder.

    Raises
    ------
    FormatError
        If there is none.
    """
    found = sorted(Path(folder).glob(_PATTERN))
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
    """Put a run that is about to start where a checkpoint left off.

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
        epoch, step, step_in_epoch, total = header["position"]
        run.epoch, run.step, run.step_in_epoch, run.epoch_loss = (
            int(epoch),
            int(step),
            int(step_in_epoch),
            total,
        )
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


def read_checkpoint(path: str | Path) -> tuple[dict[str, Any], dict[str, Array]]:
    """Return the header and the arrays of a checkpoint; FormatError if it is not a whole one of this version."""
    header, arrays = read_tensors(path, _KEY, kind="checkpoint", advice="Resume from an earlier one.")
    if header.get("format_version") != FORMAT_VERSION:
        raise FormatError(
            f"{path}: not a checkpoint of this pellucid. Resume with the version that wrote it."
        )
    return header, arrays
