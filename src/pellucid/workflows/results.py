"""What was found, in a folder: its figures, and all numbers as JSON."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from pellucid.files import write_atomically
from pellucid.folders import atomic_folder
from pellucid.plotting.saving import save_figures
from pellucid.plotting.types import Figure
from pellucid.text_blocks import Result

T = TypeVar("T", bound=Result)


@contextmanager
def results_folder(out: str | Path | None, *, overwrite: bool = False) -> Iterator[Path | None]:
    """Yield a folder to fill, as :func:`pellucid.folders.atomic_folder` does; None where none is asked for."""
    if out is None:
        yield None
        return
    with atomic_folder(Path(out), overwrite=overwrite) as folder:
        yield folder


def write_result(
    found: T,
    name: str,
    figures: Mapping[str, Figure],
    folder: Path,
    out: str | Path,
    *,
    text: bool = False,
) -> T:
    """Write figures, with ``text`` what is printed, and all numbers; return what was found, with its files.

    Parameters
    ----------
    found : Result
        A dataclass; where it has ``files``, they are filled in.
    name : str
        Of the files of text and numbers.
    figures : mapping of str to Figure
    folder : Path
        Where the files are written.
    out : str or Path
        Where they will lie in the end.
    """
    names = [*save_figures(figures, folder), *([f"{name}.txt"] if text else []), f"{name}.json"]
    if hasattr(found, "files"):
        made: Any = found
        found = replace(made, files=tuple(Path(out, each) for each in names))
    if text:
        write_atomically(folder / f"{name}.txt", f"{found}\n")
    write_atomically(folder / f"{name}.json", json.dumps(found.to_dict(), indent=2) + "\n")
    return found
