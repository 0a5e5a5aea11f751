"""What the report says of robustness: photos that are changed on purpose."""

from pellucid.evaluation.robustness.figures import perturbation_sheet, robustness_curves
from pellucid.evaluation.robustness.measure import typical_photo
from pellucid.evaluation.robustness.records import Robustness
from pellucid.evaluation.robustness.text import (
    CURVES,
    HEADER,
    MEASURED,
    SHEET,
    in_paragraphs,
    in_rows,
)
from pellucid.report.draft import DENSE, Draft
from pellucid.report.parts import Section, Table
from pellucid.runs.run import Run


def robustness_section(draft: Draft, found: Robustness, run: Run) -> Section:
    """Return the accuracy on changed photos, and one photo at every strength."""
    at, test = typical_photo(run.test_predictions), run.split.test
    return Section(
        "Which changes does it withstand?",
        intro=(MEASURED.format(noun=found.noun), *in_paragraphs(found)),
        figures=(
            draft.add(
                "robustness-curves",
                robustness_curves(found),
                CURVES.format(noun=found.noun),
                "Curves of accuracy against the strength of each change.",
            ),
            draft.add(
                "robustness-sheet",
                perturbation_sheet(run.model, test.X[at], label=int(test.y[at]), noun=found.noun),
                SHEET.format(noun=found.noun, number=at),
                f"Test {found.noun} {at}, changed in rows, each picture with its prediction.",
                dpi=DENSE,
            ),
        ),
        table=Table(HEADER, in_rows(found), fold="Every change at moderate strength, in a table"),
    )
