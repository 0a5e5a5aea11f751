"""What the report says of influence: which training samples influenced a prediction, with the proof."""

from pellucid.evaluation.influence.records import ExplainedPrediction, InfluenceOutcome
from pellucid.evaluation.influence.text import GALLERY, INTRODUCTION, query_place
from pellucid.report.draft import Draft
from pellucid.report.parts import Card, Gallery, Section
from pellucid.text import capitalized, percent, plural

N_OPEN = 3  # explained samples that are not folded


def influence_section(draft: Draft, found: InfluenceOutcome) -> Section:
    """Return, for each explained sample, the training samples that influenced its prediction, and the proof."""
    ran = f" {plural(found.n_trainings, 'training')} were run for this." if found.is_proved else ""
    cases = [
        Section(
            f"{capitalized(query_place(one, found.noun))}: “{one.predicted}”"
            + ("" if one.is_right else f", in truth “{one.actual}”"),
            intro=(" ".join(found.sentences(one)),),
            gallery=_samples(draft, one) if draft.has_photos else None,
        )
        for one in found.explanations
    ]
    parts = cases[:N_OPEN]
    if cases[N_OPEN:]:
        title = f"{plural(len(cases) - N_OPEN, f'more {found.noun}')}"
        parts.append(Section(title, parts=cases[N_OPEN:], is_folded=True))
    intro = (INTRODUCTION.format(noun=found.noun) + ran, *found.notes)
    return Section("Why did it predict that?", intro=intro, parts=parts)


def _samples(draft: Draft, one: ExplainedPrediction) -> Gallery:
    query = (f"{one.predicted} ({percent(one.probability)})", *draft.file("test", one.index), "this one")
    cards = [Card(draft.photo("test", one.index), query, one.is_right)]
    for samples, way in ((one.towards, "for it"), (one.against, "against")):
        cards += [
            Card(
                draft.photo("training", each.row),
                (way, each.label, *draft.file("training", each.row), f"training {each.row}"),
            )
            for each in samples
        ]
    return Gallery(
        cards,
        GALLERY.format(predicted=one.predicted, noun=draft.data["test"].noun),
        is_small=True,
    )
