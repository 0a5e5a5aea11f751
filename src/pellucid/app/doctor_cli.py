"""How a checkup is shown in a terminal: the summary, a table of findings, and what to do about them."""

import sys
import textwrap
import time
from typing import TYPE_CHECKING

from pellucid.app.doctor import Examined
from pellucid.data.doctoring.summary import KindRow, kind_rows, summary_of
from pellucid.data.doctoring.words import ADVICE, WHY

if TYPE_CHECKING:
    from rich.progress import Progress

PATIENCE = 2.0  # seconds of work before a bar is shown
_WIDTH = 100
_MOST_LETTERS = 90  # of a finding in the table


def print_checkup(examined: Examined, *, asked_for_sheet: bool) -> None:
    """Print a checkup for a person."""
    checkup = examined.checkup
    for sentence in summary_of(checkup):
        print(_fill(sentence))
    rows = kind_rows(checkup)
    if rows:
        print()
        _print_rows(rows)
        for row in rows:
            print(_fill(f"{row.title}: {WHY[row.kind]} {ADVICE[row.kind]}"))
    for note in checkup.notes:
        print(_fill(f"Note: {note}"))
    if examined.sheets:
        print(f"Every finding as a picture: {', '.join(str(path) for path in examined.sheets)}")
    elif asked_for_sheet:
        print("No contact sheet was written: the samples are no pictures.")
    elif rows:
        print("All findings one by one: --json. As pictures: -o FILE.png.")


def _print_rows(rows: list[KindRow]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("what")
    table.add_column("samples", justify="right")
    table.add_column("which")
    for row in rows:
        table.add_row(row.title, str(row.n), _which(row.first, row.n_more))
    console = Console(markup=False, highlight=False)
    if not console.is_terminal:  # a file or a pipe has no width to fit
        console = Console(width=160, markup=False, highlight=False)
    console.print(table)


def _fill(text: str) -> str:
    """Return a sentence in lines, a percentage never apart from its sign."""
    text = text.replace(" %", "\u00a0%")
    return textwrap.fill(text, _WIDTH, subsequent_indent="  ", break_on_hyphens=False, break_long_words=False)


def _which(first: str, n_more: int) -> str:
    text = first if len(first) <= _MOST_LETTERS else first[: _MOST_LETTERS - 1] + "…"
    return f"{text} ({n_more} more)" if n_more else text


class StageBar:
    """A bar on standard error, once the work has taken two seconds; silent where that is no terminal."""

    def __init__(self) -> None:
        self._bar: Progress | None = None
        self._start = time.perf_counter()

    def __call__(self, stage: str, done: int, total: int) -> None:
        """Show how far the work is."""
        if self._bar is None and sys.stderr.isatty() and time.perf_counter() - self._start > PATIENCE:
            self._open()
        if self._bar is not None:
            self._bar.update(self._task, description=stage, completed=done, total=total)

    def _open(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        self._bar = Progress(*columns, console=Console(stderr=True), transient=True)
        self._task = self._bar.add_task("looking at pictures")
        self._bar.start()

    def stop(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.stop()
