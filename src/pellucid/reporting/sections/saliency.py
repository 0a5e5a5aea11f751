"""What the report says of single photos: which pixels a prediction depends on."""

from collections.abc import Mapping

from pellucid.evaluation.saliency.first_layer import first_layer
from pellucid.evaluation.saliency.maps import LITTLE, MUCH, SaliencyMaps, check_rows
from pellucid.evaluation.saliency.plot_maps import first_layer_figure, saliency_figure, saliency_strip
from pellucid.evaluation.scores.galleries import sample_prediction
from pellucid.reporting.draft import DENSE, Draft
from pellucid.reporting.elements import Captioned, Section, Table
from pellucid.runs.run import Run
from pellucid.text import capitalized, percent, plural

Maps = Mapping[int, SaliencyMaps]  # by test photo
TITLE = "Where does it look?"
N_OPEN = 2  # photos whose maps are not folded
INTRO = (
    "A map colours the pixels that a prediction depends on. Sanity check (Adebayo et al., 2018): the rank "
    "correlation r with the maps of untrained networks, below each map; in the table the mean over {images}. "
    f"Passed: |r| below {LITTLE:g}; in part: below {MUCH:g}; failed: {MUCH:g} or more, as training changed "
    "the map little."
)
STRIP = "Red speaks for that class, blue against it; yellow on violet shows how much a pixel matters."


def saliency_section(draft: Draft, maps: Maps, run: Run) -> Section | None:
    """Return the maps and their check; the first layer's weights alone where no photo was explained."""
    figures = _first_layer(draft, run)
    if not maps:
        return Section(TITLE, figures=figures) if figures else None
    strips = [_strip(draft, i, maps[i], run) for i in maps]
    first = next(iter(maps.values()))
    return Section(
        TITLE,
        intro=(INTRO.replace("{images}", plural(len(maps), run.noun)),),
        figures=(*figures, _at_large(draft, *next(iter(maps.items())), run)),
        table=Table(first.columns, [first.cells(row) for row in check_rows([*maps.values()])]),
        parts=_strips(strips, run.noun),
    )


def _strips(strips: list[Captioned], noun: str) -> list[Section]:
    """Return the first strips, and the others folded."""
    parts = [Section(f"The maps of {plural(len(strips[:N_OPEN]), noun)}", (STRIP,), figures=strips[:N_OPEN])]
    if strips[N_OPEN:]:
        title = f"The maps of {plural(len(strips) - N_OPEN, f'more {noun}')}"
        parts.append(Section(title, figures=strips[N_OPEN:], is_folded=True))
    return parts


def _first_layer(draft: Draft, run: Run) -> list[Captioned]:
    """Return the first layer's weights as a figure, or nothing where they do not belong to pixels."""
    weights = first_layer(run.model)
    if weights is None:
        return []
    alt = "The weights of the first layer's units as pictures."
    return [draft.add("first-layer", first_layer_figure(weights), weights.headline, alt, dpi=DENSE)]


def _at_large(draft: Draft, i: int, maps: SaliencyMaps, run: Run) -> Captioned:
    return draft.add(
        "saliency",
        saliency_figure(run.split.test.X[i], maps),
        f"{_place(run, i)}, {_prediction(run, i)}: each map, over the {run.noun}, and of an untrained network.",
        f"Maps of {run.split.place('test', i)}, one method a row.",
        dpi=DENSE,
    )


def _strip(draft: Draft, i: int, maps: SaliencyMaps, run: Run) -> Captioned:
    n = sum(found.heat is not None for found in maps.values())
    return draft.add(
        f"saliency-{i}",
        saliency_strip(run.split.test.X[i], maps),
        f"{_place(run, i)}, {_prediction(run, i)}.",
        f"{_place(run, i)} and {plural(n, 'map')} of what its prediction depends on.",
        dpi=DENSE,
    )


def _place(run: Run, i: int) -> str:
    return capitalized(run.split.place("test", i))


def _prediction(run: Run, i: int) -> str:
    one = sample_prediction(run.test_predictions, i)
    predicted = f"predicted as '{one.predicted}' ({percent(one.probability)})"
    return f"correctly {predicted}" if one.is_correct else f"{predicted}, in truth '{one.actual}'"
