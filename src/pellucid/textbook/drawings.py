"""The tutorial's drawings: photo to column, the network, one iteration, and the falling cost."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING

from pellucid.plotting import network, training, vector
from pellucid.plotting.style import (
    BLUE,
    GREEN,
    MUTED,
    ORANGE,
    RED,
    arrow,
    drawing_axes,
    look,
    new_figure,
    rounded_box,
)
from pellucid.types import Array, LayerRow

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def plot_flattening(image: Array) -> Figure:
    """Draw how a photo, shape (h, w, 3), becomes a column of numbers: row by row, pixel by pixel."""
    return vector.image_to_vector(image)


def plot_network(layers_dims: Sequence[int]) -> Figure:
    """Draw the network [LINEAR -> RELU] x (L - 1) -> LINEAR -> SIGMOID of the widths ``layers_dims``.

    Examples
    --------
    >>> plot_network([12288, 20, 7, 5, 1]).axes[0].texts[1].get_text()
    '245,973 parameters in all'
    """
    rows, L = [], len(layers_dims) - 1
    for layer, (n_prev, n) in enumerate(itertools.pairwise(layers_dims), start=1):
        activation = "relu" if layer < L else "sigmoid"
        rows.append(LayerRow(f"dense_{layer}", "Dense", activation, (n,), n * n_prev + n, 2 * n * n_prev))
    return network.network_diagram(rows, input_shape=(layers_dims[0],))


def plot_costs(costs: Sequence[float], num_iterations: int, learning_rate: float | None = None) -> Figure:
    """Draw the costs that :func:`~pellucid.textbook.steps.L_layer_model` returns, over the true iterations.

    Parameters
    ----------
    costs : sequence of float
        One for every hundredth iteration, and for the last.
    num_iterations : int
        As given to the model.
    learning_rate : float, optional
        Named in the legend.

    Examples
    --------
    >>> plot_costs([0.7, 0.6, 0.5], num_iterations=151).axes[0].lines[0].get_xdata()
    array([  0, 100, 150])
    """
    iterations = [i for i in range(num_iterations) if i % 100 == 0 or i == num_iterations - 1]
    return training.cost_curve(iterations, costs, learning_rate=learning_rate)


def plot_outline() -> Figure:
    """Draw one iteration: each forward function, its cache, and below it the backward function.

    Examples
    --------
    >>> words = ["".join(text.get_text().split()) for text in plot_outline().axes[0].texts]
    >>> words.count("linear_forward"), words.count("linear_backward")
    (2, 2)
    """
    columns = [  # of boxes: above what goes forward, below what goes back
        ("initialize_parameters_deep", "update_parameters"),
        ("linear_forward", "linear_backward"),
        ("relu", "relu_backward"),
        ("linear_forward", "linear_backward"),
        ("sigmoid", "sigmoid_backward"),
        ("compute_cost", ""),
    ]
    with look():
        figure = new_figure(3.55, layout=None)
        axes = drawing_axes(figure, 3.55)
        axes.text(0.12, 0.24, "One iteration of L_layer_model", fontsize=12, fontweight="bold", va="center")
        for left, right, words in [(1, 2, "L - 1 times"), (3, 4, "once")]:
            axes.plot([_X[left] - 0.53, _X[right] + 0.53], [0.84, 0.84], color=MUTED, lw=0.8)
            _note(axes, (_X[left] + _X[right]) / 2, 0.7, words, size=9)
        for x, (forward, backward) in zip(_X, columns, strict=True):
            _box(axes, x, _UP, forward, MUTED if x == _X[0] else BLUE if backward else RED)
            if backward:
                _box(axes, x, _DOWN, backward, GREEN if x == _X[0] else ORANGE)
        for i in range(5):
            arrow(axes, (_X[i] + 0.54, _UP), (_X[i + 1] - 0.54, _UP))
        for i in range(4):
            arrow(axes, (_X[i + 1] - 0.54, _DOWN), (_X[i] + 0.54, _DOWN))
        for i, cache in enumerate(["A, W, b", "Z", "A, W, b", "Z"], start=1):
            arrow(axes, (_X[i], _UP + 0.29), (_X[i], _DOWN - 0.29), style=":")
            words = f"cache:\n{cache}"
            axes.text(_X[i] + 0.08, (_UP + _DOWN) / 2, words, color=MUTED, fontsize=8.5, va="center")
        for i in (1, 3):
            _note(axes, _X[i], _DOWN + 0.42, "dW, db")
        for i, slope in [(1, "dZ"), (2, "dA"), (3, "dZ")]:
            _note(axes, (_X[i] + _X[i + 1]) / 2, _DOWN - 0.14, slope)
        _ways_round(axes)
    return figure


_X, _UP, _DOWN = [0.65 + 1.34 * i for i in range(6)], 1.25, 2.75  # the middles of the boxes, in inches


def _ways_round(axes: Axes) -> None:
    """Draw the turn from the cost to the backward pass, and from the new parameters to the next iteration."""
    axes.plot([_X[5], _X[5]], [_UP + 0.29, _DOWN], color=MUTED, lw=1)
    arrow(axes, (_X[5], _DOWN), (_X[4] + 0.54, _DOWN))
    _note(axes, _X[5] - 0.22, _DOWN - 0.14, "dAL")
    _note(axes, _X[4], _DOWN + 0.48, "dZ = sigmoid(Z) - Y,\nboth steps in one")
    turn = (_X[0] + _X[1]) / 2
    axes.plot([_X[0], _X[0], turn], [_DOWN - 0.29, 2.0, 2.0], color=GREEN, lw=1)
    arrow(axes, (turn, 2.0), (turn, _UP + 0.03), color=GREEN)
    axes.text(_X[0], 1.85, "next iteration", color=GREEN, ha="center", va="center", fontsize=8.5)


def _note(axes: Axes, x: float, y: float, words: str, *, size: float = 8.5) -> None:
    axes.text(x, y, words, color=MUTED, ha="center", va="center", fontsize=size)


def _box(axes: Axes, x: float, y: float, words: str, color: str) -> None:
    rounded_box(axes, x - 0.53, y - 0.27, 1.06, 0.54, color)
    axes.text(x, y, words.replace("_", "_\n", 1), ha="center", va="center", fontsize=8)
