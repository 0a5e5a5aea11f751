"""The report of a run, written again: short, or with all that can be found out."""

from dataclasses import replace
from pathlib import Path

from pellucid import dispatch
from pellucid.checks.check import check_split
from pellucid.errors import PellucidError
from pellucid.folders import atomic_folder
from pellucid.job_threads import in_background
from pellucid.nn.model import number_of_class
from pellucid.progress import Progress, shown_progress
from pellucid.registry import validate_call
from pellucid.reporting.build import check_fits, write_findings
from pellucid.reporting.findings import STAGES, find_all, find_short
from pellucid.reporting.sections.summary import summary
from pellucid.runs.photo import new_image
from pellucid.runs.run import read_run

FULL_PASSES = 200.0  # over the test part, that a full report is worth


@validate_call("full", "n_photos", "other_data", "overwrite")
def report(
    run: str | Path,
    out: str | Path | None = None,
    *,
    full: bool = False,
    data: str | None = None,
    n_photos: int = 10,
    positive: str | None = None,
    other_data: bool = False,
    overwrite: bool = False,
    progress: Progress = None,
) -> Path:
    """Write report.html and its figures again, and return the report's path.

    Parameters
    ----------
    run : str or Path
        What ``pellucid run`` or ``pellucid train`` left.
    out : str or Path, optional
        Where they are written; default: into ``run``.
    full : bool, optional
        Add data check, scores, robustness, saliency, influence, and more about the new photo.
    data : str, optional
        Where the run's data are now; default: where they were.
    n_photos : int, optional
        How many test photos are explained one by one.
    positive : str, optional
        Of two classes, the one that sensitivity is of; default: as at the training.
    other_data : bool, optional
        Report on data that are not those of the run; the report says so.
    overwrite : bool, optional
        Allow an ``out`` that is not empty.
    progress : callable or bool, optional
        Called with each stage before it begins, its number and how many there are; at last with "done" and the
        report's first line. Default: a bar; False: silent.

    Raises
    ------
    PellucidError
        If folder, files or data cannot be used; the folder is then as it was.
    """
    folder = Path(run)
    read = read_run(folder, data=data, allow_other_data=other_data)
    check_fits(read)
    if positive is not None:
        number_of_class(read.model, positive, read.split.classes, "report: positive")
        read.model._summary_of_training["positive"] = positive
    target = folder if out is None else Path(out)
    image = None
    try:
        image = new_image(read.config, read.split.train)
    except PellucidError:
        name = Path(read.config.photo or "").name
        gone = f"The new photo of the run, {name}, is not there any more; it is left out."
        read = replace(read, notes=(*read.notes, gone))
    with (
        shown_progress(progress) as show,
        atomic_folder(target, overwrite=overwrite or out is None) as staging,
        in_background() as executor,
    ):
        if full:
            with dispatch.use_for(FULL_PASSES * len(read.split.test) * read.model._n_operations):
                findings = find_all(read, image, n_photos=n_photos, progress=show, executor=executor)
        else:
            findings = find_short(read, image, check_split(read.split))
        show("page", len(STAGES) - 1, len(STAGES))
        write_findings(findings, staging)
        show("done", len(STAGES), len(STAGES), summary(findings)[0])
    return target / "report.html"
