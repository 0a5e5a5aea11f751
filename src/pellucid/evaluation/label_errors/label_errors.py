"""What a search for label errors found."""

import csv
import io
from dataclasses import dataclass, field
from typing import Any

from pellucid.data.dataset import Split
from pellucid.plotting.types import Figure
from pellucid.shares import share
from pellucid.text import plural, printable, shorten
from pellucid.text_blocks import Block, Result
from pellucid.types import Array

MOST_LISTED = 20
DOUBTFUL = 0.8  # accuracy below which most contradictions may be the network's own mistakes
HOW = (
    "Flagged where another class is as probable as it is, on average, for samples with its label (confident "
    "learning; Northcutt, Jiang and Chuang, 2021)."
)


@dataclass(frozen=True)
class LabelError:
    """A sample whose label is contradicted with confidence.

    Attributes
    ----------
    part : str
        "train" or "test".
    index : int
        In that part, counted from 0.
    name : str
        Its file in the folder, or its row in the table; "" where it has none.
    given, likely : str
        The class of its label, and the one that it more likely belongs to.
    confidence : float
        The probability of the likely class.
    p_given : float
        The probability of the given one.
    """

    part: str
    index: int
    name: str
    given: str
    likely: str
    confidence: float
    p_given: float

    @property
    def place(self) -> str:
        """Where the sample is: its part and number, and its name."""
        place = f"{self.part} {self.index}"
        return f"{place} ({shorten(printable(self.name), 40)})" if self.name else place


@dataclass(frozen=True, eq=False, repr=False)
class LabelErrors(Result):
    """The labels that are contradicted, the clearest first.

    Attributes
    ----------
    data : str
    model : str
        The preset or file that was trained.
    n_samples, n_folds : int
    accuracy : float
        Of the predictions of samples that were held out: with a low one, few of the errors are errors.
    errors : tuple of LabelError
    probabilities : Array, shape (m, k)
        Of every sample, of the training part first, by the network that was not trained on it.
    split : Split
        The data, for the pictures.
    notes : tuple of str
        What to mind about the folds.
    """

    data: str
    model: str
    n_samples: int
    n_folds: int
    accuracy: float
    errors: tuple[LabelError, ...]
    probabilities: Array
    split: Split = field(compare=False)
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.errors)

    columns = ("sample", "label", "more likely", "probability", "of the label")
    in_json = "data model n_samples n_folds accuracy errors notes headline"

    @property
    def headline(self) -> str:
        """How many labels are contradicted, and how far that is to be trusted."""
        n, right = len(self.errors), share(self.accuracy, self.n_samples)
        folds = f"{self.model} on {self.n_folds} folds; on samples left out of its training its accuracy is {right}"
        if not n:
            return f"No label is contradicted with confidence ({folds})."
        are = "is" if n == 1 else "are"
        contradicted = (
            f"{n} of {plural(self.n_samples, 'label')} {are} contradicted with confidence ({folds})."
        )
        doubt = " With so low an accuracy many may be the network's mistakes."
        return contradicted + (doubt if self.accuracy < DOUBTFUL else "")

    def to_rows(self) -> list[dict[str, Any]]:
        """Return a row for each contradicted label."""
        return [dict(vars(error)) for error in self.errors]

    def cells(self, row: dict[str, Any]) -> tuple[str, ...]:
        """Return a row as it is printed."""
        error = LabelError(**row)
        return error.place, error.given, error.likely, f"{error.confidence:.2f}", f"{error.p_given:.2f}"

    def blocks(self) -> list[Block]:
        """Return headline, the first rows, how they were found, and notes."""
        shown = [self.cells(row) for row in self.to_rows()[:MOST_LISTED]]
        rest = len(self.errors) - len(shown)
        more = [f"... and {rest} more: --json lists all, --out writes them."] if rest else []
        table: list[Block] = [(self.columns, shown), *more, HOW] if shown else []
        return [self.headline, *table, *(f"Note: {note}" for note in self.notes)]

    def plot(self) -> Figure:
        """Return the first page of the contact sheet; of samples that are no pictures, bars of confidence."""
        return self.pages(max_pages=1)[0]

    def pages(self, *, max_pages: int = 10) -> list[Figure]:
        """Return the contact sheet, page by page."""
        from pellucid.evaluation.label_errors.plot_label_errors import label_error_sheets

        return label_error_sheets(self, max_pages=max_pages)

    def to_csv(self) -> str:
        """Return the list as CSV text, with a line of names."""
        text = io.StringIO()
        names = ("part", "index", "name", "given", "likely", "confidence", "p_given")
        writer = csv.DictWriter(text, names, lineterminator="\n")
        writer.writeheader()
        for error in self.errors:
            numbers = {"confidence": f"{error.confidence:.4f}", "p_given": f"{error.p_given:.4f}"}
            writer.writerow({**vars(error), **numbers})
        return text.getvalue()

    def __repr__(self) -> str:
        return f"LabelErrors({self.data}: {self.headline})"
