"""The exact dual form: train the first layer in the span of the training rows, where it lives anyway.

A step of gradient descent adds a combination of the training rows to every column of the first layer's weights:
dW = X^T dZ. So after any number of steps W = s W_0 + X^T C, with s = 1 unless decay shrinks it, and
Z = X W + b = s Z_0 + K C + b, where the Gram matrix K = X X^T and Z_0 = X W_0 are computed once. A step on C and s
costs 2 m (m + n_out) n_out operations instead of 4 m n_in n_out, and nothing is approximated. (It is the kernel
trick of the perceptron, Aizerman et al., 1964, with layers above it.)
"""

from typing import final

import numpy as np

from pellucid.nn.dense import Dense
from pellucid.nn.layer import Layer
from pellucid.types import Array

SLICE_COLUMNS = 4096  # of X turned into float64 at a time


@final
class DualDense(Layer):
    """Stands in for a Dense first layer while it is trained.

    Its one parameter, shape (n_out, m + n_out + 1), holds C^T, next to it s times the identity, and then b, so that
    one product with [K | Z_0 | 1] gives Z = s Z_0 + K C + b, and decay, which shrinks C and s alike, needs no
    special case.

    Parameters
    ----------
    dense : Dense
        Built; its W is W_0.
    X : Array, shape (m, n_in)
        The training rows.
    X_validation : Array, shape (m_validation, n_in), optional
        Further rows that the layer will be asked for.
    """

    def __init__(self, dense: Dense, X: Array, X_validation: Array | None = None) -> None:
        super().__init__()
        self.dense, self.X, self.name = dense, X, dense.name
        self.activation = dense.activation
        self.output_shape, self.input_shape = dense.output_shape, dense.input_shape
        W0 = dense.params["W"]
        m, n_out = len(X), W0.shape[1]
        self._parts = [X] if X_validation is None else [X, X_validation]
        table = np.concatenate([_features(part, X, W0) for part in self._parts])
        self.table = table.astype(W0.dtype, copy=False)  # (m + m_validation, m + n_out + 1)
        self._train_table = self.table[:m]
        self.rows_train = np.arange(m)
        self.rows_validation = np.arange(m, len(self.table))
        self.params = {"C": np.vstack([np.zeros((m, n_out)), np.eye(n_out), dense.params["b"]]).T.copy()}
        self._start_norm: float | None = None

    def restart_from(self, W0: Array) -> None:
        """Take other weights for W_0, those of the training that a checkpoint goes on with."""
        self.dense.params["W"][...] = W0
        self._start_norm = None
        self.table[:, len(self.X) : -1] = np.concatenate(
            [_products(part, self.dense.params["W"]) for part in self._parts]
        )

    def decay_mask(self, key: str) -> Array:
        """Return 1 for C and s, 0 for the bias row."""
        mask = np.ones_like(self.params[key])
        mask[:, -1] = 0
        return mask

    def forward(self, X: Array, *, training: bool = False) -> Array:
        """Return the activation of the rows asked for: numbers of rows, (m,), or inputs, (m, n_in)."""
        if X.ndim > 1:  # a prediction in the middle of a training: the state of the step stays
            return self.to_dense().forward(X.reshape(len(X), -1))
        self._rows = X
        features = self._train_table if X is self.rows_train else self.table[X]
        Z = self.workspace.take("Z", (len(X), *self.output_shape), self.table.dtype)
        np.dot(features, self.params["C"].T, out=Z)
        if self.dense.activation_op is None:
            return Z
        A, self._cache = self.dense.activation_op.forward(Z, out=Z)
        return A

    def backward(self, dY: Array) -> None:
        """Write dC: dZ at the rows of the batch, 0 at all others and for s, the column sums for b."""
        m, op = len(self.X), self.dense.activation_op
        dC = self.grads["C"]
        dZ = dY if op is None else op.backward(dY, self._cache)
        if self._rows is self.rows_train:  # the full batch, in order
            dC[:, :m] = dZ.T
        else:
            dC[:, :m] = 0
            dC[:, self._rows] = dZ.T
        dC[:, m:-1] = 0  # s has no gradient; an optimizer may have left something here
        dC[:, -1] = dZ.sum(axis=0)

    def grad_norm(self, grad: Array) -> float:
        """Return the length of the gradient for W and all else, where ``grad`` holds the one for C.

        dW = X^T dC, so that ||dW||^2 = sum(dC * K dC).
        """
        m = len(self.X)
        dC = self.grads["C"][:, :m]
        inside = float(np.vdot(dC, dC @ self._train_table[:, :m])) - float(np.vdot(dC, dC))
        return float(np.sqrt(max(0.0, inside + float(np.vdot(grad, grad)))))

    def weight_norm_squared(self) -> float:
        """Return ||W||^2 of the weights that C and s stand for, in 2 m^2 n_out operations.

        With W = s W_0 + X^T C it is s^2 ||W_0||^2 + 2 s sum(C * Z_0) + sum(C * K C).
        """
        m = len(self.X)
        C, s = self.params["C"][:, :m], float(self.params["C"][0, m])
        if self._start_norm is None:
            W0 = self.dense.params["W"].reshape(-1)
            self._start_norm = float(np.dot(W0, W0))
        inside = self._train_table[:, :m] @ C.T
        inside += 2 * s * self._train_table[:, m:-1]
        return s * s * self._start_norm + float(np.vdot(C.T, inside))

    def to_dense(self, like: Array | None = None) -> Dense:
        """Return the plain layer of the same function: W = s W_0 + X^T C.

        Parameters
        ----------
        like : Array, the shape of C with s and b, optional
            Used in the place of the parameters: whatever is linear in the gradients, such as a velocity, is turned
            into its plain form likewise.
        """
        C, m = self.params["C"] if like is None else like, len(self.X)
        dense = Dense(self.dense.units, self.dense.activation, self.dense.initializer)
        dense.name = self.dense.name
        dense.input_shape, dense.output_shape = self.input_shape, self.output_shape
        W0 = self.dense.params["W"]
        dense.params = {"W": self.X.T @ C[:, :m].T + C[0, m] * W0, "b": C[:, -1].copy()}
        return dense


def _products(A: Array, W0: Array) -> Array:
    return _features(A, A[:0], W0)[:, :-1]


def _features(A: Array, X: Array, W0: Array) -> Array:
    """Return [A X^T | A W_0 | 1], accumulated in float64 a slice of columns at a time."""
    m, n_out = len(X), W0.shape[1]
    features = np.zeros((len(A), m + n_out + 1))
    features[:, -1] = 1
    width = X.shape[1] if X.dtype == np.float64 else SLICE_COLUMNS
    for start in range(0, X.shape[1], width):
        columns = slice(start, start + width)
        left = A[:, columns].astype(np.float64, copy=False)
        right = left if A is X else X[:, columns].astype(np.float64, copy=False)
        features[:, :m] += left @ right.T
        features[:, m:-1] += left @ W0[columns]
    return features
