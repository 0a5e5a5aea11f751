"""What the report says of influence: which training samples influenced a prediction, with the proof."""

from pellucid.evaluation.influence.outcome import InfluenceOutcome
from pellucid.reporting.draft import Draft
from pellucid.reporting.elements import Gallery, Section, Table
from pellucid.shares import chance
from pellucid.text import capitalized

GALLERY = "Under each table the test {noun}, then the training {noun}s of most influence, each way."


def influence_section(draft: Draft, found: InfluenceOutcome) -> Section:
    """Return, for each explained sample, the training samples that influenced its prediction, and the proof."""
    cases = []
    for one in found.explanations:
        gallery = None
        if draft.has_photos:
            predicted = f"{one.predicted} ({chance(one.probability)})"
            cards = [draft.card("test", one.index, predicted, last="this one", is_right=one.is_right)]
            for samples, way in ((one.towards, "towards"), (one.against, "against")):
                cards += [draft.card("training", each.row, way, each.label) for each in samples]
            gallery = Gallery(cards, "", is_small=True)
        table = Table(one.columns, [one.cells(row) for row in one.to_rows()])
        cases.append(
            Section(capitalized(one.place), intro=(one.headline, *one.notes), table=table, gallery=gallery)
        )
    shown = (GALLERY.format(noun=found.noun),) if draft.has_photos and cases else ()
    return Section("Why did it predict that?", intro=(found.headline, *shown, *found.notes), parts=cases)
