"""The dual form of gradient descent is gradient descent."""

import numpy as np
from tests.every import every

from pellucid.ops.dual import dual_descent
from pellucid.ops.linear import linear_backward, linear_forward
from pellucid.ops.losses.cross_entropy import CategoricalCrossEntropy


@every("shape", [(4, 30, 3), (7, 2, 2), (1, 5, 4)])
def test_it_equals_plain_gradient_descent(shape, rng) -> None:
    m, n_in, n_out = shape
    X, y = rng.standard_normal((m, n_in)), rng.integers(0, n_out, m)
    W_0, b_0 = rng.standard_normal((n_in, n_out)), rng.standard_normal(n_out)

    def loss_gradient(Z):
        loss = CategoricalCrossEntropy()
        return loss.backward(loss.forward(Z, y)[1])

    W, b = W_0.copy(), b_0.copy()
    for _ in range(200):
        Z, cache = linear_forward(X, W, b)
        _, dW, db = linear_backward(loss_gradient(Z), cache)
        W, b = W - 0.1 * dW, b - 0.1 * db
    found = dual_descent(X, W_0, b_0, loss_gradient, learning_rate=0.1, n_steps=200)
    np.testing.assert_allclose(found[0], W, atol=1e-12)
    np.testing.assert_allclose(found[1], b, atol=1e-12)
    assert not np.allclose(W, W_0)
