"""The photos of a report: each is on its sheet once, however many galleries show it."""

from collections.abc import Iterable, Sequence

import numpy as np

from pellucid.data.dataset import Dataset
from pellucid.evaluation.photo.neighbours import nearest
from pellucid.evaluation.scores.galleries import GALLERIES, confusion_cells, pick, sample_prediction
from pellucid.evaluation.scores.of_run import RunResult
from pellucid.plotting.style import class_name
from pellucid.report.parts import Card, Confusion, Gallery, Photo, Section
from pellucid.report.sprites import PhotoSheet, photo_sheet
from pellucid.text import percent
from pellucid.types import Array

N_SHOWN = 12  # photos in each gallery
N_NEAR = 5  # training photos beside each
MOST_MISTAKES = 120  # photos where every mistake is shown
MOST_IN_CELLS = 500  # photos that the confusion matrix opens, all cells together


class PhotoShelf:
    """Collects the photos that a report shows, so that each is embedded once."""

    def __init__(self, train: Dataset, test: Dataset) -> None:
        self.parts = {"training": train, "test": test}
        self._numbers: dict[tuple[str, int], int] = {}

    def photo(self, part: str, i: int, words: str = "") -> Photo:
        """Return a place for sample i of the "training" or the "test" part."""
        i = int(i)
        data = self.parts[part]
        at = self._numbers.setdefault((part, i), len(self._numbers))
        name = class_name(data.classes, int(data.y[i]), 40)
        return Photo(at, f"{part} photo {i}, {name}{words}")

    def sheet(self) -> PhotoSheet | None:
        """Return the sheet of all photos asked for so far."""
        if not self._numbers:
            return None
        return photo_sheet(np.stack([self.parts[part].X[i] for part, i in self._numbers]))


def confusion_of(result: RunResult, shelf: PhotoShelf | None) -> Confusion:
    """Return the confusion matrix, its cells with their photos where there are any."""
    test, inside = result.test, {}
    caption = (
        "Each row is a true class, each column an answer: what lies on the diagonal is right, and what lies off it "
        "is a mistake, coloured by its share of the row."
    )
    if shelf is not None:
        caption += " Choose a number to see its photos."
        rows = confusion_cells(result.predictions)
        empty = Confusion(test.classes, test.counts.tolist(), caption)
        if not empty.is_grid:  # the commonest mistakes are listed instead
            rows = {(i, j): rows[i, j] for i, j, _ in empty.pairs()}
        most = _fair_share([len(cell) for cell in rows.values()], MOST_IN_CELLS)
        inside = {at: [_thumb(shelf, result, i) for i in cell[:most]] for at, cell in rows.items()}
    return Confusion(test.classes, test.counts.tolist(), caption, {at: c for at, c in inside.items() if c})


def galleries(result: RunResult, shelf: PhotoShelf, n: int = N_SHOWN) -> tuple[Section, ...]:
    """Return the galleries: mistakes, the surest, the highest losses, the surest hits; each with its nearest."""
    chosen = {kind: pick(kind, result.predictions, n) for kind in GALLERIES}
    every = pick("mistakes", result.predictions, MOST_MISTAKES)
    near = _nearest(result, np.concatenate(list(chosen.values())))
    parts = []
    if len(every):
        words = "Every mistake" if len(every) < MOST_MISTAKES else f"The first {len(every)} mistakes"
        caption = f"{words}, in the order of the data: the answer and how sure it was."
        parts.append(
            Section(
                GALLERIES["mistakes"],
                gallery=Gallery([_thumb(shelf, result, i) for i in every], caption, True),
            )
        )
    confident, worst = chosen["confident mistakes"], chosen["highest losses"]
    is_same = len(confident) > 0 and (worst[: len(confident)] == confident).all()  # so it is for two classes
    for kind in ("confident mistakes", "highest losses", "confident hits"):
        if not len(chosen[kind]) or (kind == "highest losses" and is_same):
            continue
        words = _CAPTIONS[kind] + (_SAME if kind == "confident mistakes" and is_same else "")
        cards = [_card(shelf, result, i, *near[int(i)]) for i in chosen[kind]]
        parts.append(Section(GALLERIES[kind], gallery=Gallery(cards, words + _NEAR)))
    return tuple(parts)


_CAPTIONS = {
    "confident mistakes": "The wrong answers that the network was surest of, the surest first.",
    "highest losses": (
        "The photos that cost most, whose true class the network thought least likely; the loss is minus the "
        "logarithm of the probability that it gave to the truth, and 0.69 is a coin toss."
    ),
    "confident hits": "The right answers that it was surest of: what it takes for a typical photo of a class.",
}
_SAME = " They are also the photos of the highest losses."
_NEAR = (
    " Below each photo lie the training photos nearest to it, pixel by pixel, with their class and their distance "
    "(the root mean square difference; 0 is the same photo)."
)


def _nearest(result: RunResult, rows: Array) -> dict[int, tuple[Array, Array]]:
    rows = np.unique(rows)
    train = result.split.train.X
    found, distances = nearest(train, result.split.test.X[rows], min(N_NEAR, len(train)))
    return {int(i): (found[at], distances[at]) for at, i in enumerate(rows)}


def _card(shelf: PhotoShelf, result: RunResult, index: int, near: Array, distances: Array) -> Card:
    said, train = sample_prediction(result.predictions, index), result.split.train
    beside = [
        (
            shelf.photo("training", i, f", distance {distance:.3g}"),
            (class_name(train.classes, int(train.y[i]), 12), f"{distance:.3g}"),
        )
        for i, distance in zip(near, distances, strict=True)
    ]
    lines = (
        f"Answer: {said.predicted} ({percent(said.probability)})",
        f"Truth: {said.actual}",
        f"test photo {said.index}, loss {said.loss:.2f}",
    )
    return Card(shelf.photo("test", said.index), lines, said.is_correct, beside)


def _thumb(shelf: PhotoShelf, result: RunResult, index: int) -> Card:
    said = sample_prediction(result.predictions, index)
    lines = (f"{said.predicted} ({percent(said.probability)})", f"photo {said.index}")
    return Card(shelf.photo("test", said.index), lines, said.is_correct)


def _fair_share(counts: Sequence[int], most: int) -> int:
    """Return how many photos each cell may show so that all together show at most so many.

    Examples
    --------
    >>> _fair_share([3, 50, 100], 63), _fair_share([1] * 9, 5)
    (30, 1)
    """
    share = max(1, most)
    while share > 1 and _shown(counts, share) > most:
        share -= 1
    return share


def _shown(counts: Iterable[int], share: int) -> int:
    return sum(min(n, share) for n in counts)
