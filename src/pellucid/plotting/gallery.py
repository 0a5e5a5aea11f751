"""The images that a model gets wrong, the surest mistakes first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pellucid.data.dataset import Dataset
from pellucid.errors import OptionError
from pellucid.evaluation.scores.galleries import SamplePrediction, pick, sample_prediction
from pellucid.evaluation.scores.predictions import Predictions
from pellucid.plotting.style import (
    MUTED,
    WIDTH,
    check_images,
    class_name,
    image_grid,
    look,
    new_figure,
    picture,
)
from pellucid.text import percent

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def mistakes(dataset: Dataset, predictions: Predictions, *, max_images: int | None = None) -> Figure:
    """Draw the images that are predicted wrongly, the most confident mistake first.

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
    >>> mistakes(data, found).axes[0].get_title()
    'Prediction: cat (97 %)\\nClass: non-cat'
    """
    if max_images is not None and max_images < 1:
        raise OptionError(f"mistakes: expected max_images of at least 1, or None, got {max_images}.")
    X = check_images("mistakes", dataset.X)
    rows = [sample_prediction(predictions, i) for i in pick("confident mistakes", predictions)]
    shown = rows[:max_images]
    with look():
        if not rows:
            return words_only(no_mistake(len(dataset)))
        longest = max(len(name) for row in shown for name in (row.predicted, row.actual))
        n_columns = next((n for n in (6, 5, 4) if longest <= letters_that_fit(n)), 3)
        n_columns = max(3, min(n_columns, len(shown)))
        figure, places = image_grid(
            len(shown),
            _headline(len(shown), len(rows), len(dataset)),
            n_columns=n_columns,
            shape=X.shape[1:3],
            above=0.34,
            below=0.3,
        )
        for axes, row in zip(places, shown, strict=True):
            picture(axes, X[row.index])
            label_picture(axes, row, letters_that_fit(n_columns), has_loss=False)
    return figure


def label_picture(axes: Axes, row: SamplePrediction, fits: int, *, has_loss: bool = True) -> None:
    """Write over a picture what was answered and what is true, and under it its number and loss."""
    axes.set_anchor("NW")
    is_narrow = fits < 4  # the words are shortened, not the names
    names = (class_name((name,), 0, fits + 12 if is_narrow else fits) for name in (row.predicted, row.actual))
    guess, actual = names
    sure = percent(row.probability)
    text = f"{guess} ({sure})\nis {actual}" if is_narrow else f"Prediction: {guess} ({sure})\nClass: {actual}"
    axes.set_title(text, loc="center", x=0, ha="left", fontsize=7.5, fontweight="normal", pad=3)
    loss = f"{chr(10) if is_narrow else ', '}loss {row.loss:.2f}" if has_loss else ""
    axes.set_xlabel(f"image {row.index}{loss}", fontsize=7.5, color=MUTED, labelpad=2, loc="left")


def letters_that_fit(n_columns: int) -> int:
    """The length of a class name for which "Prediction: name (97 %)" does not touch the next picture's."""
    letter = 0.0572  # inches, the mean at 7.5 points
    return int(WIDTH / n_columns / letter) - len("Prediction:  (97 %) ")


def _headline(n_shown: int, n_wrong: int, m: int) -> str:
    share = f"{n_wrong} of {m} images " + ("is" if n_wrong == 1 else "are") + " misread"
    if n_shown < n_wrong:
        return f"{share}; the {n_shown} most confident mistakes"
    return share + (", the most confident mistake first" if n_wrong > 1 else "")


def no_mistake(m: int) -> str:
    """Return the sentence for a gallery of mistakes that has none."""
    return (
        f"No mistakes: all {m} images are predicted correctly."
        if m > 1
        else "No mistake: the image is right."
    )


def words_only(words: str) -> Figure:
    """Return a figure that holds a sentence; call it within ``look()``."""
    figure = new_figure(1.2, layout=None)
    figure.text(0.5, 0.5, words, ha="center", va="center", fontsize=12)
    return figure
