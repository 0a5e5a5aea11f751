"""What the report says of single photos: which pixels a prediction depends on."""

from collections.abc import Mapping

from pellucid.evaluation.saliency.first_layer import first_layer
from pellucid.evaluation.saliency.maps import LITTLE, MUCH, SaliencyMaps, check_rows
from pellucid.evaluation.saliency.plot_maps import first_layer_figure, saliency_figure, saliency_strip
from pellucid.evaluation.scores.advice import no_better
from pellucid.evaluation.scores.galleries import sample_prediction
from pellucid.reporting.draft import DENSE, Draft
from pellucid.reporting.elements import Section, Table
from pellucid.runs.run import Run
from pellucid.shares import chance
from pellucid.text import capitalized, plural

Maps = Mapping[int, SaliencyMaps]  # by test photo
TITLE = "Where does it look?"
N_OPEN = 2  # photos whose maps are not folded
INTRO = (
    "A map colours the pixels that a prediction depends on. Sanity check (Adebayo et al., 2018): the rank "
    "correlation r with the maps of untrained networks, below each map; in the table the mean of |r| over "
    f"{{images}}. A map depends on the network's weights where that is below {LITTLE:g}, in part below {MUCH:g}, "
    "hardly above. Passing the check is no sign that the network learned anything. Shown: the most "
    "confident mistakes, then the predictions of the highest losses."
)
STRIP = "Red speaks for the predicted class, blue against it; yellow on violet: how much a pixel matters."


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
        place = capitalized(run.split.place("test", i))
        n = sum(each.heat is not None for each in found.values())
        right, truth = ("correctly ", "") if one.is_correct else ("", f", in truth '{one.actual}'")
        caption = f"{place}, {right}predicted as '{one.predicted}' ({chance(one.probability)}){truth}"
        if found is first:
            how = f"{caption}: each map, over the {run.noun}, and of an untrained network."
            alt = f"Maps of {run.split.place('test', i)}, one method a row."
            figures.append(draft.add("saliency", saliency_figure(image, found), how, alt, dpi=DENSE))
            continue
        alt = f"{place} and {plural(n, 'map')} of what its prediction depends on."
        strips.append(draft.add(f"saliency-{i}", saliency_strip(image, found), f"{caption}.", alt, dpi=DENSE))
    shown, more = strips[:N_OPEN], strips[N_OPEN:]
    parts = []
    if shown:
        title = f"The maps of {plural(len(shown), f'other {run.noun}')}"
        parts.append(Section(title, (STRIP,), figures=shown))
    if more:
        title = f"The maps of {plural(len(more), f'more {run.noun}')}"
        parts.append(Section(title, figures=more, is_folded=True))
    intro = [INTRO.replace("{images}", plural(len(maps), run.noun))]
    if doubt := no_better(run.test_predictions):
        intro.insert(0, doubt)
    table = Table(first.columns, [first.cells(row) for row in check_rows([*maps.values()])])
    return Section(TITLE, intro=intro, figures=figures, table=table, parts=parts)
