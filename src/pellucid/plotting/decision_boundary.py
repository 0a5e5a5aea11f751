"""What a model answers everywhere in the plane, with the samples on top."""

from __future__ import annotations

from typing import Any

import numpy as np

from pellucid.data.coerce import as_dataset
from pellucid.data.dataset import Dataset, Split
from pellucid.errors import DataError, OptionError
from pellucid.plotting.axes import axes_for
from pellucid.plotting.curves import COLORS
from pellucid.plotting.style import INK, MUTED, PAPER, class_name, look
from pellucid.plotting.types import Axes
from pellucid.registry import Limits, check_option, explain_call
from pellucid.text import by, kind_of
from pellucid.types import Array

N_SHADES = 12  # of a colour: a picture of few colours is a small file
WHERE = "plot_decision_boundary"


@explain_call
def plot_decision_boundary(model: Any, data: Any, ax: Any = None, *, resolution: int = 200) -> Axes:
    """Draw what a model of two inputs answers everywhere around the data, and the samples.

    Of two classes the colour is the probability of the second and the line is where it is 0.5; of more classes
    each place has the colour of the likeliest, paler where the model is less sure; of a quantity the colour is the
    prediction.

    Parameters
    ----------
    model : Model or estimator
        Trained on samples of two numbers.
    data : Dataset, (X, y) or Split
        X of shape (m, 2). Of a Split the test samples are drawn as squares.
    ax : matplotlib.axes.Axes, optional
        Where to draw. Default: new axes.
    resolution : int, optional
        Places across and down that the model is asked about.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    DataError
        If the samples are not of two numbers each.
    OptionError
        If the model cannot predict.

    Examples
    --------
    >>> import pellucid as pl
    >>> data = pl.load_data("moons")
    >>> model = pl.Sequential([pl.Dense(8, "tanh"), pl.Dense(1)])
    >>> history = pl.train(model, data.train, n_epochs=60, optimizer="adam", learning_rate=0.05)
    >>> axes = pl.plot_decision_boundary(model, data)
    >>> [text.get_text() for text in axes.get_legend().get_texts()]
    ['upper', 'lower', 'test part']
    """
    parts = [data.train, data.test] if isinstance(data, Split) else [as_dataset(data, WHERE)]
    for part in parts:
        _check_points(part)
    if not hasattr(model, "predict"):
        raise OptionError(f"{WHERE}: expected a model first and data second, got {kind_of(model)} first.")
    resolution = check_option(WHERE, "resolution", resolution, int, Limits(at_least=2, at_most=2000))
    X = np.concatenate([part.X for part in parts])
    low, high = X.min(axis=0).astype(float), X.max(axis=0).astype(float)
    margin = 0.08 * (high - low) + 1e-9
    x0, x1 = (np.linspace(low[i] - margin[i], high[i] + margin[i], resolution) for i in (0, 1))
    grid = np.stack(np.meshgrid(x0, x1), axis=-1).reshape(-1, 2)
    proba, predicted = _answers(model, grid)
    is_quantity = proba is None and predicted.dtype.kind == "f"
    axes = axes_for(ax, 4.4, 5.2)
    with look():
        shape = (resolution, resolution)
        extent = (x0[0], x0[-1], x1[0], x1[-1])
        plane: Any = {"extent": extent, "origin": "lower", "aspect": "auto"}
        if is_quantity:
            image = axes.imshow(predicted.reshape(shape), cmap="viridis", **plane)
            axes.figure.colorbar(image, ax=axes, label="Prediction")
        else:
            pixels = _colours(proba, predicted, len(parts[0].classes)).reshape(*shape, 3)
            axes.imshow(pixels, **plane)
            if proba is not None and proba.shape[1] == 2 and 0 < (proba[:, 1] > 0.5).mean() < 1:
                axes.contour(x0, x1, proba[:, 1].reshape(shape), levels=[0.5], colors=INK, linewidths=1.2)
        for part, marker in zip(parts, "os", strict=False):
            _draw_samples(axes, part, marker, is_quantity=is_quantity, is_named=part is parts[0])
        axes.set(xlim=extent[:2], ylim=extent[2:], xlabel="$x_1$", ylabel="$x_2$")
        for label in (axes.xaxis.label, axes.yaxis.label):
            label.set_parse_math(True)
    return axes


def _check_points(part: Dataset) -> None:
    X = part.X
    if isinstance(X, dict) or X.shape[1:] != (2,) or not len(X):
        got = "several inputs" if isinstance(X, dict) else f"{len(X)} of {by(X.shape[1:])}"
        raise DataError(
            f"{WHERE}: expected samples of two numbers each, (m, 2), got {got}. Take two columns, X[:, :2], and a "
            "model trained on them; load_data('moons') has such samples."
        )
    if part.y.ndim != 1:
        raise DataError(f"{WHERE}: expected one class or quantity a sample, got y of shape {part.y.shape}.")


def _answers(model: Any, grid: Array) -> tuple[Array | None, Array]:
    """Return the probability of each class, None where there is none, and the predictions."""
    predicted = np.asarray(model.predict(grid))
    try:
        proba = np.asarray(model.predict_proba(grid))
    except (AttributeError, OptionError):
        return None, predicted
    return (proba, proba.argmax(axis=1)) if proba.ndim == 2 else (None, predicted)


def _colours(proba: Array | None, predicted: Array, n_classes: int) -> Array:
    """Return a colour for each place, paler where the model is less sure."""
    from matplotlib.colors import to_rgb

    if proba is None:
        _, numbers = np.unique(predicted, return_inverse=True)
        proba = np.eye(max(n_classes, int(numbers.max()) + 1))[numbers]
    k = proba.shape[1]
    certainty = (proba.max(axis=1) - 1 / k) / (1 - 1 / k)
    strength = 0.55 * np.rint(certainty * N_SHADES) / N_SHADES
    palette = np.array([to_rgb(color) for color in (COLORS * k)[:k]])
    hue = palette[proba.argmax(axis=1)]
    return 1 - strength[:, None] * (1 - hue)


def _draw_samples(axes: Axes, part: Dataset, marker: str, *, is_quantity: bool, is_named: bool) -> None:
    X, y = part.X, part.y
    edge: Any = {"edgecolors": PAPER, "linewidths": 0.6, "s": 26, "marker": marker}
    if is_quantity or y.dtype.kind == "f":
        axes.scatter(X[:, 0], X[:, 1], c=y, cmap="viridis", **edge)
        return
    labels = np.unique(y).tolist()
    for label in labels:
        name, color = class_name(part.classes, label) if is_named else None, COLORS[label % len(COLORS)]
        axes.scatter(X[y == label, 0], X[y == label, 1], color=color, label=name, **edge)
    if not is_named:
        axes.scatter([], [], color=MUTED, label="test part", **edge)
    if len(labels) <= 8:
        axes.legend(loc="best", frameon=True, fontsize=9)
