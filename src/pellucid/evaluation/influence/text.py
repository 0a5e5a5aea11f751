"""An explanation in plain sentences."""

from collections import Counter
from collections.abc import Sequence

from pellucid.evaluation.influence.records import FEW, Explanation, GroupRemoval, InfluentialSample
from pellucid.text import percent, plural

HOW_IT_WAS_TAUGHT = (
    "A network predicts as it was taught. For each {thing} below: the training {thing}s whose lessons pushed its "
    "prediction most, either way, and what it would be had they not been there."
)
MANY = 0.6  # the share of random orders that change a verdict, from which it hangs by a thread


def in_words(explanation: Explanation, thing: str = "photo") -> tuple[str, ...]:
    """Return an explanation as sentences that a learner understands.

    Parameters
    ----------
    explanation : Explanation
    thing : str, optional
        What a sample is called.

    Examples
    --------
    >>> one = Explanation(3, "cat", "non-cat", 0.9, 2.2, (InfluentialSample(7, "cat", 0.5, 1.0, 0.5),), ())
    >>> for sentence in in_words(one):
    ...     print(sentence)
    Test photo 3 is a “non-cat”; the network says “cat” (90 %).
    Training photo 7 (“cat”) pushed it the wrong way hardest.
    Nothing was trained again to prove it.
    """
    e = explanation
    sentences = [_verdict(e, thing), _pushers(e, thing)]
    same = [pusher for pusher in (*e.towards, *e.against) if pusher.is_same]
    sentences += [
        f"Training {thing} {p.row} is this very {thing}: the network has seen it before." for p in same
    ]
    if e.n_single is not None and e.n_single_changes is not None:
        sentences.append(_singles(e, thing))
    told = e.told
    if told is None:
        sentences.append("Nothing was trained again to prove it." if e.towards else "")
    else:
        sentences += [_without(e, told, thing), _chance(e, told, thing)]
    if e.against and e.without_against is not None:
        sentences.append(
            f"Without the {_count(len(e.against), thing)} that pushed hardest against it, "
            f"{_comes_to(e, e.without_against)}."
        )
    return tuple(sentence for sentence in sentences if sentence)


def in_short(explanations: Sequence[Explanation], thing: str, most: int) -> str:
    """Return how many mistakes can be traced to few training samples, for a summary; empty without mistakes.

    Parameters
    ----------
    explanations : sequence of Explanation
        Each proved by training without the samples that pushed hardest.
    thing : str
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
        f"can be traced to few training {thing}s: trained again without up to {most} of those that pushed "
        "hardest"
    )
    if not turned:
        return (
            f"{looked}none {again}, the network predicts as before, or changes its prediction no more readily than "
            "without as many drawn at random."
        )
    return (
        f"{looked}{len(turned)} {again}, the network predicts another class, and without as many drawn at "
        "random it "
        "seldom does."
    )


def _verdict(e: Explanation, thing: str) -> str:
    sure = percent(e.probability)
    if e.is_right:
        return f"Test {thing} {e.index} is a “{e.actual}”, and the network says so ({sure})."
    return f"Test {thing} {e.index} is a “{e.actual}”; the network says “{e.verdict}” ({sure})."


def _pushers(e: Explanation, thing: str) -> str:
    if not e.towards:
        return f"No training {thing} pushed it towards this verdict."
    way = "taught it that" if e.is_right else "pushed it the wrong way"
    sentence = f"{_named(e.towards, thing)} {way} hardest."
    if e.against:
        is_towards_truth = not e.is_right and all(pusher.label == e.actual for pusher in e.against)
        other = "pulled towards the truth" if is_towards_truth else "pushed against it"
        sentence += f" {_named(e.against, thing)} {other}."
    return sentence


def _named(pushers: Sequence[InfluentialSample], thing: str) -> str:
    """Return pushers in words, with their classes: ``Training photos 3, 5 (both “cat”)``."""
    rows = _listed([str(pusher.row) for pusher in pushers])
    counts = Counter(pusher.label for pusher in pushers)
    if len(pushers) == 1:
        return f"Training {thing} {rows} (“{pushers[0].label}”)"
    if len(counts) == 1:
        both = "both" if len(pushers) == 2 else "all"
        return f"Training {thing}s {rows} ({both} “{pushers[0].label}”)"
    kinds = ", ".join(f"{n} “{label}”" for label, n in counts.most_common())
    return f"Training {thing}s {rows} ({kinds})"


def _listed(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " and " + words[-1]


def _count(n: int, thing: str) -> str:
    return f"one {thing}" if n == 1 else f"{n} {thing}s"


def _singles(e: Explanation, thing: str) -> str:
    often = f"{e.n_single_changes} of {e.n_single}"
    return f"Leaving out one training {thing} alone changes the verdict for {often} of them."


def _without(e: Explanation, told: GroupRemoval, thing: str) -> str:
    n = len(told.rows)
    which = (
        f"Training {thing} {told.rows[0]}" if n == 1 else f"the {n} {thing}s that pushed hardest towards it"
    )
    which = which[0].lower() + which[1:]
    if told.outcome.is_changed:
        return f"Trained again without {which}, {_comes_to(e, told)}."
    none = (
        ""
        if len(e.removals) == 1
        else f". So it does without fewer of them: as far as was tried, no handful of {thing}s is to blame"
    )
    return f"Even trained again without {which}, {_comes_to(e, told)}{none}."


def _comes_to(e: Explanation, removal: GroupRemoval) -> str:
    """Return what a training without a group says, in two halves of a sentence."""
    outcome = removal.outcome
    digits = 0 if percent(outcome.probability) != percent(e.probability) else 1
    now, before = (percent(p, digits) for p in (outcome.probability, e.probability))
    beside = f"{now}, as before" if now == before else f"{now} instead of {before}"
    if outcome.is_changed:
        return f"it says “{outcome.label}”; “{e.verdict}” gets {beside}"
    return f"it still says “{e.verdict}”, with {beside}"


def _chance(e: Explanation, told: GroupRemoval, thing: str) -> str:
    """Compare with samples drawn at random, as many and fewer."""
    n, n_changed = e.n_chance, e.n_changed_by_chance
    if (
        len(told.rows) == 1 and e.n_single and e.n_single_changes is not None
    ):  # it was found by trying every one
        return _thread(thing) if e.n_single_changes >= FEW * e.n_single else ""
    if not n:
        return ""
    is_one = len(told.rows) == 1
    others = f"one {thing}" if is_one else f"up to {len(told.rows)} {thing}s"
    sentence = f"Without {others} drawn at random, the verdict changed in {n_changed} of {n} tries"
    if not told.outcome.is_changed:
        return sentence + "."
    if e.is_beyond_chance:
        return sentence + (": this one weighs" if is_one else ": these weigh") + " more than most."
    if n_changed >= MANY * n:
        return f"{sentence} too. {_thread(thing)}"
    return sentence + " too: the verdict was never firm."


def _thread(thing: str) -> str:
    return f"The verdict hangs by a thread: leaving out {thing}s that have nothing to do with it turns it as well."
