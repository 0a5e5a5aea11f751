"""The command ``pellucid report``."""

import time
from pathlib import Path

from pellucid.cli import options as o
from pellucid.cli.command import command
from pellucid.cli.flags import KERNELS, flag, options
from pellucid.cli.terminal import Answer, Line, Note
from pellucid.progress import ProgressBar, ProgressCallback, no_progress

SHORT = 0.005  # seconds: a stage that had nothing to do is not listed


@command("report", order=90, short_help="Write a run's report again, short or in full.")
@options(kernels=KERNELS)
def report(
    *,
    run: Path = flag(is_argument=True, help="A run folder."),
    full: bool = flag(
        False, help="Add metrics, data check, robustness, saliency and influence; takes minutes."
    ),
    data: str | None = o.DATA_NOW,
    n_photos: int = flag(
        10,
        at_least=0,
        needs=("full",),
        help="How many test photos the full report explains one by one; fewer take less time.",
    ),
    positive: str | None = o.POSITIVE,
    other_data: bool = flag(False, help="Report on data that are not those of the run; the report says so."),
    cluster: str | None = o.CLUSTER.needing("full"),
    n_workers: int | None = o.WORKERS.needing("full"),
    out: Path | None = o.out("A folder for the report; default: the run folder."),
    overwrite: bool = o.OVERWRITE,
) -> Answer:
    """Write a run's report again: the short one, or with --full all that can be found out."""
    from pellucid.workflows.report import report as write_report

    with o.on_cluster(cluster, n_workers), ProgressBar() as bar:
        stages = StageTimes(no_progress if o.is_quiet() else bar)
        page = o.call(write_report, locals(), progress=stages)
    took = {stage: seconds for stage, seconds in stages.seconds.items() if seconds >= SHORT}
    took["in all"] = sum(stages.seconds.values())
    times = [Note(f"{stage:<24}{seconds:6.2f} s") for stage, seconds in took.items()]
    found = {"report": page, "n_bytes": page.stat().st_size, "seconds": stages.seconds}
    return Answer(found, [Line(f"Report: {page}"), Line(stages.headline), *times], [page])


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
