"""A plain network's predictions from its arrays alone: nothing is shared, so that threads may predict at once."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from pellucid.dispatch.ops import batch_norm_inference_forward
from pellucid.ops.activations import ACTIVATIONS
from pellucid.types import Array

BLOCK_ROWS = 1024  # predicted at a time: their activations stay in cache


class Stack(NamedTuple):
    """The arrays of a plain network.

    Attributes
    ----------
    coefs, intercepts : list of Array
        W (n_in, n_out) and b (n_out,) of each layer.
    activations : list of str
        Of each hidden layer, by pellucid's names.
    norms : list of dict, or empty
        Each hidden layer's "gamma", "beta", "running_mean" and "running_var".
    """

    coefs: Sequence[Array]
    intercepts: Sequence[Array]
    activations: Sequence[str]
    norms: Sequence[dict[str, Array]]

    def outputs(self, X: Any, n_layers: int | None = None) -> Array:
        """Return the output of the first ``n_layers`` layers; default: all, the last without an activation.

        Parameters
        ----------
        X : Array or scipy.sparse matrix, shape (m, n_in)
        n_layers : int, optional

        Examples
        --------
        >>> stack = Stack([np.ones((2, 1)), np.ones((1, 1))], [np.zeros(1), np.ones(1)], ["relu"], [])
        >>> stack.outputs(np.array([[1.0, 2.0], [-9.0, 1.0]]))
        array([[4.],
               [1.]])
        >>> stack.outputs(np.array([[1.0, 2.0]]), 1)
        array([[3.]])
        """
        count = len(self.coefs) if n_layers is None else n_layers
        m = X.shape[0]
        if m <= BLOCK_ROWS:
            return self._block(X, count)
        out = np.empty((m, self.coefs[count - 1].shape[1]), self.coefs[0].dtype)
        for start in range(0, m, BLOCK_ROWS):
            rows = slice(start, start + BLOCK_ROWS)
            out[rows] = self._block(X[rows], count)
        return out

    def _block(self, A: Any, count: int) -> Array:
        for i in range(count):
            A = A @ self.coefs[i]
            A += self.intercepts[i]
            if i == len(self.activations):
                break
            if self.norms:
                norm = self.norms[i]
                A, _ = batch_norm_inference_forward(
                    A, norm["gamma"], norm["beta"], norm["running_mean"], norm["running_var"], out=A
                )
            if self.activations[i] != "linear":
                A, _ = ACTIVATIONS[self.activations[i]].forward(A, out=A)
        result: Array = A
        return result
