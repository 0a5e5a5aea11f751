"""Sparse inputs: rows that stay sparse up to the first layer."""

from typing import Any, final

import numpy as np
import scipy.sparse

from pellucid.nn.dense import Dense
from pellucid.nn.layer import Layer
from pellucid.types import Array, Shape

DENSE_FRACTION = 0.1  # fraction of nonzero values from which dense products are as fast
DENSE_BYTES = 500_000_000  # limit of a dense copy


@final
class SparseRows:
    """A sparse matrix with as much of an array's interface as the training loop uses.

    Parameters
    ----------
    matrix : scipy.sparse matrix or array
        Of floats.

    Examples
    --------
    >>> rows = SparseRows(scipy.sparse.csr_array(np.eye(3)))
    >>> len(rows), rows[1:].shape
    (3, (2, 3))
    """

    ndim = 2

    def __init__(self, matrix: Any) -> None:
        self.matrix = matrix.tocsr()
        self.shape: Shape = self.matrix.shape
        self.dtype = self.matrix.dtype

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: Any) -> "SparseRows":
        return SparseRows(self.matrix[rows])

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        """Apply a function such as isfinite to the numbers that are stored."""
        if ufunc is not np.isfinite:
            return NotImplemented
        return ufunc(self.matrix.data)

    def astype(self, dtype: Any, *, order: str = "C", copy: bool = True) -> "SparseRows":
        """Return it in another dtype; itself if it has that dtype already."""
        return self if self.dtype == dtype and not copy else SparseRows(self.matrix.astype(dtype))


@final
class SparseDense(Layer):
    """A Dense layer, with the same parameters, for sparse rows and for arrays.

    Parameters
    ----------
    dense : Dense
    density : float, optional
        Fraction of nonzero numbers in the rows: used to count the layer's operations.
    """

    def __init__(self, dense: Dense, *, density: float = 1.0) -> None:
        super().__init__()
        self.dense, self.density, self.activation = dense, density, dense.activation

    def build(self, input_shape: Shape, rng: Any) -> None:
        """Draw the same parameters as Dense."""
        self.dense.build(input_shape, rng)
        self.input_shape, self.output_shape = self.dense.input_shape, self.dense.output_shape
        self.params = self.dense.params
        self.grads = self.dense.grads

    def forward(self, X: Any, *, training: bool = False) -> Array:
        """Return activation(X W + b), shape (m, units)."""
        self._X = X
        if not isinstance(X, SparseRows):
            return self.dense.forward(X, training=training)
        Z: Array = X.matrix @ self.params["W"]
        Z += self.params["b"]
        if self.dense.activation_op is None:
            return Z
        A, self._activation_cache = self.dense.activation_op.forward(Z, out=Z)
        return A

    def backward(self, dY: Array) -> Array | None:
        """Write dW and db; sparse rows have no gradient."""
        if not isinstance(self._X, SparseRows):
            return self.dense.backward(dY)
        op = self.dense.activation_op
        dZ = dY if op is None else op.backward(dY, self._activation_cache, dZ=dY)
        self.grads["W"][...] = self._X.matrix.T @ dZ
        self.grads["b"][...] = dZ.sum(axis=0)
        return None

    def config(self) -> dict[str, Any]:
        """Return the configuration of the Dense layer that it replaces."""
        return self.dense.config()

    @property
    def _n_operations(self) -> int:
        """2 n_in n_out times the density."""
        return round(self.density * self.dense._n_operations)


def as_rows(X: Any) -> Any:
    """Return a matrix as the training loop takes it: sparse where that is faster, else as an array.

    Examples
    --------
    >>> type(as_rows(scipy.sparse.csr_array(np.eye(50)))).__name__
    'SparseRows'
    >>> type(as_rows(scipy.sparse.csr_array(np.ones((2, 2))))).__name__
    'ndarray'
    """
    if not scipy.sparse.issparse(X):
        return X
    n_cells = X.shape[0] * X.shape[1]
    if X.nnz >= DENSE_FRACTION * n_cells and n_cells * X.dtype.itemsize <= DENSE_BYTES:
        return X.toarray()
    return SparseRows(X)
