"""The command ``pellucid report``."""

import time
from pathlib import Path
from typing import Annotated

from pellucid.cli import options as o
from pellucid.cli.command import command
from pellucid.cli.flags import KERNELS, Flag, Needs, options
from pellucid.cli.terminal import echo, print_json
from pellucid.progress import ProgressBar, ProgressCallback, no_progress

SHORT = 0.005  # seconds: a stage that had nothing to do is not listed


@command("report", order=90, short_help="Write a run's report again, short or in full.")
@options(kernels=KERNELS)
def report(
    run: Annotated[Path, Flag(is_argument=True, help="A run folder.")],
    full: Annotated[
        bool, Flag(help="Add metrics, data check, robustness, saliency and influence; takes minutes.")
    ] = False,
    data: o.DataNow = None,
    n_photos: Annotated[
        int,
        Flag(
            at_least=0, help="How many test photos the full report explains one by one; fewer take less time."
        ),
        Needs(["full"]),
    ] = 10,
    other_data: Annotated[
        bool, Flag(help="Report on data that are not those of the run; the report says so.")
    ] = False,
    cluster: Annotated[o.Cluster, Needs(["full"])] = None,
    n_workers: Annotated[o.Workers, Needs(["full"])] = None,
    out: Annotated[Path | None, o.out("A folder for the report; default: the run folder.")] = None,
    overwrite: o.Overwrite = False,
    as_json: o.Json = False,
    quiet: o.Quiet = False,
) -> None:
    """Write a run's report again: the short one, or with --full all that can be found out."""
    from pellucid.workflows.report import report as write_report

    is_quiet = quiet or as_json
    with o.on_cluster(cluster, n_workers), ProgressBar() as bar:
        stages = StageTimes(no_progress if is_quiet else bar)
        page = o.call(write_report, locals(), progress=stages)
    if as_json:
        print_json({"report": str(page), "n_bytes": page.stat().st_size, "seconds": stages.seconds})
        return
    if is_quiet:
        echo(page)
    else:
        echo(f"Report: {page}")
        echo(stages.headline)
        took = {stage: seconds for stage, seconds in stages.seconds.items() if seconds >= SHORT}
        for stage, seconds in (*took.items(), ("in all", sum(stages.seconds.values()))):
            echo(f"{stage:<24}{seconds:6.2f} s", err=True)


class StageTimes:
    """Passes progress on, and measures each stage's seconds; "done" ends the last, and has the headline."""

    def __init__(self, progress: ProgressCallback) -> None:
        self.seconds: dict[str, float] = {}
        self._progress = progress
        self._stage, self._since, self.headline = "run", time.perf_counter(), ""

    def __call__(self, stage: str, done: int, total: int, detail: str = "") -> None:
        """Begin a stage, or go on with it."""
        self._progress(stage, done, total)
        now = time.perf_counter()
        self.seconds[self._stage] = self.seconds.get(self._stage, 0.0) + now - self._since
        self._stage, self._since, self.headline = stage, now, detail
