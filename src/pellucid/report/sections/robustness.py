"""The full report on robustness: photos that are changed on purpose."""

import numpy as np

from pellucid.evaluation.robustness.records import Robustness
from pellucid.report.draft import DENSE, Draft
from pellucid.report.parts import Section, Table
from pellucid.report.sections.summary import CHANCE, interval
from pellucid.text import percent


def robustness_section(draft: Draft) -> Section | None:
    """Return how the model bears changed photos, and one photo at every strength; of other data nothing."""
    if draft.shelf is None or draft.result.split.test.X.dtype != np.uint8:
        return None
    from pellucid.evaluation.robustness.figures import perturbation_sheet, robustness_curves
    from pellucid.evaluation.robustness.measure import measure_robustness
    from pellucid.evaluation.robustness.of_run import typical_photo

    model, test = draft.result.model, draft.result.split.test
    found = measure_robustness(model, test)
    at = typical_photo(model, test)
    draft.told.append(_in_short(found))
    rows = [
        (
            curve.perturbation.say(curve.moderate.strength),
            curve.cost,
            percent(curve.moderate.accuracy),
            interval(curve.moderate.n_correct, curve.moderate.n),
        )
        for curve in found.ranking
    ]
    return Section(
        "Which changes does it bear?",
        intro=(
            "The six reasons why photos are misread, made measurable: each test photo is changed on purpose, a "
            "little, then more, and read again.",
            *found.in_words,
        ),
        figures=(
            draft.figures.add(
                "robustness-curves",
                robustness_curves(found),
                "A panel for each change: to the right it grows stronger, upwards more photos are read rightly. "
                "The band is the 95 % interval, the dashed line the photos as they are, the dotted one always "
                "giving the same answer; a ring marks the first loss of ten points, or the first fall below the "
                "dotted line. Where the curve stays flat and above the dotted line, the network bears the change.",
                "Curves of accuracy against the strength of each change.",
            ),
            draft.figures.add(
                "robustness-sheet",
                perturbation_sheet(model, test.X[at], label=int(test.y[at])),
                f"Test photo {at} at every strength, with the verdict under each picture. Follow a row until it "
                "turns red: would you still have known?",
                f"Test photo {at}, changed in rows, each picture with the answer given.",
                dpi=DENSE,
            ),
        ),
        table=Table(("Change, at moderate strength", "Fewer right", "Accuracy", "95 % interval"), rows),
    )


def _in_short(found: Robustness) -> str:
    worst, n = found.ranking[0], len(found.ranking)
    if found.accuracy <= found.baseline:
        return (
            f"What {n} changes of the photos cost says little: unchanged, they are read no better than by one "
            "answer for all."
        )
    if worst.cost <= 0 or worst.moderate.p_value * n >= CHANCE:  # the worst of n: n chances to look bad
        return (
            f"None of {n} changes tried on the photos costs more, at moderate strength, than chance explains."
        )
    return (
        f"Of {n} changes tried on the photos, {worst.perturbation.say(worst.moderate.strength)} costs most: "
        f"{worst.cost} of {found.n} photos fewer are then read rightly."
    )
