"""Check data by name, draw what was found, and with networks trained on folds list labels that are contradicted."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pellucid.checks.check import DataReport, check_split, open_source
from pellucid.data.coerce import as_split
from pellucid.data.dataset import Split
from pellucid.data.source import DataSource
from pellucid.errors import OptionError
from pellucid.evaluation.comparison.labels import check_labels
from pellucid.evaluation.label_errors.find_label_errors import Say, label_errors_of, say_nothing
from pellucid.evaluation.label_errors.label_errors import LabelErrors
from pellucid.files import check_free, check_png, write_atomically
from pellucid.plotting.saving import save_figure
from pellucid.plotting.types import Figure
from pellucid.progress import Progress, ProgressCallback, no_progress, shown_progress
from pellucid.registry import validate_call
from pellucid.runs.candidates import Candidate, find_candidate
from pellucid.runs.config import RunConfig
from pellucid.training.options import TrainingOptions
from pellucid.training.recommend import AUTO, recommend


@validate_call("cv", "seed", "n_jobs")
def find_label_errors(
    model: str | Path,
    data: Split | DataSource | str | Path,
    *,
    cv: int = 5,
    seed: int = 1,
    n_jobs: int | None = None,
    progress: Progress = None,
    **options: Any,
) -> LabelErrors:
    """Find samples whose label is probably wrong.

    Both parts are put together and divided into folds; a network is trained on all but one, and predicts the one
    that it was not trained on. Labels that these predictions contradict with confidence are returned. Copies and
    groups stay in one fold.

    Parameters
    ----------
    model : str or Path
        A preset, a ``.toml`` file, or "auto": what :func:`pellucid.recommend` names for the data.
    data : Split, DataSource, str or Path
        Loaded data, or what ``load_data`` takes; of one class a sample.
    cv : int, optional
        Trainings; each leaves out one part of as many.
    seed : int, optional
        Of the first training; each has the next.
    n_jobs : int, optional
        Trainings side by side; default: one a core. The result does not depend on it.
    progress : callable or bool, optional
        Called with a stage, the number of trainings done, and of how many; default: a bar; False: silent.
    **options
        For data by name: as for ``load_data``.

    Returns
    -------
    LabelErrors

    Raises
    ------
    DataError, OptionError
        If the data has no classes, a class has fewer samples than there are folds, or an option is wrong.

    Notes
    -----
    Confident learning (Northcutt, Jiang and Chuang, 2021): see ``pellucid.evaluation.label_errors.confident``.
    ``benchmarks/label_errors.py`` prints precision and recall on labels that were flipped on purpose.

    Examples
    --------
    >>> import numpy as np, pellucid as pl
    >>> rng = np.random.default_rng(1)
    >>> X = rng.normal(size=(100, 2)); y = (X[:, 0] > 0).astype(int); y[7] = 1 - y[7]
    >>> found = pl.find_label_errors("logistic", ((X[:80], y[:80]), (X[80:], y[80:])), n_jobs=1)
    >>> found.errors[0].part, found.errors[0].index
    ('train', 7)
    """
    if cv < 2:
        raise OptionError(f"cv: expected 2 folds or more, got {cv}. Try 5.")
    source = as_split(data, "find_label_errors", **options)
    with shown_progress(progress) as show:
        split = source if isinstance(source, Split) else open_source(source, show)[0]
        return label_errors_of(
            split,
            candidate_for(split, str(model), seed),
            folds=cv,
            seed=seed,
            n_jobs=n_jobs,
            progress=show,
        )


def candidate_for(split: Split, model: str, seed: int) -> Candidate:
    """Return what is trained: a preset or a file, or with "auto" what suits the data."""
    check_labels(split)
    if model != AUTO:
        return find_candidate("model", model, seed=seed)
    chosen = recommend(split)
    config = RunConfig(
        DataSource(split.name or "data"), chosen.model, TrainingOptions.resolve(chosen.recipe, seed=seed)
    )
    return Candidate("model", chosen.model, config=config)


SHEET = "findings.png"  # in a folder that was named


@dataclass(frozen=True, eq=False)
class DataCheck:
    """What was found in data, and the files that were written.

    Attributes
    ----------
    report : DataReport
    sheets : tuple of Path
        Pictures of every finding.
    errors : LabelErrors or None
        Where they were asked for.
    files : tuple of Path
        Of contradicted labels.
    """

    report: DataReport
    sheets: tuple[Path, ...] = ()
    errors: LabelErrors | None = None
    files: tuple[Path, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON can hold it."""
        own = {**self.report.to_dict(), "sheets": [str(path) for path in self.sheets]}
        if self.errors is None:
            return own
        return {**own, "labels": self.errors.to_dict(), "files": [str(path) for path in self.files]}


def check_named(
    source: DataSource,
    out: Path | None = None,
    *,
    has_labels: bool = False,
    model: str = AUTO,
    cv: int = 5,
    overwrite: bool = False,
    progress: ProgressCallback = no_progress,
    say: Say = say_nothing,
    on_report: Callable[[DataCheck], None] = lambda check: None,
) -> DataCheck:
    """Return what is wrong with data, and write pictures of it.

    Parameters
    ----------
    source : DataSource
    out : Path, optional
        A .png file, or a folder for it: every finding as a picture, and the list of contradicted labels.
    has_labels : bool, optional
        Search for label errors too.
    model, cv, say : optional
        As for :func:`pellucid.evaluation.label_errors.find_label_errors.label_errors_of`.
    overwrite : bool, optional
        Replace files that are there.
    progress : callable, optional
    on_report : callable, optional
        Called with what is known before networks are trained.

    Raises
    ------
    PellucidError
        If the data cannot be used, or a file is there or cannot be written.
    """
    first = None if out is None else sheet_path(out)
    for path in [] if first is None else [first, *([_table(first)] if has_labels else [])]:
        check_free(path, overwrite=overwrite)
    split, found = open_source(source, progress)
    report = check_split(split, found, progress)
    sheets: tuple[Path, ...] = ()
    if first is not None and report.has_pictures:
        sheets = _draw(report.pages(), first, progress, overwrite=overwrite)
    on_report(DataCheck(report, sheets))
    if not has_labels:
        return DataCheck(report, sheets)
    candidate = candidate_for(split, model, source.seed)
    errors = label_errors_of(split, candidate, folds=cv, seed=source.seed, progress=progress, say=say)
    return DataCheck(
        report, sheets, errors, () if first is None else _write_errors(errors, first, overwrite=overwrite)
    )


def sheet_path(out: Path) -> Path:
    """Return the file that a name given for the sheet means.

    Examples
    --------
    >>> sheet_path(Path("odd.png")).name, sheet_path(Path("checks")).name
    ('odd.png', 'findings.png')
    """
    if out.is_dir() or not out.suffix:
        return out / SHEET
    check_png(out)
    return out


def _draw(
    pages: Sequence[Figure], first: Path, progress: ProgressCallback = no_progress, *, overwrite: bool
) -> tuple[Path, ...]:
    """Draw pages into numbered files, and return these."""
    paths = tuple(first.with_stem(f"{first.stem}-{i}") if i > 1 else first for i in range(1, len(pages) + 1))
    for path in paths:
        check_free(path, overwrite=overwrite)
    for i, (page, path) in enumerate(zip(pages, paths, strict=True), start=1):
        save_figure(page, path)
        progress("drawing findings", i, len(pages))
    return paths


def _write_errors(errors: LabelErrors, first: Path, *, overwrite: bool) -> tuple[Path, ...]:
    """Write the list of contradicted labels, and of pictures the contact sheet, next to the sheet of findings."""
    table = _table(first)
    pages = errors.pages() if errors.split.train.has_pictures and len(errors) else []
    sheets = _draw(pages, table.with_suffix(".png"), overwrite=overwrite)
    write_atomically(table, errors.to_csv())
    return (*sheets, table)


def _table(first: Path) -> Path:
    return first.with_name(f"{first.stem}-labels.csv")
