"""How a data check is shown in a terminal: the summary, a table of findings, and what to do about them."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pellucid.cli.terminal import echo, print_table, say

if TYPE_CHECKING:
    from pellucid.checks.check import DataReport
    from pellucid.checks.text import KindRow


def print_report(
    report: "DataReport", sheets: Sequence[Path], *, asked_for_sheet: bool, is_brief: bool
) -> None:
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
