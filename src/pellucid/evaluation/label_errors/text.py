"""The sentences and the table of a search for label errors."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pellucid.shares import share
from pellucid.text import plural, printable, shorten
from pellucid.text_blocks import Block

if TYPE_CHECKING:
    from pellucid.evaluation.label_errors.records import LabelError, LabelErrors

MOST_LISTED = 20
HOW = (
    "A label counts as contradicted where another class is at least as probable as that class usually is among the "
    "samples that bear its label (confident learning, Northcutt, Jiang and Chuang, 2021)."
)
DOUBTFUL = 0.8  # accuracy below which most contradictions may be the network's own mistakes


def errors_finding(result: LabelErrors) -> str:
    """Return how many labels are contradicted, and how far that is to be trusted."""
    n = len(result.errors)
    right = share(result.accuracy, result.n_samples)
    folds = f"{result.model} on {result.n_folds} folds, {right} of labels predicted"
    if not n:
        return f"No label is contradicted with confidence ({folds})."
    are = "is" if n == 1 else "are"
    of = f"{n} of {plural(result.n_samples, 'label')}"
    first = f"{of} {are} contradicted with confidence ({folds}). Look at them."
    if result.accuracy < DOUBTFUL:
        return f"{first} With so low an accuracy many of them are the network's mistakes, not the labels'."
    return first


def errors_blocks(result: LabelErrors) -> list[Block]:
    """Return the finding, the first of the list, and how it was found."""
    blocks: list[Block] = [result.finding]
    if result.errors:
        shown = result.errors[:MOST_LISTED]
        rows = [
            (place_of(one), one.given, one.likely, f"{one.confidence:.2f}", f"{one.p_given:.2f}")
            for one in shown
        ]
        blocks.append((("sample", "label", "more likely", "probability", "of the label"), rows))
        if len(result.errors) > len(shown):
            blocks.append(
                f"... and {len(result.errors) - len(shown)} more: --json lists all, --out writes them."
            )
        blocks.append(HOW)
    return [*blocks, *(f"Note: {note}" for note in result.notes)]


def place_of(one: LabelError) -> str:
    """Return where a sample is: its part and number, and its name."""
    place = f"{one.part} {one.index}"
    return f"{place} ({shorten(printable(one.name), 40)})" if one.name else place
