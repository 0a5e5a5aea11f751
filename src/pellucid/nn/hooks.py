"""Hooks: what passes through a network's layers, and gradients for the input.

``hook`` is the one place that replaces a layer's methods; whatever else looks into layers is written with it.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from types import MethodType
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from pellucid.errors import OptionError, ShapeError
from pellucid.nn.layer import PASSES, Layer
from pellucid.registry import explain_call
from pellucid.text import kind_of
from pellucid.types import Array, map_arrays

if TYPE_CHECKING:
    from pellucid.nn.model import Model


@explain_call
@contextmanager
def hook(
    layer: Layer,
    *,
    forward: Callable[..., Any] | None = None,
    backward: Callable[..., Any] | None = None,
) -> Iterator[None]:
    """Call these in place of a layer's own passes within the block, in this thread: in predictions and trainings.

    Hooks nest: the last one is outermost; they may end in any order. A copy of the layer has none.

    Parameters
    ----------
    layer : Layer
        Any layer inside a model; may be a structure. Of one that stands in several places, every use is hooked.
    forward : callable, optional
        Called as ``forward(plain, X, training)``; ``plain(X, training=training)`` is what the layer would do.
    backward : callable, optional
        Called as ``backward(plain, dY)``; ``plain(dY)`` is what the layer would do.

    Notes
    -----
    Where a layer of a model is hooked, all its layers run one after another, on one thread: a training takes the
    direct form, and no kernel that runs several layers at once. A training that has begun otherwise refuses a hook
    that comes later. Other threads run the model as if it had no hooks.

    Examples
    --------
    >>> from pellucid.nn.dense import Dense
    >>> from pellucid.nn.sequential import Sequential
    >>> model = Sequential([Dense(3, activation="relu"), Dense(1)])
    >>> model.initialize((4,))
    >>> with hook(model.layers[0], forward=lambda plain, X, training: 0 * plain(X, training=training)):
    ...     model.forward(np.ones((1, 4), np.float32))
    array([[0.]], dtype=float32)
    """
    _check_layer("hook", layer)
    with ExitStack() as stack:
        for use in (layer, *layer._further_uses):
            stack.enter_context(hook_use(use, forward=forward, backward=backward))
        yield


def _check_layer(where: str, layer: Any) -> None:
    if not isinstance(layer, Layer):
        raise OptionError(f"{where}: expected a layer, got {kind_of(layer)}. Try model.layers[0].")


class Hook(NamedTuple):
    """What a thread has put in place of a layer's passes."""

    layer: Layer
    thread: int
    forward: Callable[..., Any] | None
    backward: Callable[..., Any] | None


_HOOKS: list[Hook] = []  # of all threads, the inner ones first
_CHANGING = threading.Lock()


@contextmanager
def hook_use(
    layer: Layer,
    *,
    forward: Callable[..., Any] | None = None,
    backward: Callable[..., Any] | None = None,
) -> Iterator[None]:
    """Do what ``hook`` does for one use of a layer: see ``Container._uses``."""
    hook = Hook(layer, threading.get_ident(), forward, backward)
    with _CHANGING:
        _HOOKS.append(hook)
        _wrap(layer)
    try:
        yield
    finally:
        with _CHANGING:
            _HOOKS[:] = [each for each in _HOOKS if each is not hook]
            _wrap(layer)


def _wrap(layer: Layer) -> None:
    """Wrap a layer's passes by its hooks, each around those before it; those that were its own are kept."""
    own = vars(layer)
    kept = own.setdefault("_unhooked", {name: own[name] for name in PASSES if name in own})
    hooks = [each for each in _HOOKS if each.layer is layer]
    for name in PASSES:
        through = kept.get(name) or MethodType(getattr(type(layer), name), layer)
        for each in hooks:
            if (given := getattr(each, name)) is not None:
                through = _THROUGH[name](given, through, each.thread)
        if hooks or name in kept:
            own[name] = through
        else:
            del own[name]
    if not hooks:
        del own["_unhooked"]


def _forward_through(given: Callable[..., Any], plain: Callable[..., Any], thread: int) -> Callable[..., Any]:
    def forward(X: Any, *, training: bool = False) -> Any:
        if threading.get_ident() != thread:
            return plain(X, training=training)
        return given(plain, X, training)

    return forward


def _backward_through(
    given: Callable[..., Any], plain: Callable[..., Any], thread: int
) -> Callable[..., Any]:
    return lambda dY: given(plain, dY) if threading.get_ident() == thread else plain(dY)


_THROUGH = {"forward": _forward_through, "backward": _backward_through}


def is_hooked(layer: Layer) -> bool:
    """Return whether this thread has hooked a layer, or one inside it."""
    return bool(_HOOKS) and bool(hooks_of(layer))


def hooks_of(layer: Layer) -> list[tuple[int, Hook]]:
    """Return this thread's hooks of a layer and of those inside it, with the place of each among them."""
    thread, places = threading.get_ident(), {id(each): i for i, each in enumerate(all_layers(layer))}
    return [
        (places[id(each.layer)], each)
        for each in _HOOKS
        if each.thread == thread and id(each.layer) in places
    ]


def all_layers(layer: Layer) -> list[Layer]:
    """Return a layer and what runs inside it, in order."""
    return [layer, *(each for place in layer._places for each in all_layers(place))]


@contextmanager
def same_hooks(model: Layer, twin: Layer) -> Iterator[None]:
    """Have this thread's hooks of a model in a copy of it, too, within the block."""
    with ExitStack() as stack:
        layers = all_layers(twin)
        for place, each in hooks_of(model):
            stack.enter_context(hook_use(layers[place], forward=each.forward, backward=each.backward))
        yield


class Watch:
    """What last passed through a layer: copies, which stay valid when the layer runs again.

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

    def __repr__(self) -> str:
        seen = {"input": self.input, "output": self.output, "gradient": self.gradient}
        shapes = [
            f"{name} {map_arrays(np.shape, array)}" for name, array in seen.items() if array is not None
        ]
        return f"Watch({', '.join(shapes) or 'nothing has passed through yet'})"


@explain_call
@contextmanager
def record(layer: Layer) -> Iterator[Watch]:
    """Record what passes through a layer within the block; its results do not change.

    Examples
    --------
    >>> from pellucid.nn.dense import Dense
    >>> from pellucid.nn.sequential import Sequential
    >>> model = Sequential([Dense(3, activation="relu"), Dense(1)])
    >>> model.initialize((4,))
    >>> with record(model.layers[0]) as watch:
    ...     Z = model.forward(np.ones((2, 4), np.float32))
    >>> watch
    Watch(input (2, 4), output (2, 3))
    """
    _check_layer("record", layer)
    watch = Watch()

    def forward(plain: Callable[..., Any], X: Any, training: bool) -> Any:
        watch.input = map_arrays(np.copy, X)
        Y = plain(X, training=training)
        watch.output = map_arrays(np.copy, Y)
        return Y

    def backward(plain: Callable[..., Any], dY: Any) -> Any:
        watch.gradient = map_arrays(np.copy, dY)  # first: the layer may overwrite it
        return plain(dY)

    with hook(layer, forward=forward, backward=backward):
        yield watch


def input_gradient(model: "Model", X: Array, dY: Array) -> tuple[Array, Array]:
    """Return a model's outputs for prepared inputs, and the gradient of ``sum(dY * outputs)`` for each input.

    As in prediction: Dropout drops nothing, BatchNorm uses its running statistics.

    Parameters
    ----------
    model : Model
        Initialized, of one input and one output. Its ``grad`` is overwritten; nothing else changes.
    X : Array, shape (m, *input_shape), the model's dtype
        Prepared: see :class:`pellucid.data.preprocess.Preprocessing`.
    dY : Array, shape (m, *output_shape) or output_shape
        How much each output counts; a single row is used for all samples.

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
            "input_gradient: expected a model of one input and one output, got several. Take them one at a time."
        )
    if X.shape[1:] != model.input_shape:
        raise ShapeError(f"input_gradient: expected samples of shape {model.input_shape}, got {X.shape[1:]}.")
    with model._run_lock:
        needed = model._needs_input_gradient
        model._mark_input_gradient(True)
        try:
            outputs = model.forward(X.copy()).copy()
            upstream = np.empty_like(outputs)
            upstream[...] = dY
            dX = model.backward(upstream)
            assert dX is not None, "every layer is marked as needing its input gradient"
            return outputs, dX.copy()
        finally:
            model._mark_input_gradient(needed)
