"""Samples on matplotlib axes: pictures with their labels, points in the plane, or how many each class has."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from pellucid.data.dataset import Dataset
from pellucid.data.show import is_of_pictures, label_of, pixels
from pellucid.errors import OptionError
from pellucid.plotting.axes import HEIGHT, axes_for
from pellucid.plotting.style import INK, RED
from pellucid.plotting.types import Axes
from pellucid.text import shorten

TALL = 6.4  # inches: of a square of pictures


def draw_samples(data: Dataset, n: int, ax: Any, predicted: Any = None) -> Axes:
    """Draw data on axes and return these: pictures with their labels, points in the plane, or bars.

    Parameters
    ----------
    data : Dataset
    n : int
        Pictures drawn, from the first on.
    ax : matplotlib.axes.Axes or None
        None: new ones.
    predicted : array_like, shape (m,), optional
        Of pictures: the predicted class of each.

    Raises
    ------
    OptionError
        If n is below 1, there is not one prediction for each picture, what was given are no axes, or samples have
        several targets by name.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> from pellucid.data.dataset import Dataset
    >>> data = Dataset(np.eye(4), np.array([0, 1, 1, 1]), ("cat", "dog"))
    >>> [int(bar.get_height()) for bar in draw_samples(data, 25, Figure().add_subplot()).patches]
    [1, 3]
    """
    axes = axes_for(ax, TALL if is_of_pictures(data) else HEIGHT)
    if is_of_pictures(data):
        _draw_pictures(axes, data, n, predicted)
    elif isinstance(data.y, dict):
        raise OptionError("plot: expected one class or quantity a sample, got several targets by name.")
    elif data.y.dtype.kind == "f":
        axes.hist(data.y.ravel(), bins=min(30, max(5, len(data) // 5)))
        axes.set(xlabel="Target", ylabel="Samples")
    elif not isinstance(data.X, dict) and data.X.shape[1:] == (2,) and data.y.ndim == 1:
        for label in np.unique(data.y):
            rows = data.y == label
            axes.plot(*data.X[rows].T, "o", markersize=4, label=label_of(data, int(np.argmax(rows))))
        axes.set(xlabel="x1", ylabel="x2")
        axes.legend()
    else:
        names = [shorten(name, 16) for name in data.classes] or [str(i) for i in range(len(data.counts))]
        axes.bar(names, data.counts)
        axes.set(xlabel="Class", ylabel="Samples")
        axes.tick_params(axis="x", rotation=0 if len(names) < 7 else 60)
    return axes


def _draw_pictures(axes: Axes, data: Dataset, n: int, predicted: Any = None) -> None:
    """Draw the first pictures in a square grid, each under its label and what was predicted."""
    if n < 1:
        raise OptionError(f"plot: expected n of at least 1, got {n}.")
    if predicted is not None and np.shape(predicted) != (len(data),):
        raise OptionError(
            f"plot: expected a predicted class for each of the {len(data)} pictures, got shape "
            f"{np.shape(predicted)}. Try model.predict(data.X)."
        )
    said = None if predicted is None else replace(data, y=np.asarray(predicted))
    X = pixels(data.X[:n])
    n, h, w, _ = X.shape
    across = int(np.ceil(np.sqrt(n)))
    # Of a picture's height: its words, their gap
    above, below = (0.22, 0.044) if said is None else (0.4, 0.06)
    band = max(1, round(above * h))
    sheet = np.full((-(-n // across) * (h + band), across * (w + 1) - 1, 3), 255, np.uint8)
    size = min(10.0, 42.0 / across)
    for i, picture in enumerate(X):
        top, left = (i // across) * (h + band) + band, (i % across) * (w + 1)
        sheet[top : top + h, left : left + w] = picture
        label, color = label_of(data, i), INK
        words = shorten(label, 18)
        if said is not None:
            guess = label_of(said, i)
            words, color = f"{words}\n→ {shorten(guess, 16)}", INK if guess == label else RED
        place = left + w / 2, top - below * h - 0.5
        axes.text(*place, words, ha="center", va="bottom", fontsize=size, color=color, linespacing=1.1)
    axes.imshow(sheet, interpolation="nearest")
    axes.set_axis_off()
