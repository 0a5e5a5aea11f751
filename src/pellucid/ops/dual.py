"""The dual form of gradient descent: weights move in the span of the training rows only."""

from collections.abc import Callable

import numpy as np

from pellucid.types import Array


def dual_descent(
    X: Array,
    W: Array,
    b: Array,
    loss_gradient: Callable[[Array], Array],
    *,
    learning_rate: float,
    n_steps: int,
) -> tuple[Array, Array]:
    """Return W = W_0 + X^T C, with C <- C - eta dZ in each step in place of W <- W - eta X^T dZ; and b.

    Parameters
    ----------
    X : Array, shape (m, n_in)
        The training rows, all in each step.
    W, b : Array, shape (n_in, n_out) and (n_out,)
        W_0 and b_0, those of the start; not modified.
    loss_gradient : callable
        Takes Z = X W + b, shape (m, n_out), and returns the gradient of the mean loss for it, dZ.
    learning_rate : float
    n_steps : int

    Returns
    -------
    W, b : Array
        Those that ``n_steps`` of gradient descent give, b <- b - eta sum dZ; every step of W is a combination of
        rows of X.

    Notes
    -----
    The kernel trick of Aizerman, Braverman and Rozonoer, 1964. 2 m^2 n_out operations a step instead of
    4 m n_in n_out. :mod:`pellucid.training.dual` trains networks so, with layers above, mini-batches, momentum and
    weight decay.

    Examples
    --------
    >>> X, y = np.array([[1.0, 0.0, 2.0], [0.0, 1.0, 1.0]]), np.array([[1.0], [3.0]])
    >>> W, b = dual_descent(X, np.zeros((3, 1)), np.zeros(1), lambda Z: Z - y, learning_rate=0.1, n_steps=200)
    >>> (X @ W + b).round(3).ravel()
    array([1., 3.])
    """
    K, Z_0, C = X @ X.T, X @ W, np.zeros((len(X), W.shape[1]))
    for _ in range(n_steps):
        dZ = loss_gradient(Z_0 + K @ C + b)
        C -= learning_rate * dZ
        b = b - learning_rate * dZ.sum(axis=0)
    return W + X.T @ C, b
