"""Find what is wrong with a data set before a model is trained on it.

:func:`check_data` looks at a whole data set; :mod:`pellucid.data.copies.duplicates` searches for copies alone, and
:mod:`pellucid.data.copies.near` and :mod:`pellucid.data.copies.crops` say which copies are found, and which not.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pellucid.checks import classes as balance
from pellucid.checks.classes import ConstantScore, Homogeneity
from pellucid.checks.findings import Finding, copy_findings
from pellucid.checks.images import empty_pictures, read_photos
from pellucid.checks.kinds import KINDS
from pellucid.checks.tables import constant_columns, missing_findings, read_rows
from pellucid.data.coerce import as_split
from pellucid.data.copies.duplicates import MOST_SEARCHED, Leak, find_copies, kinds_searched
from pellucid.data.copies.near import cosine_threshold
from pellucid.data.copies.pixels import PixelScale, are_pictures
from pellucid.data.dataset import Split
from pellucid.data.source import DataSource, data_options
from pellucid.progress import Progress, ProgressCallback, no_progress, shown_progress
from pellucid.registry import validate_call
from pellucid.shares import share, share_range
from pellucid.stats.paired import too_few
from pellucid.text import join, plural
from pellucid.text_blocks import Block, Result

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_LOOK_ALIKE = "The pictures are inherently similar: only those that agree almost completely count as copies."
_MANY = f"Mirrored, cropped and recoloured copies are searched for among up to {MOST_SEARCHED:,} pictures."
MOST_UNREAD = 12  # files that cannot be read, each with its reason
_ALIKE = 0.98  # the report mentions a cosine required of near copies from here on


@dataclass(frozen=True, repr=False)
class DataReport(Result):
    """What a check found.

    Attributes
    ----------
    name : str
        Of the data set.
    n_train, n_test : int
    leaks : tuple of Leak
        Test samples that are in the training part too, by index.
    findings : tuple of Finding
        All findings: leaks first, then in the order of ``KINDS``.
    counts : dict of str to dict
        {"train": {class: samples}, "test": {...}}; empty where there are no classes.
    shift : Homogeneity or None
        Whether both parts hold the classes in the same proportions; None where there are no classes.
    baseline : dict of str to ConstantScore
        "train_majority" and "best_constant"; empty where there are no classes.
    notes : tuple of str
        What was left out, and what was done to the data on the way in.
    split : Split or None
        The data, for the pictures.
    """

    name: str
    n_train: int
    n_test: int
    leaks: tuple[Leak, ...] = ()
    findings: tuple[Finding, ...] = ()
    counts: dict[str, dict[str, int]] = field(default_factory=dict)
    shift: Homogeneity | None = None
    baseline: dict[str, ConstantScore] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    split: Split | None = field(default=None, compare=False)

    columns = ("finding", "samples", "first")
    in_json = "name headline n_train n_test leaks baseline classes=counts findings notes"

    def of_kind(self, kind: str) -> tuple[Finding, ...]:
        """Return the findings of one kind."""
        return tuple(finding for finding in self.findings if finding.kind == kind)

    @property
    def too_few(self) -> str:
        """That the test part can show nothing; "" where it can, or there are no classes."""
        score = self.baseline.get("train_majority")
        return too_few(score.n_samples, score.n_correct, score.answer) if score else ""

    @property
    def doubtful(self) -> frozenset[int]:
        """The test samples that have a copy with another label."""
        samples = [sample for one in self.of_kind("conflict") for sample in one.samples]
        return frozenset(one.index for one in samples if one.part == "test" and one.index is not None)

    @property
    def headline(self) -> str:
        """Sizes, the number of findings, and the score to beat."""
        sizes = f"{plural(self.n_train, 'training sample')} and {plural(self.n_test, 'test sample')}"
        classes = f", {plural(len(self.counts['train']), 'class', 'classes')}" if self.counts else ""
        n = plural(len(self.findings), "finding") if self.findings else "no findings"
        found = f"{self.name or 'The data'}: {sizes}{classes}; {n}."
        if not self.baseline:
            return found
        score = self.baseline["train_majority"]
        accuracy = f"{score.n_correct}/{score.n_samples} = {share(score.accuracy, score.n_samples)}"
        interval = share_range(*score.interval, score.n_samples)
        found = f"{found} {self.too_few}" if self.too_few else found
        return f"{found} Baseline (always {score.answer!r}): {accuracy}, 95 % interval {interval}."

    def to_rows(self) -> list[dict[str, Any]]:
        """Return a row for each kind of finding that there is; ``first`` is what was found, of the first."""
        return [
            {
                "kind": kind,
                "n_findings": len(found),
                "n_samples": len(found) if kind == "leak" else sum(max(1, one.n_samples) for one in found),
                "first": found[0].found,
                "why": KINDS[kind].why,
                "advice": KINDS[kind].advice,
            }
            for kind in KINDS
            if (found := self.of_kind(kind))
        ]

    def cells(self, row: dict[str, Any]) -> tuple[Any, ...]:
        """Return a row as it is printed."""
        more = f" ({row['n_findings'] - 1} more)" if row["n_findings"] > 1 else ""
        return KINDS[row["kind"]].title, row["n_samples"], row["first"] + more

    def blocks(self) -> list[Block]:
        """Return the headline, the findings with advice on each kind, and the notes."""
        rows = self.to_rows()
        notes = [f"Note: {note}" for note in self.notes]
        if not rows:
            return [self.headline, self.searched, *notes]
        advice = [f"{KINDS[row['kind']].title}: {row['why']} {row['advice']}" for row in rows]
        unread = [one.found for one in self.of_kind("unreadable")[1:MOST_UNREAD]]
        return [*super().blocks()[:2], *unread, *advice, self.searched, *notes]

    @property
    def has_pictures(self) -> bool:
        """Whether the samples are pictures, so that findings can be drawn."""
        return self.split is not None and are_pictures(self.split.train.X)

    @property
    def searched(self) -> str:
        """What was looked for in data of this kind."""
        kinds = ["samples in both parts", "exact copies"]
        n = self.n_train + self.n_test
        if self.split is not None and (of_pictures := kinds_searched(self.split.train.X, n)):
            kinds[1] = f"{join(['exact', *of_pictures])} copies"
            kinds.append("empty pictures")
        else:
            kinds += ["missing values", "constant columns"]
        if self.counts:
            kinds += ["conflicting labels", "class sizes"]
        return f"Searched for: {'; '.join(kinds)}."

    def plot(self) -> "Figure":
        """Return the findings as a figure: of pictures the first page, else a line for each kind of finding."""
        from pellucid.checks.plot_findings import findings_figure

        return self.pages()[0] if self.has_pictures and self.findings else findings_figure(self)

    def pages(self, *, max_pages: int = 10) -> "list[Figure]":
        """Return every finding as a picture, page by page; see ``plot_findings.findings_sheets``."""
        from pellucid.checks.plot_findings import findings_sheets

        return findings_sheets(self, max_pages=max_pages)

    def to_dict(self) -> dict[str, Any]:
        """Return the report as a JSON-serializable dictionary."""
        shift = {} if self.shift is None else {"homogeneity": asdict(self.shift)}
        return {**super().to_dict(), "classes": {**self.counts, **shift}}

    def __repr__(self) -> str:
        n = plural(len(self.findings), "finding")
        return f"DataReport({self.name!r}, {n}, {plural(len(self.leaks), 'leak')})"


@validate_call(others=data_options)
def check_data(
    data: Split | DataSource | str | Path, *, progress: Progress = None, **options: Any
) -> DataReport:
    """Look for what is wrong with a data set.

    Parameters
    ----------
    data : Split, DataSource, str or Path
        Loaded data, or what :func:`pellucid.data.source.load_data` takes. From a folder or table, files that cannot
        be read and missing values are findings, not errors, and samples are named by file or line.
        Pictures, (m, h, w) or (m, h, w, c), are checked as such; rows of numbers, (m, n), as a table; for anything
        else exact copies and classes are checked.
    progress : callable or bool, optional
        Called with a stage, how much of it is done, and of how much; default: a bar; False: silent.
    **options
        For data by name: as for ``load_data``.

    Returns
    -------
    DataReport

    Raises
    ------
    DataError
        If the data cannot be used at all, a part is empty, or the parts do not fit together.
    OptionError
        If an option is unknown, out of range, or does not apply to the data.

    Notes
    -----
    :mod:`pellucid.data.copies.near` and :mod:`pellucid.data.copies.crops` say how copies are found.

    Examples
    --------
    >>> from pellucid.data.built_in import load_drawn_cats
    >>> cats = load_drawn_cats()
    >>> cats.test.X[3] = np.minimum(cats.train.X[100] * 1.2, 255)        # a brighter copy
    >>> report = check_data(cats)
    >>> report.leaks
    (Leak(test=3, train=100, kind='near'),)
    >>> print(report.findings[0].found)
    test 3 (...) is nearly the same as train 100 (...).
    """
    source = as_split(data, "check_data", with_gaps=True, **options)
    with shown_progress(progress) as show:
        if isinstance(source, Split):
            return check_split(source, progress=show)
        return check_split(*open_source(source, show), show)


def open_source(source: DataSource, progress: ProgressCallback) -> tuple[Split, list[Finding]]:
    """Return the data of a source, and what was found while it was read; rows have their lines' names."""
    source.check_applies()
    if source.kind == "folder":
        return read_photos(source, progress)
    if source.kind == "table":
        return read_rows(source)
    return source.load(), []


def check_split(
    split: Split,
    found: Sequence[Finding] = (),
    progress: ProgressCallback = no_progress,
) -> DataReport:
    """Return the report on loaded data.

    Parameters
    ----------
    split : Split
    found : sequence of Finding, optional
        What was found while the data were read.
    progress : callable, optional
    """
    balance.check_parts(split)
    copies = find_copies(split.train.X, split.test.X, progress)
    leaks = copies.leaks()
    findings = [*found, *copy_findings(split, copies, leaks)]
    notes = [*split.notes]
    if not any(one.kind == "missing_values" for one in found):
        findings += missing_findings(split)
    if are_pictures(split.train.X):
        findings += empty_pictures(split, PixelScale(split.train.X, split.test.X), progress)
        if cosine_threshold(copies.typical) > _ALIKE:
            notes.append(_LOOK_ALIKE)
        if len(split.train) + len(split.test) > MOST_SEARCHED:
            notes.append(_MANY)
    else:
        notes.append("The samples are no pictures: near copies and empty pictures were not searched for.")
        findings += constant_columns(split)
    classes, class_findings, left_out = balance.check_classes(split)
    findings += class_findings
    return DataReport(
        name=split.name,
        n_train=len(split.train),
        n_test=len(split.test),
        leaks=tuple(leaks),
        findings=tuple(sorted(findings, key=lambda finding: list(KINDS).index(finding.kind))),
        notes=(*notes, *left_out),
        split=split,
        **classes,
    )
