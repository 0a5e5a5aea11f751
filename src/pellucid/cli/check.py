"""How a checkup is shown in a terminal: the summary, a table of findings, and what to do about them."""

from typing import TYPE_CHECKING

from pellucid.cli.terminal import print_table, say

if TYPE_CHECKING:
    from pellucid.checks.report import Examined
    from pellucid.checks.text import KindRow

_MOST_LETTERS = 90  # of a finding in the table


def print_checkup(examined: "Examined", *, asked_for_sheet: bool) -> None:
    """Print a checkup for a person."""
    from pellucid.checks.text import kind_rows, summary_of
    from pellucid.checks.words import ADVICE, WHY

    checkup = examined.checkup
    for sentence in summary_of(checkup):
        say(sentence)
    rows = kind_rows(checkup)
    if rows:
        print()
        header = ("what", "samples", "which")
        print_table(header, [(row.title, row.n, _which(row)) for row in rows], text=("which",))
        for row in rows:
            say(f"{row.title}: {WHY[row.kind]} {ADVICE[row.kind]}")
    for note in checkup.notes:
        say(f"Note: {note}")
    if examined.sheets:
        print(f"Every finding as a picture: {', '.join(str(path) for path in examined.sheets)}")
    elif asked_for_sheet:
        print("No contact sheet was written: the samples are no pictures.")
    elif rows:
        print("All findings one by one: --json. As pictures: -o FILE.png.")


def _which(row: "KindRow") -> str:
    first = row.first if len(row.first) <= _MOST_LETTERS else row.first[: _MOST_LETTERS - 1] + "…"
    return f"{first} ({row.n_more} more)" if row.n_more else first
