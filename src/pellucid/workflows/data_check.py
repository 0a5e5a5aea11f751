"""Check data by name, draw what was found, and with networks trained on folds list labels that are contradicted."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pellucid.checks.check import DataReport, check_split, open_source
from pellucid.data.source import DataSource
from pellucid.evaluation.label_errors.find_label_errors import Say, label_errors_of, say_nothing
from pellucid.evaluation.label_errors.label_errors import LabelErrors
from pellucid.files import check_free, check_png, write_atomically
from pellucid.plotting.saving import save_figure
from pellucid.plotting.types import Figure
from pellucid.progress import ProgressCallback, no_progress
from pellucid.training.recommend import AUTO
from pellucid.workflows.label_errors import candidate_for

SHEET = "findings.png"  # in a folder that was named


@dataclass(frozen=True, eq=False)
class DataCheck:
    """What was found in data, and the files that were written.

    Attributes
    ----------
    report : DataReport
    sheets : tuple of Path
        Pictures of every finding.
    errors : LabelErrors or None
        Where they were asked for.
    files : tuple of Path
        Of contradicted labels.
    """

    report: DataReport
    sheets: tuple[Path, ...] = ()
    errors: LabelErrors | None = None
    files: tuple[Path, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON can hold it."""
        own = {**self.report.to_dict(), "sheets": [str(path) for path in self.sheets]}
        if self.errors is None:
            return own
        return {**own, "labels": self.errors.to_dict(), "files": [str(path) for path in self.files]}


def check_named(
    source: DataSource,
    out: Path | None = None,
    *,
    has_labels: bool = False,
    model: str = AUTO,
    cv: int = 5,
    overwrite: bool = False,
    progress: ProgressCallback = no_progress,
    say: Say = say_nothing,
    on_report: Callable[[DataCheck], None] = lambda check: None,
) -> DataCheck:
    """Return what is wrong with data, and write pictures of it.

    Parameters
    ----------
    source : DataSource
    out : Path, optional
        A .png file, or a folder for it: every finding as a picture, and the list of contradicted labels.
    has_labels : bool, optional
        Search for label errors too.
    model, cv, say : optional
        As for :func:`pellucid.evaluation.label_errors.find_label_errors.label_errors_of`.
    overwrite : bool, optional
        Replace files that are there.
    progress : callable, optional
    on_report : callable, optional
        Called with what is known before networks are trained.

    Raises
    ------
    PellucidError
        If the data cannot be used, or a file is there or cannot be written.
    """
    first = None if out is None else sheet_path(out)
    for path in [] if first is None else [first, *([_table(first)] if has_labels else [])]:
        check_free(path, overwrite=overwrite)
    split, found = open_source(source, progress)
    report = check_split(split, found, progress)
    sheets: tuple[Path, ...] = ()
    if first is not None and report.has_pictures:
        sheets = _draw(report.pages(), first, progress, overwrite=overwrite)
    on_report(DataCheck(report, sheets))
    if not has_labels:
        return DataCheck(report, sheets)
    candidate = candidate_for(split, model, source.seed)
    errors = label_errors_of(split, candidate, folds=cv, seed=source.seed, progress=progress, say=say)
    return DataCheck(
        report, sheets, errors, () if first is None else _write_errors(errors, first, overwrite=overwrite)
    )


def sheet_path(out: Path) -> Path:
    """Return the file that a name given for the sheet means.

    Examples
    --------
    >>> sheet_path(Path("odd.png")).name, sheet_path(Path("checks")).name
    ('odd.png', 'findings.png')
    """
    if out.is_dir() or not out.suffix:
        return out / SHEET
    check_png(out)
    return out


def _draw(
    pages: Sequence[Figure], first: Path, progress: ProgressCallback = no_progress, *, overwrite: bool
) -> tuple[Path, ...]:
    """Draw pages into numbered files, and return these."""
    paths = tuple(first.with_stem(f"{first.stem}-{i}") if i > 1 else first for i in range(1, len(pages) + 1))
    for path in paths:
        check_free(path, overwrite=overwrite)
    for i, (page, path) in enumerate(zip(pages, paths, strict=True), start=1):
        save_figure(page, path)
        progress("drawing findings", i, len(pages))
    return paths


def _write_errors(errors: LabelErrors, first: Path, *, overwrite: bool) -> tuple[Path, ...]:
    """Write the list of contradicted labels, and of pictures the contact sheet, next to the sheet of findings."""
    table = _table(first)
    pages = errors.pages() if errors.split.train.has_pictures and len(errors) else []
    sheets = _draw(pages, table.with_suffix(".png"), overwrite=overwrite)
    write_atomically(table, errors.to_csv())
    return (*sheets, table)


def _table(first: Path) -> Path:
    return first.with_name(f"{first.stem}-labels.csv")
