"""The report of a run, short or with all that can be found out: findings in, one page and its figures out."""

from pathlib import Path

from pellucid import dispatch
from pellucid.errors import DataError, OptionError
from pellucid.folders import atomic_folder
from pellucid.job_threads import in_background
from pellucid.ops.losses.base import LOSSES
from pellucid.progress import ProgressCallback, no_progress
from pellucid.report.draft import Draft
from pellucid.report.findings import STAGES, Findings, find_all, find_short
from pellucid.report.html import write_report
from pellucid.report.parts import ReportContent, Section
from pellucid.report.sections import (
    data,
    influence,
    label_errors,
    photos,
    regression,
    robustness,
    saliency,
    scores,
    tables,
    training,
)
from pellucid.report.sections.summary import facts, points, summary
from pellucid.runs.photo import new_image_again
from pellucid.runs.record import RunRecord, read_run

FULL_PASSES = 200.0  # over the test part, that a full report is worth


def report_on(
    folder: Path,
    out: Path | None = None,
    *,
    is_full: bool = False,
    data: str | None = None,
    n_photos: int = 10,
    allow_other_data: bool = False,
    force: bool = False,
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
    force : bool, optional
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
    image, notes = new_image_again(run.config, run.split.train.X.shape[1:])
    with atomic_folder(target, force=force or out is None) as staging, in_background() as later:
        if is_full:
            with dispatch.use_for(FULL_PASSES * len(run.split.test) * run.model.n_operations):
                findings = find_all(run, image, notes, n_photos=n_photos, progress=progress, later=later)
        else:
            findings = find_short(run, image, notes)
        progress("page", len(STAGES) - 1, len(STAGES))
        write_findings(findings, staging)
    progress("done", len(STAGES), len(STAGES))
    return target / "report.html"


def write_findings(found: Findings, folder: Path) -> Path:
    """Write the figures and report.html into a folder, and return the report's path."""
    result = found.result
    draft = Draft(folder, result.split, has_photos=result.has_photos)
    sections = make_sections(found, draft)
    name = Path(result.split.name).name or result.split.name
    content = ReportContent(
        title=f"{result.config.model_name} on {name}",
        summary=summary(found),
        facts=facts(result) if result.kind == "classification" else regression.facts(found),
        points=points(found),
        sections=sections,
        closing="; ".join(result.split.notes),
        sheet=draft.sheet(),
    )
    return write_report(content, folder / "report.html")


def make_sections(found: Findings, draft: Draft) -> tuple[Section, ...]:
    """Return the sections of a report in their order: those of which there are findings."""
    result, split = found.result, found.result.split
    is_classifier = result.kind == "classification"
    is_photos = draft.has_photos and is_classifier
    before = (
        data.data_section(draft, result),
        tables.columns_section(draft, split) if split.schema is not None else None,
        found.check and data.check_section(draft, found.check),
    )
    between = (
        training.network_section(draft, result),
        training.training_section(draft, result),
        scores.accuracy_section(draft, result) if is_classifier else None,
        photos.photos_section(draft, result) if is_photos else None,
        found.scores and is_classifier and scores.scores_section(draft, found.scores),
        None if is_classifier else regression.errors_section(draft, found),
        found.robustness and robustness.robustness_section(draft, found.robustness, result),
        saliency.saliency_section(draft, found.maps, result)
        if found.maps is not None and is_photos
        else None,
    )
    photo = found.photo and photos.new_photo_section(draft, found.photo, result)
    # Last what is waited for.
    influenced = found.influence and influence.influence_section(draft, found.influence)
    labels = found.labels and label_errors.label_errors_section(draft, found.labels)
    return tuple(section for section in (*before, labels, *between, influenced, photo) if section)


def check_fits(run: RunRecord) -> None:
    """Raise DataError unless it is one class a sample or numbers, and the model fits the data."""
    model, split = run.model, run.split
    is_classifier = model.loss_kind == "classification" and split.train.y.ndim == 1
    if not is_classifier and model.loss_kind != "regression":
        raise DataError(
            f"{run.folder}: the report is of one class a sample or of numbers to predict, this model is of "
            f"{model.loss_kind.replace('_', '-')}. Try `pellucid evaluate`."
        )
    if is_classifier:
        check_probabilities(f"{run.folder}", model.loss)
    for what, known, there in (
        ("the model knows the classes", ", ".join(model.classes), ", ".join(split.classes)),
        ("the model takes samples of shape", model.input_shape, split.train.X.shape[1:]),
    ):
        if known != there:
            raise DataError(
                f"{run.folder}: {what} {known}, {split.name} has {there}. Name the data of the run with --data."
            )


def check_probabilities(where: str, loss: str) -> None:
    """Raise OptionError unless a loss gives probabilities of classes."""
    if not LOSSES[loss].gives_probabilities:
        raise OptionError(
            f"{where}: the report needs the probabilities of classes, and {loss} gives none. Train on a "
            "cross-entropy, or use `pellucid train` and `pellucid evaluate`."
        )
