"""Random shapes and options of ops, drawn by Hypothesis."""

from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import assume
from hypothesis import strategies as st
from tests.ops.cases import Case

from pellucid.ops.activations import ACTIVATIONS
from pellucid.ops.conv_geometry import NO_PADDING, Geometry, output_length, window_geometry
from pellucid.types import Array

_pairs = st.tuples(st.integers(0, 3), st.integers(0, 3))


@st.composite
def convolutions(draw: Any, largest: int = 12, channels: int = 4) -> tuple[Any, ...]:
    """Return the shapes of X and W, and all options; a third are plain 3x3, which all but one algorithm take."""
    kind = draw(st.sampled_from(["any", "3x3", "depthwise", "pointwise"]))
    m, h, w = draw(st.integers(1, 4)), draw(st.integers(1, largest)), draw(st.integers(1, largest))
    groups, each = draw(st.integers(1, 3)), draw(st.integers(1, channels))
    kernel, stride, dilation = ((draw(st.integers(1, n)), draw(st.integers(1, n))) for n in (4, 3, 2))
    padding = draw(st.tuples(_pairs, _pairs))
    if kind == "3x3":
        kernel, stride, dilation, groups = (3, 3), (1, 1), (1, 1), 1
    elif kind == "depthwise":
        each = 1
    elif kind == "pointwise":
        kernel, stride, padding = (1, 1), (1, 1), NO_PADDING
    c_out = groups * draw(st.integers(1, channels))
    for n, axis in ((h, 0), (w, 1)):
        assume(output_length(n, kernel[axis], stride[axis], padding[axis], dilation[axis]) > 0)
    options = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    return (m, h, w, groups * each), (*kernel, each, c_out), options


@st.composite
def poolings(draw: Any) -> tuple[Any, dict[str, Any]]:
    """Return the shape of X and the options of a pooling."""
    shape = tuple(draw(st.integers(1, n)) for n in (3, 9, 9, 3))
    size = (draw(st.integers(1, 3)), draw(st.integers(1, 3)))
    stride = size if draw(st.booleans()) else (draw(st.integers(1, 4)), draw(st.integers(1, 4)))
    padding = tuple((draw(st.integers(0, k - 1)), draw(st.integers(0, k - 1))) for k in size)
    for axis in (0, 1):
        assume(output_length(shape[1 + axis], size[axis], stride[axis], padding[axis], 1) > 0)
    return shape, {"size": size, "stride": stride, "padding": padding}


def geometry_of(X_shape: Any, W_shape: Any, options: Any) -> Geometry:
    """Return a convolution's sizes."""
    filled = {"stride": (1, 1), "padding": NO_PADDING, **options}
    return window_geometry("", X_shape, W_shape[:2], c_out=W_shape[3], **filled)


def drawn(
    rng: np.random.Generator, X_shape: Any, W_shape: Any, options: Any, dtype: Any
) -> tuple[Array, ...]:
    """Return X, W, b and dZ of a convolution."""
    Z_shape = geometry_of(X_shape, W_shape, options).out_shape
    shapes = (X_shape, W_shape, W_shape[3:], Z_shape)
    X, W, b, dZ = (rng.standard_normal(shape).astype(dtype) for shape in shapes)
    return X, W, b, dZ


def assert_close(name: str, ours: Array | None, theirs: Array, limit: float) -> None:
    """Compare relative to the tensor's largest value, or to 1, one product's size, where a few numbers cancel."""
    assert ours is not None, name
    assert ours.shape == theirs.shape, name
    error = np.abs(ours - theirs).max(initial=0) / max(np.abs(theirs).max(initial=0), 1.0)
    assert error <= limit, f"{name}: {error:.1e}"


sizes = st.integers(1, 9)


@st.composite
def norms(draw: Any, op: str, constants: bool = False) -> Case:
    shape = tuple(draw(st.lists(sizes, min_size=2, max_size=4)))
    c = shape[-1:]
    options = {"mean": np.linspace(-1, 1, c[0]), "var": np.linspace(0.1, 2, c[0])} if constants else {}
    return Case(op, {"X": shape, "gamma": c, "beta": c}, options)


@st.composite
def convs(draw: Any) -> Case:
    X, W, options = draw(convolutions(largest=9, channels=20))
    return Case("conv.conv2d", {"X": X, "W": W, "b": W[3:]}, options)


@st.composite
def pools(draw: Any, op: str) -> Case:
    shape, options = draw(poolings())
    if op == "pool.average_pool":
        options = {**options, "count_include_pad": draw(st.booleans())}
    return Case(op, {"X": shape}, options)


@st.composite
def activations(draw: Any) -> Case:
    shape = tuple(draw(st.lists(sizes, min_size=2, max_size=4)))
    activation = ACTIVATIONS[draw(st.sampled_from(sorted(ACTIVATIONS)))]
    return Case("bias_activation.bias_activation", {"Z": shape, "b": shape[-1:]}, {"activation": activation})


PROBLEMS: dict[str, Callable[[], st.SearchStrategy[Case]]] = {
    "conv.conv2d": convs,
    "pool.max_pool": lambda: pools("pool.max_pool"),
    "pool.average_pool": lambda: pools("pool.average_pool"),
    "batch_norm.batch_norm": lambda: norms("batch_norm.batch_norm"),
    "batch_norm.batch_norm_inference": lambda: norms("batch_norm.batch_norm_inference", constants=True),
    "layer_norm.layer_norm": lambda: norms("layer_norm.layer_norm"),
    "bias_activation.bias_activation": activations,
}
