"""What the report says of influence: which training samples influenced a prediction, with the proof."""

from pellucid.evaluation.influence.explained import ExplainedPrediction, InfluenceOutcome
from pellucid.reporting.draft import Draft
from pellucid.reporting.elements import Card, Gallery, Section, Table
from pellucid.text import capitalized, percent, plural

GALLERY = "Under each table the test {noun}, then the training {noun}s of most influence, each way."
N_OPEN = 3  # explained samples that are not folded


def influence_section(draft: Draft, found: InfluenceOutcome) -> Section:
    """Return, for each explained sample, the training samples that influenced its prediction, and the proof."""
    cases = [
        Section(
            f"{capitalized(one.place)}: '{one.predicted}'"
            + ("" if one.is_right else f", in truth '{one.actual}'"),
            intro=(one.headline, *one.notes),
            table=Table(one.columns, [one.cells(row) for row in one.to_rows()]),
            gallery=_samples(draft, one) if draft.has_photos else None,
        )
        for one in found.explanations
    ]
    shown = (GALLERY.format(noun=found.noun),) if draft.has_photos and cases else ()
    parts = cases[:N_OPEN]
    if cases[N_OPEN:]:
        title = f"{plural(len(cases) - N_OPEN, f'more {found.noun}')}"
        parts.append(Section(title, parts=cases[N_OPEN:], is_folded=True))
    return Section("Why did it predict that?", intro=(found.headline, *shown, *found.notes), parts=parts)


def _samples(draft: Draft, one: ExplainedPrediction) -> Gallery:
    query = (f"{one.predicted} ({percent(one.probability)})", *draft.file("test", one.index), "this one")
    cards = [Card(draft.photo("test", one.index), query, one.is_right)]
    for samples, way in ((one.towards, "towards"), (one.against, "against")):
        cards += [
            Card(
                draft.photo("training", each.row),
                (way, each.label, *draft.file("training", each.row), f"training {each.row}"),
            )
            for each in samples
        ]
    return Gallery(cards, "", is_small=True)
