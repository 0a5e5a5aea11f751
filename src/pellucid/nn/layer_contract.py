"""What a layer promises besides right gradients: shapes, dtypes, all of ``grads``, nothing changed in place."""

import copy
import functools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from pellucid.errors import PellucidError
from pellucid.nn.gradient_point import ModelPoint, moved_copy
from pellucid.nn.layer import Layer
from pellucid.nn.sequential import Sequential
from pellucid.text import join
from pellucid.types import Array

DRAWS = (
    "It seems to draw random numbers. A layer that draws needs a method set_step_rng(generator), which is called "
    "before each step, and draws from that generator"
)
KEEPS = "It depends on the call before. Let forward compute from X and the parameters alone"
SIGNATURES = {"forward": "forward(self, X, *, training=False)", "backward": "backward(self, dY)"}


class LayerFault(Exception):
    """A broken promise of a layer.

    Attributes
    ----------
    layer : str
        Its name.
    what : str
        "build", "forward", "backward", "input" or the key of a parameter.
    note : str
        What was expected, what was got, what to try.
    """

    def __init__(self, layer: str, what: str, note: str) -> None:
        super().__init__(note)
        self.layer, self.what, self.note = layer, what, note


def build_watched(leaf: Layer, m: int, seed: int, input_shape: Any, rng: Any) -> None:
    """Build a layer, and check what must be there after it; with ``m`` samples all its promises are looked at."""
    vars(leaf).pop("build", None)
    _called(leaf, "build", lambda: leaf.build(input_shape, rng), f"samples of shape {input_shape}")
    shape = leaf.output_shape
    if not isinstance(shape, tuple) or not shape or leaf.input_shape != input_shape:
        note = f"Expected input_shape {input_shape} and a tuple as output_shape after it, got {leaf.input_shape} "
        note += f"and {shape!r}. Begin with super().build(input_shape, rng), then set self.output_shape."
        raise LayerFault(leaf._label, "build", note)
    given: dict[str, Any] = leaf.params
    for key, array in given.items():
        if not isinstance(array, np.ndarray):
            note = f"Expected an array as params[{key!r}], got a {type(array).__name__}. Try np.array(...)."
            raise LayerFault(leaf._label, "build", note)
    if m and (faults := broken_promises(leaf, m, seed)):
        raise faults[0]


def point_alone(layer: Layer, m: int, seed: int, number: int = 0, dtype: str = "float64") -> ModelPoint:
    """Return a layer at random samples; at samples above 0 where it is not finite at others, as a logarithm."""
    model = moved_copy(Sequential([layer]), layer.input_shape, seed, number, dtype)
    model._leaves()[0].name = layer._label
    point = ModelPoint(model, m, seed, number)
    Y = _called(layer, "forward", point.outputs, f"X of shape {point.X.shape}")
    is_positive = isinstance(Y, np.ndarray) and Y.dtype.kind == "f" and not np.isfinite(Y).all()
    return ModelPoint(model, m, seed, number, positive=True) if is_positive else point


def broken_promises(layer: Layer, m: int, seed: int) -> list[LayerFault]:
    """Return what a built layer breaks on random samples, in float64 and, where nothing, in float32."""
    for dtype in ("float64", "float32"):
        found: list[LayerFault] = []
        try:
            found += _faults(layer, m, seed, dtype)
        except LayerFault as fault:
            found.append(fault)
        if found:
            return found
    return []


def _faults(layer: Layer, m: int, seed: int, dtype: str) -> Iterator[LayerFault]:
    """Yield what is wrong in a dtype; LayerFault is raised where nothing can be looked at after it."""
    name, is_close = layer._label, functools.partial(np.allclose, rtol=1e-5, atol=1e-7)
    point = point_alone(layer, m, seed, dtype=dtype)
    model, X = point.model, point.X
    leaf = model._leaves()[0]
    fresh = copy.deepcopy(leaf)
    params, state = fresh.params, {key: array.copy() for key, array in leaf.state.items()}

    def forward(X: Array, training: bool = True) -> Array:
        model._seed_step(seed, 0)
        for key, array in state.items():  # kept with the model, it may count: each call begins alike
            leaf.state[key][...] = array
        given = X.copy()
        Y = _called(leaf, "forward", lambda: leaf.forward(given, training=training), f"X of shape {X.shape}")
        _check_array(name, "forward", "Y", Y, (len(X), *leaf.output_shape), dtype, SIZES)
        if not np.array_equal(given, X):
            note = "It changes its input X in place. Work on a copy: X = X.copy(), or write Y = X * 2 for X *= 2."
            raise LayerFault(name, "forward", note)
        return np.array(Y)

    Y = forward(X)
    if not np.isfinite(Y).all():
        raise LayerFault(name, "forward", "Expected finite outputs for inputs around 1, got NaN or infinity.")
    forward(np.concatenate([X, X[:1]])[::-1] * 1.5)
    if not is_close(forward(X), Y):
        draws = any(
            isinstance(one, np.random.Generator | np.random.RandomState) for one in vars(leaf).values()
        )
        is_same = not draws and is_close(fresh.forward(X.copy(), training=True), Y)
        note = f"Expected the same outputs for the same X again, got others. {KEEPS if is_same else DRAWS}."
        raise LayerFault(name, "forward", note)
    forward(X, training=False)
    forward(X)
    model.grad.fill(np.nan)
    views, dY = dict(leaf.grads), point.U.copy()
    dX = _called(leaf, "backward", lambda: leaf.backward(dY), f"dY of shape {dY.shape}")
    yield from _faults_of_grads(leaf, views)
    try:
        _check_array(name, "input", "dX", dX, X.shape, dtype, "Return the gradient for X, in the shape of X.")
    except LayerFault as fault:
        yield fault
    changed = [key for key, array in params.items() if not np.array_equal(array, leaf.params[key])]
    if changed:
        note = f"It changes params[{changed[0]!r}]. Leave parameters to the optimizer."
        yield LayerFault(name, changed[0], note)


SIZES = "Set self.output_shape in build to the shape of one sample's output, and keep the samples axis first."


def _check_array(name: str, what: str, letter: str, got: Any, shape: Any, dtype: str, hint: str) -> None:
    """Raise LayerFault unless a layer returned an array of that shape and dtype."""
    where = "backward" if letter == "dX" else "forward"
    if not isinstance(got, np.ndarray):
        wanted, found = f", an array of shape {shape}", "None" if got is None else f"a {type(got).__name__}"
    elif got.shape != shape:
        wanted, found = f" of shape {shape}", got.shape
    elif got.dtype != dtype:
        wanted, found = f" of dtype {dtype}, as X", got.dtype
        hint = f"Make new arrays like it, np.zeros(..., X.dtype), or return {letter}.astype(X.dtype)."
    else:
        return
    raise LayerFault(name, what, f"Expected {where} to return {letter}{wanted}, got {found}. {hint}")


def _faults_of_grads(leaf: Layer, views: dict[str, Array]) -> Iterator[LayerFault]:
    """Yield what ``backward`` wrote wrongly to ``grads``, which held NaN in these arrays."""
    for key in leaf.grads.keys() - views.keys():
        known = join([repr(each) for each in views]) or "no keys"
        note = f"Expected the keys of params in grads, {known}, got {key!r} besides."
        yield LayerFault(leaf.name, key, note)
    for key, view in views.items():
        got, shape = leaf.grads.get(key), view.shape
        write = f"Write every number: self.grads[{key!r}][...] = ..."
        if got is view and np.isfinite(view).all():
            continue
        note = f"Expected backward to write into grads[{key!r}], got another one in its place."
        if got is None:
            note = f"Expected an entry {key!r} in grads, of shape {shape}, got none."
        elif np.shape(got) != shape:
            note = f"Expected grads[{key!r}] of shape {shape}, as params[{key!r}], got {np.shape(got)}."
        elif got is view:
            how = "it was not written, or added to" if np.isnan(view).all() else "some numbers are not finite"
            note = f"Expected backward to write all of grads[{key!r}]; {how}."
        yield LayerFault(leaf.name, key, f"{note} {write}")


def _called(layer: Layer, method: str, call: Callable[[], Any], of: str) -> Any:
    """Return what a method returns; LayerFault instead of an error that is no sentence of ours."""
    try:
        return call()
    except LayerFault:
        raise
    except Exception as error:
        if method == "build" and isinstance(error, PellucidError):
            raise
        shapes = ", ".join(f"{key} {np.shape(array)}" for key, array in layer.params.items())
        hint = f" It takes {SIGNATURES[method]}." if "argument" in str(error) and method in SIGNATURES else ""
        kinds = (
            f" Its parameters: {shapes}."
            if shapes
            else " It has no parameters: build fills self.params." * (method != "build")
        )
        note = f"For {of}, expected a result, got {type(error).__name__}: {error}."
        raise LayerFault(layer._label, method, note.replace("..", ".") + kinds + hint) from error
