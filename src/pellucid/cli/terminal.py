"""What every command prints with: sentences that fit the terminal, tables, and JSON."""

import itertools
import json
import sys
import textwrap
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from pellucid.text import one_line, unbroken

if TYPE_CHECKING:
    from pellucid.text_blocks import Block, Result

NARROWEST = 40  # columns
NARROWEST_CELL = 12  # characters of a cell that is broken into lines
GAP = "  "  # between columns of a table


def columns() -> int:
    """Return how many columns the terminal has."""
    import shutil

    return max(shutil.get_terminal_size().columns, NARROWEST)


def echo(*lines: object, err: bool = False) -> None:
    """Print lines, on standard error with ``err``: whatever the command prints goes through here.

    Names from outside are printed as :func:`pellucid.text.one_line` shows them, so that no file or class can move
    the cursor, colour the screen or write a line that looks like ours.
    """
    stream = sys.stderr if err else sys.stdout
    bars = sys.modules.get("tqdm")  # whose bars make room for a line
    for line in lines:
        if bars is None:
            print(one_line(str(line)), file=stream)
        else:
            bars.tqdm.write(one_line(str(line)), file=stream)


def say(text: str, *, err: bool = False) -> None:
    """Print a sentence or two: in a terminal in lines that fit it, into a file or pipe as one line.

    A command stays whole, to be copied: it is indented by four spaces.
    """
    is_whole = text.startswith(" " * 4) or not (sys.stderr if err else sys.stdout).isatty()
    echo(*([text] if is_whole else fill(one_line(text), columns()).splitlines()), err=err)


def fill(text: str, width: int) -> str:
    """Return a text in lines, further ones indented, numbers never apart from their signs and units.

    Examples
    --------
    >>> print(fill("Of all samples 95 % are right.", 18))
    Of all samples
      95 % are right.
    """
    lines = textwrap.fill(
        unbroken(text),
        width,
        subsequent_indent="  ",
        break_on_hyphens=False,
        break_long_words=False,
    )
    return lines.replace("\u00a0", " ")


def print_json(value: Any) -> None:
    """Print one JSON object."""
    echo(*json.dumps(value, indent=2).splitlines())


def print_table(header: Sequence[Any], rows: Sequence[Any], *, text: tuple[str, ...] = ()) -> None:
    """Print rows in columns: the first to the left, numbers to the right, ``text`` to the left in any case.

    In a terminal that is too narrow, the widest column of words is broken into lines.
    """
    table = [[one_line(str(cell)) for cell in row] for row in (header, *rows)]
    is_words = [
        i == 0 or name in text or all(isinstance(row[i], str) and not row[i][:1].isdigit() for row in rows)
        for i, name in enumerate(header)
    ]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    excess = sum(widths) + len(GAP) * (len(widths) - 1) - columns()
    if sys.stdout.isatty() and excess > 0:
        widest = max(range(len(widths)), key=lambda i: (is_words[i], widths[i]))
        widths[widest] = max(widths[widest] - excess, NARROWEST_CELL)
    lines = [*_lines(table[0], widths, is_words), GAP.join("─" * width for width in widths)]
    for row in table[1:]:
        lines += _lines(row, widths, is_words)
    echo("", *lines, "")


def _lines(row: list[str], widths: list[int], is_words: list[bool]) -> list[str]:
    """Return the lines of one row, cells that are too long broken into several."""
    cells = [
        textwrap.wrap(cell, width) if len(cell) > width else [cell]
        for cell, width in zip(row, widths, strict=True)
    ]
    lines = []
    for parts in itertools.zip_longest(*cells, fillvalue=""):
        aligned = (
            part.ljust(width) if words else part.rjust(width)
            for part, width, words in zip(parts, widths, is_words, strict=True)
        )
        lines.append(GAP.join(aligned).rstrip())
    return lines


def print_result(
    found: "Result", paths: Sequence[object], *, as_json: bool, quiet: bool, **more: Any
) -> None:
    """Print a result as JSON; else as its headline, if quiet, or its tables, and the files that were written."""
    if as_json:
        print_json({**more, **found.to_dict()})
        return
    print_blocks([found.headline] if quiet else found.blocks())
    echo(*paths)


def print_blocks(blocks: "Iterable[Block]") -> None:
    """Print sentences and tables in their order."""
    for block in blocks:
        if isinstance(block, str):
            say(block)
        else:
            print_table(*block)
