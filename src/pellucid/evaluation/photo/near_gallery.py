"""Galleries: what a model misreads, or is surest of, and the training images nearest to each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pellucid.data.dataset import Dataset
from pellucid.errors import OptionError
from pellucid.evaluation.photo.neighbours import nearest
from pellucid.evaluation.scores.predictions import GALLERIES, SamplePrediction, pick, verdicts
from pellucid.plotting.gallery import label_picture, letters_that_fit, no_mistake, words_only
from pellucid.plotting.style import MUTED, RED, check_images, class_name, image_grid, look, picture
from pellucid.types import Array

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def photo_gallery(
    dataset: Dataset,
    probabilities: Array,
    kind: str = "confident mistakes",
    *,
    n: int | None = 12,
    train: Dataset | None = None,
    n_nearest: int = 5,
    losses: Array | None = None,
) -> Figure:
    """Draw one gallery of a model's verdicts, with the training images nearest to each.

    Parameters
    ----------
    dataset : Dataset
        X of shape (m, h, w) or (m, h, w, c).
    probabilities : Array, shape (m, k), or (m,) or (m, 1)
    kind : {"mistakes", "confident mistakes", "highest losses", "confident hits"}, optional
        See :func:`pellucid.evaluation.scores.predictions.pick`.
    n : int, optional
        No more than these; None draws all.
    train : Dataset, optional
        Given, each row is one image and, to its right, the training images nearest to it (smallest distance
        between pixels), each with its class. A nearest image of another class is often why an image was misread.
    n_nearest : int, optional
        How many of them, 1 to 7.
    losses : Array, shape (m,), optional
        See :func:`pellucid.evaluation.scores.predictions.sample_losses`.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    OptionError
        If the kind is not known, or a number is out of range.
    ShapeError, DataError
        If X does not hold images, or none, or the arrays do not fit it.

    Examples
    --------
    >>> import numpy as np
    >>> data = Dataset(np.arange(96, dtype=np.uint8).reshape(2, 4, 4, 3), np.array([0, 1]), ("non-cat", "cat"))
    >>> figure = photo_gallery(data, np.array([0.9, 0.8]), "confident hits", train=data, n_nearest=2)
    >>> [axes.get_title() for axes in figure.axes]
    ['Prediction: cat (80 %)\\nClass: cat', 'cat', 'non-cat']
    """
    X = check_images("photo_gallery", dataset.X)
    if not 1 <= n_nearest <= 7:
        raise OptionError(f"photo_gallery: expected n_nearest from 1 to 7, got {n_nearest}.")
    rows = pick(kind, dataset.y, probabilities, n, losses=losses)
    said = verdicts(dataset, probabilities, losses=losses)
    with look():
        if not len(rows):
            none = "No hit: no image is predicted correctly."
            return words_only(none if kind == "confident hits" else no_mistake(len(dataset)))
        near = None if train is None else _near(train, X[rows], n_nearest)
        n_columns = 4 if near is None else 1 + near[0].shape[1]
        figure, places = image_grid(
            len(rows) * (1 if near is None else n_columns),
            GALLERIES[kind] + ("" if near is None else ", and the training images nearest to each"),
            n_columns=max(4, n_columns) if near is None else n_columns,
            shape=X.shape[1:3],
            above=0.34,
            below=0.3,
        )
        step = 1 if near is None else n_columns
        for at, i in enumerate(rows):
            picture(places[at * step], X[i])
            label_picture(places[at * step], said[i], letters_that_fit(max(4, n_columns)))
            if near is not None and train is not None:
                _draw_near(places[at * step + 1 : (at + 1) * step], train, said[i], near[0][at], near[1][at])
    return figure


def _near(train: Dataset, X: Array, n: int) -> tuple[Array, Array]:
    check_images("photo_gallery: train", train.X)
    return nearest(train.X, X, min(n, len(train)))


def _draw_near(
    places: list[Axes], train: Dataset, said: SamplePrediction, rows: Array, distances: Array
) -> None:
    for axes, row, distance in zip(places, rows, distances, strict=True):
        picture(axes, train.X[row])
        axes.set_anchor("NW")
        name = class_name(train.classes, train.y[row], 14)
        color = MUTED if class_name(train.classes, train.y[row], 80) == said.actual else RED
        axes.set_title(
            name, loc="center", x=0, ha="left", fontsize=7.5, fontweight="normal", pad=3, color=color
        )
        words = f"training image {row}\ndistance {distance:.3g}"
        axes.set_xlabel(words, fontsize=6.5, color=MUTED, labelpad=2, loc="left", linespacing=1.1)
