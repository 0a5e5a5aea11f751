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
    intro = (found.headline, HOW)
    shown = found.errors[:MOST_SHOWN]
    title = "Are the labels right?"
    if found.accuracy < DOUBTFUL and shown:
        command = f"{check_command(source)} --labels"
        advice = f"They are not shown here; a better network tells more: `{command}`."
        return Section(title, intro=(f"{intro[0]} {advice}", HOW))
    if not shown:
        return Section(title, intro=intro)
    if not draft.has_photos:
        rows = [found.cells(vars(one)) for one in shown]
        return Section(title, intro=intro, table=Table(found.columns, rows))
    cards = [
        draft.card(one.part, one.index, f"label {one.given}", f"{one.likely} ({percent(one.confidence)})")
        for one in shown
    ]
    return Section(title, intro=intro, gallery=Gallery(cards, CAPTION, is_small=True))
