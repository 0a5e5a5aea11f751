"""The 3x3 convolution with a quarter of the multiplications: Winograd's minimal filtering F(4x4, 3x3).

An output tile of 4x4 pixels is computed from the 6x6 pixels d under it as ::

    Y = A^T [ (B^T d B) * (G g G^T) ] A          (Lavin and Gray, 2015, equations 8 and 9)

with 6x6 = 36 multiplications for each pair of channels instead of 4x4x9 = 144. All tiles together, the product
in brackets is 36 matrix products (tiles, c_in) (c_in, c_out). Every step is linear in the pixels and in the
kernel, so the backward is the transpose of each step, in reverse.

Shapes: m images, T = n t u tiles of a block (n images, t rows of tiles, u tiles per row), i and j the 6x6 places of
a tile, r and s its 4x4 outputs.
"""

from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from pellucid.kernels.uncompiled.blocks import blocks, length, meeting, padded_rows, strided
from pellucid.kernels.uncompiled.columns import ones
from pellucid.ops.conv_geometry import Geometry
from pellucid.types import Array
from pellucid.workspace import Buffers

TILE = 4  # outputs of a tile along each axis
PIECE = 24_576  # entries in a row of one small matrix product: below, OpenBLAS does not repack it


class Matrices(NamedTuple):
    """The transforms along one axis, each with its transpose, contiguous; and the kernels', along both."""

    B: Array  # (6, 6)
    BT: Array  # (6, 6): B^T d
    A: Array  # (6, 4)
    AT: Array  # (4, 6): A^T m
    G: Array  # (6, 3): G g
    GG: Array  # (36, 9): G g G^T, of a kernel as one column


class Kept(NamedTuple):
    """What the backward needs from the forward."""

    U: Array  # (36, c_in, c_out), the transformed kernels
    V: Array | None  # all transformed tiles, flat, block after block, each (36, T, c_in)


@lru_cache(maxsize=8)
def matrices(dtype: np.dtype[Any]) -> Matrices:
    """Return Lavin and Gray's transforms for the points 0, 1, -1, 2, -2 and infinity (section 4.3).

    Examples
    --------
    >>> d, g, M = np.arange(6.0), np.array([1.0, 10.0, 100.0]), matrices(np.dtype(float))
    >>> M.AT @ ((M.BT @ d) * (M.G @ g)), np.correlate(d, g)
    (array([210., 321., 432., 543.]), array([210., 321., 432., 543.]))
    """
    BT = [
        [4, 0, -5, 0, 1, 0],
        [0, -4, -4, 1, 1, 0],
        [0, 4, -4, -1, 1, 0],
        [0, -2, -1, 2, 1, 0],
        [0, 2, -1, -2, 1, 0],
        [0, 4, 0, -5, 0, 1],
    ]
    G = [
        [1 / 4, 0, 0],
        [-1 / 6, -1 / 6, -1 / 6],
        [-1 / 6, 1 / 6, -1 / 6],
        [1 / 24, 1 / 12, 1 / 6],
        [1 / 24, -1 / 12, 1 / 6],
        [0, 0, 1],
    ]
    AT = [[1, 1, 1, 1, 1, 0], [0, 1, -1, 2, -2, 0], [0, 1, 1, 4, 4, 0], [0, 1, -1, 8, -8, 1]]
    kernels = np.array(G)
    arrays = np.array(BT).T, np.array(BT), np.array(AT).T, np.array(AT), kernels, np.kron(kernels, kernels)
    return Matrices(*(np.ascontiguousarray(array, dtype) for array in arrays))


# All four outputs of a row of A^T see place 1 with weight 1: a constant added there is added to the whole tile.
CONSTANT = 1 * 6 + 1


def fits(geometry: Geometry) -> bool:
    """Return whether the kernel is a plain 3x3 one, with stride and dilation 1 and one group."""
    return (
        geometry.kernel == (3, 3) and geometry.stride == geometry.dilation == (1, 1) and geometry.groups == 1
    )


def forward(
    X: Array, W: Array, b: Array | None, geometry: Geometry, out: Array, scratch: Buffers, keep: bool
) -> Kept:
    """Write the convolution of X with W (3, 3, c_in, c_out), plus b, into out; return what the backward needs.

    Without ``keep`` the transformed tiles, 2.25 times as large as X, are not kept, and computed again if needed.

    Notes
    -----
    72 T_all c_in c_out operations in the products, T_all = m ceil(h_out / 4) ceil(w_out / 4), a quarter of the
    plain convolution's; float32 results differ from exact ones by about 1e-6 of the largest.
    Plain: :func:`pellucid.ops.conv.conv2d_forward`.
    """
    AT, GG = matrices(X.dtype).AT, matrices(X.dtype).GG
    n_t, n_u = _tiles(geometry)
    c_in, c_out = geometry.c_in, geometry.c_out
    U = scratch.take("conv.U", (36, c_in, c_out))
    np.matmul(GG, W.reshape(9, -1), out=U.reshape(36, -1))
    kept = Kept(U, scratch.take("conv.V", (36 * geometry.m * n_t * n_u * c_in,)) if keep else None)
    done = 0
    for images, tile_rows in _blocks(X, geometry, scratch):
        T = length(images) * length(tile_rows) * n_u
        V = _room_for_tiles(kept, done, T, c_in, scratch)
        done += V.size
        _transform_tiles(X[images], tile_rows, geometry, V, scratch)
        M = scratch.take("conv.M", (36, T, c_out))
        np.matmul(V, U, out=M)
        if b is not None:
            M[CONSTANT] += b
        half = scratch.take("conv.even", (6, TILE, T * c_out))  # columns first
        np.matmul(AT, M.reshape(6, 6, -1), out=half)
        Y = scratch.take("conv.odd", (TILE, TILE, length(images), length(tile_rows), n_u, c_out))
        _transform(AT, half, Y)
        for outputs, place in _places(out[images], tile_rows, geometry):
            np.copyto(outputs, Y[place])
    return kept


def backward(
    dZ: Array,
    X: Array,
    W: Array,
    kept: Kept,
    geometry: Geometry,
    dX: Array | None,
    dW: Array,
    db: Array | None,
    scratch: Buffers,
) -> None:
    """Write the gradients for X (unless dX is None), W and b (unless db is None): each step's transpose.

    ``dM = A dY A^T``, ``dU = V^T dM``, ``dV = dM U^T``, ``dd = B dV B^T``, ``dW = G^T dU G``.
    """
    GG = matrices(dZ.dtype).GG
    n_u, c_in, c_out = _tiles(geometry)[1], geometry.c_in, geometry.c_out
    U_turned = scratch.take("conv.U_turned", (36, c_out, c_in))  # contiguous: well worth the copy
    if dX is not None:
        np.copyto(U_turned, kept.U.transpose(0, 2, 1))
    dU, part = (scratch.take(name, kept.U.shape) for name in ("conv.dU", "conv.dU_part"))
    if db is not None:
        db.fill(0)
    done = 0
    for images, tile_rows in _blocks(X, geometry, scratch):
        T = length(images) * length(tile_rows) * n_u
        V = _room_for_tiles(kept, done, T, c_in, scratch)
        if kept.V is None:
            _transform_tiles(X[images], tile_rows, geometry, V, scratch)
        dM = scratch.take("conv.M", (36, T, c_out))
        _transform_outputs(dZ[images], tile_rows, geometry, dM, scratch)
        if db is not None:
            db += ones(T, dM.dtype) @ dM[CONSTANT]
        np.matmul(V.transpose(0, 2, 1), dM, out=part if done else dU)
        if done:
            dU += part
        if dX is not None:
            dV = scratch.take("conv.odd", (36, T, c_in))
            np.matmul(dM, U_turned, out=dV)
            _paste(dV, dX[images], tile_rows, geometry, scratch)
        done += V.size
    np.matmul(GG.T, dU.reshape(36, -1), out=dW.reshape(9, -1))


def _room_for_tiles(kept: Kept, done: int, T: int, c_in: int, scratch: Buffers) -> Array:
    """Return the place of a block's transformed tiles: (36, T, c_in)."""
    if kept.V is None:
        return scratch.take("conv.V_block", (36, T, c_in))
    return kept.V[done : done + 36 * T * c_in].reshape(36, T, c_in)


def _transform_outputs(dZ: Array, tile_rows: slice, geometry: Geometry, dM: Array, scratch: Buffers) -> None:
    """Write A dY A^T of the 4x4 tiles dY of dZ (n, h_out, w_out, c_out) to dM (36, T, c_out)."""
    A, c_out = matrices(dZ.dtype).A, geometry.c_out
    dY = scratch.take("conv.odd", (TILE, TILE, len(dZ), length(tile_rows), _tiles(geometry)[1], c_out))
    places = _places(dZ, tile_rows, geometry)
    if len(places) > 1:  # tiles that reach over the edge see zeros there
        dY.fill(0)
    for outputs, place in places:
        np.copyto(dY[place], outputs)
    half = scratch.take("conv.even", (6, TILE, dM.shape[1] * c_out))
    _transform(A, dY, half)
    np.matmul(A, half, out=dM.reshape(6, 6, -1))


def _transform_tiles(X: Array, tile_rows: slice, geometry: Geometry, V: Array, scratch: Buffers) -> None:
    """Write B^T d B of the 6x6 tiles d of X (n, h, w, c_in) to V (36, T, c_in).

    Tiles overlap by two pixels. Rows of the image are cut out and transformed before columns are, while each
    column is still there once.
    """
    BT = matrices(X.dtype).BT
    n, t, n_u, c_in = len(X), length(tile_rows), _tiles(geometry)[1], geometry.c_in
    size = TILE * t + 2, TILE * n_u + 2
    band = padded_rows(X, geometry, TILE * tile_rows.start - geometry.padding[0][0], size, scratch)
    s_n, s_y, s_x, s_c = band.strides
    D = scratch.take("conv.odd", (6, n, t, size[1], c_in))
    np.copyto(D, strided(band, D.shape, (s_y, s_n, TILE * s_y, s_x, s_c)))
    E = scratch.take("conv.even", D.shape)
    _transform(BT, D, E)
    s_i, s_n, s_t, s_x, s_c = E.strides
    tiles = scratch.take("conv.odd", (6, 6, n, t, n_u, c_in))
    np.copyto(tiles, strided(E, tiles.shape, (s_i, s_x, s_n, s_t, TILE * s_x, s_c)))
    np.matmul(BT, tiles.reshape(6, 6, -1), out=V.reshape(6, 6, -1))


def _paste(dV: Array, dX: Array, tile_rows: slice, geometry: Geometry, scratch: Buffers) -> None:
    """Write dX (n, h, w, c_in) from dV (36, T, c_in): the transpose of ``_transform_tiles``."""
    B = matrices(dV.dtype).B
    (top, _), (left, _) = geometry.padding
    n, t, n_u, c_in = len(dX), length(tile_rows), _tiles(geometry)[1], geometry.c_in
    tiles = scratch.take("conv.even", (6, 6, n, t, n_u, c_in))
    np.matmul(B, dV.reshape(6, 6, -1), out=tiles.reshape(6, 6, -1))
    tiles[:, :2, :, :, 1:] += tiles[:, 4:, :, :, :-1]  # the two columns that a tile shares with the next
    E = scratch.take("conv.odd", (6, n, t, TILE * n_u + 2, c_in))
    E[:, :, :, :-2].reshape(6, n, t, n_u, TILE, c_in)[...] = tiles[:, :4].transpose(0, 2, 3, 4, 1, 5)
    E[:, :, :, -2:] = tiles[:, 4:, :, :, -1].transpose(0, 2, 3, 1, 4)
    D = scratch.take("conv.even", E.shape)
    _transform(B, E, D)
    D[:2, :, 1:] += D[4:, :, :-1]  # and the two rows that it shares with the tile below
    edge = scratch.take("conv.edge", (2, n, *E.shape[3:]))
    if tile_rows.start > 0:  # the block before was the band above
        D[:2, :, 0] += edge
    band = scratch.take("conv.band_back", (n, TILE * t + 2, *E.shape[3:]))
    np.copyto(band[:, :-2].reshape(n, t, TILE, *E.shape[3:]), D[:TILE].transpose(1, 2, 0, 3, 4))
    np.copyto(band[:, -2:], D[4:, :, -1].transpose(1, 0, 2, 3))
    is_last = tile_rows.stop == _tiles(geometry)[0]
    if not is_last:
        np.copyto(edge, D[4:, :, -1])
    n_rows = TILE * t + 2 * is_last
    to, at = meeting(geometry.h, n_rows, TILE * tile_rows.start - top, 1)
    to_x, at_x = meeting(geometry.w, E.shape[3], -left, 1)
    dX[:, at, at_x] = band[:, to, to_x]


def _transform(matrix: Array, source: Array, target: Array) -> None:
    """Write ``target = matrix @ source`` along the first axes, in pieces that BLAS takes without repacking."""
    n_to, n_from = matrix.shape
    piece = _piece(source.size // n_from)
    pieces = source.reshape(n_from, -1, piece).transpose(1, 0, 2)
    np.matmul(matrix, pieces, out=target.reshape(n_to, -1, piece).transpose(1, 0, 2))


@lru_cache(maxsize=1024)
def _piece(n: int) -> int:
    """Return the largest divisor of n up to PIECE."""
    return next(n // k for k in range(-(-n // PIECE), n + 1) if n % k == 0)


def _tiles(geometry: Geometry) -> tuple[int, int]:
    """Return how many rows of tiles, and tiles per row, cover the output."""
    return -(-geometry.h_out // TILE), -(-geometry.w_out // TILE)


def _places(Z: Array, tile_rows: slice, geometry: Geometry) -> list[tuple[Array, tuple[Any, ...]]]:
    """Return views of Z (n, h_out, w_out, c_out), and where in (r, s, n, t, u, c_out) each one's pixels are.

    One view where whole tiles cover the output, else one for each place (r, s) in a tile.
    """
    first, t, n_u = TILE * tile_rows.start, length(tile_rows), _tiles(geometry)[1]
    if geometry.h_out % TILE == geometry.w_out % TILE == 0:
        band = Z[:, first : first + TILE * t].reshape(len(Z), t, TILE, n_u, TILE, -1)
        return [(band.transpose(2, 4, 0, 1, 3, 5), (...,))]
    places: list[tuple[Array, tuple[Any, ...]]] = []
    for r, s in np.ndindex(TILE, TILE):
        view = Z[:, first + r : first + TILE * t : TILE, s::TILE]
        places.append((view, (r, s, slice(None), slice(view.shape[1]), slice(view.shape[2]))))
    return places


def _blocks(X: Array, geometry: Geometry, scratch: Buffers) -> list[tuple[slice, slice]]:
    """Return the blocks, and make room for the largest.

    The steps of a block write to two arrays in turn, "even" and "odd", so that both stay in the cache.
    """
    n_t, n_u = _tiles(geometry)
    c = max(geometry.c_in, geometry.c_out)
    pieces = blocks(geometry.m, n_t, 36 * n_u * c * X.itemsize)
    images, tile_rows = pieces[0]
    for name in ("conv.even", "conv.odd", "conv.M"):
        scratch.take(name, (36 * length(images) * length(tile_rows) * n_u * c,))
    return pieces
