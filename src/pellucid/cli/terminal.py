"""How every command talks to a person: sentences that fit the terminal, and a bar while it works."""

import re
import shutil
import sys
import textwrap
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress

PATIENCE = 2.0  # seconds of work before a bar is shown
NARROWEST = 40  # columns


def columns() -> int:
    """Return how many columns the terminal has."""
    return max(shutil.get_terminal_size().columns, NARROWEST)


def say(text: str) -> None:
    """Print a sentence or two: in a terminal in lines that fit it, into a file or pipe as one line."""
    print(fill(text, columns()) if sys.stdout.isatty() else text)


def fill(text: str, width: int) -> str:
    """Return a text in lines, further ones indented, a percent sign or "p =" never apart from its number.

    Examples
    --------
    >>> print(fill("Of all samples 95 % are right.", 18))
    Of all samples
      95 % are right.
    """
    lines = textwrap.fill(
        re.sub(r" (?=%)|(?<=\bp) (?=[=<])|(?<=\bp [=<]) ", "\u00a0", text),
        width,
        subsequent_indent="  ",
        break_on_hyphens=False,
        break_long_words=False,
    )
    return lines.replace("\u00a0", " ")


class StageBar:
    """A bar on standard error, once the work has taken two seconds; silent where that is no terminal."""

    def __init__(self) -> None:
        self._bar: Progress | None = None
        self._start = time.perf_counter()

    def __call__(self, stage: str, done: int, total: int) -> None:
        """Show what is being done, how much of it is, and of how much."""
        if self._bar is None and sys.stderr.isatty() and time.perf_counter() - self._start > PATIENCE:
            self._open(stage)
        if self._bar is not None:
            self._bar.update(self._task, description=stage, completed=done, total=total)

    def _open(self, stage: str) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

        self._bar = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=Console(stderr=True),
            transient=True,
            redirect_stdout=sys.stdout.isatty(),
        )
        self._task = self._bar.add_task(stage)
        self._bar.start()

    def stop(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None
