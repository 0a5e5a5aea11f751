"""What the report says of robustness: photos that are changed on purpose."""

from typing import Any

from pellucid.evaluation.robustness.curves import Robustness
from pellucid.evaluation.robustness.plot_robustness import perturbation_sheet, robustness_curves
from pellucid.evaluation.robustness.try_perturbations import typical_photo
from pellucid.reporting.draft import DENSE, Draft
from pellucid.reporting.elements import Section, Table
from pellucid.runs.run import Run
from pellucid.text import join

CURVES = (
    "To the right each change grows stronger, upwards more {noun}s are correct. Band: 95 % interval; dashed: the "
    "{noun}s as they are; dotted: the baseline; ring: the first loss of 10 % of all {noun}s, or fall below the "
    "baseline."
)
SHEET = "{which} at every strength of {changes}, with the prediction under each picture."
TYPICAL = ", of those classified correctly the one of median probability,"
A_SHEET = 6  # perturbations: on paper a higher figure is made smaller


def robustness_section(draft: Draft, found: Robustness, run: Run) -> Section:
    """Return the accuracy on changed photos, and one photo at every strength."""
    at, test = typical_photo(run.test_predictions), run.split.test
    names = [curve.perturbation.name for curve in found.curves]
    shown: dict[str, Any] = {"label": int(test.y[at]), "row": at, "noun": found.noun}
    which = f"Test {found.noun} {at}{TYPICAL * bool(run.test_predictions.is_correct[at])}"
    sheets = [
        draft.add(
            f"robustness-sheet-{number}",
            perturbation_sheet(run.model, test.X[at], perturbations=names[start : start + A_SHEET], **shown),
            SHEET.format(
                which=which if number == 1 else f"The same {found.noun}",
                changes=join([one.perturbation.title for one in found.curves[start : start + A_SHEET]]),
            ),
            f"Test {found.noun} {at}, changed in rows, each picture with its prediction.",
            dpi=DENSE,
        )
        for number, start in enumerate(range(0, len(names), A_SHEET), start=1)
    ]
    curves = draft.add(
        "robustness-curves",
        robustness_curves(found),
        CURVES.format(noun=found.noun),
        "Curves of accuracy against the strength of each change.",
    )
    return Section(
        "Which changes does it withstand?",
        intro=(found.headline,),
        figures=(curves, *sheets),
        table=Table(found.columns, [found.cells(row) for row in found.to_rows()]),
        parts=(Section("How to read the table", intro=found.notes),),
    )
