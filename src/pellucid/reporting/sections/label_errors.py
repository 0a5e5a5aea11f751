"""What the report says of labels that are probably wrong."""

from pellucid.data.source import DataSource
from pellucid.evaluation.label_errors.label_errors import DOUBTFUL, HOW, LabelErrors
from pellucid.reporting.draft import Draft
from pellucid.reporting.elements import Gallery, Section, Table
from pellucid.runs.spelling import check_command
from pellucid.text import percent

MOST_SHOWN = 12
CAPTION = "The label, then the class that is more likely, with its probability."


def label_errors_section(draft: Draft, found: LabelErrors, source: DataSource) -> Section:
    """Return the labels that are contradicted, as pictures or, of other samples, as a table."""
    headline, shown = found.headline, found.errors[:MOST_SHOWN]
    table = gallery = None
    if found.accuracy < DOUBTFUL and shown:
        command = f"{check_command(source)} --labels"
        headline += f" They are not shown here; a better network tells more: `{command}`."
    elif shown and draft.has_photos:
        cards = [
            draft.card(one.part, one.index, f"label {one.given}", f"{one.likely} ({percent(one.confidence)})")
            for one in shown
        ]
        gallery = Gallery(cards, CAPTION, is_small=True)
    elif shown:
        table = Table(found.columns, [found.cells(vars(one)) for one in shown])
    return Section("Are the labels right?", intro=(headline, HOW), table=table, gallery=gallery)
