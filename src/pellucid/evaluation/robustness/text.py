"""Sentences about robustness."""

from pellucid.evaluation.robustness.records import Robustness

CHANCE = 0.05  # p values from here on are put down to chance

MEASURED = (
    "The six reasons why photos are misclassified, measured: each test photo is changed on purpose, a little, then "
    "more, and classified again."
)


def in_short(found: Robustness) -> str:
    """Return which change costs most, in a sentence for a summary."""
    worst, n = found.ranking[0], len(found.ranking)
    if found.accuracy <= found.baseline:
        return (
            f"What {n} changes of the photos cost says little: unchanged, they are classified no better than "
            "by the "
            "majority-class baseline."
        )
    if worst.cost <= 0 or worst.moderate.p_value * n >= CHANCE:  # the worst of n: n chances to look bad
        return (
            f"None of {n} changes tried on the photos costs more, at moderate strength, than chance explains."
        )
    return (
        f"Of {n} changes tried on the photos, {worst.perturbation.say(worst.moderate.strength)} costs most: "
        f"{worst.cost} of {found.n} photos fewer are then classified correctly."
    )
