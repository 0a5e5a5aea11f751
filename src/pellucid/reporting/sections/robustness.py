"""What the report says of robustness: photos that are changed on purpose."""

from pellucid.evaluation.robustness.curves import Robustness
from pellucid.evaluation.robustness.plot_robustness import perturbation_sheet, robustness_curves
from pellucid.evaluation.robustness.try_perturbations import typical_photo
from pellucid.reporting.draft import DENSE, Draft
from pellucid.reporting.elements import Section, Table
from pellucid.runs.run import Run

CURVES = (
    "To the right each change grows stronger, upwards more {noun}s are correct. Band: 95 % interval; dashed: the "
    "{noun}s as they are; dotted: the baseline; ring: the first loss of ten points, or fall below the baseline."
)
SHEET = "Test {noun} {number} at every strength, with the prediction under each picture."


def robustness_section(draft: Draft, found: Robustness, run: Run) -> Section:
    """Return the accuracy on changed photos, and one photo at every strength."""
    at, test = typical_photo(run.test_predictions), run.split.test
    return Section(
        "Which changes does it withstand?",
        intro=(found.headline, *found.notes),
        figures=(
            draft.add(
                "robustness-curves",
                robustness_curves(found),
                CURVES.format(noun=found.noun),
                "Curves of accuracy against the strength of each change.",
            ),
            draft.add(
                "robustness-sheet",
                perturbation_sheet(run.model, test.X[at], label=int(test.y[at]), row=at, noun=found.noun),
                SHEET.format(noun=found.noun, number=at),
                f"Test {found.noun} {at}, changed in rows, each picture with its prediction.",
                dpi=DENSE,
            ),
        ),
        table=Table(found.columns, [found.cells(row) for row in found.to_rows()]),
    )
