"""Convolution as one matrix product: each window is laid out as a row, and all kernels are applied at once.

Works for every kernel, stride, padding, dilation and number of groups. "im2col" is Caffe's name (Chellapilla
et al., 2006, are the first to do it). The rows are laid out for a few images at a time, so that they are read
back from the core's own cache, and again in the backward, which costs less than keeping them.
"""

import numpy as np

from pellucid.kernels.uncompiled.blocks import blocks, length, meeting, padded_rows, strided
from pellucid.ops.conv_geometry import Geometry
from pellucid.types import Array
from pellucid.workspace import Buffers

FEW_CHANNELS = 8  # below: runs of pixels are copied faster than runs of channels
SMALL_PRODUCT = 1_000_000  # multiplications: up to here OpenBLAS does not pack its operands


def fits(geometry: Geometry) -> bool:
    """Return True: it takes every shape."""
    return True


def forward(
    X: Array, W: Array, b: Array | None, geometry: Geometry, out: Array, scratch: Buffers, keep: bool
) -> Array | None:
    """Write the convolution of X with W, plus b, into out; return the windows where they are kept.

    Parameters
    ----------
    X : Array, shape (m, h, w, c_in), contiguous
    W : Array, shape (kh, kw, c_in / groups, c_out)
    b : Array, shape (c_out,), or None
    geometry : Geometry
    out : Array, shape (m, h_out, w_out, c_out), contiguous
    scratch : Buffers
    keep : bool

    Notes
    -----
    2 m h_out w_out kh kw c_in c_out / groups operations. A bias is the weight of one more input, which is
    always 1. Plain: :func:`pellucid.ops.conv.conv2d_forward`.
    """
    kernels = _kernels(W, b, geometry)
    for images, rows in _blocks(X, geometry):
        P = patches(X[images], geometry, rows, scratch, with_ones=b is not None)
        Z = _by_group(out[images, rows], geometry.groups)  # contiguous: whole images, or a band of one
        n = _n_pieces(P, Z)
        np.matmul(_cut(P, n), kernels[:, None], out=_cut(Z, n))
    return None


def backward(
    dZ: Array,
    X: Array,
    W: Array,
    kept: Array | None,
    geometry: Geometry,
    dX: Array | None,
    dW: Array,
    db: Array | None,
    scratch: Buffers,
) -> None:
    """Write the gradients for X (unless dX is None), W and b (unless db is None).

    ``dW = P^T dZ`` with the windows P, laid out again. With stride 1, dX is itself a convolution: of dZ, with the
    kernels turned by 180 degrees. Else it gathers, for each tap, ``dZ W_tap^T`` at the pixels that lay under it.
    """
    groups, c_each = geometry.groups, geometry.c_out // geometry.groups
    total = np.zeros((groups, W[..., 0].size + (db is not None), c_each), W.dtype)
    turned = _turned(geometry)
    if dX is not None and turned is None:
        dX.fill(0)
    for images, rows in _blocks(X, geometry):
        dZ_groups = _by_group(dZ[images, rows], groups)
        P = patches(X[images], geometry, rows, scratch, with_ones=db is not None)
        n = _n_pieces(P, dZ_groups)
        parts = scratch.take("conv.dkernels", (groups, n, *total.shape[1:]))
        np.matmul(_cut(P, n).transpose(0, 1, 3, 2), _cut(dZ_groups, n), out=parts)
        total += parts.sum(axis=1)
        if dX is not None and turned is None:
            _add_input_gradient(dZ_groups, W, geometry, dX[images], rows, scratch)
    if dX is not None and turned is not None:
        forward(dZ, _turned_kernels(W, groups), None, turned, dX, scratch.namespace("turned"), keep=False)
    if db is not None:
        db.reshape(groups, c_each)[...] = total[:, -1]
        total = total[:, :-1]
    dW.reshape(-1, groups, c_each)[...] = total.transpose(1, 0, 2)


def patches(X: Array, geometry: Geometry, rows: slice, scratch: Buffers, *, with_ones: bool) -> Array:
    """Return the windows of some output rows, each laid out as one row.

    Parameters
    ----------
    X : Array, shape (n, h, w, c_in)
    geometry : Geometry
    rows : slice
        Of the output.
    scratch : Buffers
    with_ones : bool
        Whether a 1 is put at the end of each, for the bias.

    Returns
    -------
    Array, shape (groups, N, K), N = n h_rows w_out, K = kh kw c_in / groups, plus 1 with ones
        In the order image, row, column; and tap by tap, each with the channels of its group.
    """
    (kh, kw), (sy, sx), (dy, dx) = geometry.kernel, geometry.stride, geometry.dilation
    n, groups, n_rows, w_out = len(X), geometry.groups, length(rows), geometry.w_out
    c = geometry.c_in // groups
    n_band, n_wide = (n_rows - 1) * sy + (kh - 1) * dy + 1, geometry.padded[1]
    few = c < FEW_CHANNELS
    first = rows.start * sy - geometry.padding[0][0]
    band = padded_rows(X, geometry, first, (n_band, n_wide), scratch, planes=few)
    s_n, s_y, s_x, s_c = band.strides
    taps = {"g": (groups, c * s_c), "i": (kh, dy * s_y), "j": (kw, dx * s_x), "c": (c, s_c)}
    places = {"n": (n, s_n), "y": (n_rows, sy * s_y), "x": (w_out, sx * s_x)}
    sizes = taps | places
    shape, strides = zip(*[sizes[axis] for axis in ("gijcnyx" if few else "gnyxijc")], strict=True)
    K, N = kh * kw * c, n * n_rows * w_out
    flat = scratch.take("conv.patches", (groups, K + with_ones, N) if few else (groups, N, K + with_ones))
    P = flat.transpose(0, 2, 1) if few else flat
    P[:, :, K:] = 1
    target = flat[:, :K] if few else flat[:, :, :K]
    np.copyto(target.reshape(shape), strided(band, shape, strides))  # reshape only splits axes: a view
    return P


def _add_input_gradient(
    dZ: Array, W: Array, geometry: Geometry, dX: Array, rows: slice, scratch: Buffers
) -> None:
    """Add the contribution of one block, dZ (groups, N, c_out / groups), to its images' dX (n, h, w, c_in)."""
    (kh, kw), (sy, sx), (dy, dx) = geometry.kernel, geometry.stride, geometry.dilation
    (top, _), (left, _) = geometry.padding
    n, n_rows, w_out, c_in = len(dX), length(rows), geometry.w_out, geometry.c_in
    T = scratch.take("conv.tap", (n, n_rows, w_out, c_in))
    T_groups = _by_group(T, geometry.groups)
    for i in range(kh):
        to, at = meeting(geometry.h, n_rows, rows.start * sy + i * dy - top, sy)
        for j in range(kw):
            # (c_in / groups, groups, c_out / groups)
            W_tap = W[i, j].reshape(-1, geometry.groups, dZ.shape[2])
            np.matmul(dZ, W_tap.transpose(1, 2, 0), out=T_groups)
            to_x, at_x = meeting(geometry.w, w_out, j * dx - left, sx)
            dX[:, at, at_x] += T[:, to, to_x]


def _turned(geometry: Geometry) -> Geometry | None:
    """Return the sizes of the convolution that leads back from dZ to dX, or None where there is none."""
    (kh, kw), (dy, dx) = geometry.kernel, geometry.dilation
    (top, bottom), (left, right) = geometry.padding
    y, x = dy * (kh - 1), dx * (kw - 1)
    if geometry.stride != (1, 1) or max(top, bottom) > y or max(left, right) > x:
        return None
    return geometry._replace(
        h=geometry.h_out,
        w=geometry.w_out,
        c_in=geometry.c_out,
        c_out=geometry.c_in,
        padding=((y - top, y - bottom), (x - left, x - right)),
        h_out=geometry.h,
        w_out=geometry.w,
    )


def _turned_kernels(W: Array, groups: int) -> Array:
    """Return W (kh, kw, c_in / groups, c_out) from output to input: (kh, kw, c_out / groups, c_in), flipped."""
    kh, kw, c_each, c_out = W.shape
    turned = W[::-1, ::-1].reshape(kh, kw, c_each, groups, c_out // groups).transpose(0, 1, 4, 3, 2)
    return turned.reshape(kh, kw, c_out // groups, groups * c_each)


def _kernels(W: Array, b: Array | None, geometry: Geometry) -> Array:
    """Return W, and b as one more row, as (groups, K, c_out / groups)."""
    rows = (
        W.reshape(-1, geometry.c_out)
        if b is None
        else np.concatenate([W.reshape(-1, geometry.c_out), b[None]])
    )
    return rows.reshape(len(rows), geometry.groups, -1).transpose(1, 0, 2)


def _n_pieces(P: Array, Z: Array) -> int:
    """Return how many products to split P (groups, N, K) times c_out / groups kernels into.

    OpenBLAS packs its operands first, unless a product is small: for few channels and kernels, small ones are
    a fifth faster.
    """
    N, K, c = *P.shape[1:], Z.shape[2]
    most = SMALL_PRODUCT // (K * c)
    if most < 64:
        return 1
    return next(n for n in range(-(-N // most), N + 1) if N % n == 0)


def _cut(A: Array, n: int) -> Array:
    """Return a view of A (groups, N, k) as (groups, n, N / n, k)."""
    groups, N, k = A.shape
    return A.reshape(groups, n, N // n, k)


def _by_group(Z: Array, groups: int) -> Array:
    """Return a view of Z (n, rows, columns, c), contiguous, as (groups, n rows columns, c / groups)."""
    return Z.reshape(-1, groups, Z.shape[3] // groups).transpose(1, 0, 2)


def _blocks(X: Array, geometry: Geometry) -> list[tuple[slice, slice]]:
    kh, kw = geometry.kernel
    row_bytes = geometry.w_out * (kh * kw * geometry.c_in + geometry.c_out) * X.itemsize
    return blocks(geometry.m, geometry.h_out, row_bytes)
