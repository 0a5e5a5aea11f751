"""The edge of ``pellucid report``."""

import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from pellucid.cli import options as o
from pellucid.cli.command import command
from pellucid.cli.options import print_json
from pellucid.cli.terminal import StageBar
from pellucid.errors import OptionError


@command("report", order=90, short_help="Write a run's report again, short or in full.")
def report(
    run: Annotated[Path, typer.Argument(help="A run folder.")],
    full: Annotated[
        bool, typer.Option("--full", help="Add metrics, data check, robustness, saliency and influence.")
    ] = False,
    data: Annotated[
        str | None, typer.Option(help="Where the data are now; default: where they were.")
    ] = None,
    photos: Annotated[
        int, typer.Option(help="How many test photos the full report explains one by one.")
    ] = 10,
    force: Annotated[
        bool,
        typer.Option("--force", help="Report on data that are not those of the run; the report says so."),
    ] = False,
    as_json: o.Json = False,
    quiet: o.Quiet = False,
) -> None:
    """Write a run's report anew: the short one, or with --full all that can be found out."""
    from pellucid.report.build import report_on

    if photos < 0:
        raise OptionError(f"--photos: expected 0 or more, got {photos}.")
    bar = Sections(is_quiet=quiet or as_json)
    try:
        outcome = report_on(
            run,
            is_full=full,
            data=data,
            n_photos=photos,
            allow_other_data=force,
            progress=bar,
            announce=bar.expect,
        )
    finally:
        bar.stop()
    if as_json:
        print_json({"report": str(outcome), "n_bytes": outcome.stat().st_size, "seconds": dict(bar.seconds)})
        return
    print(outcome)


class Sections:
    """Times each section; shows a bar on a terminal's standard error, and the times there at the end."""

    def __init__(self, *, is_quiet: bool = False) -> None:
        self.is_quiet = is_quiet
        self.seconds: list[tuple[str, float]] = []
        self._since = time.perf_counter()
        self._title, self._n = "run", 0
        self._bar = StageBar()

    def expect(self, n: int) -> None:
        """Show a bar of so many sections."""
        self._n = n

    def __call__(self, title: str) -> None:
        """Begin the next section, and note how long the last one took."""
        self._note()
        self._title = title
        if not self.is_quiet:
            self._bar(title, len(self.seconds) - 1, self._n)

    def _note(self) -> None:
        now = time.perf_counter()
        self.seconds.append((self._title, now - self._since))
        self._since = now

    def stop(self) -> None:
        """Take the bar away and say how long each section took."""
        self._bar.stop()
        is_whole = self._title == "page"
        if is_whole:
            self._note()
        if self.is_quiet or not is_whole:
            return
        for title, seconds in self.seconds:
            print(f"{title:<24}{seconds:6.2f} s", file=sys.stderr)
        print(f"{'in all':<24}{sum(s for _, s in self.seconds):6.2f} s", file=sys.stderr)
