"""Sentences and tables that follow one another, laid out for a terminal and for a notebook."""

import math
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from itertools import chain, zip_longest
from operator import attrgetter
from pathlib import Path
from textwrap import wrap
from typing import Any, TypeAlias

from pellucid.errors import MissingExtraError
from pellucid.text import one_line, shorten

Table: TypeAlias = tuple[Sequence[Any], Sequence[Sequence[Any]]]  # header, rows
Block: TypeAlias = str | Table  # a sentence or two, or a table
NARROWEST_CELL = 12  # characters of a cell that is broken into lines
GAP = "  "  # between columns of a table


class Printable(ABC):
    """What a terminal and a notebook show as sentences and tables."""

    @abstractmethod
    def blocks(self) -> list[Block]:
        """Return the sentences and tables."""

    def __str__(self) -> str:
        return blocks_as_text(self.blocks())

    def _repr_html_(self) -> str:
        return blocks_as_html(self.blocks())


class InJson:
    """What JSON can hold: ``in_json`` names what, with spaces between, as ``name`` or ``name=attribute.of.it``.

    A method is called.
    """

    in_json = ""

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON can hold it."""
        named = (each.partition("=") for each in self.in_json.split())
        values = {name: attrgetter(path or name)(self) for name, _, path in named}
        return {name: as_json(value() if callable(value) else value) for name, value in values.items()}


class Result(InJson, Printable):
    """What was found: a headline, rows and notes, which terminal, notebook, page and JSON show alike.

    Attributes
    ----------
    columns : tuple of str
        The heading of the table; ``cells`` gives a row's texts for it.
    headline : str
        What was found, in a sentence or two.
    notes : tuple of str
        What the rows do not say.
    """

    columns: Any = ()
    headline: Any
    notes: Any = ()
    figures: Any  # a method that returns figures by name, where there are several

    @abstractmethod
    def to_rows(self) -> list[dict[str, Any]]:
        """Return the numbers, a dictionary for each row."""

    def cells(self, row: dict[str, Any]) -> Sequence[Any]:
        """Return a row as it is printed, a text for each column."""
        return [row[name] for name in self.columns]

    def to_frame(self) -> Any:
        """Return the rows as a pandas DataFrame; MissingExtraError where pandas is not installed."""
        return frame_of(self.to_rows(), f"{type(self).__name__}.to_frame")

    def plot(self) -> Any:
        """Return the first of the figures."""
        return next(iter(self.figures().values()))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({shorten(self.headline, 120)})"

    def blocks(self) -> list[Block]:
        """Return headline, table and notes."""
        table = (self.columns, [self.cells(row) for row in self.to_rows()])
        return [self.headline, table, *self.notes]


def as_json(value: Any) -> Any:
    """Return a value as JSON can hold it: records as dictionaries, tuples and arrays as lists, paths as text.

    Examples
    --------
    >>> as_json({"ends": (1, 2.5), "rates": np.array([0.5, np.nan]), "file": Path("a.png")})
    {'ends': [1, 2.5], 'rates': [0.5, None], 'file': 'a.png'}
    """
    if hasattr(value, "to_dict"):
        return value.to_dict()
    if hasattr(value, "tolist"):
        value = value.tolist()
        if not isinstance(value, list):
            return value
        return [None if isinstance(one, float) and not math.isfinite(one) else one for one in value]
    if is_dataclass(value):
        value = {field.name: getattr(value, field.name) for field in fields(value)}
    elif hasattr(value, "_asdict"):
        value = value._asdict()
    if isinstance(value, Mapping):
        return {name: as_json(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [as_json(one) for one in value]
    return str(value) if isinstance(value, Path) else value


def frame_of(rows: Sequence[dict[str, Any]], where: str, otherwise: str = "to_rows()") -> Any:
    """Return rows as a pandas DataFrame; MissingExtraError where pandas is not installed."""
    try:
        import pandas
    except ImportError:
        raise MissingExtraError(
            f"{where}: pandas is not installed. Try pip install pandas; without it, {otherwise} returns a list of "
            "dictionaries."
        ) from None
    return pandas.DataFrame(rows)


def blocks_as_text(blocks: Iterable[Block]) -> str:
    """Return sentences and tables as plain text, an empty line around each table.

    Examples
    --------
    >>> print(blocks_as_text(["Two classes.", (("class", "samples"), [("cat", 12), ("dog", 7)]), "That is all."]))
    Two classes.
    <BLANKLINE>
    class  samples
    cat         12
    dog          7
    <BLANKLINE>
    That is all.
    """
    parts = [
        [one_line(block)] if isinstance(block, str) else ["", *table_lines(block), ""] for block in blocks
    ]
    return "\n".join(chain(*parts)).strip("\n").replace("\n\n\n", "\n\n")


def blocks_as_html(blocks: Iterable[Block]) -> str:
    """Return sentences and tables as HTML, for a notebook.

    Examples
    --------
    >>> blocks_as_html(["a < b", (("n",), [(1,)])])
    '<p>a &lt; b</p><table><tr><th>n</th></tr><tr><td>1</td></tr></table>'
    """
    import html

    parts = []
    for block in blocks:
        if isinstance(block, str):
            parts.append(f"<p>{html.escape(block)}</p>")
            continue
        header, rows = block
        lines = [("th", header), *(("td", row) for row in rows)]
        cells = ["".join(f"<{tag}>{html.escape(str(cell))}</{tag}>" for cell in row) for tag, row in lines]
        parts.append(f"<table>{''.join(f'<tr>{row}</tr>' for row in cells)}</table>")
    return "".join(parts)


def shortened(rows: Sequence[Sequence[Any]], most: int, shows_all: str) -> list[Sequence[Any]]:
    """Return the first and the last rows of a long table, with words on the others between them.

    Examples
    --------
    >>> shortened([("a", 1), ("b", 2), ("c", 3)], 2, "print(table) shows all")
    [('a', 1), ('', '… 1 more rows: print(table) shows all'), ('c', 3)]
    """
    n_more, half = len(rows) - most, most // 2
    if n_more <= 0:
        return list(rows)
    words = f"… {n_more} more rows: {shows_all}"
    return [*rows[:half], (*[""] * (len(rows[0]) - 1), words), *rows[-half:]]


def table_lines(table: Table, *, rule: str = "", text: Sequence[str] = (), most: int = 0) -> list[str]:
    """Return a table as lines: the first column and words to the left, numbers to the right.

    Parameters
    ----------
    table : tuple
    rule : str, optional
        What a line below the header is drawn with; default: there is none.
    text : sequence of str, optional
        The columns that stand to the left in any case.
    most : int, optional
        Columns of the terminal: where they are too few, the widest column of words is broken into lines.
    """
    header, rows = table
    is_words = [
        i == 0
        or name in text
        or (
            all(isinstance(row[i], str) and not row[i][:1].isdigit() for row in rows)
            and any(row[i].lstrip("'([")[:1].isalpha() for row in rows)
        )
        for i, name in enumerate(header)
    ]
    cells = [[one_line(str(cell)) for cell in row] for row in (header, *rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    excess = sum(widths) + len(GAP) * (len(widths) - 1) - most
    if most and excess > 0:
        widest = max(range(len(widths)), key=lambda i: (is_words[i], widths[i]))
        widths[widest] = max(widths[widest] - excess, NARROWEST_CELL)
    lines = []
    for row in cells:
        parts = [wrap(cell, n) if len(cell) > n else [cell] for cell, n in zip(row, widths, strict=True)]
        for line in zip_longest(*parts, fillvalue=""):
            aligned = (
                part.ljust(n) if words else part.rjust(n)
                for part, n, words in zip(line, widths, is_words, strict=True)
            )
            lines.append(GAP.join(aligned).rstrip())
        if row is cells[0] and rule:
            lines.append(GAP.join(rule * n for n in widths))
    return lines
