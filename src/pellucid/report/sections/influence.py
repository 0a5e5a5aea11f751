"""The full report on influence: which training samples pushed a verdict, and what it would be without them."""

from pellucid.evaluation.influence.measure import QUICK, Explanation, InfluentialSample
from pellucid.report.draft import Draft
from pellucid.report.parts import Card, Gallery, Section
from pellucid.report.sections.saliency import chosen_photos
from pellucid.report.sections.summary import count
from pellucid.text import percent

N_SHOWN = 4  # training samples on each side


def influence_section(draft: Draft) -> Section | None:
    """Return, for each explained sample, who pushed its verdict, proved by training without them."""
    rows = [int(i) for i in chosen_photos(draft)]
    result = draft.result
    if not rows:
        return None
    from pellucid.evaluation.influence.of_run import influence_of

    found = influence_of(result, rows, folder=draft.run, top=N_SHOWN, effort=QUICK, is_quiet=True)
    turned = [one for one in found.explanations if one.is_beyond_chance and not one.is_right]
    wrong = [one for one in found.explanations if not one.is_right]
    if found.is_proved and wrong:
        draft.told.append(_in_short(len(wrong), len(turned), result.thing))
    parts = [
        Section(
            f"Test {result.thing} {one.index}: “{one.verdict}”"
            + ("" if one.is_right else f", in truth “{one.actual}”"),
            intro=found.sentences(one),
            gallery=_pushers(draft, one),
        )
        for one in found.explanations
    ]
    ran = f" {count(found.n_trainings, 'training')} were run for this." if found.is_proved else ""
    return Section(
        "Why did it say so?",
        intro=(
            f"A network answers as it was taught. For each {result.thing} below: the training {result.thing}s "
            "whose lessons pushed its verdict most, either way, and what it would be had they not been there."
            + ran,
            *found.notes,
        ),
        parts=parts,
    )


def _in_short(n_wrong: int, n_turned: int, thing: str) -> str:
    looked = f"Of {count(n_wrong, 'mistake')} looked into, "
    again = (
        f"can be traced to few training {thing}s: trained again without up to {max(QUICK.sizes)} of those that "
        "pushed hardest"
    )
    if not n_turned:
        return (
            f"{looked}none {again}, the network answers as before, or changes its answer no more readily than "
            "without as many drawn at random."
        )
    return (
        f"{looked}{n_turned} {again}, the network gives another answer, and without as many drawn at random it "
        "seldom does."
    )


def _pushers(draft: Draft, one: Explanation) -> Gallery | None:
    if draft.shelf is None:
        return None
    shelf = draft.shelf
    asked = Card(
        shelf.photo("test", one.index),
        (f"{one.verdict} ({percent(one.probability)})", "this one"),
        one.is_right,
    )
    cards = [asked]
    for pushers, way in ((one.towards, "for it"), (one.against, "against")):
        cards += [Card(shelf.photo("training", p.row), _said(p, way)) for p in pushers]
    return Gallery(
        cards,
        f"First the test photo and its verdict; then the training photos that pushed most for “{one.verdict}” and "
        "those that pushed most against it, the hardest push first, with their class and number.",
        is_small=True,
    )


def _said(pusher: InfluentialSample, way: str) -> tuple[str, ...]:
    return (way, pusher.label, f"training {pusher.row}")
