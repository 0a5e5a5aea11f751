"""Products within kernels equal NumPy's, whole and cut into pieces."""

import numpy as np
import pytest

pytest.importorskip("numba")

from tests.every import every

from pellucid.kernels.blas import columns_at_a_time, product
from pellucid.kernels.tiles import VECTOR_BYTES


@every("dtype", ["float32", "float64"])
@every("is_transposed", [(False, False), (True, False), (False, True)])
@every("size", [(1, 1, 1), (5, 7, 3), (0, 4, 3), (4, 0, 3), (32, 400, 100), (100, 150, 333), (64, 4000, 33)])
def test_products_of_parts_of_arrays(
    size: tuple[int, int, int], is_transposed: tuple[bool, bool], dtype: str
) -> None:
    m, k, n = size
    rng = np.random.default_rng(3)
    shapes = (m, k), (k, n)
    A, B = (
        np.asarray(rng.standard_normal((shape[1], shape[0] + 3)), dtype)[:, : shape[0]].T
        if other
        else np.asarray(rng.standard_normal((shape[0], shape[1] + 3)), dtype)[:, : shape[1]]
        for shape, other in zip(shapes, is_transposed, strict=True)
    )
    room = np.full((m, n + 2), 7, dtype)
    product(A, B, room[:, :n])
    error, size_of_terms = np.abs(room[:, :n] - A @ B), np.abs(A) @ np.abs(B)
    assert (error <= 4 * np.finfo(dtype).eps * size_of_terms).all()
    assert (room[:, n:] == 7).all()


def test_skinny_products_are_cut_with_avx512_and_others_are_whole() -> None:
    cut = [columns_at_a_time(32, 392, 128), columns_at_a_time(128, 392, 128)]
    assert cut == ([64, 16] if VECTOR_BYTES == 64 else [128, 128])
    whole = [(32, 392, 10), (209, 209, 20), (4000, 100, 20), (128, 2048, 2048)]
    assert [columns_at_a_time(*size) for size in whole] == [10, 20, 20, 2048]
