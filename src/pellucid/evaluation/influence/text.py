"""Sentences about influence: one explained prediction, and many in short."""

from collections import Counter
from collections.abc import Mapping, Sequence

from pellucid.evaluation.influence.records import FEW, ExplainedPrediction, GroupRemoval, InfluentialSample
from pellucid.text import capitalized, join, percent, placed, plural, printable, shorten, signed

INTRODUCTION = (
    "A network predicts what its training samples taught it. For each {noun} below: the training {noun}s that "
    "influenced its prediction most, either way, and the prediction of a network trained without them."
)
GALLERY = (
    "First the test {noun} and its prediction; then the training {noun}s that influenced it most towards "
    "“{predicted}” and those that influenced it most the other way, the most influential first, with their class "
    "and number."
)
METHODS = {
    "tracin": "the mean cosine of gradients over the training: TracIn, renormalized",
    "tracin-plain": "TracIn as published: the sum of the gradients' products",
    "leave-one-out": "the exact change of the log-odds when the sample alone is left out",
}
LAST_LAYER = (
    "Gradients are those of the last layer alone, an approximation: all of them would have taken too long."
)
ESTIMATE = (
    "Which samples were influential is an estimate; what counts is the training without them, next to trainings "
    "without as many drawn at random."
)
SAMPLES_HEADER = ("class", "influence", "score", "without it alone")
FALL = 0.05  # of a probability, from which a fall is worth a sentence
LONGEST_NAME = 40  # of a file, in a table
MANY = 0.6  # the fraction of random orders that change a prediction, from which it is fragile


def in_words(explanation: ExplainedPrediction, noun: str = "photo", target: float = 1.0) -> tuple[str, ...]:
    """Return an explanation as sentences that a learner understands.

    Parameters
    ----------
    explanation : ExplainedPrediction
    noun : str, optional
        What a sample is called.
    target : float, optional
        The probability that the training asked of the true class: below 1 with label smoothing.

    Examples
    --------
    >>> one = ExplainedPrediction(3, "cat", "non-cat", 0.9, 2.2, (InfluentialSample(7, "cat", 0.5, 1.0, 0.5),), ())
    >>> for sentence in in_words(one):
    ...     print(sentence)
    Test photo 3 is a “non-cat”; the network predicts “cat” (90 %).
    Training photo 7 (“cat”) misled it most.
    Nothing was trained again to prove it.
    """
    e = explanation
    sentences = [_prediction(e, noun), _samples(e, noun), _smoothing(e, noun, target)]
    same = [sample for sample in (*e.towards, *e.against) if sample.is_same]
    sentences += [
        capitalized(f"{_place(p, noun)} is this very {noun}: the network has seen it before.") for p in same
    ]
    if e.n_single is not None and e.n_single_changes is not None:
        sentences.append(_singles(e, noun))
    reported = e.reported
    if reported is None:
        sentences.append("Nothing was trained again to prove it." if e.towards else "")
    else:
        sentences += [_without(e, reported, noun), _chance(e, reported, noun)]
    if e.against and e.without_against is not None:
        sentences.append(
            f"Without the {_count(len(e.against), noun)} with the most influence against it, "
            f"{_comes_to(e, e.without_against)}."
        )
        sentences.append(_fell(e, e.without_against, noun))
    return tuple(sentence for sentence in sentences if sentence)


def in_short(explanations: Sequence[ExplainedPrediction], noun: str, most: int) -> str:
    """Return how many mistakes can be traced to few training samples, for a summary; empty without mistakes.

    Parameters
    ----------
    explanations : sequence of ExplainedPrediction
        Each proved by training without the most influential samples.
    noun : str
        What a sample is called.
    most : int
        How many were left out together at most.
    """
    wrong = [one for one in explanations if not one.is_right]
    turned = [one for one in wrong if one.is_beyond_chance]
    if not wrong:
        return ""
    looked = f"Of {plural(len(wrong), 'mistake')} looked into, "
    again = (
        f"can be traced to few training {noun}s: trained again without up to {most} of the most influential"
    )
    if not turned:
        return (
            f"{looked}none {again}, the network predicts as before, or changes its prediction no more readily than "
            "without as many drawn at random."
        )
    return (
        f"{looked}{len(turned)} {again}, the network predicts another class, and without as many "
        "drawn at random it seldom does."
    )


def sample_rows(e: ExplainedPrediction) -> list[tuple[str, ...]]:
    """Return the most influential training samples as rows of a table: see ``SAMPLES_HEADER``."""
    return [
        (
            place_in_short(sample),
            sample.label,
            "towards" if sample.score > 0 else "against",
            f"{sample.score:+.3f}",
            "not trained"
            if sample.alone is None
            else f"{percent(sample.alone.probability, 1)} “{e.predicted}”",
        )
        for sample in (*e.towards, *e.against)
    ]


def place_in_short(sample: InfluentialSample) -> str:
    """Return a training sample's number, behind its file where it has one, for a table.

    Examples
    --------
    >>> place_in_short(InfluentialSample(7, "cat", 0.5, 1.0, 0.5, name="cat/tom.jpg"))
    'cat/tom.jpg (7)'
    """
    return placed(f"{sample.row}", shorten(sample.name, LONGEST_NAME))


def _place(sample: InfluentialSample, noun: str) -> str:
    return placed(f"training {noun} {sample.row}", sample.name)


def agreement_text(agreement: Mapping[str, float]) -> str:
    """Return how well the estimates rank training samples, in a sentence."""
    words = ", ".join(f"{name} {signed(rho)}" for name, rho in agreement.items())
    return f"Rank correlation of estimates with leave-one-out: {words}."


def query_place(e: ExplainedPrediction, noun: str) -> str:
    """Return which test sample is explained: its number, behind its file where it has one."""
    return placed(f"test {noun} {e.index}", e.name)


def _prediction(e: ExplainedPrediction, noun: str) -> str:
    sure, this = percent(e.probability), capitalized(query_place(e, noun))
    if e.is_right:
        return f"{this} is a “{e.actual}”, and the network predicts so ({sure})."
    return f"{this} is a “{e.actual}”; the network predicts “{e.predicted}” ({sure})."


def _samples(e: ExplainedPrediction, noun: str) -> str:
    if not e.towards:
        return f"No training {noun} speaks for this prediction."
    way = "taught it that" if e.is_right else "misled it"
    sentence = f"{_named(e.towards, noun)} {way} most."
    if e.against:
        is_towards_truth = not e.is_right and all(sample.label == e.actual for sample in e.against)
        other = "spoke for the truth" if is_towards_truth else "spoke against it"
        sentence += f" {_named(e.against, noun)} {other}."
    return sentence


def _smoothing(e: ExplainedPrediction, noun: str, target: float) -> str:
    """Return why samples of the predicted class count against it, where label smoothing can be the reason."""
    if target >= 1 or not (any(sample.label == e.predicted for sample in e.against) or not e.towards):
        return ""
    return (
        f"Scores are of the loss as trained, with label smoothing: a training {noun} that is predicted with more "
        f"certainty than its target of {target:.3g} is pulled back to it, so that it counts against its own class."
    )


def _named(samples: Sequence[InfluentialSample], noun: str) -> str:
    """Return samples in words, with their classes: ``Training photos 3 and 5 (both “cat”)``."""
    rows = join([str(sample.row) for sample in samples])
    counts = Counter(sample.label for sample in samples)
    kinds = ", ".join(f"{n} “{label}”" for label, n in counts.most_common())
    if len(counts) == 1:
        many = {1: "", 2: "both "}.get(len(samples), "all ")
        kinds = f"{many}“{samples[0].label}”"
    place = f"training {noun}{'' if len(samples) == 1 else 's'} {rows}"
    if all(sample.name for sample in samples):
        return f"{join([printable(sample.name) for sample in samples])} ({place}, {kinds})"
    return f"{capitalized(place)} ({kinds})"


def _count(n: int, noun: str) -> str:
    return f"one {noun}" if n == 1 else f"{n} {noun}s"


def _singles(e: ExplainedPrediction, noun: str) -> str:
    often = f"{e.n_single_changes} of {e.n_single}"
    return f"Leaving out one training {noun} alone changes the prediction for {often} of them."


def _without(e: ExplainedPrediction, reported: GroupRemoval, noun: str) -> str:
    n = len(reported.rows)
    which = f"the {n} {noun}s that influenced it most"
    if n == 1:
        which = _place(e.towards[0], noun)  # the groups grow from the most influential one
    if reported.outcome.is_changed:
        return f"Trained again without {which}, {_comes_to(e, reported)}."
    none = (
        ""
        if len(e.removals) == 1
        else f". The same holds without fewer of them: no small group of {noun}s that was tried is to blame"
    )
    return f"Even trained again without {which}, {_comes_to(e, reported)}{none}."


def _comes_to(e: ExplainedPrediction, removal: GroupRemoval) -> str:
    """Return the prediction after a training without a group, in two halves of a sentence."""
    outcome = removal.outcome
    digits = 0 if percent(outcome.probability) != percent(e.probability) else 1
    now, before = (percent(p, digits) for p in (outcome.probability, e.probability))
    compared = f"{now}, as before" if now == before else f"{now} instead of {before}"
    if outcome.is_changed:
        return f"it predicts “{outcome.label}”; “{e.predicted}” gets {compared}"
    return f"it still predicts “{e.predicted}”, with {compared}"


def _fell(e: ExplainedPrediction, removal: GroupRemoval, noun: str) -> str:
    """Return why a prediction can fall without what spoke against it; "" where it does not."""
    outcome, n = removal.outcome, len(removal.rows)
    if outcome.probability > e.probability - FALL and not outcome.is_changed:
        return ""
    sentence = "It should have risen"
    by_chance = [step for step in e.removals if step.by_chance]
    if not by_chance:
        return (
            f"{sentence}: influence is estimated along the training as it was, to first order, and a training "
            f"without any {noun} takes another course, which can outweigh it."
        )
    nearest = min(by_chance, key=lambda step: abs(len(step.rows) - n))
    found = [one.probability for one in nearest.by_chance]
    low, high = (percent(p) for p in (min(found), max(found)))
    others = f"without {_count(len(nearest.rows), noun)} drawn at random “{e.predicted}” gets {low} to {high}"
    if outcome.probability < min(found):
        return f"{sentence}, and {others}: for these {noun}s the estimate, of the first order, has the wrong sign."
    return (
        f"{sentence}; but {others}: every other training takes another course, and that outweighs what these "
        f"{noun}s did."
    )


def _chance(e: ExplainedPrediction, reported: GroupRemoval, noun: str) -> str:
    """Compare with samples drawn at random, as many and fewer."""
    n, n_changed = e.n_chance, e.n_changed_by_chance
    if (
        len(reported.rows) == 1 and e.n_single and e.n_single_changes is not None
    ):  # it was found by trying every one
        return _thread(noun) if e.n_single_changes >= FEW * e.n_single else ""
    if not n:
        return ""
    is_one = len(reported.rows) == 1
    others = f"one {noun}" if is_one else f"up to {len(reported.rows)} {noun}s"
    sentence = f"Without {others} drawn at random, the prediction changed in {n_changed} of {n} tries"
    if not reported.outcome.is_changed:
        return sentence + "."
    if e.is_beyond_chance:
        return sentence + (": this one matters" if is_one else ": these matter") + " more than most."
    if n_changed >= MANY * n:
        return f"{sentence} too. {_thread(noun)}"
    return sentence + " too: the prediction was never stable."


def _thread(noun: str) -> str:
    return f"The prediction is fragile: leaving out unrelated {noun}s changes it as well."
