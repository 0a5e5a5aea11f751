"""3x3 convolutions of stride 1 by Winograd's F(4x4, 3x3): a quarter of the multiplications (Lavin and Gray, 2015).

Outputs are computed in tiles of 4x4, each from a 6x6 tile d of the image, kernel by kernel g::

    Y = A^T [(G g G^T) * (B^T d B)] A

The bracket, summed over input channels, is 36 small matrix products, left to BLAS; ``*`` is entry by entry. The
backward is the adjoint of each step in reverse. Tiles are kept as (tiles, 36 channels): a tile's numbers lie
together. What is cheap to compute again, such as the tiles, is not kept: memory is slower.
"""

from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any, NamedTuple, final

import numpy as np

from pellucid.kernels.arrays import by_rows
from pellucid.kernels.blas import add_products, multiply
from pellucid.kernels.compiled import compiled, inlined
from pellucid.kernels.programs import address_of, array_of, row_at
from pellucid.ops.conv_geometry import Geometry
from pellucid.types import Array

BORROWED_FROM = "blas.py", "programs.py"
G = np.array([[6, 0, 0], [-4, -4, -4], [-4, 4, -4], [1, 2, 4], [1, -2, 4], [0, 0, 24]]) / 24
TWO, FOUR, FIVE, EIGHT = np.array([2, 4, 5, 8], np.float32)  # exact, and they widen no float32
TILE_BYTES = 1_200_000  # of the tiles that are worked on at a time, before and after the products
FEWEST_CHANNELS = 12  # below, the transforms cost more than the products save


@compiled
def _BT(d0: float, d1: float, d2: float, d3: float, d4: float, d5: float) -> tuple[float, ...]:
    """B^T d."""
    even, odd, even2, odd2 = d4 - FOUR * d2, d3 - FOUR * d1, d4 - d2, TWO * (d3 - d1)
    first, last = FOUR * (d0 - d2) - d2 + d4, FOUR * (d1 - d3) - d3 + d5
    return first, even + odd, even - odd, even2 + odd2, even2 - odd2, last


@compiled
def _B(v0: float, v1: float, v2: float, v3: float, v4: float, v5: float) -> tuple[float, ...]:
    """B v."""
    plus, minus, plus2, minus2 = v1 + v2, v1 - v2, v3 + v4, TWO * (v3 - v4)
    d1, d3 = FOUR * (v5 - minus) - minus2, minus + minus2 - FIVE * v5
    return FOUR * v0, d1, -FIVE * v0 - FOUR * plus - plus2, d3, v0 + plus + plus2, v5


@compiled
def _AT(m0: float, m1: float, m2: float, m3: float, m4: float, m5: float) -> tuple[float, ...]:
    """A^T m."""
    plus, minus, plus2, minus2 = m1 + m2, m1 - m2, m3 + m4, m3 - m4
    return m0 + plus + plus2, minus + TWO * minus2, plus + FOUR * plus2, minus + EIGHT * minus2 + m5


@compiled
def _A(y0: float, y1: float, y2: float, y3: float) -> tuple[float, ...]:
    """A y."""
    even, odd, even2, odd2 = y0 + y2, y1 + y3, y0 + FOUR * y2, TWO * y1 + EIGHT * y3
    return y0, even + odd, even - odd, even2 + odd2, even2 - odd2, y3


@inlined
def _cut(C: int, X: Array, top: int, left: int, first: int, n_across: int, P: Array, V: Array) -> None:
    """V_t = B^T d_t B for the tiles d of images X (n, h, w C), from row first of tiles on.

    P (n, rows, columns C) is 0 but where the images come to lie, which the first band writes.
    """
    d = np.empty(36 * C, V.dtype)
    if first == 0:
        for k in range(len(X)):
            for y in range(X.shape[1]):
                x, p = X[k, y], P[k, top + y, left:]
                for c in range(len(x)):
                    p[c] = x[c]
    n_down = len(V) // (len(P) * n_across)
    T = 0
    for k in range(len(P)):
        for y in range(4 * first, 4 * (first + n_down), 4):
            for o in range(0, 4 * C * n_across, 4 * C):
                r0, r1, r2 = P[k, y, o:], P[k, y + 1, o:], P[k, y + 2, o:]
                r3, r4, r5 = P[k, y + 3, o:], P[k, y + 4, o:], P[k, y + 5, o:]
                for c in range(6 * C):
                    d[c], d[6 * C + c], d[12 * C + c], d[18 * C + c], d[24 * C + c], d[30 * C + c] = _BT(
                        r0[c], r1[c], r2[c], r3[c], r4[c], r5[c]
                    )
                for i in range(0, 36 * C, 6 * C):
                    for c in range(i, i + C):
                        (
                            V[T, c],
                            V[T, C + c],
                            V[T, 2 * C + c],
                            V[T, 3 * C + c],
                            V[T, 4 * C + c],
                            V[T, 5 * C + c],
                        ) = _BT(d[c], d[C + c], d[2 * C + c], d[3 * C + c], d[4 * C + c], d[5 * C + c])
                T += 1


@inlined
def _assemble(C: int, M: Array, first: int, n_across: int, Z: Array) -> None:
    """Z = A^T m_t A for tiles m: each writes 4x4 pixels of Z (n, h, w C), fewer at the edges."""
    s, z = np.empty(24 * C, M.dtype), np.empty(4 * C, M.dtype)
    n_down = len(M) // (len(Z) * n_across)
    T = 0
    for k in range(len(Z)):
        for t in range(first, first + n_down):
            n_rows = min(4, Z.shape[1] - 4 * t)
            for o in range(0, 4 * C * n_across, 4 * C):
                for c in range(6 * C):
                    s[c], s[6 * C + c], s[12 * C + c], s[18 * C + c] = _AT(
                        M[T, c],
                        M[T, 6 * C + c],
                        M[T, 12 * C + c],
                        M[T, 18 * C + c],
                        M[T, 24 * C + c],
                        M[T, 30 * C + c],
                    )
                width = min(4 * C, Z.shape[2] - o)
                for r in range(n_rows):
                    i = 6 * r * C
                    for c in range(C):
                        z[c], z[C + c], z[2 * C + c], z[3 * C + c] = _AT(
                            s[i + c],
                            s[i + C + c],
                            s[i + 2 * C + c],
                            s[i + 3 * C + c],
                            s[i + 4 * C + c],
                            s[i + 5 * C + c],
                        )
                    row = Z[k, 4 * t + r, o : o + width]
                    for c in range(row.size):
                        row[c] = z[c]
                T += 1


class ForwardCall(NamedTuple):
    """What a loop of ``whole_forward`` is called with: addresses of arrays and sizes."""

    loop: int
    X: int  # (n, h, w c_in)
    P: int
    V: int
    M: int
    U: int
    factors: int
    shift: int  # (c_out,)
    Z: int  # (n, h_out, w_out c_out)
    n: int
    h: int
    w: int
    h_out: int
    w_out: int
    top: int
    left: int
    n_rows: int  # of tiles at a time
    n_down: int
    n_across: int
    relu: int


OF_FORWARD = np.dtype([(name, np.int64) for name in ForwardCall._fields])


@lru_cache
def whole_forward(dtype: Any, c_in: int, c_out: int) -> Any:
    """Return the loop of a convolution with a shift and perhaps relu, for :mod:`pellucid.kernels.programs`."""

    @compiled
    def forward(row: int) -> None:
        """Z = relu(A^T [U * (B^T d B)] A + shift), summed over channels, some rows of tiles at a time."""
        of = row_at(OF_FORWARD, row)[0]
        n, n_down, n_across, wide, wide_out = of.n, of.n_down, of.n_across, of.w * c_in, of.w_out * c_out
        down, across = 4 * n_down + 2, (4 * n_across + 2) * c_in
        X = array_of(dtype, row, 1, n * of.h * wide).reshape((n, of.h, wide))
        P = array_of(dtype, row, 2, n * down * across).reshape((n, down, across))
        U = array_of(dtype, row, 5, 36 * c_in * c_out).reshape((36, c_in, c_out))
        factors, shift = array_of(dtype, row, 6, 2), array_of(dtype, row, 7, c_out)
        Z = array_of(dtype, row, 8, n * of.h_out * wide_out).reshape((n, of.h_out, wide_out))
        lowest = shift.dtype.type(0 if of.relu else -np.inf)
        for first in range(0, n_down, of.n_rows):
            n_tiles = n * min(of.n_rows, n_down - first) * n_across
            V = array_of(dtype, row, 3, n_tiles * 36 * c_in).reshape((n_tiles, 36 * c_in))
            M = array_of(dtype, row, 4, n_tiles * 36 * c_out).reshape((n_tiles, 36 * c_out))
            _cut(c_in, X, of.top, of.left, first, n_across, P, V)
            multiply(V, U, 36, factors, M)
            _assemble(c_out, M, first, n_across, Z)
            for k in range(n):
                for y in range(4 * first, min(4 * (first + of.n_rows), of.h_out)):
                    for x in range(0, wide_out, c_out):
                        z = Z[k, y, x : x + c_out]
                        for c in range(c_out):
                            v = z[c] + shift[c]
                            z[c] = lowest if v <= lowest else v

    return forward


class Transforms(NamedTuple):
    """The four passes around the products, for one number of channels."""

    cut: Callable[..., None]
    assemble: Callable[..., None]
    spread: Callable[..., None]
    gather: Callable[..., None]


@lru_cache
def transforms(channels: int) -> Transforms:
    """Return the passes for images of this many channels, a constant of their loops."""
    C = channels

    @compiled
    def cut(X: Array, top: int, left: int, first: int, n_across: int, P: Array, V: Array) -> None:
        """See ``_cut``."""
        _cut(C, X, top, left, first, n_across, P, V)

    @compiled
    def assemble(M: Array, first: int, n_across: int, Z: Array) -> None:
        """See ``_assemble``."""
        _assemble(C, M, first, n_across, Z)

    @compiled
    def spread(dZ: Array, first: int, n_across: int, dM: Array) -> None:
        """dM_t = A dz_t A^T for the 4x4 tiles of dZ (n, h, w C); beyond the edges they are 0."""
        s, y = np.empty(24 * C, dM.dtype), np.zeros(4 * C, dM.dtype)
        n_down = len(dM) // (len(dZ) * n_across)
        T = 0
        for k in range(len(dZ)):
            for t in range(first, first + n_down):
                n_rows = min(4, dZ.shape[1] - 4 * t)
                for o in range(0, 4 * C * n_across, 4 * C):
                    width = min(4 * C, dZ.shape[2] - o)
                    for r in range(4):
                        i = 6 * r * C
                        if r >= n_rows:
                            s[i : i + 6 * C] = 0
                            continue
                        row = dZ[k, 4 * t + r, o : o + width]
                        for c in range(row.size):
                            y[c] = row[c]
                        if width < 4 * C:
                            y[width:] = 0
                        for c in range(C):
                            (
                                s[i + c],
                                s[i + C + c],
                                s[i + 2 * C + c],
                                s[i + 3 * C + c],
                                s[i + 4 * C + c],
                                s[i + 5 * C + c],
                            ) = _A(y[c], y[C + c], y[2 * C + c], y[3 * C + c])
                    for c in range(6 * C):
                        (
                            dM[T, c], dM[T, 6 * C + c], dM[T, 12 * C + c],
                            dM[T, 18 * C + c], dM[T, 24 * C + c], dM[T, 30 * C + c],
                        ) = _A(s[c], s[6 * C + c], s[12 * C + c], s[18 * C + c])  # fmt: skip
                    T += 1

    @compiled
    def gather(dV: Array, first: int, n_across: int, dP: Array) -> None:
        """dP += B dv_t B^T at each tile's place in the padded images dP (n, rows, columns C)."""
        d = np.empty(36 * C, dV.dtype)
        n_down = len(dV) // (len(dP) * n_across)
        T = 0
        for k in range(len(dP)):
            for y in range(4 * first, 4 * (first + n_down), 4):
                for o in range(0, 4 * C * n_across, 4 * C):
                    for i in range(0, 36 * C, 6 * C):
                        for c in range(i, i + C):
                            d[c], d[C + c], d[2 * C + c], d[3 * C + c], d[4 * C + c], d[5 * C + c] = _B(
                                dV[T, c],
                                dV[T, C + c],
                                dV[T, 2 * C + c],
                                dV[T, 3 * C + c],
                                dV[T, 4 * C + c],
                                dV[T, 5 * C + c],
                            )
                    r0, r1, r2 = dP[k, y, o:], dP[k, y + 1, o:], dP[k, y + 2, o:]
                    r3, r4, r5 = dP[k, y + 3, o:], dP[k, y + 4, o:], dP[k, y + 5, o:]
                    for c in range(6 * C):
                        d[c], d[6 * C + c], d[12 * C + c], d[18 * C + c], d[24 * C + c], d[30 * C + c] = _B(
                            d[c], d[6 * C + c], d[12 * C + c], d[18 * C + c], d[24 * C + c], d[30 * C + c]
                        )
                    for c in range(6 * C):
                        r0[c] += d[c]
                        r1[c] += d[6 * C + c]
                        r2[c] += d[12 * C + c]
                        r3[c] += d[18 * C + c]
                        r4[c] += d[24 * C + c]
                        r5[c] += d[30 * C + c]
                    T += 1

    return Transforms(cut, assemble, spread, gather)


@final
class WinogradConv:
    """Z = X * W by F(4x4, 3x3); see :class:`pellucid.kernels.conv_algorithm.ConvAlgorithm`."""

    def __init__(self, geometry: Geometry, dtype: Any) -> None:
        c_in, c_out = geometry.c_in, geometry.c_out
        self.down, self.across = -(-geometry.h_out // 4), -(-geometry.w_out // 4)
        most = min(128, max(32, TILE_BYTES // (36 * (c_in + c_out) * np.dtype(dtype).itemsize)))
        self.block = max(1, round(most / (self.down * self.across)))
        self.rows = self.down if self.block > 1 else max(1, most // self.across)  # of tiles at a time
        n_tiles = self.block * min(self.rows, self.down) * self.across
        self.corner = geometry.padding[0][0], geometry.padding[1][0] * c_in
        self.cut, _, _, self.gather = transforms(c_in)
        _, self.assemble, self.spread, _ = transforms(c_out)
        self.GG = np.kron(G, G).astype(dtype)  # U = G g G^T for every kernel at once
        self.factors = np.array([1, 0], dtype)
        self.U = np.empty((36, c_in, c_out), dtype)
        self.P = np.zeros((self.block, 4 * self.down + 2, (4 * self.across + 2) * c_in), dtype)
        self.V, self.M = np.empty((n_tiles, 36 * c_in), dtype), np.empty((n_tiles, 36 * c_out), dtype)
        self.has_room = False  # for a backward: a network that only predicts needs none

    @staticmethod
    def fits(geometry: Geometry) -> bool:
        """Return whether Winograd serves a geometry, and pays."""
        return (
            (geometry.kernel, geometry.stride, geometry.dilation) == ((3, 3), (1, 1), (1, 1))
            and geometry.groups == 1
            and min(geometry.c_in, geometry.c_out) >= FEWEST_CHANNELS
        )

    def set_weights(self, W: Array) -> None:
        """U = G g G^T."""
        self.W = W
        np.matmul(self.GG, W.reshape(9, -1), out=self.U.reshape(36, -1))

    def forward(self, X: Array, Z: Array) -> None:
        """Z <- A^T [U * (B^T d B)] A, summed over channels."""
        X, Z = by_rows(X), by_rows(Z)
        P = self.P[: len(X)]
        for first, V, M in self._bands(len(X)):
            self.cut(X, *self.corner, first, self.across, P, V)
            multiply(V, self.U, 36, self.factors, M)
            self.assemble(M, first, self.across, Z)

    def call(self, X: Array, U: Array, shift: Array, relu: bool, Z: Array) -> ForwardCall:
        """Return the call that writes Z = relu(X * W + shift) for some images, with weights that are laid out."""
        (n, h, w, c_in), (_, h_out, w_out, c_out) = X.shape, Z.shape
        dtype: Any = Z.dtype.type
        loop = address_of(whole_forward(dtype, c_in, c_out))
        addresses = [array.ctypes.data for array in (X, self.P, self.V, self.M, U, self.factors, shift, Z)]
        (top, left), tiles = self.corner, (self.rows, self.down, self.across)
        return ForwardCall(*(loop, *addresses, n, h, w, h_out, w_out, top, left, *tiles, int(relu)))

    def begin_backward(self) -> None:
        """Let dU be 0, and lay U^T out for the products."""
        if not self.has_room:
            self.has_room = True
            self.dU, self.dP, self.dV = (np.empty_like(one) for one in (self.U, self.P, self.V))
            self.UT = np.empty((36, *self.U.shape[:0:-1]), self.U.dtype)
        self.dU.fill(0)
        np.matmul(self.GG, self.W.transpose(0, 1, 3, 2).reshape(9, -1), out=self.UT.reshape(36, -1))

    def backward(self, X: Array, dZ: Array, dX: Array | None) -> None:
        """dU += V^T dM, dV = dM U^T, dX = the tiles B dV B^T added up."""
        X, dZ = by_rows(X), by_rows(dZ)
        n = len(X)
        P, dP = self.P[:n], self.dP[:n]
        if dX is not None:
            dP.fill(0)
        for first, V, dM in self._bands(n):
            dV = self.dV[: len(V)]
            self.cut(X, *self.corner, first, self.across, P, V)
            self.spread(dZ, first, self.across, dM)
            add_products(V, dM, 36, self.factors, self.dU)
            if dX is not None:
                multiply(dM, self.UT, 36, self.factors, dV)
                self.gather(dV, first, self.across, dP)
        if dX is not None:
            (top, left), dX = self.corner, by_rows(dX)
            dX[...] = dP[:, top : top + dX.shape[1], left : left + dX.shape[2]]

    def end_backward(self, dW: Array) -> None:
        """dg = G^T dU G."""
        np.matmul(self.GG.T, self.dU.reshape(36, -1), out=dW.reshape(9, -1))

    def _bands(self, n: int) -> Iterator[tuple[int, Array, Array]]:
        """Yield, for each band of rows of tiles of n images, the first row and room for its tiles."""
        for first in range(0, self.down, self.rows):
            n_tiles = n * min(self.rows, self.down - first) * self.across
            yield first, self.V[:n_tiles], self.M[:n_tiles]
