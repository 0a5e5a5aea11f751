"""The 2-D convolution, forward and backward, by whichever algorithm suits its shape.

Each algorithm is a file of its own beside this one; all equal the slow twin in
:mod:`pellucid.ops.reference_conv`:

===========  ======================================================================================
pointwise    1x1, stride 1: one matrix product over pixels
depthwise    as many groups as input channels: a multiplication for each tap
winograd     3x3, stride 1, 16 channels in or more: a quarter of the multiplications
im2col       everything else: windows laid out as rows, then one matrix product
===========  ======================================================================================
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from pellucid.errors import OptionError, ShapeError, unknown_name
from pellucid.ops import conv_depthwise, conv_im2col, conv_pointwise, conv_winograd
from pellucid.ops.conv_geometry import NO_PADDING, Geometry, Padding, Pair, Scratch, window_geometry
from pellucid.types import Array, Shape
from pellucid.workspace import Workspace

WINOGRAD_CHANNELS = (16, 8)  # with fewer in or out, the transforms cost about what they save
WINOGRAD_WASTE = 1.6  # how many times the output's pixels its tiles may cover


class Algorithm(NamedTuple):
    """One way to convolve: which shapes it takes, and its two passes."""

    fits: Callable[[Geometry], bool]
    forward: Callable[..., Any]
    backward: Callable[..., None]


ALGORITHMS: dict[str, Algorithm] = {
    name: Algorithm(module.fits, module.forward, module.backward)
    for name, module in {
        "pointwise": conv_pointwise,
        "depthwise": conv_depthwise,
        "winograd": conv_winograd,
        "im2col": conv_im2col,
    }.items()
}


class ConvCache(NamedTuple):
    """What the backward of a convolution needs: X and W themselves, not copies."""

    X: Array  # (m, h, w, c_in)
    W: Array  # (kh, kw, c_in / groups, c_out)
    has_bias: bool
    geometry: Geometry
    algorithm: str
    kept: Any  # the algorithm's own; in the workspace, where one was given


def conv2d_forward(
    X: Array,
    W: Array,
    b: Array | None = None,
    *,
    stride: Pair = (1, 1),
    padding: Padding = NO_PADDING,
    dilation: Pair = (1, 1),
    groups: int = 1,
    out: Array | None = None,
    workspace: Workspace | None = None,
    algorithm: str = "auto",
    keep: bool = True,
) -> tuple[Array, ConvCache]:
    """Return Z, each window of X weighed by each kernel of W, plus b; and the cache that its backward needs.

    Parameters
    ----------
    X : Array, shape (m, h, w, c_in)
        Images, channels last.
    W : Array, shape (kh, kw, c_in / groups, c_out), dtype of X
        The kernels.
    b : Array, shape (c_out,), or None
        Added to every pixel.
    stride : (int, int), optional
        How far windows are apart, down and across.
    padding : ((int, int), (int, int)), optional
        Zeros put around X: (top, bottom), (left, right).
    dilation : (int, int), optional
        How far the taps of a kernel are apart.
    groups : int, optional
        Input and output channels are split into so many parts that do not see each other.
    out : Array, shape (m, h_out, w_out, c_out), C-contiguous, optional
        Written and returned; must not alias X.
    workspace : Workspace, optional
        Where scratch arrays live. With one, the cache is valid until its next use; threads need one each.
    algorithm : {"auto", "pointwise", "depthwise", "winograd", "im2col"}, optional
    keep : bool, optional
        Whether what the backward could use again is kept. False, right for prediction, takes less memory; a
        backward is still possible, and computes it anew.

    Returns
    -------
    Z : Array, shape (m, h_out, w_out, c_out), dtype of X
        h_out = floor((h + top + bottom - dilation (kh - 1) - 1) / stride) + 1, and w_out likewise.
    cache : ConvCache

    Raises
    ------
    ShapeError
        If shapes do not fit each other, or no window fits into the padded images.
    OptionError
        If the algorithm is unknown or does not take this shape.

    Notes
    -----
    ``Z[n, y, x, o] = b[o] + sum over i, j, c of X[n, y sy + i dy - top, x sx + j dx - left, c] W[i, j, c, o]``:
    a correlation, as every neural-network library calls convolution. 2 m h_out w_out kh kw c_in c_out / groups
    operations, a quarter of that by Winograd. Twin: :func:`pellucid.ops.reference_conv.conv2d_forward`.

    Examples
    --------
    >>> X, W = np.arange(9.0).reshape(1, 3, 3, 1), np.ones((2, 2, 1, 1))
    >>> conv2d_forward(X, W)[0][0, :, :, 0]
    array([[ 8., 12.],
           [20., 24.]])
    """
    geometry = _geometry(X.shape, W.shape, None if b is None else b.shape, stride, padding, dilation, groups)
    chosen = choose_algorithm(geometry) if algorithm == "auto" else algorithm
    if chosen not in ALGORITHMS:
        raise OptionError(unknown_name("convolution algorithm", chosen, [*ALGORITHMS, "auto"]))
    if not ALGORITHMS[chosen].fits(geometry):
        raise OptionError(f"conv2d_forward: the {chosen} algorithm does not take {geometry}. Use 'auto'.")
    if out is None:
        out = np.empty(geometry.out_shape, X.dtype)
    elif out.shape != geometry.out_shape or not out.flags.c_contiguous:
        raise ShapeError(
            f"conv2d_forward: expected a contiguous out of shape {geometry.out_shape}, got {out.shape}"
            f"{'' if out.flags.c_contiguous else ', not contiguous'}."
        )
    X = np.ascontiguousarray(X)
    if geometry.m == 0:
        return out, ConvCache(X, W, b is not None, geometry, chosen, None)
    kept = ALGORITHMS[chosen].forward(X, W, b, geometry, out, Scratch.of(workspace, X.dtype), keep)
    return out, ConvCache(X, W, b is not None, geometry, chosen, kept)


def conv2d_backward(
    dZ: Array,
    cache: ConvCache,
    *,
    dX: Array | None = None,
    dW: Array | None = None,
    db: Array | None = None,
    needs_dX: bool = True,
    workspace: Workspace | None = None,
) -> tuple[Array | None, Array, Array | None]:
    """Return the gradients of the loss for X, W and b.

    Parameters
    ----------
    dZ : Array, shape (m, h_out, w_out, c_out)
        Gradient of the loss for Z.
    cache : ConvCache
    dX, dW, db : Array, C-contiguous, optional
        Buffers, written and returned, of the shapes of X, W and b; must not alias dZ.
    needs_dX : bool, optional
        False leaves dX out (None is returned for it): nothing stands before the first layer.
    workspace : Workspace, optional
        May be the forward's.

    Returns
    -------
    dX : Array or None, shape (m, h, w, c_in)
    dW : Array, shape (kh, kw, c_in / groups, c_out)
    db : Array or None, shape (c_out,)
        None where the forward had no bias.

    Notes
    -----
    Twice the forward's operations, once without dX.
    Twin: :func:`pellucid.ops.reference_conv.conv2d_backward`.

    Examples
    --------
    >>> X, W = np.arange(9.0).reshape(1, 3, 3, 1), np.ones((2, 2, 1, 1))
    >>> Z, cache = conv2d_forward(X, W, np.zeros(1))
    >>> dX, dW, db = conv2d_backward(np.ones_like(Z), cache)
    >>> dX[0, :, :, 0], dW[:, :, 0, 0], db
    (array([[1., 2., 1.],
           [2., 4., 2.],
           [1., 2., 1.]]), array([[ 8., 12.],
           [20., 24.]]), array([4.]))
    """
    X, W, has_bias, geometry, algorithm, kept = cache
    if dZ.shape != geometry.out_shape:
        raise ShapeError(f"conv2d_backward: expected dZ of shape {geometry.out_shape}, got {dZ.shape}.")
    dX = (np.empty_like(X) if dX is None else dX) if needs_dX else None
    dW = np.empty(W.shape, W.dtype) if dW is None else dW
    db = (np.empty(geometry.c_out, W.dtype) if db is None else db) if has_bias else None
    for name, buffer, shape in (("dX", dX, X.shape), ("dW", dW, W.shape), ("db", db, (geometry.c_out,))):
        if buffer is not None and (buffer.shape != shape or not buffer.flags.c_contiguous):
            raise ShapeError(
                f"conv2d_backward: expected a contiguous {name} of shape {shape}, got {buffer.shape}."
            )
    if geometry.m == 0:  # no sample says anything
        for gradient in (dW, db):
            if gradient is not None:
                gradient.fill(0)
        return dX, dW, db
    scratch = Scratch.of(workspace, X.dtype)
    backward = ALGORITHMS[algorithm].backward
    backward(np.ascontiguousarray(dZ), X, W, kept, geometry, dX, dW, db, scratch)
    return dX, dW, db


def choose_algorithm(geometry: Geometry) -> str:
    """Return the name of the fastest algorithm for this shape.

    Examples
    --------
    >>> from pellucid.ops.conv_geometry import window_geometry
    >>> g = window_geometry("", (1, 8, 8, 16), (3, 3), c_out=16, stride=(1, 1), padding=((1, 1), (1, 1)))
    >>> choose_algorithm(g), choose_algorithm(g._replace(c_in=3)), choose_algorithm(g._replace(groups=16))
    ('winograd', 'im2col', 'depthwise')
    """
    if conv_pointwise.fits(geometry):
        return "pointwise"
    if geometry.groups > 1 and conv_depthwise.fits(geometry):
        return "depthwise"
    covered = 16 * -(-geometry.h_out // 4) * -(-geometry.w_out // 4)
    is_worth_it = (
        geometry.c_in >= WINOGRAD_CHANNELS[0]
        and geometry.c_out >= WINOGRAD_CHANNELS[1]
        and covered <= WINOGRAD_WASTE * geometry.h_out * geometry.w_out
    )
    return "winograd" if is_worth_it and conv_winograd.fits(geometry) else "im2col"


def _geometry(
    X_shape: Shape,
    W_shape: Shape,
    b_shape: Shape | None,
    stride: Pair,
    padding: Padding,
    dilation: Pair,
    groups: int,
) -> Geometry:
    where = "conv2d_forward"
    if len(W_shape) != 4:
        raise ShapeError(f"{where}: expected W of shape (kh, kw, c_in / groups, c_out), got {W_shape}.")
    kh, kw, c_each, c_out = W_shape
    geometry = window_geometry(
        where,
        X_shape,
        (kh, kw),
        c_out=c_out,
        stride=stride,
        padding=padding,
        dilation=dilation,
        groups=groups,
    )
    if groups < 1 or c_out % groups or geometry.c_in != groups * c_each:
        raise ShapeError(
            f"{where}: with {groups} groups, expected W of shape (kh, kw, {geometry.c_in} / {groups}, a multiple "
            f"of {groups}) for X of shape {X_shape}, got {W_shape}. Channels are the last axis of X."
        )
    if b_shape is not None and b_shape != (c_out,):
        raise ShapeError(f"{where}: expected b of shape ({c_out},), one for each kernel, got {b_shape}.")
    return geometry
