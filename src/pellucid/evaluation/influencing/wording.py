"""An explanation in plain sentences."""

from collections import Counter
from collections.abc import Sequence

from pellucid.evaluation.influencing.records import FEW, Explanation, Pusher, Removal
from pellucid.evaluation.style import percent

MANY = 0.6  # the share of random groups that change a verdict, from which it hangs by a thread


def in_words(explanation: Explanation, thing: str = "photo") -> tuple[str, ...]:
    """Return an explanation as sentences that a learner understands.

    Parameters
    ----------
    explanation : Explanation
    thing : str, optional
        What a sample is called.

    Examples
    --------
    >>> one = Explanation(3, "cat", "non-cat", 0.9, 2.2, (Pusher(7, "cat", 0.5, 1.0, 0.5),), ())
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
        outcome = e.without_against.outcome
        sentences.append(
            f"Without the {_count(len(e.against), thing)} that pushed hardest against it, it would say "
            f"“{e.verdict}” with {percent(outcome.probability)}."
        )
    return tuple(sentence for sentence in sentences if sentence)


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
        other = "pushed against it" if e.is_right else "pulled towards the truth"
        sentence += f" {_named(e.against, thing)} {other}."
    return sentence


def _named(pushers: Sequence[Pusher], thing: str) -> str:
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


def _without(e: Explanation, told: Removal, thing: str) -> str:
    n, outcome = len(told.rows), told.outcome
    which = (
        f"Training {thing} {told.rows[0]}" if n == 1 else f"the {n} {thing}s that pushed hardest towards it"
    )
    which = which[0].lower() + which[1:]
    if outcome.is_changed:
        return (
            f"Trained again without {which}, it says “{outcome.label}”; “{e.verdict}” gets "
            f"{percent(outcome.probability)} instead of {percent(e.probability)}."
        )
    none = (
        ""
        if len(e.removals) == 1
        else f", and no smaller group of them changed that: no handful of {thing}s is to blame"
    )
    return (
        f"Even trained again without {which}, it says “{e.verdict}” ({percent(outcome.probability)}, before "
        f"{percent(e.probability)}){none}."
    )


def _chance(e: Explanation, told: Removal, thing: str) -> str:
    """Compare with random groups of the same size."""
    n, n_changed = len(told.by_chance), told.n_changed_by_chance
    if (
        len(told.rows) == 1 and e.n_single and e.n_single_changes is not None
    ):  # it was found by trying every one
        return _thread(thing) if e.n_single_changes >= FEW * e.n_single else ""
    if not n:
        return ""
    others, is_one = _count(len(told.rows), thing), len(told.rows) == 1
    sentence = f"Without {others} drawn at random, the verdict changed in {n_changed} of {n} trainings"
    if not told.outcome.is_changed:
        return sentence + "."
    if e.is_beyond_chance:
        return sentence + (": it was this one" if is_one else ": it was these") + " that made the difference."
    if n_changed >= MANY * n:
        return f"{sentence} too. {_thread(thing)}"
    return sentence + " too: the verdict was never firm."


def _thread(thing: str) -> str:
    return f"The verdict hangs by a thread: leaving out {thing}s that have nothing to do with it turns it as well."
