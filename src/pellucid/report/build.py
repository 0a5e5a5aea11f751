"""Use case: the report of a run folder, short or with all that can be found out."""

from pathlib import Path

from pellucid.files import atomic_folder
from pellucid.progress import ProgressCallback, no_progress
from pellucid.report.draft import Part, Parts
from pellucid.report.sections.influence import influence_section
from pellucid.report.sections.robustness import robustness_section
from pellucid.report.sections.saliency import looking_section, own_photo_section
from pellucid.report.sections.scores import data_check_section, metrics_section
from pellucid.report.short import SHORT, write_run_report
from pellucid.runs.record import read_run

# What the full report adds, each after the part of the short one that it goes on from.
ADDED: dict[str, tuple[Part, ...]] = {
    "data": (Part("data check", data_check_section),),
    "score": (Part("metrics", metrics_section),),
    "mistakes and hits": (
        Part("robustness", robustness_section),
        Part("saliency", looking_section),
        Part("influence", influence_section),
    ),
}
INSTEAD = {"new photo": Part("new photo", own_photo_section)}  # the same and more
FULL: Parts = tuple(
    part for short in SHORT for part in (INSTEAD.get(short.title, short), *ADDED.get(short.title, ()))
)


def report_on(
    run: Path,
    *,
    is_full: bool = False,
    data: str | None = None,
    n_photos: int = 10,
    allow_other_data: bool = False,
    progress: ProgressCallback = no_progress,
) -> Path:
    """Write report.html and its figures into a run folder, anew, and return the report's path.

    Parameters
    ----------
    run : Path
        What ``pellucid run`` or ``pellucid train`` left.
    is_full : bool, optional
        Add what ``ADDED`` names.
    data : str, optional
        Where the run's data are now; default: where they were.
    n_photos : int, optional
        How many test photos are explained one by one.
    allow_other_data : bool, optional
        Report on data that are not those of the run; the report says so.
    progress : callable, optional
        Called with each section's title before it is made, its number and how many there are; at last with "done".

    Raises
    ------
    PellucidError
        If folder, files or data cannot be used; the folder is then as it was.
    """
    result = read_run(run, data=data, allow_other_data=allow_other_data)
    parts = FULL if is_full else SHORT
    with atomic_folder(run, force=True) as folder:
        write_run_report(result, folder, parts, n_photos=n_photos, run=run, progress=progress)
    return run / "report.html"
