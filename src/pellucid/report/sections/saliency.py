"""The full report on single photos: where the network looks, why it answered so, and what a new photo is to it."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from pellucid.evaluation.scores.galleries import pick, sample_prediction
from pellucid.evaluation.scores.predictions import Predictions
from pellucid.report.draft import DENSE, Draft
from pellucid.report.parts import Captioned, Section, Table
from pellucid.report.sections.summary import count
from pellucid.text import percent, signed
from pellucid.types import Array

if TYPE_CHECKING:
    from pellucid.evaluation.saliency.measure import SaliencyMap

Maps = Mapping[str, "SaliencyMap"]  # of one photo, by method


def chosen_photos(draft: Draft) -> Array:
    """Return the test photos that are explained: the surest mistakes, then what cost most."""
    result = draft.result
    wrong = pick("confident mistakes", result.predictions)
    others = pick("highest losses", result.predictions)
    rows = np.concatenate([wrong, others[~np.isin(others, wrong)]])[: draft.n_photos]
    return np.asarray(rows, np.int64)


def looking_section(draft: Draft) -> Section | None:
    """Return which pixels the verdicts hang on, and whether the maps are to be believed; of other data nothing."""
    if draft.shelf is None:
        return None
    from pellucid.evaluation.saliency.figures import CAVEAT
    from pellucid.evaluation.saliency.measure import saliency_maps

    result = draft.result
    made = {
        int(i): saliency_maps(result.model, result.split.test.X[i], int(result.predictions.y_pred[i]))
        for i in chosen_photos(draft)
    }
    figures = _first_layer(draft)
    if not made:
        return Section("Where does it look?", figures=figures) if figures else None
    first, strips = _of_photos(draft, made)
    return Section(
        "Where does it look?",
        intro=(_BEFORE_BELIEVING, CAVEAT),
        figures=(*figures, first),
        table=_checks(list(made.values())),
        parts=(Section(f"The maps of {count(len(strips), 'photo')}", (_HOW_TO_READ,), strips),),
    )


def _first_layer(draft: Draft) -> list[Captioned]:
    """Return the first layer's weights as a figure, or nothing where they do not belong to pixels."""
    from pellucid.evaluation.saliency.figures import first_layer_figure

    weights = first_layer_figure(draft.result.model)
    if weights is None:
        return []
    caption = (
        "What the first layer looks for: the weights of each of its units as a picture, grey where a weight is 0. "
        "Shapes that one recognizes were found in the photos; what looks like noise was learned photo by photo, or "
        "never."
    )
    alt = "The weights of the first layer's units as pictures."
    return [draft.figures.add("first-layer", weights, caption, alt, dpi=DENSE)]


def _of_photos(draft: Draft, made: Mapping[int, Maps]) -> tuple[Captioned, list[Captioned]]:
    """Return the first photo's maps at large, and every photo's in a row."""
    from pellucid.evaluation.saliency.figures import saliency_figure, saliency_strip

    result, add = draft.result, draft.figures.add
    X = result.split.test.X
    i, maps = next(iter(made.items()))
    first = add(
        "saliency",
        saliency_figure(X[i], maps),
        f"Test photo {i}, {_verdict(result.predictions, i)}. A row is a method: its map alone, over the "
        "photo, and what it gives "
        "for an untrained network. The words beside it say how to read it and whether it passes the check.",
        f"Maps of test photo {i}, one method a row.",
        dpi=DENSE,
    )
    strips = []
    for i, maps in made.items():
        n_there = sum(found.heat is not None for found in maps.values())
        caption = (
            f"Test photo {i}, {_verdict(result.predictions, i)}. Red speaks for that answer, blue against it; "
            "yellow on violet "
            "says only how much a pixel matters."
        )
        alt = f"Test photo {i} and {count(n_there, 'map')} of what its verdict hangs on."
        strips.append(add(f"saliency-{i}", saliency_strip(X[i], maps), caption, alt, dpi=DENSE))
    return first, strips


_BEFORE_BELIEVING = (
    "A map colours the pixels that a verdict hangs on. Before believing one, look at the check, the table below: "
    "how alike it is to the maps that untrained networks give of the same photo, from 0 (not at all) to 1 (rank "
    "correlation; the sign does not count). A map that they give too shows the photo, not what was learned."
)
_HOW_TO_READ = (
    "Each row is one photo and, to its right, its maps; below each, whether it passes the check, and its likeness "
    "r to the maps of untrained networks. Ask of each: is it the thing itself that is coloured, or the background?"
)


def _verdict(predictions: Predictions, index: int) -> str:
    said = sample_prediction(predictions, index)
    answer = f"answered “{said.predicted}” ({percent(said.probability)})"
    return f"rightly {answer}" if said.is_correct else f"{answer}, in truth “{said.actual}”"


def _checks(made: Sequence[Maps]) -> Table:
    """Return, for each method, how alike its maps and those of untrained networks are over all photos."""
    from pellucid.evaluation.saliency.sanity import WORDS, SanityCheck

    rows = []
    for name in made[0]:
        checks = [maps[name].sanity for maps in made]
        known = [check.correlation for check in checks if check is not None and check.correlation is not None]
        if known:
            mean = float(np.mean(known))
            verdict = SanityCheck("full", (mean,)).verdict
            rows.append(
                (
                    made[0][name].title,
                    signed(mean),
                    f"{signed(min(known))} to {signed(max(known))}",
                    WORDS[verdict],
                )
            )
        else:
            why = "it does not apply to this network" if made[0][name].heat is None else WORDS["unknown"]
            rows.append((made[0][name].title, "", "", why))
    header = ("Method", "Likeness", "Photo by photo", "What that means")
    return Table(header, rows)


def own_photo_section(draft: Draft) -> Section | None:
    """Return all there is to say of the new photo: neighbours, steadiness, novelty; without one nothing."""
    photo = draft.result.photo
    if photo is None or draft.shelf is None or draft.result.model.loss_kind != "classification":
        return None
    from pellucid.evaluation.photo.examine import examine_photo
    from pellucid.evaluation.photo.figures import own_photo_figure
    from pellucid.evaluation.photo.novelty import BLIND

    train = draft.result.split.train
    found = examine_photo(draft.result.model, photo.original, train)
    return Section(
        "A new photo",
        intro=(f"{photo.name}: in neither part of the data.", *found.sentences, BLIND),
        figures=(
            draft.figures.add(
                "new-photo-examined",
                own_photo_figure(found, train),
                "The photo as given and as the network sees it; the training photos nearest to it, by pixels and "
                "as the network itself describes them (green: of the class answered; red: of another); and how "
                "the verdict moves when it is cropped, flipped, darkened or brightened (red: another answer). A "
                "verdict that flips easily is worth little.",
                "The new photo, its nearest training photos, and its variants with their verdicts.",
            ),
        ),
    )
