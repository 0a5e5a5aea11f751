"""What the report shows photo by photo: the confusion matrix's cells, the galleries, and the new photo."""

from collections.abc import Sequence

import numpy as np

from pellucid.evaluation.explain.neighbours import nearest
from pellucid.evaluation.explain.photo_map import photo_map
from pellucid.evaluation.explain.plot_image import image_figure
from pellucid.evaluation.label_errors.label_errors import LabelErrors
from pellucid.evaluation.scores.galleries import (
    GALLERIES,
    SamplePrediction,
    confusion_cells,
    pick,
    sample_prediction,
)
from pellucid.plotting.photo import new_photo
from pellucid.plotting.style import class_name
from pellucid.reporting.draft import Draft
from pellucid.reporting.elements import Card, Confusion, Gallery, Section, Table
from pellucid.reporting.findings import NewPhoto
from pellucid.runs.run import Run
from pellucid.shares import chance
from pellucid.text import join_some, plural
from pellucid.types import Array

N_SHOWN = 12  # photos in each gallery
N_NEAR = 5  # training photos next to each
MOST_MISTAKES = 120  # photos where every mistake is shown
MOST_IN_CELLS = 500  # photos that the confusion matrix opens, all cells together
CAPTIONS = {
    "confident mistakes": "The wrong predictions of the highest probability.",
    "highest losses": "Those whose true class has the lowest probability.",
    "confident hits": "The right predictions of the highest probability.",
}
NEAR = " Below: the nearest training samples, with their class and the root mean square difference of their pixels."


def new_photo_section(draft: Draft, photo: NewPhoto, run: Run) -> Section:
    """Return the prediction for a photo from outside; its neighbours and variants too where they are known."""
    noun, context, y = run.noun, photo.context, photo.y if run.split.name == "catvnoncat" else None
    here, title = f"In neither part of the data: {photo.name}.", f"A new {noun}"
    if not context.by_pixels:
        label, probability = context.label, context.probability
        figure = draft.add(
            "new-photo",
            new_photo(context.original, context.seen, label=label, probability=probability, y=y, noun=noun),
            f"Left, the {noun} as given; right, all that the network sees of it.",
            f"The new {noun}, predicted as {label}.",
        )
        return Section(title, intro=(here,), figures=(figure,))
    figure = draft.add(
        "new-photo-examined",
        image_figure(context),
        f"Training {noun}s: green of the predicted class, red of another. Changed: red is another prediction.",
        f"The new {noun}, its nearest training {noun}s, and its variants with their predictions.",
    )
    titles = ("Variants", f"Nearest training {noun}s")
    parts = [
        Section(title, table=Table(*table), is_folded=True)
        for title, table in zip(titles, context.tables(), strict=True)
    ]
    return Section(title, intro=(here, context.headline), figures=(figure,), parts=parts)


def confusion_section(draft: Draft, run: Run) -> Section:
    """Return the confusion matrix, its cells with their photos where there are any."""
    test, inside = run.test_confusion, {}
    caption = "Row: the true class; column: the predicted one."
    if draft.has_photos:
        rows = confusion_cells(run.test_predictions)
        empty = Confusion(test.classes, test.counts.tolist(), caption)
        if not empty.is_grid:  # the commonest mistakes are listed instead
            rows = {(i, j): rows[i, j] for i, j, _ in empty.pairs()}
        most = _each_cell([len(cell) for cell in rows.values()], MOST_IN_CELLS)
        inside = {at: [_thumb(draft, run, i) for i in cell[:most]] for at, cell in rows.items()}
    matrix = Confusion(test.classes, test.counts.tolist(), caption, inside)
    return Section("Which class is taken for which?", confusion=matrix)


def photos_section(draft: Draft, run: Run) -> Section:
    """Return the galleries: every mistake; the surest, the highest losses and hits, each with its nearest."""
    found, noun = run.test_predictions, run.noun
    every = pick("mistakes", found, MOST_MISTAKES)
    parts, last = [], every[:0]
    if len(every):
        cards = [_thumb(draft, run, i) for i in every]
        caption = "The predicted class, its probability, and the true class."
        parts.append(Section(GALLERIES["mistakes"], gallery=Gallery(cards, caption, True)))
    for kind, caption in CAPTIONS.items():
        rows = pick(kind, found, N_SHOWN)
        is_repeated = len(last) and np.array_equal(rows[: len(last)], last)  # as it is for two classes
        if len(rows) and not is_repeated:
            title = f"{GALLERIES[kind]}, each with the training {noun}s nearest to it"
            gallery = Gallery(_cards(draft, run, rows), caption + NEAR)
            parts.append(Section(title, gallery=gallery, is_folded=True))
        last = rows
    n, n_right = run.test_confusion.n_samples, run.test_confusion.n_correct
    intro = f"{n - n_right} of {plural(n, f'test {noun}')} misclassified."
    return Section("Mistakes and hits", intro=(intro, *doubtful_mistakes(run)), parts=parts)


def doubtful_mistakes(run: Run) -> tuple[str, ...]:
    """Return which mistakes are on samples of a doubtful label, in a sentence; none where there are none."""
    wrong = [int(i) for i in np.flatnonzero(~run.test_predictions.is_correct)]
    found = [i for i in wrong if i in run.doubtful]
    if not found:
        return ()
    named = join_some([run.split.place("test", i) for i in found], most=5)
    of = f"{len(found)} of {plural(len(wrong), 'mistake')}"
    return (f"In {of} the label may be wrong, since a copy is filed under another class: {named}.",)


def map_section(draft: Draft, run: Run, labels: LabelErrors | None) -> Section:
    """Return all photos on a plane, by the features of the pretrained body."""
    doubtful = [(one.part, one.index) for one in labels.errors] if labels is not None else []
    found = photo_map(run.model, run.split, ~run.test_predictions.is_correct, doubtful)
    figure = draft.add(
        "photo-map",
        found.plot(),
        "What lies close together looks alike to the body, which has learned from other photos.",
        "Every photo as a point, coloured by its class; mistakes and doubtful labels are marked.",
    )
    return Section("Which photos look alike?", intro=(found.headline,), figures=(figure,))


def _cards(draft: Draft, run: Run, rows: Array) -> list[Card]:
    """Return test photos, each with the training photos nearest to it."""
    train, cards = run.split.train, []
    found = nearest(train.X, run.split.test.X[rows], min(N_NEAR, len(train)))
    for index, *near in zip(rows, *found, strict=True):
        one = sample_prediction(run.test_predictions, index)
        near_cards = []
        for i, distance in zip(*near, strict=True):
            name, far = class_name(train.classes, int(train.y[i]), 12), f"{distance:.3g}"
            shown = draft.photo("training", i, f", distance {far}")
            near_cards.append((shown, (name, *draft.file("training", i), far)))
        words = f"Predicted: {one.predicted} ({chance(one.probability)})", f"True class: {_label(run, one)}"
        last = f"test {run.noun} {one.index}, loss {one.loss:.2f}"
        cards.append(draft.card("test", index, *words, last=last, is_right=one.is_correct, near=near_cards))
    return cards


def _thumb(draft: Draft, run: Run, index: int) -> Card:
    one = sample_prediction(run.test_predictions, index)
    words = f"{one.predicted} ({chance(one.probability)})", f"truth: {_label(run, one)}"
    shown = words[: 2 - one.is_correct]
    return draft.card("test", index, *shown, last=f"{run.noun} {index}", is_right=one.is_correct)


def _label(run: Run, one: SamplePrediction) -> str:
    """Return the class under which a sample is filed; in doubt where a copy of it is filed under another."""
    return f"{one.actual} (doubtful)" if one.index in run.doubtful else one.actual


def _each_cell(counts: Sequence[int], most: int) -> int:
    """Return how many photos each cell may show so that all together show at most ``most``.

    Examples
    --------
    >>> _each_cell([3, 50, 100], 63), _each_cell([1] * 9, 5)
    (30, 1)
    """
    shown = np.minimum(np.array(counts)[:, np.newaxis], np.arange(1, most + 1)).sum(axis=0)
    return max(1, int(np.count_nonzero(shown <= most)))
