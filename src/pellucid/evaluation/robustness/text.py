"""Sentences about robustness: the ranking of the changes, what each costs, the captions of its figures."""

from collections.abc import Sequence

from pellucid.evaluation.robustness.records import POINTS, PerturbationCurve, Robustness
from pellucid.text import chance_in_words, join, percent, plural

CHANCE = 0.05  # p values from here on are put down to chance

MEASURED = (
    "The six reasons why photos are misclassified, measured: each test photo is changed on purpose, a little, then "
    "more, and classified again."
)
CURVES = (
    "A panel for each change: to the right it grows stronger, upwards more photos are classified correctly. "
    "The band is "
    "the 95 % interval, the dashed line the photos as they are, the dotted one the majority-class baseline; a ring "
    "marks the first loss of ten points, or the first fall below the dotted line. Where the curve stays flat "
    "and above "
    "the dotted line, the change does no harm."
)
SHEET = (
    "Test photo {photo} at every strength, with the prediction under each picture. Follow a row until it "
    "turns red: "
    "would you still have known?"
)
BACKGROUND = (
    "Nobody has marked where the subjects are: for the background, what lies outside an ellipse about the photo's "
    "middle stands in."
)
BREAKS_AT = (
    "Breaks at: the weakest strength that costs 10 points, or falls below the majority-class baseline."
)
HEADER = ("change", "reason", "moderate", "correct", "95 %", "breaks at")


def in_words(found: Robustness) -> list[str]:
    """Return what was found, in sentences for somebody who reads nothing else."""
    lines = [_clean(found), *_worst(found), *_harmless(found), *_lowest(found)]
    if any(curve.perturbation.name == "background" for curve in found.curves):
        lines.append(BACKGROUND)
    if found.left_out:
        reasons = "; ".join(f"{name}, since {why}" for name, why in found.left_out.items())
        lines.append(f"Left out: {reasons}.")
    return lines


def in_rows(found: Robustness) -> list[tuple[str, ...]]:
    """Return what each change costs at moderate strength, as rows under ``HEADER``."""
    rows: list[tuple[str, ...]] = []
    for curve in found.ranking:
        row = curve.moderate
        interval = f"{percent(row.low)} to {percent(row.high)}"
        reason, correct = curve.perturbation.reason, f"{row.n_correct}/{row.n}"
        rows.append((curve.perturbation.title, reason, row.label, correct, interval, curve.breaks_label))
    return rows


def in_short(found: Robustness) -> str:
    """Return which change costs most, in a sentence for a summary."""
    worst, n = found.ranking[0], len(found.ranking)
    if found.accuracy <= found.baseline:
        return (
            f"What {n} changes of the photos cost means little: unchanged, they are classified no better "
            "than by the majority-class baseline."
        )
    if worst.cost <= 0 or worst.moderate.p_value * n >= CHANCE:  # the worst of n: n chances to look bad
        return (
            f"None of {n} changes tried on the photos costs more, at moderate strength, than chance explains."
        )
    return (
        f"Of {n} changes tried on the photos, {worst.perturbation.phrase(worst.moderate.strength)} costs most: "
        f"{worst.cost} of {found.n} photos fewer are then classified correctly."
    )


def _clean(found: Robustness) -> str:
    low, high = found.interval
    line = (
        f"As they are, {found.n_correct} of {found.n} photos are classified correctly "
        f"({percent(found.accuracy)}, 95 % "
        f"interval {percent(low)} to {percent(high)}); the majority-class baseline, always "
        f"“{found.most_common}”, gets "
        f"{round(found.baseline * found.n)} ({percent(found.baseline)})."
    )
    is_better = found.accuracy > found.baseline
    return line if is_better else f"{line} So there is little that a change could cost."


def _worst(found: Robustness) -> list[str]:
    first = found.ranking[0]
    if first.cost <= 0:
        return [f"At moderate strength, no change costs it a photo ({_listed(found.ranking, 3)})."]
    worst = [curve for curve in found.ranking if curve.cost == first.cost]
    row = first.moderate
    each = ", either way" if len(worst) == 2 else ", each way" if len(worst) > 2 else ""
    lines = [
        f"At moderate strength, {join(_phrases(worst))} cost{'s' if len(worst) == 1 else ''} it most: "
        f"{row.n_correct} "
        f"instead of {found.n_correct} photos are classified correctly ({percent(row.accuracy)}){each}.",
        _chance(found, first),
    ]
    if behind := [curve for curve in found.ranking[len(worst) :] if curve.cost > 0][:3]:
        costs = (f"{phrase} ({c.cost} fewer)" for phrase, c in zip(_phrases(behind), behind, strict=True))
        lines.append(f"Next: {', '.join(costs)}.")
    return lines


def _chance(found: Robustness, curve: PerturbationCurve) -> str:
    """Return whether that loss is more than chance: the largest of many is large by chance, too."""
    n_tried = len(found.curves)
    p = min(1.0, n_tried * curve.moderate.p_value)
    times = f", times the {n_tried} changes tried" if n_tried > 1 else ""
    return f"T{chance_in_words(p)[1:]} (McNemar's exact test on {plural(found.n, 'photo')}{times})."


def _harmless(found: Robustness) -> list[str]:
    harmless = [curve for curve in reversed(found.ranking) if curve.cost <= 0]
    if not harmless or len(harmless) == len(found.curves):
        return []
    return [f"It loses nothing, on balance, by {_listed(harmless, 5)}."]


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
            f"The lowest of all: {percent(row.accuracy)}, by {curve.perturbation.phrase(row.strength)}."
        )
    return lines


def _phrases(curves: Sequence[PerturbationCurve]) -> list[str]:
    return [curve.perturbation.phrase(curve.moderate.strength) for curve in curves]


def _listed(curves: Sequence[PerturbationCurve], most: int) -> str:
    """Return what is done, in a list; how many more there are after the first ``most``."""
    phrases = _phrases(curves)
    rest = f", and {len(phrases) - most} more" if len(phrases) > most else ""
    return ", ".join(phrases[:most]) + rest
