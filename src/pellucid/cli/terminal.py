"""What every command prints with: sentences that fit the terminal, tables, and JSON."""

import json
import sys
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pellucid.text import one_line, unbroken

if TYPE_CHECKING:
    from pellucid.text_blocks import Block, Result

NARROWEST = 40  # columns


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
    """Print rows in columns, an empty line around them; in a terminal they fit its width."""
    from pellucid.text_blocks import table_lines

    most = columns() if sys.stdout.isatty() else 0
    echo("", *table_lines((header, rows), rule="─", text=text, most=most), "")


def print_names(names: Mapping[str, str], *, as_json: bool, quiet: bool) -> None:
    """Print what there is by name, and what each is."""
    if as_json:
        print_json(dict(names))
    elif quiet:
        echo(*names)
    else:
        print_table(("name", "what it is"), list(names.items()), text=("what it is",))


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
