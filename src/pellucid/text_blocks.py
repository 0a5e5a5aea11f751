"""Sentences and tables that follow one another, laid out for a terminal and for a notebook."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias

from pellucid.errors import MissingExtraError
from pellucid.text import one_line, shorten

Table: TypeAlias = tuple[Sequence[Any], Sequence[Sequence[Any]]]  # header, rows
Block: TypeAlias = str | Table  # a sentence or two, or a table


class Printable(ABC):
    """What a terminal and a notebook show as sentences and tables."""

    @abstractmethod
    def blocks(self) -> list[Block]:
        """Return the sentences and tables."""

    def __str__(self) -> str:
        return blocks_as_text(self.blocks())

    def _repr_html_(self) -> str:
        return blocks_as_html(self.blocks())


class Result(Printable):
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
    to_dict: Any  # a method that returns everything as JSON can hold it

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
    parts = [one_line(block) if isinstance(block, str) else f"\n{_aligned(block)}\n" for block in blocks]
    return "\n".join(parts).strip("\n").replace("\n\n\n", "\n\n")


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


def _aligned(table: Table) -> str:
    """Return a table as lines, the first column and words to the left, numbers to the right."""
    header, rows = table
    is_words = [
        i == 0 or all(isinstance(row[i], str) and row[i][:1].isalpha() for row in rows)
        for i in range(len(header))
    ]
    cells = [[one_line(str(cell)) for cell in row] for row in (header, *rows)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(header))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if words else cell.rjust(width)
            for cell, width, words in zip(row, widths, is_words, strict=True)
        ).rstrip()
        for row in cells
    )
