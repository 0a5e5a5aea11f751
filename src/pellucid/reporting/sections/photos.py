"""What the report shows photo by photo: the confusion matrix's cells, the galleries, and the new photo."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from pellucid.evaluation.explain.neighbours import nearest
from pellucid.evaluation.explain.plot_image import image_figure
from pellucid.evaluation.scores.galleries import GALLERIES, confusion_cells, pick, sample_prediction
from pellucid.evaluation.scores.mistakes_figure import mistakes
from pellucid.plotting.photo import new_photo
from pellucid.plotting.style import class_name
from pellucid.reporting.draft import Draft
from pellucid.reporting.elements import Card, Confusion, Gallery, Section, Table
from pellucid.runs.run import Run
from pellucid.text import percent, plural
from pellucid.types import Array

if TYPE_CHECKING:
    from pellucid.reporting.findings import NewPhoto

N_SHOWN = 12  # photos in each gallery
N_NEAR = 5  # training photos next to each
MOST_MISTAKES = 120  # photos where every mistake is shown
MOST_IN_FIGURE = 60  # pictures in figures/mistakes.png
MOST_IN_CELLS = 500  # photos that the confusion matrix opens, all cells together


def photos_section(draft: Draft, run: Run) -> Section:
    """Return the galleries of mistakes and hits."""
    draft.keep("mistakes", mistakes(run.split.test, run.test_predictions, max_images=MOST_IN_FIGURE))
    n, n_right = run.test_confusion.n_samples, run.test_confusion.n_correct
    intro = f"{n - n_right} of {plural(n, f'test {run.noun}')} misclassified."
    return Section("Mistakes and hits", intro=(intro,), parts=galleries(draft, run))


def new_photo_section(draft: Draft, photo: "NewPhoto", run: Run) -> Section:
    """Return the prediction for a photo from outside; its neighbours and variants too where they are known."""
    noun, is_tutorial = run.noun, run.split.name == "catvnoncat"
    here, context, title = f"{photo.name}: in neither part of the data.", photo.context, f"A new {noun}"
    if not context.by_pixels:
        figure = draft.add(
            "new-photo",
            new_photo(
                context.original,
                context.seen,
                label=context.label,
                probability=context.probability,
                y=photo.y if is_tutorial else None,
                noun=noun,
            ),
            f"Left, the {noun} as given; right, all that the network sees of it.",
            f"The new {noun}, predicted as {context.label}.",
        )
        return Section(title, intro=(here,), figures=(figure,))
    figure = draft.add(
        "new-photo-examined",
        image_figure(context),
        f"Training {noun}s: green of the predicted class, red of another. Changed: red is another prediction.",
        f"The new {noun}, its nearest training {noun}s, and its variants with their predictions.",
    )
    rows = Table(context.columns, [context.cells(row) for row in context.to_rows()])
    parts = (Section(f"Variants and nearest {noun}s", table=rows, is_folded=True),)
    return Section(title, intro=(here, context.headline), figures=(figure,), parts=parts)


def confusion_of(draft: Draft, run: Run) -> Confusion:
    """Return the confusion matrix, its cells with their photos where there are any."""
    test, inside = run.test_confusion, {}
    caption = (
        "Each row is a true class, each column a predicted one: what lies on the diagonal is right, and what lies "
        "off it is a mistake, coloured by its fraction of the row, the share of that class."
    )
    if draft.has_photos:
        caption += f" Choose a number to see its {run.noun}s."
        rows = confusion_cells(run.test_predictions)
        empty = Confusion(test.classes, test.counts.tolist(), caption)
        if not empty.is_grid:  # the commonest mistakes are listed instead
            rows = {(i, j): rows[i, j] for i, j, _ in empty.pairs()}
        most = _each_cell([len(cell) for cell in rows.values()], MOST_IN_CELLS)
        inside = {at: [_thumb(draft, run, i) for i in cell[:most]] for at, cell in rows.items()}
    return Confusion(test.classes, test.counts.tolist(), caption, {at: c for at, c in inside.items() if c})


def galleries(draft: Draft, run: Run, n: int = N_SHOWN) -> tuple[Section, ...]:
    """Return the galleries: mistakes, the surest, the highest losses, the surest hits; each with its nearest."""
    chosen = {kind: pick(kind, run.test_predictions, n) for kind in GALLERIES}
    every = pick("mistakes", run.test_predictions, MOST_MISTAKES)
    near = _nearest(run, np.concatenate(list(chosen.values())))
    parts = []
    if len(every):
        words = "Every mistake" if len(every) < MOST_MISTAKES else f"The first {len(every)} mistakes"
        caption = (
            f"{words}, in the order of the data: the predicted class, its probability, and the true class."
        )
        parts.append(
            Section(
                GALLERIES["mistakes"],
                gallery=Gallery([_thumb(draft, run, i) for i in every], caption, True),
            )
        )
    confident, worst = chosen["confident mistakes"], chosen["highest losses"]
    is_same = len(confident) > 0 and (worst[: len(confident)] == confident).all()  # so it is for two classes
    for kind in ("confident mistakes", "highest losses", "confident hits"):
        if not len(chosen[kind]) or (kind == "highest losses" and is_same):
            continue
        words = _CAPTIONS[kind] + (_SAME if kind == "confident mistakes" and is_same else "") + _NEAR
        cards = [_card(draft, run, i, *near[int(i)]) for i in chosen[kind]]
        noun = run.noun
        parts.append(
            Section(
                f"{GALLERIES[kind]}, each with the training {noun}s nearest to it",
                gallery=Gallery(cards, words.format(noun=noun)),
                is_folded=True,
            )
        )
    return tuple(parts)


_CAPTIONS = {
    "confident mistakes": "The wrong predictions of the highest probability, the most confident first.",
    "highest losses": (
        "The {noun}s of the highest loss, whose true class the network thought least likely; the loss is minus the "
        "logarithm of the probability of the true class, and 0.69 is a coin toss."
    ),
    "confident hits": (
        "The right predictions of the highest probability: what it takes for a typical {noun} of a class."
    ),
}
_SAME = " They are also the {noun}s of the highest losses."
_NEAR = (
    " Below each lie the training {noun}s nearest to it, pixel by pixel, with their class and their distance "
    "(the root mean square difference; 0 is the same {noun})."
)


def _nearest(run: Run, rows: Array) -> dict[int, tuple[Array, Array]]:
    rows = np.unique(rows)
    train = run.split.train.X
    found, distances = nearest(train, run.split.test.X[rows], min(N_NEAR, len(train)))
    return {int(i): (found[at], distances[at]) for at, i in enumerate(rows)}


def _card(draft: Draft, run: Run, index: int, near: Array, distances: Array) -> Card:
    one, train = sample_prediction(run.test_predictions, index), run.split.train
    near_cards = [
        (
            draft.photo("training", i, f", distance {distance:.3g}"),
            (class_name(train.classes, int(train.y[i]), 12), *draft.file("training", i), f"{distance:.3g}"),
        )
        for i, distance in zip(near, distances, strict=True)
    ]
    lines = (
        f"Predicted: {one.predicted} ({percent(one.probability)})",
        f"True class: {one.actual}",
        *draft.file("test", index),
        f"test {run.noun} {one.index}, loss {one.loss:.2f}",
    )
    return Card(draft.photo("test", one.index), lines, one.is_correct, near_cards)


def _thumb(draft: Draft, run: Run, index: int) -> Card:
    one = sample_prediction(run.test_predictions, index)
    truth = () if one.is_correct else (f"truth: {one.actual}",)
    lines = (
        f"{one.predicted} ({percent(one.probability)})",
        *truth,
        *draft.file("test", index),
        f"{run.noun} {one.index}",
    )
    return Card(draft.photo("test", one.index), lines, one.is_correct)


def _each_cell(counts: Sequence[int], most: int) -> int:
    """Return how many photos each cell may show so that all together show at most ``most``.

    Examples
    --------
    >>> _each_cell([3, 50, 100], 63), _each_cell([1] * 9, 5)
    (30, 1)
    """
    limit = max(1, most)
    while limit > 1 and _shown(counts, limit) > most:
        limit -= 1
    return limit


def _shown(counts: Iterable[int], limit: int) -> int:
    return sum(min(n, limit) for n in counts)
