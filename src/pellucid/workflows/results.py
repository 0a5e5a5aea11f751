"""What was found, in a folder: its figures, and all numbers as JSON."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from pellucid.files import write_atomically
from pellucid.folders import atomic_folder
from pellucid.plotting.saving import save_figures
from pellucid.plotting.types import Figure
from pellucid.text_blocks import Result

T = TypeVar("T", bound=Result)


@dataclass(frozen=True)
class ResultsFolder:
    """Where results are written.

    Attributes
    ----------
    out : str, Path or None
        The folder in which the files will lie in the end; None: nothing is written.
    folder : Path or None
        The one that is filled meanwhile.
    """

    out: str | Path | None = None
    folder: Path | None = None

    def write(
        self, found: T, name: str, figures: Callable[[], Mapping[str, Figure]], *, text: bool = False
    ) -> T:
        """Write figures, with ``text`` what is printed, and all numbers; return what was found, with its files.

        Parameters
        ----------
        found : Result
            A dataclass; where it has ``files``, they are filled in.
        name : str
            Of the files of text and numbers.
        figures : callable
            Returns the figures by name.
        """
        if self.folder is None or self.out is None:
            return found
        names = [*save_figures(figures(), self.folder), *([f"{name}.txt"] if text else []), f"{name}.json"]
        if hasattr(found, "files"):
            made: Any = found
            found = replace(made, files=tuple(Path(self.out, each) for each in names))
        if text:
            write_atomically(self.folder / f"{name}.txt", f"{found}\n")
        write_atomically(self.folder / f"{name}.json", json.dumps(found.to_dict(), indent=2) + "\n")
        return found


@contextmanager
def results_folder(out: str | Path | None, *, overwrite: bool = False) -> Iterator[ResultsFolder]:
    """Yield a folder for results, filled as :func:`pellucid.folders.atomic_folder` does."""
    if out is None:
        yield ResultsFolder()
        return
    with atomic_folder(Path(out), overwrite=overwrite) as folder:
        yield ResultsFolder(out, folder)
