"""The depthwise convolution: each channel has its own kernel and is convolved alone (groups = c_in).

It needs no matrix product. Each tap of the kernel is one multiplication of a shifted image, and whole rows
of pixels are multiplied at once, with the tap's weights repeated for every pixel.
"""

import numpy as np

from pellucid.kernels.uncompiled.blocks import blocks, length, meeting, padded_rows
from pellucid.kernels.uncompiled.columns import ones
from pellucid.ops.conv_geometry import Geometry
from pellucid.types import Array
from pellucid.workspace import Buffers


def fits(geometry: Geometry) -> bool:
    """Return whether every input channel is a group."""
    return geometry.groups == geometry.c_in


def forward(
    X: Array, W: Array, b: Array | None, geometry: Geometry, out: Array, scratch: Buffers, keep: bool
) -> None:
    """Write the depthwise convolution of X with W (kh, kw, 1, c_out), plus b, into out.

    Notes
    -----
    2 m h_out w_out kh kw c_out operations. Output channel o sees input channel o // (c_out / c_in).
    Plain: :func:`pellucid.ops.conv.conv2d_forward`.
    """
    for images, rows in _blocks(X, geometry):
        band = _band(X[images], geometry, rows, scratch)
        Z = _rows(out[images, rows], geometry)
        T = scratch.take("conv.tap", Z.shape)
        for tap, (i, j) in enumerate(np.ndindex(geometry.kernel)):
            np.multiply(
                _shifted(band, i, j, geometry, rows), _weights(W[i, j], geometry), out=T if tap else Z
            )
            if tap:
                Z += T
        if b is not None:
            Z += _weights(b, geometry)


def backward(
    dZ: Array,
    X: Array,
    W: Array,
    kept: None,
    geometry: Geometry,
    dX: Array | None,
    dW: Array,
    db: Array | None,
    scratch: Buffers,
) -> None:
    """Write the gradients for X (unless dX is None), W and b (unless db is None)."""
    dW.fill(0)
    if db is not None:
        db.fill(0)
    if dX is not None:
        dX.fill(0)
    for images, rows in _blocks(X, geometry):
        band = _band(X[images], geometry, rows, scratch)
        dZ_rows = _rows(dZ[images, rows], geometry)
        T = scratch.take("conv.tap", dZ_rows.shape)
        if db is not None:
            db += _sum(dZ_rows, geometry)
        for i, j in np.ndindex(geometry.kernel):
            np.multiply(_shifted(band, i, j, geometry, rows), dZ_rows, out=T)
            dW[i, j, 0] += _sum(T, geometry)
            if dX is not None:
                np.multiply(dZ_rows, _weights(W[i, j], geometry), out=T)
                _add(dX[images], T, i, j, geometry, rows)


def _band(X: Array, geometry: Geometry, rows: slice, scratch: Buffers) -> Array:
    """Return the padded rows of X that some output rows see, each input channel repeated for its outputs."""
    (kh, _), (sy, _), (dy, _) = geometry.kernel, geometry.stride, geometry.dilation
    n_band, n_wide = (length(rows) - 1) * sy + (kh - 1) * dy + 1, geometry.padded[1]
    n_each = geometry.c_out // geometry.c_in
    repeated = np.repeat(X, n_each, axis=3) if n_each > 1 else X
    return padded_rows(
        repeated, geometry, rows.start * sy - geometry.padding[0][0], (n_band, n_wide), scratch
    )


def _shifted(band: Array, i: int, j: int, geometry: Geometry, rows: slice) -> Array:
    """Return what tap (i, j) sees, in the shape that ``_rows`` gives outputs."""
    (sy, sx), (dy, dx), w_out = geometry.stride, geometry.dilation, geometry.w_out
    seen = band[:, i * dy :: sy][:, : length(rows)]
    if sx > 1:
        return seen[:, :, j * dx :: sx][:, :, :w_out]
    c = geometry.c_out
    return seen.reshape(*seen.shape[:2], -1)[:, :, j * dx * c : (j * dx + w_out) * c]


def _rows(Z: Array, geometry: Geometry) -> Array:
    """Return Z (n, rows, w_out, c_out) with whole rows as one axis where the taps can be read that way."""
    return Z if geometry.stride[1] > 1 else Z.reshape(*Z.shape[:2], -1)


def _weights(w: Array, geometry: Geometry) -> Array:
    """Return w (1, c_out) or (c_out,) repeated along a row, or once where rows are not one axis."""
    return w.reshape(-1) if geometry.stride[1] > 1 else np.tile(w.reshape(-1), geometry.w_out)


def _sum(T: Array, geometry: Geometry) -> Array:
    """Return the sum of T over everything but its channels, shape (c_out,)."""
    flat = T.reshape(-1, T.shape[-1])
    return (ones(len(flat), flat.dtype) @ flat).reshape(-1, geometry.c_out).sum(axis=0)


def _add(dX: Array, T: Array, i: int, j: int, geometry: Geometry, rows: slice) -> None:
    """Add T, what tap (i, j) sends back, to the pixels that it saw."""
    (sy, sx), (dy, dx), (top, _), (left, _) = *(geometry.stride, geometry.dilation), *geometry.padding
    n_rows, c_in = length(rows), geometry.c_in
    to, at = meeting(geometry.h, n_rows, rows.start * sy + i * dy - top, sy)
    to_x, at_x = meeting(geometry.w, geometry.w_out, j * dx - left, sx)
    sent = T.reshape(len(dX), n_rows, geometry.w_out, c_in, -1)[:, to, to_x]
    for k in range(sent.shape[4]):
        dX[:, at, at_x] += sent[..., k]


def _blocks(X: Array, geometry: Geometry) -> list[tuple[slice, slice]]:
    row_bytes = geometry.padded[1] * geometry.c_out * X.itemsize * (2 + geometry.stride[0])
    return blocks(geometry.m, geometry.h_out, row_bytes)
