"""The file of a sweep's trainings: a line of JSON each, written once it is done, so that a kill loses none."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TextIO

from pellucid.errors import FormatError, OptionError, OutputError
from pellucid.evaluation.sweep.records import Training
from pellucid.text import shown

HEADER = "pellucid sweep"


class Results:
    """What was trained, and where it is kept.

    Parameters
    ----------
    path : Path or None
        None: in memory alone.
    identity : mapping
        What all trainings have in common: data, network, folds, seed and options.
    resume : bool
        Begin with what is in the file.

    Raises
    ------
    OptionError
        If the file is there already and ``resume`` is not given, or is of another sweep: the first difference is
        named.
    FormatError
        If it is no such file.
    OutputError
        If it cannot be written.
    """

    def __init__(self, path: Path | None, identity: Mapping[str, Any], *, resume: bool = False) -> None:
        self.path = path
        self.done: dict[str, Training] = {}
        self._file: TextIO | None = None
        if path is None:
            return
        own = json.loads(json.dumps(identity))
        try:
            length = self._read(path, own, resume=resume) if path.exists() else 0
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("r+" if path.exists() else "w", encoding="utf-8", newline="\n")
            self._file.truncate(length)  # half a line of a process that was killed
            self._file.seek(length)
            if not length:
                self._write({HEADER: 1, **own})
        except OSError as error:
            raise _cannot(path, error) from None

    def find(self, options: Mapping[str, Any], n_epochs: int | None, fold: int) -> Training | None:
        """Return a training that is done; None where it is not."""
        return self.done.get(_key(options, n_epochs, fold))

    def add(self, options: Mapping[str, Any], n_epochs: int | None, training: Training) -> None:
        """Keep a training, in the file before this returns."""
        self.done[_key(options, n_epochs, training.fold)] = training
        if self._file is not None:
            self._write({"options": options, "asked_epochs": n_epochs, **training._asdict()})

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()

    def _write(self, line: Mapping[str, Any]) -> None:
        assert self._file is not None
        assert self.path is not None
        try:
            self._file.write(json.dumps(line) + "\n")
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError as error:
            raise _cannot(self.path, error) from None

    def _read(self, path: Path, own: Mapping[str, Any], *, resume: bool) -> int:
        """Read the lines that are whole, and return how many bytes they are."""
        if not resume:
            raise OptionError(
                f"{path}: results of a sweep are there. Add --resume to go on, or choose another place."
            )
        whole = path.read_bytes()
        whole = whole[: whole.rfind(b"\n") + 1]
        for n, line in enumerate(whole.splitlines(), start=1):
            try:
                found = json.loads(line)
                if n == 1:
                    _check(path, found, own)
                    continue
                options, n_epochs = found.pop("options"), found.pop("asked_epochs")
                self.done[_key(options, n_epochs, found["fold"])] = Training(**found)
            except (ValueError, TypeError, KeyError, AttributeError) as error:
                if isinstance(error, OptionError):
                    raise
                raise FormatError(
                    f"{path}, line {n}: not a line of a sweep's results. Begin in another place."
                ) from None
        return len(whole)


def _check(path: Path, found: Mapping[str, Any], own: Mapping[str, Any]) -> None:
    if found.get(HEADER) != 1:
        raise ValueError
    for name, value in own.items():
        if found.get(name) != value:
            what = "" if name in ("data", "network") else f": {shown(found.get(name))}, now {shown(value)}"
            raise OptionError(
                f"{path}: the sweep there has another {name}{what}. Go on with the same, or begin in another place."
            )


def _key(options: Mapping[str, Any], n_epochs: int | None, fold: int) -> str:
    return json.dumps([options, n_epochs, fold], sort_keys=True)


def _cannot(path: Path, error: OSError) -> OutputError:
    return OutputError(f"{path}: could not be written: {error.strerror or error}. Choose another place.")
