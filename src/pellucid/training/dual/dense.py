"""The exact dual form: train the first layer in the span of the training rows, where it lives anyway.

A step of gradient descent adds a combination of the training rows to every column of the first layer's weights:
dW = X^T dZ. So after any number of steps W = s W_0 + X^T C, with s = 1 unless decay shrinks it, and
Z = X W + b = s Z_0 + K C + b, where the Gram matrix K = X X^T and Z_0 = X W_0 are computed once. A step on C and s
costs 2 m (m + n_out) n_out operations instead of 4 m n_in n_out, and nothing is approximated. (It is the kernel
trick of the perceptron, Aizerman et al., 1964, with layers above it.)

Where the rows' mean mu is large, all of K is nearly mu . mu, and rounding it hides what tells the rows apart. So
the rows are centred: with X = X_c + 1 mu^T it is W = s W_0 + X_c^T C + mu t, with one more row t, which moves by
the sums of dZ, and Z = s Z_0 + X X_c^T C + X mu t + b. Both are the same in exact arithmetic; t is the sum of C.
"""

from typing import final

import numpy as np

from pellucid.nn.dense import Dense
from pellucid.nn.layer import Layer
from pellucid.training.dual.rows import SlicedRows
from pellucid.types import Array


@final
class DualDense(Layer):
    """Stands in for a Dense first layer while it is trained.

    Its one parameter, shape (n_out, m + 1 + n_out + 1), holds C^T, next to it t, s times the identity, and then b,
    so that one product with [X X_c^T | X mu | Z_0 | 1] gives Z, and decay, which shrinks C, t and s alike, needs no
    special case.

    Parameters
    ----------
    dense : Dense
        Built; its W is W_0.
    samples : SlicedRows
        The training rows, m, and those that the layer will be asked for besides.
    gram : Array, shape (m, m + 1), optional
        [X X_c^T | X mu], where it is known.
    """

    def __init__(self, dense: Dense, samples: SlicedRows, gram: Array | None = None) -> None:
        super().__init__()
        self.dense, self.samples, self.name = dense, samples, dense.name
        self.activation = dense.activation
        self.output_shape, self.input_shape = dense.output_shape, dense.input_shape
        W0 = dense.params["W"]
        m, n_out = len(samples), W0.shape[1]
        products, Z0 = samples.first_products(W0, gram)
        self.table = np.ones((len(products), m + 1 + n_out + 1), W0.dtype)
        self.table[:, : m + 1], self.table[:, m + 1 : -1] = products, Z0
        self._train_table = self.table[:m]
        self.rows_train = np.arange(m)
        self.rows_validation = np.arange(m, len(self.table))
        self.params = {"C": np.vstack([np.zeros((m + 1, n_out)), np.eye(n_out), dense.params["b"]]).T.copy()}
        self._basis: Array | None = None
        self._start_norm = 0.0
        self._plain: tuple[Array, Dense] | None = None  # the last one that was asked for, and its C

    def restart_from(self, W0: Array) -> None:
        """Take other weights for W_0, those of the training that a checkpoint goes on with."""
        self.dense.params["W"][...] = W0
        self._basis = self._plain = None
        m = len(self.samples)
        self.table[:, m + 1 : -1] = self.samples.first_products(W0, self.table[:m, : m + 1])[1]

    def _decay_mask(self, key: str) -> Array:
        """Return 1 for C, t and s, 0 for the bias row."""
        mask = np.ones_like(self.params[key])
        mask[:, -1] = 0
        return mask

    def forward(self, X: Array, *, training: bool = False) -> Array:
        """Return the activation of the rows asked for: numbers of rows, (m,), or inputs, (m, n_in)."""
        if X.ndim > 1:  # a prediction in the middle of a training: the state of the step stays
            return self._as_it_is().forward(X.reshape(len(X), -1))
        self._rows = X
        features = self._train_table if X is self.rows_train else self.table[X]
        Z = self._workspace.take("Z", (len(X), *self.output_shape), self.table.dtype)
        np.dot(features, self.params["C"].T, out=Z)
        if self.dense.activation_op is None:
            return Z
        A, self._cache = self.dense.activation_op.forward(Z, out=Z)
        return A

    def _as_it_is(self) -> Dense:
        """Return the plain layer for predictions of the moment, computed once for all their pieces."""
        C = self.params["C"]
        if self._plain is None or not np.array_equal(self._plain[0], C):
            self._plain = C.copy(), self.to_dense()
        return self._plain[1]

    def backward(self, dY: Array) -> None:
        """Write dC: dZ at the rows of the batch, 0 at all others and for s, the column sums for t and b."""
        m, op = len(self.samples), self.dense.activation_op
        dC = self.grads["C"]
        dZ = dY if op is None else op.backward(dY, self._cache)
        if self._rows is self.rows_train:  # the full batch, in order
            dC[:, :m] = dZ.T
        else:
            dC[:, :m] = 0
            dC[:, self._rows] = dZ.T
        dC[:, m + 1 : -1] = 0  # s has no gradient; an optimizer may have left something here
        dC[:, m] = dC[:, -1] = dZ.sum(axis=0)

    def grad_norm(self, grad: Array) -> float:
        """Return the length of the gradient for W and all else, where ``grad`` holds the one for C.

        dW = X^T dZ = X_c^T dC + mu dt, so that ||dW||^2 = sum(dZ * (X X_c^T dC + X mu dt)).
        """
        m = len(self.samples)
        dC = self.grads["C"][:, : m + 1]
        XdW = dC @ self._train_table[:, : m + 1].T
        inside = float(np.vdot(dC[:, :m], XdW)) - float(np.vdot(dC, dC))
        return float(np.sqrt(max(0.0, inside + float(np.vdot(grad, grad)))))

    def weight_norm_squared(self) -> float:
        """Return ||W||^2 of the weights that C, t and s stand for, in 2 m^2 n_out operations.

        With the rows B = [X_c, mu] and their coefficients D = [C, t] it is
        s^2 ||W_0||^2 + sum(D * (2 s B W_0 + B B^T D)).
        """
        m = len(self.samples)
        D, s = self.params["C"][:, : m + 1], float(self.params["C"][0, m + 1])
        W0 = self.dense.params["W"].reshape(-1)
        if self._basis is None:
            # B [B^T | W_0]: of X_c the products of X less their mean, which is that of mu.
            products = self._train_table[:, :-1].astype(np.float64)
            of_mean = products.mean(axis=0)
            self._basis = np.vstack([products - of_mean, of_mean]).astype(W0.dtype)
            self._start_norm = float(np.dot(W0, W0))
        inside = D @ self._basis[:, : m + 1]  # which is symmetric
        inside += 2 * s * self._basis[:, m + 1 :].T
        return s * s * self._start_norm + float(np.vdot(D, inside))

    def to_dense(self, like: Array | None = None, *, over_ranks: bool = False) -> Dense:
        """Return the plain layer of the same function: W = s W_0 + X_c^T C + mu t.

        Parameters
        ----------
        like : Array, the shape of C with s and b, optional
            Used instead of the parameters: whatever is linear in the gradients, such as a velocity, is turned
            into its plain form likewise.
        over_ranks : bool, optional
            Whether all ranks compute it together.
        """
        C, m = self.params["C"] if like is None else like, len(self.samples)
        dense = Dense(self.dense.units, self.dense.activation, self.dense.initializer)
        dense.name = self.dense.name
        dense.input_shape, dense.output_shape = self.input_shape, self.output_shape
        W0, D = self.dense.params["W"], C[:, :m].T.astype(np.float64)
        rest = (C[:, m] - D.sum(axis=0)) / m  # X_c^T C + mu t is X^T (C + 1 rest^T)
        W = self.samples.transposed_product(D + rest, over_ranks=over_ranks)
        W += C[0, m + 1] * W0
        dense.params = {"W": W.astype(W0.dtype, copy=False), "b": C[:, -1].copy()}
        return dense
