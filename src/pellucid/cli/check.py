"""How a data check is shown in a terminal: the summary, a table of findings, and what to do about them."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pellucid.cli.terminal import echo, print_table, say
from pellucid.errors import OptionError
from pellucid.files import check_png
from pellucid.progress import ProgressCallback

if TYPE_CHECKING:
    from pellucid.checks.check import DataReport
    from pellucid.checks.text import KindRow
    from pellucid.evaluation.label_errors.records import LabelErrors

SHEET = "findings.png"  # in a folder that was named


def print_report(report: "DataReport", sheets: list[Path], *, asked_for_sheet: bool, is_brief: bool) -> None:
    """Print a report for a person; in brief, what was found and the files, without reasons and notes."""
    from pellucid.checks.text import KINDS, kind_rows

    for sentence in report.summary:
        say(sentence)
    if is_brief:
        echo(*sheets)
        return
    rows = kind_rows(report)
    if rows:
        echo("")
        header = ("what", "samples", "which")
        print_table(header, [(row.title, row.n, _which(row)) for row in rows], text=("which",))
        for row in rows:
            say(f"{row.title}: {KINDS[row.kind].why} {KINDS[row.kind].advice}")
    for note in report.notes:
        say(f"Note: {note}")
    if sheets:
        echo(f"Every finding as a picture: {', '.join(str(path) for path in sheets)}")
    elif asked_for_sheet:
        echo("No contact sheet was written: the samples are no pictures.")
    elif rows:
        echo("All findings one by one: --json. As pictures: -o FILE.png.")


def _which(row: "KindRow") -> str:
    return f"{row.first} ({row.n_more} more)" if row.n_more else row.first


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


def write_sheets(report: "DataReport", first: Path, progress: ProgressCallback, *, force: bool) -> list[Path]:
    """Draw every finding, page by page, and return the files written; none where the samples are no pictures."""
    from pellucid.files import check_free
    from pellucid.plotting.saving import save_figure

    pages = report.pages() if report.has_pictures else []
    paths = [first, *(first.with_stem(f"{first.stem}-{i}") for i in range(2, len(pages) + 1))][: len(pages)]
    for path in paths:
        check_free(path, force=force)
    for i, (page, path) in enumerate(zip(pages, paths, strict=True), start=1):
        save_figure(page, path)
        progress("drawing findings", i, len(pages))
    return paths


def check_label_options(labels: bool, options: Mapping[str, Any]) -> None:
    """Raise OptionError if options of --labels are given without it, or there are too few folds."""
    folds = options["--folds"]
    for flag, value in options.items():
        if value is not None and not labels:
            raise OptionError(
                f"{flag}: it is for --labels, which trains networks. Add --labels, or leave it out."
            )
    if folds is not None and folds < 2:
        raise OptionError(f"--folds: expected 2 or more, got {folds}. Try 5.")


def labels_table(first: Path) -> Path:
    """Return the file of the list of contradicted labels, beside the sheet of findings."""
    return first.with_name(f"{first.stem}-labels.csv")


def write_label_errors(errors: "LabelErrors", first: Path, *, force: bool) -> list[Path]:
    """Write the list of contradicted labels, and of pictures the contact sheet, beside the sheet of findings."""
    from pellucid.files import check_free, write_atomically
    from pellucid.plotting.saving import save_figure

    has_pictures = errors.split.train.has_pictures and len(errors) > 0
    pages = errors.pages() if has_pictures else []
    table = labels_table(first)
    sheets = [
        table.with_name(f"{table.stem}{f'-{i}' if i > 1 else ''}.png") for i in range(1, len(pages) + 1)
    ]
    for path in (table, *sheets):
        check_free(path, force=force)
    write_atomically(table, errors.to_csv())
    for page, path in zip(pages, sheets, strict=True):
        save_figure(page, path)
    return [*sheets, table]
