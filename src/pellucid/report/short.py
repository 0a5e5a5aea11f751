"""The report of a run: its parts in their order, written as one page."""

from pathlib import Path

from pellucid.evaluation.scores.of_run import RunResult
from pellucid.progress import ProgressCallback, no_progress
from pellucid.report.draft import Draft, Part, Parts
from pellucid.report.html import write_report
from pellucid.report.parts import ReportContent
from pellucid.report.sections import common as sections
from pellucid.report.sections.summary import facts, summary

SHORT: Parts = (
    Part("data", sections.data_section),
    Part("from photo to numbers", sections.vector_section),
    Part("network", sections.network_section),
    Part("training", sections.training_section),
    Part("score", sections.evaluation_section),
    Part("mistakes and hits", sections.photos_section),
    Part("new photo", sections.new_photo_section),
)


def write_run_report(
    result: RunResult,
    folder: Path,
    parts: Parts = SHORT,
    *,
    n_photos: int = 10,
    run: Path | None = None,
    progress: ProgressCallback = no_progress,
) -> Path:
    """Write the figures and report.html into a folder, and return the report's path.

    Parameters
    ----------
    result : RunResult
    folder : Path
    parts : sequence of Part, optional
        Default: those of the short report.
    n_photos : int, optional
        How many test photos are explained, by parts that explain some.
    run : Path, optional
        The run folder, where that is there already.
    progress : callable, optional
        Called with each part's title before it is made, then with "page" and "done".
    """
    draft = Draft.of(result, folder, n_photos, run)
    made = []
    for i, part in enumerate(parts):
        progress(part.title, i, len(parts) + 1)
        if (section := part.make(draft)) is not None:
            made.append(section)
    progress("page", len(parts), len(parts) + 1)
    content = ReportContent(
        title=f"{Path(result.config.model).stem} on {Path(result.split.name).name or result.split.name}",
        summary=(*summary(result), *draft.told),
        facts=facts(result),
        sections=tuple(made),
        closing="; ".join(result.split.notes),
        sheet=None if draft.shelf is None else draft.shelf.sheet(),
    )
    page = write_report(content, folder / "report.html")
    progress("done", len(parts) + 1, len(parts) + 1)
    return page
