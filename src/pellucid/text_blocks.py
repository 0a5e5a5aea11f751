"""Sentences and tables that follow one another, laid out for a terminal and for a notebook."""

from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias

from pellucid.text import one_line

Table: TypeAlias = tuple[Sequence[Any], Sequence[Sequence[Any]]]  # header, rows
Block: TypeAlias = str | Table  # a sentence or two, or a table


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
    """Return a table as lines, the first column to the left, the others to the right."""
    header, rows = table
    cells = [[one_line(str(cell)) for cell in row] for row in (header, *rows)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(header))]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if i else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in cells
    )
