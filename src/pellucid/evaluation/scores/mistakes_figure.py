"""The images that a model gets wrong, the surest mistakes first."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pellucid.data.dataset import Dataset
from pellucid.errors import OptionError
from pellucid.evaluation.scores.galleries import SamplePrediction, pick, sample_prediction
from pellucid.plotting.grid import Page, Tile, columns_for
from pellucid.plotting.lines import Line
from pellucid.plotting.style import INK, check_images, sentence_figure
from pellucid.prediction.predict import Predictions
from pellucid.text import percent, plural, shorten

if TYPE_CHECKING:
    from matplotlib.figure import Figure


LONGEST_NAME = 24  # of a file, below its picture


def mistakes(dataset: Dataset, predictions: Predictions, *, max_images: int | None = None) -> Figure:
    """Draw the samples that are predicted wrongly, the most confident mistake first.

    Parameters
    ----------
    dataset : Dataset
        X of shape (m, h, w) or (m, h, w, c).
    predictions : Predictions
        Of the same samples, by a classifier with probabilities.
    max_images : int, optional
        Draw no more than these; the title says how many there are.

    Returns
    -------
    matplotlib.figure.Figure
        Up to six in a row, as high as it needs; without any mistake a sentence that says so.

    Raises
    ------
    ShapeError, DataError
        If X does not hold images, or none.

    Examples
    --------
    >>> data = Dataset(np.zeros((2, 4, 4, 3), np.uint8), np.array([0, 1]), ("non-cat", "cat"))
    >>> scores = np.array([[-3.5, 3.5], [-1.4, 1.4]])
    >>> found = Predictions("classification", data.y, np.array([1, 1]), scores, True, data.classes)
    >>> [text.get_text() for text in mistakes(data, found).axes[1].texts]
    ['Prediction: cat (97 %)', 'True class: non-cat', 'photo 0']
    """
    if max_images is not None and max_images < 1:
        raise OptionError(f"mistakes: expected max_images of at least 1, or None, got {max_images}.")
    X = check_images("mistakes", dataset.X)
    rows = [sample_prediction(predictions, i) for i in pick("confident mistakes", predictions)]
    shown = rows[:max_images]
    if not rows:
        return sentence_figure(_no_mistake(len(dataset), dataset.noun))
    n_columns = max(3, min(columns_for([_prediction(row) for row in shown]), len(shown)))
    page = Page(_headline(len(shown), len(rows), len(dataset), dataset.noun))
    tiles = [
        Tile(
            X[row.index],
            [*_file(dataset, row.index), f"{dataset.noun} {row.index}"],
            [_prediction(row), Line("True class: {}", INK, name=row.actual)],
        )
        for row in shown
    ]
    page.grid(tiles, n_columns)
    return page.figure()


def _file(dataset: Dataset, i: int) -> list[str]:
    name = dataset.file(i)
    return [shorten(Path(name).name, LONGEST_NAME)] if name else []


def _prediction(row: SamplePrediction) -> Line:
    return Line(f"Prediction: {{}} ({percent(row.probability)})", INK, name=row.predicted)


def _headline(n_shown: int, n_wrong: int, m: int, noun: str) -> str:
    count = f"{n_wrong} of {plural(m, noun)} " + ("is" if n_wrong == 1 else "are") + " classified wrongly"
    if n_shown < n_wrong:
        return f"{count}; the {n_shown} most confident mistakes"
    return count + (", the most confident mistake first" if n_wrong > 1 else "")


def _no_mistake(m: int, noun: str) -> str:
    """Return the sentence for a gallery of mistakes that has none."""
    return (
        f"No mistakes: all {m} {noun}s are predicted correctly."
        if m > 1
        else f"No mistake: the {noun} is predicted correctly."
    )
