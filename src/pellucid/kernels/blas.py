"""Matrix products within a kernel: BLAS's gemm on parts of larger arrays, without the interpreter."""

from typing import Any

import numba
import numpy as np
import scipy.linalg.cython_blas  # noqa: F401  # where Numba looks for BLAS
from numba import types

from pellucid.kernels.compiled import compiled
from pellucid.kernels.tiles import VECTOR_BYTES
from pellucid.types import Array

# What Numba's own np.dot calls: int (kind, is A transposed, is B, m, n, k, alpha, A, lda, B, ldb, beta, C, ldc)
_SIGNATURE = types.int32(*[types.int8] * 3, *[types.intp] * 11)
_xxgemm: Any = types.ExternalFunction("numba_xxgemm", _SIGNATURE)
_N, _T = ord("n"), ord("t")
_ZERO_4, _ONE_4, _ZERO_8, _ONE_8 = (np.full(1, x, dtype) for dtype in ("f", "d") for x in (0, 1))


@compiled
def multiply(A: Array, B: Array, n_places: int, factors: Array, C: Array) -> None:
    """C_p = A_p B_p for each place p: A (rows, places k), B (places, k, n), C (rows, places n). Factors: 1, 0."""
    size, kind = A.itemsize, 115 if A.itemsize == 4 else 100
    k, n = B.shape[1], B.shape[2]
    one = factors.ctypes.data
    for p in range(n_places):
        # BLAS counts by columns: C^T = B^T A^T
        _xxgemm(
            kind, _N, _N, n, len(A), k, one, B.ctypes.data + p * k * n * size, n,
            A.ctypes.data + p * k * size, n_places * k, one + size, C.ctypes.data + p * n * size, n_places * n,
        )  # fmt: skip


@compiled
def add_products(A: Array, B: Array, n_places: int, factors: Array, C: Array) -> None:
    """C_p += A_p^T B_p for each place p: A (rows, places k), B (rows, places n), C (places, k, n)."""
    size, kind = A.itemsize, 115 if A.itemsize == 4 else 100
    k, n = C.shape[1], C.shape[2]
    one = factors.ctypes.data
    for p in range(n_places):
        _xxgemm(
            kind, _N, _T, n, k, len(A), one, B.ctypes.data + p * n * size, n_places * n,
            A.ctypes.data + p * k * size, n_places * k, one, C.ctypes.data + p * k * n * size, n,
        )  # fmt: skip


# What OpenBLAS multiplies without laying it out again: so many products of numbers, with AVX-512. Elsewhere
# nothing is won by cutting.
SMALL = 1_000_000 if VECTOR_BYTES == 64 else 2**40
SKINNY = 8 * SMALL  # up to here it pays to cut a product into small ones
COLUMNS = 16  # of a small one, at least


@compiled
def columns_at_a_time(m: int, k: int, n: int) -> int:
    """Return how many columns of a product of (m, k) and (k, n) are computed at a time."""
    small = n * SMALL // max(1, m * k * n) // COLUMNS * COLUMNS
    return small if small and SMALL < m * k * n <= SKINNY else n


@compiled
def product(A: Array, B: Array, C: Array) -> None:
    """C <- A B; the rows of C are contiguous, of A and B the rows or the columns."""
    size = C.itemsize
    one, zero = (
        (_ONE_4.ctypes.data, _ZERO_4.ctypes.data) if size == 4 else (_ONE_8.ctypes.data, _ZERO_8.ctypes.data)
    )
    rows_A, rows_B = A.strides[1] == size, B.strides[1] == size
    lda = max(A.strides[0] // size, A.shape[1]) if rows_A else max(A.strides[1] // size, A.shape[0])
    ldb = max(B.strides[0] // size, B.shape[1]) if rows_B else max(B.strides[1] // size, B.shape[0])
    ldc = max(C.strides[0] // size, C.shape[1])
    n = columns_at_a_time(len(A), A.shape[1], B.shape[1])
    for first in range(0, B.shape[1], max(1, n)):
        at = first * size if rows_B else first * ldb * size
        _xxgemm(
            115 if size == 4 else 100, _N if rows_B else _T, _N if rows_A else _T, min(n, B.shape[1] - first),
            len(A), A.shape[1], one, B.ctypes.data + at, ldb, A.ctypes.data, lda, zero,
            C.ctypes.data + first * size, ldc,
        )  # fmt: skip


if numba.config.DISABLE_JIT:  # kernels run as the Python that they are, and so do their products

    def multiply(A: Array, B: Array, n_places: int, factors: Array, C: Array) -> None:
        """See above."""
        np.matmul(_places(A, n_places), B, out=_places(C, n_places))

    def add_products(A: Array, B: Array, n_places: int, factors: Array, C: Array) -> None:
        """See above."""
        C += _places(A, n_places).transpose(0, 2, 1) @ _places(B, n_places)

    def product(A: Array, B: Array, C: Array) -> None:
        """See above."""
        C[...] = A @ B

    def _places(rows: Array, n_places: int) -> Array:
        """Return (rows, places k) as (places, rows, k)."""
        return rows.reshape(len(rows), n_places, -1).transpose(1, 0, 2)
