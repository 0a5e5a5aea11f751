"""What every command prints with: sentences that fit the terminal, tables, and JSON."""

import json
import re
import shutil
import sys
import textwrap
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pellucid.text import Block

NARROWEST = 40  # columns


def columns() -> int:
    """Return how many columns the terminal has."""
    return max(shutil.get_terminal_size().columns, NARROWEST)


def say(text: str) -> None:
    """Print a sentence or two: in a terminal in lines that fit it, into a file or pipe as one line."""
    print(fill(text, columns()) if sys.stdout.isatty() else text)


def fill(text: str, width: int) -> str:
    """Return a text in lines, further ones indented, a percent sign or "p =" never apart from its number.

    Examples
    --------
    >>> print(fill("Of all samples 95 % are right.", 18))
    Of all samples
      95 % are right.
    """
    lines = textwrap.fill(
        re.sub(r" (?=%)|(?<=\bp) (?=[=<])|(?<=\bp [=<]) ", "\u00a0", text),
        width,
        subsequent_indent="  ",
        break_on_hyphens=False,
        break_long_words=False,
    )
    return lines.replace("\u00a0", " ")


def print_json(value: Any) -> None:
    """Print one JSON object."""
    print(json.dumps(value, indent=2))


def print_table(header: Sequence[Any], rows: Sequence[Any], *, text: tuple[str, ...] = ()) -> None:
    """Print rows in columns: the first to the left, numbers to the right, ``text`` to the left in any case."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for i, name in enumerate(header):
        is_text = (
            i == 0
            or name in text
            or all(isinstance(row[i], str) and not row[i][:1].isdigit() for row in rows)
        )
        table.add_column(name, justify="left" if is_text else "right")
    for row in rows:
        table.add_row(*(str(cell) for cell in row))
    console = Console(markup=False)
    if not console.is_terminal:  # a file or a pipe has no width to fit
        console = Console(width=200, markup=False)
    console.print(table)


def print_blocks(blocks: "Iterable[Block]") -> None:
    """Print sentences and tables, and the last sentence, which is the conclusion, after an empty line."""
    *before, last = blocks
    for block in before:
        if isinstance(block, str):
            say(block)
        else:
            print_table(*block)
    print()
    if isinstance(last, str):
        say(last)
    else:
        print_table(*last)
