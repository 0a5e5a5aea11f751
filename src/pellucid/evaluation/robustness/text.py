"""Sentences about robustness: the ranking of the changes, what each costs, the captions of its figures."""

from collections.abc import Sequence

from pellucid.evaluation.robustness.chance import POINTS, Chance
from pellucid.evaluation.robustness.records import PerturbationCurve, Robustness
from pellucid.shares import share, share_range
from pellucid.text import chance_in_words, join, p_in_words, plural

MEASURED = (
    "The six reasons why {noun}s are misclassified, measured: each test {noun} is changed on purpose, a little, "
    "then more, and classified again."
)
CURVES = (
    "A panel for each change: to the right it grows stronger, upwards more {noun}s are classified correctly. "
    "The band is "
    "the 95 % interval, the dashed line the {noun}s as they are, the dotted one the majority-class baseline; a "
    "ring marks the first loss of ten points, or the first fall below the dotted line. Where the curve stays flat "
    "and above the dotted line, the change does no harm. Over each panel: how many {noun}s fewer are classified "
    "correctly at moderate strength, and the p-value of that loss, or that it cannot be told from chance."
)
SHEET = (
    "Test {noun} {number} at every strength, with the prediction under each picture. Follow a row until it "
    "turns red: "
    "would you still have known?"
)
BACKGROUND = (
    "The subjects' positions are unknown: for the background, what lies outside an ellipse about the {noun}'s "
    "middle stands in."
)
BREAKS_AT = (
    "Breaks at: the weakest strength that costs 10 points, or falls below the majority-class baseline."
)
HEADER = ("change, moderate", "correct", "95 %", "p", "beyond chance", "breaks at")
BEYOND = {  # the words of each outcome in a table
    "no loss": "no loss",
    "more than chance": "yes",
    "within chance": "no",
    "cannot be told": "cannot be told",
}


def in_words(found: Robustness) -> list[str]:
    """Return what was found, in sentences for somebody who reads nothing else."""
    return [sentence for paragraph in _paragraphs(found) for sentence in paragraph]


def in_paragraphs(found: Robustness) -> list[str]:
    """Return the same as a few paragraphs, and how it was tested."""
    *first, last = _paragraphs(found)
    return [" ".join(paragraph) for paragraph in (*first, [*last, how_tested(found)]) if paragraph]


def _paragraphs(found: Robustness) -> list[list[str]]:
    """Return sentences that belong together: as they are, the worst, the others, and what qualifies all that."""
    rest = []
    if any(curve.perturbation.name == "background" for curve in found.curves):
        rest.append(BACKGROUND.format(noun=found.noun))
    if found.left_out:
        reasons = "; ".join(f"{name}, since {why}" for name, why in found.left_out.items())
        rest.append(f"Left out: {reasons}.")
    return [[_clean(found)], _worst(found), [*_harmless(found), *_lowest(found)], rest]


def in_rows(found: Robustness) -> list[tuple[str, ...]]:
    """Return what each change costs at moderate strength, as rows under ``HEADER``."""
    rows: list[tuple[str, ...]] = []
    for curve in found.ranking:
        row, chance = curve.moderate, found.chances[curve.perturbation.name]
        is_yes_or_no = len(curve.perturbation.strengths) == 1
        change = curve.perturbation.title + ("" if is_yes_or_no else f" {row.label}")
        interval = share_range(row.low, row.high, row.n)
        p = p_in_words(chance.p_value).removeprefix("p = ").removeprefix("p ")
        beyond = BEYOND[chance.outcome]
        rows.append((change, f"{row.n_correct}/{row.n}", interval, p, beyond, curve.breaks_label))
    return rows


def cost_line(found: Robustness, curve: PerturbationCurve) -> str:
    """Return what a change costs at moderate strength, and whether that is chance, as short as a panel needs."""
    chance, label = found.chances[curve.perturbation.name], curve.moderate.label
    if chance.outcome == "no loss":
        return f"{label}: none fewer"
    told = chance.outcome if chance.outcome == "cannot be told" else p_in_words(chance.p_value)
    return f"{label}: {curve.cost} fewer, {told}"


def how_tested(found: Robustness) -> str:
    """Return which test the p-values are of, and why some losses cannot be told from chance."""
    n_tried = len(found.curves)
    corrected = f", with Holm's correction for the {n_tried} changes" if n_tried > 1 else ""
    test = f"p: McNemar's exact test on {plural(found.n, found.noun)}{corrected}."
    if not any(chance.outcome == "cannot be told" for chance in found.chances.values()):
        return test
    return (
        f"{test} Cannot be told: with {plural(found.n, found.noun)}, even a true loss of {POINTS} points would "
        f"seldom show as more than chance; more test {found.noun}s would tell."
    )


def in_short(found: Robustness) -> str:
    """Return which change costs most, in a sentence for a summary."""
    worst, n = found.ranking[0], len(found.ranking)
    tried = f"{n} changes tried on the {found.noun}s"
    if found.accuracy <= found.baseline:
        return (
            f"What {n} changes of the {found.noun}s cost means little: unchanged, they are classified no better "
            "than by the majority-class baseline."
        )
    beyond = [curve for curve in found.ranking if _outcome(found, curve) == "more than chance"]
    if beyond:
        first = beyond[0]
        most = "costs most" if first.cost == worst.cost else "costs more than chance explains"
        return (
            f"Of {tried}, {_phrase(found, first, first.moderate.strength)} {most}: "
            f"{first.cost} of {found.n} {found.noun}s fewer are then classified correctly."
        )
    if any(_outcome(found, curve) == "cannot be told" for curve in found.ranking):
        one = f"any of {tried}" if n > 1 else f"the change tried on the {found.noun}s"
        return (
            f"Whether {one} costs more, at moderate strength, than chance explains cannot be told with "
            f"{plural(found.n, found.noun)}; the largest loss is {worst.cost} of them."
        )
    return f"None of {tried} costs more, at moderate strength, than chance explains."


def _outcome(found: Robustness, curve: PerturbationCurve) -> str:
    return found.chances[curve.perturbation.name].outcome


def _clean(found: Robustness) -> str:
    low, high = found.interval
    line = (
        f"As they are, {found.n_correct} of {found.n} {found.noun}s are classified correctly "
        f"({share(found.accuracy, found.n)}, 95 % "
        f"interval {share_range(low, high, found.n)}); the majority-class baseline, always "
        f"“{found.most_common}”, gets "
        f"{round(found.baseline * found.n)} ({share(found.baseline, found.n)})."
    )
    is_better = found.accuracy > found.baseline
    return line if is_better else f"{line} So there is little that a change could cost."


def _worst(found: Robustness) -> list[str]:
    first = found.ranking[0]
    if first.cost <= 0:
        tried = _listed(found, found.ranking, 3)
        return [f"At moderate strength, no change costs it a single {found.noun} ({tried})."]
    worst = [curve for curve in found.ranking if curve.cost == first.cost]
    row = first.moderate
    each = ", either way" if len(worst) == 2 else ", each way" if len(worst) > 2 else ""
    lines = [
        f"At moderate strength, {join(_phrases(found, worst))} cost{'s' if len(worst) == 1 else ''} it most: "
        f"{row.n_correct} instead of {found.n_correct} {found.noun}s are classified correctly "
        f"({share(row.accuracy, row.n)}){each}.",
        *_chances(found, worst),
    ]
    if behind := [curve for curve in found.ranking[len(worst) :] if curve.cost > 0][:3]:
        costs = (
            f"{phrase} ({_cost(found, c)})" for phrase, c in zip(_phrases(found, behind), behind, strict=True)
        )
        lines.append(f"Next: {', '.join(costs)}.")
    return lines


def _cost(found: Robustness, curve: PerturbationCurve) -> str:
    """Return what a change costs and its p-value, in a few words."""
    return f"{curve.cost} fewer, {p_in_words(found.chances[curve.perturbation.name].p_value)}"


def _chances(found: Robustness, curves: Sequence[PerturbationCurve]) -> list[str]:
    """Return whether losses are more than chance: each has a p-value of its own; equal ones share a sentence."""
    groups: dict[Chance, list[str]] = {}
    for curve in curves:
        groups.setdefault(found.chances[curve.perturbation.name], []).append(curve.perturbation.title)
    sentences = []
    for chance, titles in groups.items():
        words = _chance(found, chance)
        sentences.append(f"{join(titles)}: {words}" if len(curves) > 1 else words[0].upper() + words[1:])
    return sentences


def _chance(found: Robustness, chance: Chance) -> str:
    n_tried, photos = len(found.curves), plural(found.n, found.noun)
    corrected = f", with Holm's correction for {n_tried} changes" if n_tried > 1 else ""
    test = f"McNemar's exact test{corrected}"
    if chance.outcome != "cannot be told":
        return f"{chance_in_words(chance.p_value)} ({test})."
    words = f"whether that is more than chance cannot be told with {photos}: {p_in_words(chance.p_value)} ({test})"
    if chance.least_loss is None:
        return f"{words}."
    return f"{words}; only a loss of {plural(chance.least_loss, found.noun)} or more could be told."


def _harmless(found: Robustness) -> list[str]:
    harmless = [curve for curve in reversed(found.ranking) if curve.cost <= 0]
    if not harmless or len(harmless) == len(found.curves):
        return []
    return [f"It loses nothing, on balance, by {_listed(found, harmless, 5)}."]


def _lowest(found: Robustness) -> list[str]:
    curve, row = min(
        ((curve, row) for curve in found.curves for row in curve.rows), key=lambda pair: pair[1].n_correct
    )
    broken = [curve for curve in found.curves if curve.breaks_at is not None]
    lines = [
        f"{len(broken)} of {len(found.curves)} changes, made strong enough, cost {POINTS} points of accuracy or "
        "bring it below the majority-class baseline."
    ]
    if row.n_correct < found.n_correct:
        lines.append(
            f"The lowest of all: {share(row.accuracy, row.n)}, by {_phrase(found, curve, row.strength)}."
        )
    return lines


def _phrase(found: Robustness, curve: PerturbationCurve, strength: float) -> str:
    return curve.perturbation.phrase(strength).replace("photo", found.noun)


def _phrases(found: Robustness, curves: Sequence[PerturbationCurve]) -> list[str]:
    return [_phrase(found, curve, curve.moderate.strength) for curve in curves]


def _listed(found: Robustness, curves: Sequence[PerturbationCurve], most: int) -> str:
    """Return what is done, in a list; how many more there are after the first ``most``."""
    phrases = _phrases(found, curves)
    rest = f", and {len(phrases) - most} more" if len(phrases) > most else ""
    return ", ".join(phrases[:most]) + rest
