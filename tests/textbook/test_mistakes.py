"""What the step functions say to the mistakes that everyone makes first."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from tests.every import every

from pellucid.errors import DataError, OptionError, ShapeError
from pellucid.textbook import steps

X, Y, W, b = np.ones((3, 4)), np.array([[0, 1, 0, 1]]), np.ones((2, 3)), np.zeros((2, 1))
P = steps.initialize_parameters_deep([3, 2, 1])
AL, CACHES = steps.L_model_forward(X, P)

WIDTHS: list[list[Any]] = [[], [3], [3, 0, 1], [3, 2.0, 1], [3, -1]]
MISTAKES: dict[type[Exception], list[tuple[Callable[[], object], str]]] = {
    ShapeError: [
        (lambda: steps.L_layer_model(X.T, Y, [3, 1]), "X looks transposed; columns are examples: try X.T."),
        (lambda: steps.L_layer_model(np.ones((4, 1, 1, 3)), Y, [3, 1]), "try X.reshape(len(X), -1).T."),
        (lambda: steps.predict(np.ones(3), None, P), "X of shape (3, m), got (3,). Try X.reshape(3, -1)."),
        (lambda: steps.L_layer_model(X, Y[0], [3, 1]), "Y of shape (1, 4), got (4,). Try Y.reshape(1, 4)."),
        (lambda: steps.compute_cost(AL, Y.T), "expected Y of shape (1, 4), got (4, 1). Try Y.T."),
        (lambda: steps.L_layer_model(X, Y[:, :3], [3, 1]), "expected Y of shape (1, 4), got (1, 3)."),
        (lambda: steps.L_layer_model(X, Y, [5, 1]), "L_layer_model: expected X of shape (5, m), got (3, 4)."),
        (lambda: steps.linear_forward(X.T, W, b), "expected A of shape (3, m), got (4, 3). A looks"),
        (lambda: steps.linear_forward(X, W, np.zeros(2)), "shape (2, 1), got (2,). Try b.reshape(2, 1)."),
        (lambda: steps.linear_forward(X, W[0], b), "expected W of shape (n, n_prev), got (3,)."),
        (lambda: steps.compute_cost(AL.T, Y), "compute_cost: expected AL of shape (1, m), got (4, 1)."),
        (lambda: steps.compute_cost(AL, Y, np.ones((1, 3))), "expected ZL of shape (1, 4), got (1, 3)."),
        (lambda: steps.sigmoid_backward(X.T, X), "expected dA of shape (3, 4), got (4, 3). Try dA.T."),
        (lambda: steps.linear_backward(X, (X, W, b)), "expected dZ of shape (2, 4), got (3, 4)."),
        (lambda: steps.L_model_backward(AL[:, :2], Y[:, :2], CACHES), "expected AL of shape (1, 4)"),
        (lambda: steps.update_parameters({"W1": W}, {"dW1": W.T}, 1.0), "got (3, 2). Try dW1.T."),
        (lambda: steps.predict(X, Y[0], P), "y of shape (1, 4), got (4,). Try y.reshape(1, 4)."),
    ],
    OptionError: [
        (lambda: steps.linear_activation_forward(X, W, b, "rellu"), "'rellu'. Did you mean 'relu'?"),
        (lambda: steps.two_layer_model(X, Y, [3, 2, 2, 1]), "got [3, 2, 2, 1]. Try L_layer_model."),
        (lambda: steps.L_layer_model(X, Y, [3, 2]), "to end in 1, got [3, 2]. Try [3, 1]."),
        (lambda: steps.L_model_forward(X, {"W1": W, "b1": b, "W3": W}), "got ['W1', 'b1', 'W3']."),
        (lambda: steps.L_model_forward(X, {**P, "W3": W}), "expected W1, b1, W2, ..., got"),
        (lambda: steps.update_parameters({"W1": W}, {"W1": W}, 1.0), "expected dW1 in grads, got ['W1']."),
        *(
            (lambda dims=dims: steps.initialize_parameters_deep(dims), "expected 2 or more widths")
            for dims in WIDTHS
        ),
    ],
    DataError: [
        (lambda: steps.compute_cost(AL, Y + 1), "labels 0 and 1 in Y, got [1 2]. Try 1 * (Y == 1)."),
        (lambda: steps.predict(X, np.where(Y, np.nan, 0), P), "expected labels 0 and 1 in y, got [ 0. nan]."),
        (lambda: steps.L_layer_model(X[:, :0], Y[:, :0], [3, 1]), "expected labels 0 and 1 in Y, got []."),
        (lambda: steps.L_layer_model(X * np.nan, Y, [3, 1]), "expected numbers in X, got nan or infinity."),
    ],
}


@every(
    ("error", "call", "words"), [(error, *one) for error, rows in MISTAKES.items() for one in rows], ids=str
)
def test_a_mistake_is_answered(error: type[Exception], call: Callable[[], object], words: str) -> None:
    with pytest.raises(error) as caught:
        call()
    assert words in str(caught.value)
