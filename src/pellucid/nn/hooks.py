"""Looking into a network while it works: what goes in and out of one layer, and gradients for the input."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from pellucid.errors import ShapeError
from pellucid.nn.layer import Layer
from pellucid.nn.model import Model
from pellucid.types import Array


class Watch:
    """What passed through a layer the last time: copies, which stay when the layer works again.

    Attributes
    ----------
    input, output : Array or None
        Of the last forward.
    gradient : Array or None
        Of the last backward: the gradient for the output.
    """

    def __init__(self) -> None:
        self.input: Array | None = None
        self.output: Array | None = None
        self.gradient: Array | None = None


@contextmanager
def watched(layer: Layer) -> Iterator[Watch]:
    """Keep what passes through a layer within the block; how it computes stays the same.

    Parameters
    ----------
    layer : Layer
        Anywhere inside a model, a structure too.

    Notes
    -----
    In a training forward, a layer that is fused with its neighbours is not called itself: see
    :mod:`pellucid.nn.fusion`. Watch predictions.

    Examples
    --------
    >>> from pellucid.nn.dense import Dense
    >>> from pellucid.nn.sequential import Sequential
    >>> model = Sequential([Dense(3, activation="relu"), Dense(1)])
    >>> model.initialize((4,))
    >>> with watched(model.layers[0]) as watch:
    ...     Z = model.forward(np.ones((2, 4), np.float32))
    >>> watch.output.shape
    (2, 3)
    """
    watch, forward, backward = Watch(), layer.forward, layer.backward

    def watched_forward(X: Any, *, training: bool = False) -> Any:
        watch.input = X.copy()
        Y = forward(X, training=training)
        watch.output = Y.copy()
        return Y

    def watched_backward(dY: Any) -> Any:
        watch.gradient = dY.copy()  # first: the layer may overwrite it
        return backward(dY)

    own = vars(layer)
    before: dict[str, Any] = {
        name: own[name] for name in ("forward", "backward") if name in own
    }  # watched twice
    own.update(forward=watched_forward, backward=watched_backward)
    try:
        yield watch
    finally:
        for name in ("forward", "backward"):
            del own[name]
        own.update(before)


def input_gradient(model: Model, X: Array, dY: Array) -> tuple[Array, Array]:
    """Return a model's outputs for prepared inputs, and the gradient of ``sum(dY * outputs)`` for each input.

    As in prediction: Dropout drops nothing, BatchNorm goes by its running statistics.

    Parameters
    ----------
    model : Model
        Initialized, of one input and one output. Its ``grad`` is overwritten; all else stays as it is.
    X : Array, shape (m, *input_shape), the model's dtype
        Prepared: see :class:`pellucid.data.preprocess.Preprocessing`.
    dY : Array, shape (m, *output_shape) or output_shape
        How much each output counts; one row serves all samples.

    Returns
    -------
    outputs : Array, shape (m, *output_shape)
    dX : Array, shape (m, *input_shape)
        Row i depends on sample i alone.

    Raises
    ------
    ShapeError
        If the model has several inputs or outputs, or shapes do not fit it.

    Examples
    --------
    >>> from pellucid.nn.dense import Dense
    >>> from pellucid.nn.sequential import Sequential
    >>> model = Sequential([Dense(1)])
    >>> model.initialize((2,), dtype="float64")
    >>> model.theta[:] = [3.0, -1.0, 0.5]
    >>> input_gradient(model, np.array([[1.0, 1.0]]), np.ones(1))
    (array([[2.5]]), array([[ 3., -1.]]))
    """
    shapes: Any = (model.input_shape, model.output_shape)
    if any(isinstance(shape, dict) for shape in shapes):
        raise ShapeError(
            "input_gradient: expected a model of one input and one output, got several. Look at them one by one."
        )
    if X.shape[1:] != model.input_shape:
        raise ShapeError(f"input_gradient: expected samples of shape {model.input_shape}, got {X.shape[1:]}.")
    needed = model.needs_input_gradient
    model.mark_input_gradient(True)
    try:
        outputs = model.forward(X.copy()).copy()
        upstream = np.empty_like(outputs)
        upstream[...] = dY
        dX = model.backward(upstream)
        assert dX is not None, "every layer was told that its input gradient is needed"
        return outputs, dX.copy()
    finally:
        model.mark_input_gradient(needed)


def last_trained_layer(model: Model) -> Layer | None:
    """Return the last layer with parameters, what gives a classifier its outputs; None where there is none.

    Examples
    --------
    >>> from pellucid.nn.presets import preset
    >>> last_trained_layer(preset("mlp")) is None       # nothing is built yet
    True
    """
    return next((leaf for leaf in reversed(model.leaves()) if leaf.params), None)
