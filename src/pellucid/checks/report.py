"""Use case: look for what is wrong with a data set, and draw every finding."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pellucid.checks.check import DataReport, examine
from pellucid.checks.opening import open_data
from pellucid.checks.pixels import are_pictures
from pellucid.checks.records import ProgressCallback, no_progress
from pellucid.data.dataset import Split
from pellucid.errors import OptionError

SHEET = "findings.png"  # in a folder that was named


@dataclass(frozen=True)
class Examined:
    """A checkup and what was drawn of it.

    Attributes
    ----------
    checkup : Checkup
    sheets : tuple of Path
        The contact sheets that were written, page by page.
    """

    checkup: DataReport
    sheets: tuple[Path, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return both as JSON can hold them."""
        return {**self.checkup.to_dict(), "sheets": [str(path) for path in self.sheets]}


def check_data(
    source: str | Path, *, out: Path | None = None, progress: ProgressCallback = no_progress, **options: Any
) -> Examined:
    """Look for what is wrong with a data set.

    Parameters
    ----------
    source : str or Path
        A built-in name, a file or a folder, as for :func:`pellucid.data.source.load_data`.
    out : Path, optional
        Where to write the contact sheet: a .png file, or a folder for ``findings.png``. Further pages are called
        ``findings-2.png`` and so on. Nothing is written where the samples are no pictures.
    tell : callable, optional
        ``progress(stage, done, total)`` is called now and then.
    **options
        ``x_key``, ``y_key``, ``target``, ``seed``, ``image_size`` and ``mirror``, as for ``load_data``.

    Returns
    -------
    Examined

    Raises
    ------
    PellucidError
        If the data cannot be used at all, or the sheet cannot be written.
    """
    first = None if out is None else sheet_path(out)
    opened = open_data(source, progress=progress, **options)
    checkup = examine(opened.split, names=opened.names, also=opened.findings, progress=progress)
    if first is None or not are_pictures(opened.split.train.X):
        return Examined(checkup)
    return Examined(checkup, write_sheets(checkup, opened.split, first, progress))


def sheet_path(out: Path) -> Path:
    """Return the file that a name given for the sheet means.

    Examples
    --------
    >>> sheet_path(Path("odd.png")).name, sheet_path(Path("checks")).name
    ('odd.png', 'findings.png')
    """
    if out.suffix.lower() == ".png" and not out.is_dir():
        return out
    if out.suffix and not out.is_dir():
        raise OptionError(
            f"--out: expected a .png file or a folder, got {str(out)!r}. Try {out.with_suffix('.png')}."
        )
    return out / SHEET


def write_sheets(
    checkup: DataReport, split: Split, first: Path, progress: ProgressCallback = no_progress
) -> tuple[Path, ...]:
    """Draw every finding and return the files written."""
    from pellucid.checks.figures import findings_sheets
    from pellucid.plotting.saving import save_figure

    pages = findings_sheets(checkup, split)
    paths = [first, *(first.with_stem(f"{first.stem}-{i}") for i in range(2, len(pages) + 1))]
    for i, (page, path) in enumerate(zip(pages, paths, strict=True), start=1):
        save_figure(page, path)
        progress("drawing findings", i, len(pages))
    return tuple(paths)
