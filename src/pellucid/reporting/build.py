"""The report of a run, short or with all that can be found out: findings in, one page and its figures out."""

from pathlib import Path

from pellucid.errors import DataError, OptionError
from pellucid.ops.losses.base import LOSSES
from pellucid.reporting.draft import Draft
from pellucid.reporting.elements import ReportContent, Section
from pellucid.reporting.findings import Findings
from pellucid.reporting.html import write_report
from pellucid.reporting.sections import (
    data,
    influence,
    label_errors,
    photos,
    regression,
    robustness,
    saliency,
    tables,
    training,
)
from pellucid.reporting.sections.scores import scores_section
from pellucid.reporting.sections.summary import facts, points, summary
from pellucid.runs.run import Run
from pellucid.text import capitalized


def write_findings(found: Findings, folder: Path) -> Path:
    """Write the figures and report.html into a folder, and return the report's path."""
    run = found.run
    draft, name = Draft(folder, run.split), Path(run.split.name).name or run.split.name
    sections = make_sections(found, draft)  # before the sheet of their photos
    content = ReportContent(
        title=f"{run.config.model_name} on {name}",
        summary=summary(found),
        facts=facts(found),
        points=points(found),
        sections=sections,
        closing=" ".join(f"{capitalized(note)}." for note in run.split.notes),
        sheet=draft.sheet(),
    )
    return write_report(content, folder / "report.html")


def make_sections(found: Findings, draft: Draft) -> tuple[Section, ...]:
    """Return the sections of a report in their order: those of which there are findings."""
    run, scores, is_classifier = found.run, found.scores, found.run.kind == "classification"
    is_photos = draft.has_photos and is_classifier
    before = (
        data.data_section(draft, run),
        tables.columns_section(draft, run.split) if run.split.schema is not None else None,
        found.check and data.check_section(draft, found.check),
    )
    between = (
        training.network_section(draft, run),
        training.training_section(draft, run),
        photos.confusion_section(draft, run) if is_classifier else None,
        photos.photos_section(draft, run) if is_photos else None,
        scores and is_classifier and scores_section(draft, scores),
        scores and not is_classifier and regression.errors_section(draft, scores, run),
        found.importance and tables.importance_section(draft, found.importance),
        found.robustness and robustness.robustness_section(draft, found.robustness, run),
        saliency.saliency_section(draft, found.maps, run) if found.maps is not None and is_photos else None,
    )
    photo = found.photo and photos.new_photo_section(draft, found.photo, run)
    # Last what is waited for.
    influenced = found.influence and influence.influence_section(draft, found.influence)
    labels = found.labels and label_errors.label_errors_section(draft, found.labels, run.source)
    has_map = found.maps is not None and is_photos and run.model._n_body
    whole = photos.map_section(draft, run, found.labels) if has_map else None
    return tuple(section for section in (*before, labels, *between, whole, influenced, photo) if section)


def check_fits(run: Run) -> None:
    """Raise DataError unless it is one class a sample or numbers, and the model fits the data."""
    model, split = run.model, run.split
    is_classifier = model._loss.kind == "classification" and split.train.y.ndim == 1
    if not is_classifier and model._loss.kind != "regression":
        raise DataError(
            f"{run.folder}: the report is of one class a sample or of numbers to predict, this model is of "
            f"{model._loss.kind.replace('_', '-')}. Try `pellucid evaluate`."
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
