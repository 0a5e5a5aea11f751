"""The 2-D convolution, forward and backward, by whichever algorithm suits its shape.

Each algorithm has its own file next to this one; all equal the plain :mod:`pellucid.ops.conv`:

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

from pellucid.errors import OptionError, unknown_name
from pellucid.kernels.uncompiled import conv_depthwise, conv_im2col, conv_pointwise, conv_winograd
from pellucid.ops.arrays import check_buffer
from pellucid.ops.conv import ConvCache, check_gradient_buffers, conv_geometry
from pellucid.ops.conv_geometry import NO_PADDING, Geometry, Padding, Pair
from pellucid.types import Array
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


class Kept(NamedTuple):
    """What the cache holds in addition to the plain op's: the algorithm and its data."""

    algorithm: str
    kept: Any  # in the workspace, where one was given


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
    """Return Z = b + sum over i, j of X_ij W_ij, and the cache; tap i, j of the kernel sees X_ij.

    Three more arguments than the plain twin:

    Parameters
    ----------
    workspace : Workspace, optional
        Where scratch arrays live. With one, the cache is valid until its next use; threads need one each.
    algorithm : {"auto", "pointwise", "depthwise", "winograd", "im2col"}, optional
    keep : bool, optional
        Whether to keep what the backward could reuse. False, as for prediction, takes less memory; a backward
        is still possible, and recomputes it.

    Raises
    ------
    OptionError
        If the algorithm is unknown or does not take this shape.
    """
    geometry = conv_geometry(X, W, b, stride, padding, dilation, groups)
    chosen = choose_algorithm(geometry) if algorithm == "auto" else algorithm
    if chosen not in ALGORITHMS:
        raise OptionError(unknown_name("convolution algorithm", chosen, [*ALGORITHMS, "auto"]))
    if not ALGORITHMS[chosen].fits(geometry):
        raise OptionError(f"conv2d_forward: the {chosen} algorithm does not take {geometry}. Use 'auto'.")
    check_buffer("conv2d_forward", "out", out, geometry.out_shape, contiguous=True)
    out = np.empty(geometry.out_shape, X.dtype) if out is None else out
    X = np.ascontiguousarray(X)
    kept = None
    if geometry.m > 0:
        kept = ALGORITHMS[chosen].forward(
            X, W, b, geometry, out, (workspace or Workspace()).of(X.dtype), keep
        )
    return out, ConvCache(X, W, b is not None, geometry, Kept(chosen, kept))


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
    """dW_ij = sum X_ij^T dZ, dX_ij += dZ W_ij^T, db = sum dZ: sums over pixels; tap i, j of the kernel sees X_ij.

    Also takes a workspace, which may be the forward's, and accepts the cache of the plain forward.
    """
    X, W, has_bias, geometry, _ = cache
    algorithm, kept = cache.kept or Kept("im2col", None)
    check_gradient_buffers(dZ, dX, dW, db, cache)
    X = np.ascontiguousarray(X)
    dX = (np.empty_like(X) if dX is None else dX) if needs_dX else None
    dW = np.empty(W.shape, W.dtype) if dW is None else dW
    db = (np.empty(geometry.c_out, W.dtype) if db is None else db) if has_bias else None
    if geometry.m == 0:  # no samples: the gradients are 0
        for gradient in (dW, db):
            if gradient is not None:
                gradient.fill(0)
        return dX, dW, db
    scratch = (workspace or Workspace()).of(X.dtype)
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
