"""The affine map Z = X W + b and its derivatives."""

from typing import NamedTuple

import numpy as np

from pellucid.errors import ShapeError
from pellucid.ops.arrays import check_dtype
from pellucid.types import Array


class LinearCache(NamedTuple):
    """What the backward of an affine map needs: its input and its weights, not copies."""

    X: Array  # (m, n_in)
    W: Array  # (n_in, n_out)
    has_bias: bool


def linear_forward(
    X: Array, W: Array, b: Array | None = None, *, out: Array | None = None
) -> tuple[Array, LinearCache]:
    """Return Z = X W + b, and the cache.

    Parameters
    ----------
    X : Array, shape (m, n_in)
    W : Array, shape (n_in, n_out)
    b : Array, shape (n_out,), optional
        Default: none, as where :func:`pellucid.ops.bias_activation.bias_activation_forward` adds it.
    out : Array, shape (m, n_out), optional
        Written and returned; must not alias X.

    Returns
    -------
    Z : Array, shape (m, n_out), dtype of X
    cache : LinearCache
        Holds X and W themselves, not copies.

    Raises
    ------
    ShapeError, DataError
        If the inner dimensions or the dtypes differ.

    Notes
    -----
    2 m n_in n_out operations.

    Examples
    --------
    >>> linear_forward(np.ones((1, 2)), np.ones((2, 1)), np.zeros(1))[0]
    array([[2.]])
    """
    if X.ndim != 2 or X.shape[1] != W.shape[0]:
        hint = " It looks transposed; try X.T." if X.ndim == 2 and X.shape[0] == W.shape[0] else ""
        raise ShapeError(f"linear_forward: expected X of shape (m, {W.shape[0]}), got {X.shape}.{hint}")
    check_dtype("linear_forward", X, "W", W)
    Z: Array = np.dot(X, W, out=out)
    if b is not None:
        Z += b
    return Z, LinearCache(X, W, b is not None)


def linear_backward(
    dZ: Array,
    cache: LinearCache,
    *,
    dX: Array | None = None,
    dW: Array | None = None,
    db: Array | None = None,
    needs_dX: bool = True,
) -> tuple[Array | None, Array, Array | None]:
    """dX = dZ W^T, dW = X^T dZ, db = the sum over rows of dZ.

    Parameters
    ----------
    dZ : Array, shape (m, n_out)
        Gradient of the loss for Z.
    cache : LinearCache
    dX, dW, db : Array, optional
        Buffers, written and returned: (m, n_in), (n_in, n_out), (n_out,).
    needs_dX : bool, optional
        False returns None for dX, which the first layer does not need.

    Returns
    -------
    dX : Array or None, shape (m, n_in)
    dW : Array, shape (n_in, n_out)
    db : Array or None, shape (n_out,)
        None where there was no bias.

    Notes
    -----
    Rumelhart, Hinton and Williams, 1986: back-propagation. 4 m n_in n_out operations, half of that without dX.

    Examples
    --------
    >>> Z, cache = linear_forward(np.array([[2.0, 3.0]]), np.ones((2, 1)), np.zeros(1))
    >>> linear_backward(np.array([[10.0]]), cache)
    (array([[10., 10.]]), array([[20.],
           [30.]]), array([10.]))
    """
    X, W, has_bias = cache
    dX = np.dot(dZ, W.T, out=dX) if needs_dX else None
    dW = np.dot(X.T, dZ, out=dW)
    return dX, dW, np.add.reduce(dZ, axis=0, out=db) if has_bias else None
