"""The report of a run, written again: short, or with all that can be found out."""

from dataclasses import replace
from pathlib import Path

from pellucid import dispatch
from pellucid.folders import atomic_folder
from pellucid.job_threads import in_background
from pellucid.progress import ProgressCallback, no_progress
from pellucid.reporting.build import check_fits, write_findings
from pellucid.reporting.findings import STAGES, Findings, find_all, find_short
from pellucid.runs.photo import new_image_again
from pellucid.runs.record import read_run

FULL_PASSES = 200.0  # over the test part, that a full report is worth


def report_on(
    folder: Path,
    out: Path | None = None,
    *,
    is_full: bool = False,
    data: str | None = None,
    n_photos: int = 10,
    allow_other_data: bool = False,
    overwrite: bool = False,
    progress: ProgressCallback = no_progress,
) -> Path:
    """Write report.html and its figures again, and return the report's path.

    Parameters
    ----------
    folder : Path
        What ``pellucid run`` or ``pellucid train`` left.
    out : Path, optional
        Where they are written; default: into ``folder``.
    is_full : bool, optional
        Add data check, scores, robustness, saliency, influence, and more about the new photo.
    data : str, optional
        Where the run's data are now; default: where they were.
    n_photos : int, optional
        How many test photos are explained one by one.
    allow_other_data : bool, optional
        Report on data that are not those of the run; the report says so.
    overwrite : bool, optional
        Allow an ``out`` that is not empty.
    progress : callable, optional
        Called with each stage before it begins, its number and how many there are; at last with "done".

    Raises
    ------
    PellucidError
        If folder, files or data cannot be used; the folder is then as it was.
    """
    run = read_run(folder, data=data, allow_other_data=allow_other_data)
    check_fits(run)
    target = out or folder
    image, notes = new_image_again(run.config, run.split.train)
    run = replace(run, notes=(*run.notes, *notes))
    with atomic_folder(target, overwrite=overwrite or out is None) as staging, in_background() as executor:
        if is_full:
            with dispatch.use_for(FULL_PASSES * len(run.split.test) * run.model.n_operations):
                findings = find_all(run, image, n_photos=n_photos, progress=progress, executor=executor)
        else:
            findings = find_short(run, image)
        progress("page", len(STAGES) - 1, len(STAGES))
        write_findings(findings, staging)
    progress("done", len(STAGES), len(STAGES))
    return target / "report.html"


def write_page(found: Findings, folder: Path) -> Path:
    """Write the figures and report.html into the folder of a run, and return the report's path."""
    with atomic_folder(folder, overwrite=True) as staging:
        return folder / write_findings(found, staging).name
