"""What the report says of influence: which training samples pushed a prediction, with the proof."""

from pellucid.evaluation.influence.measure import Explanation
from pellucid.evaluation.influence.outcome import InfluenceOutcome
from pellucid.evaluation.influence.text import HOW_IT_WAS_TAUGHT
from pellucid.report.draft import Draft
from pellucid.report.parts import Card, Gallery, Section
from pellucid.text import percent, plural


def influence_section(draft: Draft, found: InfluenceOutcome) -> Section:
    """Return, for each explained sample, who pushed its prediction, proved by training without them."""
    ran = f" {plural(found.n_trainings, 'training')} were run for this." if found.is_proved else ""
    parts = [
        Section(
            f"Test {found.thing} {one.index}: “{one.verdict}”"
            + ("" if one.is_right else f", in truth “{one.actual}”"),
            intro=found.sentences(one),
            gallery=_samples(draft, one) if draft.has_photos else None,
        )
        for one in found.explanations
    ]
    intro = (HOW_IT_WAS_TAUGHT.format(thing=found.thing) + ran, *found.notes)
    return Section("Why did it say so?", intro=intro, parts=parts)


def _samples(draft: Draft, one: Explanation) -> Gallery:
    asked = (f"{one.verdict} ({percent(one.probability)})", "this one")
    cards = [Card(draft.photo("test", one.index), asked, one.is_right)]
    for samples, way in ((one.towards, "for it"), (one.against, "against")):
        cards += [
            Card(draft.photo("training", each.row), (way, each.label, f"training {each.row}"))
            for each in samples
        ]
    return Gallery(
        cards,
        "First the test photo and its prediction; then the training photos that pushed most for "
        f"“{one.verdict}” and "
        "those that pushed most against it, the hardest push first, with their class and number.",
        is_small=True,
    )
