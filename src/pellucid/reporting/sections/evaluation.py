"""What the full report adds: every score, robustness, saliency, influence, and labels that are probably wrong."""

from collections.abc import Mapping
from typing import Any

from pellucid.data.source import DataSource
from pellucid.evaluation.influence.explained import InfluenceOutcome
from pellucid.evaluation.label_errors.label_errors import DOUBTFUL, HOW, LabelErrors
from pellucid.evaluation.robustness.curves import Robustness
from pellucid.evaluation.robustness.plot_robustness import perturbation_sheet, robustness_curves
from pellucid.evaluation.robustness.try_perturbations import typical_photo
from pellucid.evaluation.saliency.first_layer import first_layer
from pellucid.evaluation.saliency.maps import LITTLE, MUCH, SaliencyMaps, check_rows
from pellucid.evaluation.saliency.plot_maps import first_layer_figure, saliency_figure, saliency_strip
from pellucid.evaluation.scores import plot_scores as drawn
from pellucid.evaluation.scores.advice import no_better
from pellucid.evaluation.scores.galleries import sample_prediction
from pellucid.evaluation.scores.scores import Scores
from pellucid.reporting.draft import DENSE, Draft
from pellucid.reporting.elements import Gallery, Section, Table
from pellucid.runs.run import Run
from pellucid.runs.spelling import check_command
from pellucid.text import capitalized, percent, plural

FEW_CLASSES = 12  # that are shown at once
CAPTIONS = {
    "roc": ("Nearer to the top left is better; dotted: guessing.", "ROC curves."),
    "precision-recall": ("Nearer to the top right is better.", "Curves of precision against recall."),
    "calibration": ("Below the dotted line the network is overconfident.", "Calibration curves."),
}
MEANINGS = {
    "accuracy": "the share of samples that are predicted correctly",
    "baseline": "the accuracy of always predicting the most common class",
    "balanced_accuracy": "the mean recall of the classes",
    "precision": "of the samples predicted as a class, the share that belongs to it",
    "recall": "of the samples of a class, the share that is predicted as it",
    "f1": "the harmonic mean of recall and precision",
    "roc_auc": "how often a sample of a class scores above another; 0.5 is guessing",
    "average_precision": "the precision, averaged over every recall",
    "brier": "mean squared distance of the probabilities from the truth; 0 is perfect",
    "log_loss": "minus the logarithm of the true class's probability; 0 is perfect",
}


def scores_section(draft: Draft, scores: Scores) -> Section:
    """Return every score with its interval and its meaning: overall, for each class, and as figures."""
    rows = [(*scores.cells(row), MEANINGS.get(row["score"], "")) for row in scores.to_rows()]
    curves = [
        draft.add(name, drawn.draw(scores, name), *words)
        for name, words in CAPTIONS.items()
        if scores.predictions.has_probabilities or name != "calibration"
    ]
    return Section(
        "Every score and its interval",
        table=Table((*scores.columns, "meaning"), rows),
        intro=scores.notes,
        parts=(
            Section(
                "Each class by itself",
                table=Table(*scores.class_table()),
                is_folded=len(scores.per_class) > FEW_CLASSES,
            ),
            Section("Curves over every threshold, and calibration", figures=curves, is_folded=True),
        ),
    )


CURVES = (
    "To the right each change grows stronger, upwards more {noun}s are correct. Band: 95 % interval; dashed: the "
    "{noun}s as they are; dotted: the baseline; ring: the first loss of ten points, or fall below the baseline."
)
SHEET = "Test {noun} {number} at every strength, with the prediction under each picture."
A_SHEET = 6  # perturbations: on paper a higher figure is made smaller


def robustness_section(draft: Draft, found: Robustness, run: Run) -> Section:
    """Return the accuracy on changed photos, and one photo at every strength."""
    at, test = typical_photo(run.test_predictions), run.split.test
    names = [curve.perturbation.name for curve in found.curves]
    shown: dict[str, Any] = {"label": int(test.y[at]), "row": at, "noun": found.noun}
    sheets = [
        draft.add(
            f"robustness-sheet-{number}",
            perturbation_sheet(run.model, test.X[at], perturbations=names[start : start + A_SHEET], **shown),
            SHEET.format(noun=found.noun, number=at),
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
        intro=(found.headline, *found.notes),
        figures=(curves, *sheets),
        table=Table(found.columns, [found.cells(row) for row in found.to_rows()]),
    )


Maps = Mapping[int, SaliencyMaps]  # by test photo
TITLE = "Where does it look?"
N_OPEN = 2  # photos whose maps are not folded
INTRO = (
    "A map colours the pixels that a prediction depends on. Sanity check (Adebayo et al., 2018): the rank "
    "correlation r with the maps of untrained networks, below each map; in the table the mean over {images}. "
    f"It depends on the network's weights where |r| is below {LITTLE:g}, in part below {MUCH:g}, hardly from "
    f"{MUCH:g} on. That it does is no sign that the network learned anything."
)
STRIP = "Red speaks for that class, blue against it; yellow on violet shows how much a pixel matters."


def saliency_section(draft: Draft, maps: Maps, run: Run) -> Section | None:
    """Return the maps of each photo, their sanity check, and what the first layer looks for; None of other data."""
    weights, figures, strips = first_layer(run.model), [], []
    if weights is not None:
        alt = "The weights of the first layer's units as pictures."
        figures = [draft.add("first-layer", first_layer_figure(weights), weights.headline, alt, dpi=DENSE)]
    if not maps:
        return Section(TITLE, figures=figures) if figures else None
    first = next(iter(maps.values()))
    for i, found in maps.items():
        one, image = sample_prediction(run.test_predictions, i), run.split.test.X[i]
        place, n = (
            capitalized(run.split.place("test", i)),
            sum(each.heat is not None for each in found.values()),
        )
        right, truth = ("correctly ", "") if one.is_correct else ("", f", in truth '{one.actual}'")
        caption = f"{place}, {right}predicted as '{one.predicted}' ({percent(one.probability)}){truth}"
        if found is first:
            how = f"{caption}: each map, over the {run.noun}, and of an untrained network."
            alt = f"Maps of {run.split.place('test', i)}, one method a row."
            figures.append(draft.add("saliency", saliency_figure(image, found), how, alt, dpi=DENSE))
        alt = f"{place} and {plural(n, 'map')} of what its prediction depends on."
        strips.append(draft.add(f"saliency-{i}", saliency_strip(image, found), f"{caption}.", alt, dpi=DENSE))
    shown, more = strips[:N_OPEN], strips[N_OPEN:]
    parts = [Section(f"The maps of {plural(len(shown), run.noun)}", (STRIP,), figures=shown)]
    if more:
        title = f"The maps of {plural(len(more), f'more {run.noun}')}"
        parts.append(Section(title, figures=more, is_folded=True))
    intro = INTRO.replace("{images}", plural(len(maps), run.noun))
    return Section(
        TITLE,
        intro=(*([doubt] if (doubt := no_better(run.test_predictions)) else []), intro),
        figures=figures,
        table=Table(first.columns, [first.cells(row) for row in check_rows([*maps.values()])]),
        parts=parts,
    )


GALLERY = "Under each table the test {noun}, then the training {noun}s of most influence, each way."


def influence_section(draft: Draft, found: InfluenceOutcome) -> Section:
    """Return, for each explained sample, the training samples that influenced its prediction, and the proof."""
    cases = []
    for one in found.explanations:
        gallery = None
        if draft.has_photos:
            predicted = f"{one.predicted} ({percent(one.probability)})"
            cards = [draft.card("test", one.index, predicted, last="this one", is_right=one.is_right)]
            for samples, way in ((one.towards, "towards"), (one.against, "against")):
                cards += [draft.card("training", each.row, way, each.label) for each in samples]
            gallery = Gallery(cards, "", is_small=True)
        truth = "" if one.is_right else f", in truth '{one.actual}'"
        title = f"{capitalized(one.place)}: '{one.predicted}'{truth}"
        table = Table(one.columns, [one.cells(row) for row in one.to_rows()])
        cases.append(Section(title, intro=(one.headline, *one.notes), table=table, gallery=gallery))
    shown = (GALLERY.format(noun=found.noun),) if draft.has_photos and cases else ()
    return Section("Why did it predict that?", intro=(found.headline, *shown, *found.notes), parts=cases)


MOST_SHOWN = 12
CAPTION = "The label, then the class that is more likely, with its probability."


def label_errors_section(draft: Draft, found: LabelErrors, source: DataSource) -> Section:
    """Return the labels that are contradicted, as pictures or, of other samples, as a table."""
    intro = (found.headline, HOW)
    shown = found.errors[:MOST_SHOWN]
    title = "Are the labels right?"
    if found.accuracy < DOUBTFUL and shown:
        command = f"{check_command(source)} --labels"
        advice = f"They are not shown here; a better network tells more: `{command}`."
        return Section(title, intro=(f"{intro[0]} {advice}", HOW))
    if not shown:
        return Section(title, intro=intro)
    if not draft.has_photos:
        rows = [found.cells(vars(one)) for one in shown]
        return Section(title, intro=intro, table=Table(found.columns, rows))
    cards = [
        draft.card(one.part, one.index, f"label {one.given}", f"{one.likely} ({percent(one.confidence)})")
        for one in shown
    ]
    return Section(title, intro=intro, gallery=Gallery(cards, CAPTION, is_small=True))
