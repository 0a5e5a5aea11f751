"""Structures inside a sequence: shortcuts, and parallel branches. They can be nested."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

import numpy as np

from pellucid import dispatch
from pellucid.errors import OptionError, ShapeError
from pellucid.nn.dense import Flatten
from pellucid.nn.initializers import StartRandom
from pellucid.nn.layer import Layer, gathers_layers
from pellucid.nn.model import Model
from pellucid.nn.sequential import Sequential
from pellucid.nn.sharing import build_place
from pellucid.registry import option, register
from pellucid.types import Array, LayerRow, Shape

MEAN = "mean"
MERGES = ("add", "concat", MEAN, "multiply")


class Branches(Model):
    """Layers that see the same input. A convolution alone predicts as one step where kernels are compiled."""

    _shares_layers = True

    def __post_init__(self) -> None:
        super().__post_init__()
        self._places = self._ran = self._alone = self.children()

    def _mark_input_gradient(self, needed: bool) -> None:
        """Set whether the gradient for the input is used, and what each layer is in a prediction."""
        super()._mark_input_gradient(needed)
        self._alone = self._places
        if any(place._starts_chain for place in self._places):
            from pellucid.nn.fusion import fused_for_prediction

            self._alone = [step for place in self._places for step in fused_for_prediction([place])]

    def _outputs_for(self, X: Array, training: bool) -> list[Array]:
        self._ran = self._alone if not training and dispatch.current() == "numba" else self._places
        return [step.forward(X, training=training and not step._is_frozen) for step in self._ran]


@final
@register
@dataclass(eq=False, repr=False)
class Residual(Branches):
    """A body with a shortcut around it: Y = body(X) + shortcut(X) (He et al., 2016, equation 1).

    Raises
    ------
    ShapeError
        When built, if body and shortcut give different shapes.

    Examples
    --------
    >>> from pellucid.nn.dense import Dense
    >>> block = Residual(Dense(3, initializer="zeros"))
    >>> block.initialize((3,))
    >>> block.forward(np.ones((1, 3), np.float32))
    array([[1., 1., 1.]], dtype=float32)
    """

    body: Layer = option(help="What the shortcut goes around.")
    shortcut: Layer | None = option(
        None, help="Default: the input itself; then the body must keep the shape."
    )

    def build(self, input_shape: Shape, rng: StartRandom) -> None:
        """Build body and shortcut; their outputs must have one shape."""
        self.input_shape = input_shape
        for place in self._places:
            build_place(place, input_shape, rng)
        self.output_shape = self._places[0].output_shape
        around = input_shape if self.shortcut is None else self._places[1].output_shape
        if around != self.output_shape:
            raise ShapeError(
                f"{self._label}: the body gives {self.output_shape} and the shortcut {around}; "
                "to be added they must agree. Use a shortcut that changes the shape likewise, such as a 1x1 Conv2D."
            )

    def forward(self, X: Array, *, training: bool = False) -> Array:
        """Return body(X) + shortcut(X)."""
        Y, *others = self._outputs_for(X, training)
        out = self._workspace.take("Y", Y.shape, Y.dtype)
        return np.add(Y, others[0] if others else X, out=out)

    def backward(self, dY: Array) -> Array | None:
        """Send dY back through both paths and add the gradients."""
        kept = self._workspace.take("dY", dY.shape, dY.dtype)  # the body may overwrite its dY
        kept[...] = dY
        (body, *others), (step, *around_it) = self._places, self._ran
        around: Array | None = kept
        for place, its in zip(others, around_it, strict=True):
            around = None if place._is_skipped else its.backward(kept)
        dX = None if body._is_skipped else step.backward(dY)
        if self._flows:
            self._add_uses()
        if dX is None or around is None or not self._needs_input_gradient:
            return None
        dX += around
        return dX

    def children(self) -> list[Layer]:
        """Return the body and, where there is one, the shortcut."""
        return [self.body] if self.shortcut is None else [self.body, self.shortcut]

    def _roles(self) -> list[str]:
        """Return "body" and, where there is one, "shortcut"."""
        return ["body", "shortcut"][: len(self.children())]

    @property
    def _own_operations(self) -> int:
        """One addition for each value of the output."""
        return self._n_values

    _n_values = Layer._n_values  # of the sum


@final
@register
@gathers_layers
@dataclass(eq=False, repr=False)
class Parallel(Branches):
    """Branches that see the same input, their outputs joined at the last axis, added, averaged or multiplied.

    Raises
    ------
    ShapeError
        When built, if the outputs cannot be joined that way.

    Examples
    --------
    >>> from pellucid.nn.dense import Dense
    >>> model = Parallel([Dense(2), Dense(3)])
    >>> model.initialize((4,))
    >>> model.output_shape
    (5,)

    One number a channel times an image is what squeeze-and-excitation does (Hu et al., 2018):

    >>> from pellucid.nn.activation import Activation
    >>> from pellucid.nn.pooling import GlobalAvgPool2D
    >>> from pellucid.nn.sequential import Sequential
    >>> weights = Sequential(GlobalAvgPool2D(), Dense(2, activation="relu"), Dense(8, activation="sigmoid"))
    >>> model = Parallel([Activation("linear"), weights], merge="multiply")
    >>> model.initialize((6, 6, 8))
    >>> model.output_shape
    (6, 6, 8)
    """

    branches: Sequence[Layer] = option(help="Layers that see the same input.")
    merge: str = option(
        "concat",
        choices=lambda: MERGES,
        help="How their outputs are joined: at the last axis, added, averaged or multiplied. One number a channel "
        "is added to every pixel, or multiplies it. Where a network ends with a mean, its branches are trained one "
        "after another (pellucid.training.apart).",
    )

    if TYPE_CHECKING:

        def __init__(
            self, *branches: Layer | Sequence[Layer] | str, merge: str = ..., dtype: str = ...
        ) -> None: ...

    def __post_init__(self) -> None:
        if not self.branches:
            raise OptionError("Parallel: expected at least one branch, got none.")
        super().__post_init__()
        self._outputs: list[Array] = []

    def build(self, input_shape: Shape, rng: StartRandom) -> None:
        """Build each branch for the same input."""
        self.input_shape = input_shape
        for place in self._places:
            build_place(place, input_shape, rng)
        shapes = [place.output_shape for place in self._places]
        self.output_shape = merged_shape(self._label, shapes, self.merge)

    def forward(self, X: Array, *, training: bool = False) -> Array:
        """Return the branches' outputs, joined."""
        self._outputs = outputs = self._outputs_for(X, training)
        Y = self._workspace.take("Y", (len(X), *self.output_shape), outputs[0].dtype)
        return merge_forward(outputs, self.merge, out=Y)

    def backward(self, dY: Array) -> Array | None:
        """Send each branch its part and add their gradients."""
        total: Array | None = None
        parts = merge_backward(dY, self._outputs, self.merge)
        for place, step, part in zip(self._places, self._ran, parts, strict=True):
            dX = None if place._is_skipped else step.backward(part)
            if self._needs_input_gradient and dX is not None:
                total = dX.copy() if total is None else np.add(total, dX, out=total)
        if self._flows:
            self._add_uses()
        return total

    def children(self) -> list[Layer]:
        """Return the branches."""
        return list(self.branches)

    def _roles(self) -> list[str]:
        """Return "branch 1" and so on."""
        return [f"branch {i}" for i in range(1, len(self.branches) + 1)]

    @property
    def _own_operations(self) -> int:
        """The additions or multiplications, where outputs are not joined at the last axis."""
        return 0 if self.merge == "concat" else (len(self.branches) - 1) * self._n_values

    _n_values = Layer._n_values  # of the joined output


def branches_of(model: Layer) -> list[Layer]:
    """Return the networks whose mean is a model's output, perhaps of flattened samples; none where it is no mean.

    They are trained one after another: see :mod:`pellucid.training.apart`.
    """
    if type(model) is not Sequential or model._further():
        return []
    *before, last = model.layers
    is_mean = (
        isinstance(last, Parallel) and last.merge == MEAN and all(type(one) is Flatten for one in before)
    )
    return list(last.branches) if is_mean else []  # type: ignore[attr-defined]


def drawn_rows(model: Layer, rows: Sequence[LayerRow]) -> Sequence[LayerRow]:
    """Return the rows of layers to draw: of a mean of equal networks the first, and one row of the others.

    Examples
    --------
    >>> from pellucid.nn.presets import preset
    >>> model = preset("realmlp-mean")
    >>> model.initialize((4,))
    >>> [row.kind for row in drawn_rows(model, model.summary().layers)][-2:]
    ['Dense', 'Mean of 4 like it']
    """
    branches = branches_of(model)
    if len({str(one.config()) for one in branches}) != 1:
        return rows
    end = len(rows) - sum(len(one._leaves()) for one in branches[1:])
    n_params, kind = sum(row.n_params for row in rows[end:]), f"Mean of {len(branches)} like it"
    return [*rows[:end], LayerRow("mean", kind, "", model.output_shape, n_params, 0, is_structure=True)]


def merged_shape(where: str, shapes: Sequence[Shape], merge: str) -> Shape:
    """Return the shape of one sample after outputs of these shapes are joined; ShapeError if they cannot be.

    Examples
    --------
    >>> merged_shape("here", [(8, 8, 3), (8, 8, 5)], "concat")
    (8, 8, 8)
    >>> merged_shape("here", [(8, 8, 3), (3,)], "multiply")
    (8, 8, 3)
    """
    given = ", ".join(map(str, shapes))
    if merge == "concat":
        if len({shape[:-1] for shape in shapes}) > 1:
            raise ShapeError(f"{where}: expected branches that differ in the last axis only, got {given}.")
        return (*shapes[0][:-1], sum(shape[-1] for shape in shapes))
    largest = max(shapes, key=lambda shape: (len(shape), math.prod(shape)))
    if any(not _is_repeated(shape, largest) for shape in shapes):
        raise ShapeError(f"{where}: expected branches of one shape to {merge}, got {given}.")
    return largest


def _is_repeated(shape: Shape, over: Shape) -> bool:
    """Return whether values of a shape are those of another, or one number a channel or a pixel of it."""
    is_map = len(shape) == len(over) == 3 and all(
        n in (1, whole) for n, whole in zip(shape, over, strict=True)
    )
    return shape == over or is_map or (len(over) > 1 and shape == over[-1:])


def merge_forward(outputs: Sequence[Array], merge: str, *, out: Array | None = None) -> Array:
    """Return arrays joined at the last axis, added, averaged or multiplied.

    Examples
    --------
    >>> merge_forward([np.ones((1, 1)), np.zeros((1, 2))], "concat")
    array([[1., 0., 0.]])
    >>> merge_forward([np.ones((1, 1, 2, 1)), np.full((1, 1), 3.0)], "multiply").ravel()
    array([3., 3.])
    """
    if merge == "concat":
        return np.concatenate(outputs, axis=-1, out=out)
    join = np.multiply if merge == "multiply" else np.add
    first, *others = aligned(outputs)
    total: Array = join(first, others[0], out=out) if others else first.copy()
    for output in others[1:]:
        join(total, output, out=total)
    if merge == MEAN:
        total /= len(outputs)
    return total


def merge_backward(dY: Array, outputs: Sequence[Array], merge: str) -> list[Array]:
    """Return each output's gradient, a separate array that its layer may overwrite.

    Examples
    --------
    >>> merge_backward(np.array([[1.0, 2.0, 3.0]]), [np.ones((1, 1)), np.ones((1, 2))], "concat")
    [array([[1.]]), array([[2., 3.]])]
    >>> merge_backward(np.array([[2.0]]), [np.array([[3.0]]), np.array([[5.0]])], "multiply")
    [array([[10.]]), array([[6.]])]
    """
    if merge == "concat":
        ends = np.cumsum([output.shape[-1] for output in outputs])
        starts = [0, *ends[:-1]]
        return [dY[..., start:end].copy() for start, end in zip(starts, ends, strict=True)]
    if merge in ("add", MEAN):
        n = len(outputs) if merge == MEAN else 1
        return [_summed(dY, output) / n for output in outputs]
    parts = aligned(outputs)
    gradients = []
    for i, output in enumerate(outputs):
        flow = dY
        for j, part in enumerate(parts):
            flow = flow * part if j != i else flow
        gradients.append(_summed(flow, output) if len(outputs) > 1 else flow.copy())
    return gradients


def aligned(outputs: Sequence[Array]) -> list[Array]:
    """Return arrays with one number of axes: one number a channel, (m, c), as (m, 1, 1, c)."""
    ndim = max(output.ndim for output in outputs)
    return [output.reshape(len(output), *[1] * (ndim - output.ndim), *output.shape[1:]) for output in outputs]


def _summed(flow: Array, output: Array) -> Array:
    """Return the gradient of an output that was repeated: the sum over its copies."""
    if flow.shape == output.shape:
        return flow
    kept = aligned([output, flow])[0]
    axes = tuple(i for i, (n, whole) in enumerate(zip(kept.shape, flow.shape, strict=True)) if n != whole)
    return flow.sum(axis=axes).reshape(output.shape)
