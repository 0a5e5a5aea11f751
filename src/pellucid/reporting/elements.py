"""What a report is put together from: plain records, all of whose words are text and never markup."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from pellucid.plotting.style import class_names
from pellucid.reporting.sprites import PhotoSheet

MOST_CLASSES = 24  # that a matrix is shown of; of more classes the most common mistakes are listed
MOST_PAIRS = 60  # that are then listed
LONGEST_NAME = 16  # of a class in a matrix

Cell = str | int | float


class Fact(NamedTuple):
    """A number of the summary, its name, and what that means in plain words."""

    label: str
    value: Cell
    meaning: str = ""


@dataclass(frozen=True, eq=False)
class Captioned:
    """A figure with its words.

    Attributes
    ----------
    png : bytes
        The figure as a PNG file, as ``save_figure`` returns it.
    caption : str
        How to read it.
    alt : str
        What it shows, for a screen reader.
    """

    png: bytes
    caption: str
    alt: str


@dataclass(frozen=True)
class Table:
    """A table: the names of its columns, and rows of strings and numbers.

    ``summary``: where it is long, the words that stand in its place until it is opened.
    """

    header: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    summary: str = ""

    def is_number(self, column: int) -> bool:
        """Whether every cell of that column is a number (such columns are set to the right)."""
        return all(not isinstance(row[column], str) for row in self.rows) and bool(self.rows)


@dataclass(frozen=True)
class Photo:
    """A photo of the report's sheet: its number there, and what it shows, for a screen reader."""

    at: int
    alt: str


@dataclass(frozen=True)
class Card:
    """A photo with its words.

    Attributes
    ----------
    photo : Photo
    lines : sequence of str
        The first is the prediction.
    is_right : bool, optional
        Marks the prediction as right or wrong; None: neither.
    near : sequence of (Photo, sequence of str)
        The training photos nearest to it, each with words below, a line each.
    """

    photo: Photo
    lines: Sequence[str]
    is_right: bool | None = None
    near: Sequence[tuple[Photo, Sequence[str]]] = ()


@dataclass(frozen=True, eq=False)
class Gallery:
    """Cards, and a caption that says how to read them; ``is_small``: many photos with a word each."""

    cards: Sequence[Card]
    caption: str
    is_small: bool = False


@dataclass(frozen=True, eq=False)
class Confusion:
    """A confusion matrix each of whose cells opens its photos.

    Attributes
    ----------
    classes : sequence of str, length k
    matrix : sequence of (sequence of int), (k, k)
        Row: the true class; column: the predicted one.
    caption : str
    cells : mapping of (true class, predicted class) to sequence of Card
        Cells without photos are not links.
    """

    classes: Sequence[str]
    matrix: Sequence[Sequence[int]]
    caption: str
    cells: Mapping[tuple[int, int], Sequence[Card]] = field(default_factory=dict)

    @property
    def short_names(self) -> Sequence[str]:
        """The classes, short enough for a row and a column, and still different."""
        return class_names(self.classes, range(len(self.classes)), LONGEST_NAME)

    @property
    def is_grid(self) -> bool:
        """Whether there are few enough classes for a matrix."""
        return len(self.classes) <= MOST_CLASSES

    def fraction(self, true: int, predicted: int) -> float:
        """Return which fraction of a class was predicted as another."""
        total = sum(self.matrix[true])
        return self.matrix[true][predicted] / total if total else 0.0

    def pairs(self) -> list[tuple[int, int, int]]:
        """Return (true class, predicted class, how often) of the mistakes, the most common first."""
        found = [(i, j, n) for i, row in enumerate(self.matrix) for j, n in enumerate(row) if n and i != j]
        return sorted(found, key=lambda pair: -pair[2])[:MOST_PAIRS]


@dataclass(frozen=True, eq=False)
class Section:
    """One part of a report: paragraphs, then a confusion matrix, figures, a table, photos, and smaller parts.

    ``is_folded``: of a smaller part, only its title is shown until it is opened.
    """

    title: str
    intro: Sequence[str] = ()
    figures: Sequence[Captioned] = ()
    table: Table | None = None
    confusion: Confusion | None = None
    gallery: Gallery | None = None
    parts: Sequence[Section] = ()
    is_folded: bool = False


@dataclass(frozen=True, eq=False)
class ReportContent:
    """What a report says, in order.

    Attributes
    ----------
    title : str
    summary : sequence of str
        How good it is, beside what, and what was done; the first stands out.
    facts : sequence of Fact
    points : sequence of str
        What else a reader must know, a sentence or two each.
    sections : sequence of Section
    closing : str
        A last line.
    sheet : PhotoSheet, optional
        The photos that cards show, embedded once.
    """

    title: str
    summary: Sequence[str] = ()
    facts: Sequence[Fact] = ()
    points: Sequence[str] = ()
    sections: Sequence[Section] = ()
    closing: str = ""
    sheet: PhotoSheet | None = None
