"""What every command prints with: sentences that fit the terminal, tables, and JSON."""

import json
import sys
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

from pellucid.text import one_line, unbroken

Shown: TypeAlias = str | Path | tuple[Any, ...]  # a sentence or two, a path, or a table
NARROWEST = 40  # columns
PIPED = 120  # of a table that is read from a file


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


def print_table(header: Sequence[Any], rows: Sequence[Any], text: Sequence[str] = ()) -> None:
    """Print rows in columns, an empty line around them, that fit the terminal; in a file or pipe 120 letters."""
    from pellucid.text_blocks import table_lines

    most = columns() if sys.stdout.isatty() else max(columns(), PIPED)
    echo("", *table_lines((header, rows), rule="─", text=text, most=most), "")


class Line(str):
    """A line of text that stays whole, however narrow the terminal is: a path, or a line of several."""


class Note(Line):
    """A line that is printed on standard error."""


class Answer(NamedTuple):
    """What a command found: it is printed as JSON, in full, or with --quiet what was asked for alone.

    Attributes
    ----------
    found : Result or object
        What :func:`pellucid.text_blocks.as_json` makes JSON of.
    full, brief : iterable of str, Path or table, optional
        Default: the result's blocks, and its headline.
    files : sequence of str or Path, optional
        That were written: named at the end of both.
    code : int, optional
        The exit code.
    """

    found: Any
    full: Iterable[Shown] | None = None
    brief: Iterable[Shown] | None = None
    files: Sequence[str | Path] = ()
    code: int = 0

    def show(self, *, as_json: bool, quiet: bool) -> int:
        """Print it, and return the exit code."""
        from pellucid.text_blocks import as_json as in_json

        if as_json:
            echo(*json.dumps(in_json(self.found), indent=2).splitlines())
        elif quiet:
            print_blocks([self.found.headline] if self.brief is None else self.brief)
        else:
            print_blocks(self.found.blocks() if self.full is None else self.full)
        echo(*([] if as_json else self.files))
        return self.code


def print_blocks(blocks: Iterable[Shown]) -> None:
    """Print sentences, lines and tables in their order."""
    for block in blocks:
        if isinstance(block, Line | Path):
            echo(block, err=isinstance(block, Note))
        elif isinstance(block, str):
            say(block)
        else:
            print_table(*block)


def names_and_words(names: Mapping[str, str]) -> Answer:
    """Return what there is by name, and what each is."""
    table = ("name", "what it is"), list(names.items()), ("what it is",)
    return Answer(dict(names), [table], [*map(Line, names)])
