"""Use case: the report of a run folder, short or with all that can be found out."""

from pathlib import Path

from pellucid.errors import DataError
from pellucid.evaluation.scores.of_run import examine
from pellucid.files import atomic_folder
from pellucid.progress import ProgressCallback, no_progress
from pellucid.report.draft import Part, Parts
from pellucid.report.sections.influence import influence_section
from pellucid.report.sections.robustness import robustness_section
from pellucid.report.sections.saliency import looking_section, own_photo_section
from pellucid.report.sections.scores import data_check_section, metrics_section
from pellucid.report.short import SHORT, write_run_report
from pellucid.runs.photo import new_image_again
from pellucid.runs.record import RunRecord, read_run

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
    record = read_run(run, data=data, allow_other_data=allow_other_data)
    _check_fits(record)
    result = examine(record, *new_image_again(record.config, record.split.train.X.shape[1:]))
    parts = FULL if is_full else SHORT
    with atomic_folder(run, force=True) as folder:
        write_run_report(result, folder, parts, n_photos=n_photos, run=run, progress=progress)
    return run / "report.html"


def _check_fits(run: RunRecord) -> None:
    """Raise DataError unless it is one class a sample, and the model knows the classes and takes the samples."""
    model, split = run.model, run.split
    if model.loss_kind != "classification" or split.train.y.ndim > 1:
        raise DataError(
            f"{run.folder}: the report is of one class a sample, this model is of {model.loss_kind}. "
            "Try `pellucid evaluate`."
        )
    for what, known, there in (
        ("the model knows the classes", ", ".join(model.classes), ", ".join(split.classes)),
        ("the model takes samples of shape", model.input_shape, split.train.X.shape[1:]),
    ):
        if known != there:
            raise DataError(
                f"{run.folder}: {what} {known}, {split.name} has {there}. Name the data of the run with --data."
            )
