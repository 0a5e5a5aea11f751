"""What the step functions say to the mistakes that everyone makes first."""

import numpy as np
import pytest

from pellucid.errors import DataError, OptionError, ShapeError
from pellucid.textbook import steps

X, Y, W, b = np.ones((3, 4)), np.array([[0, 1, 0, 1]]), np.ones((2, 3)), np.zeros((2, 1))
P = steps.initialize_parameters_deep([3, 2, 1])
AL, CACHES = steps.L_model_forward(X, P)

SHAPES = {
    "X.T": (
        lambda: steps.L_layer_model(X.T, Y, [3, 1]),
        "X looks transposed; columns are examples: try X.T.",
    ),
    "photos": (
        lambda: steps.L_layer_model(np.ones((4, 1, 1, 3)), Y, [3, 1]),
        r"try X.reshape(len(X), -1).T.",
    ),
    "one photo": (
        lambda: steps.predict(np.ones(3), None, P),
        "L_model_forward: expected X of shape (3, m), got (3,). Try X.reshape(3, -1).",
    ),
    "flat Y": (
        lambda: steps.L_layer_model(X, Y[0], [3, 1]),
        "expected Y of shape (1, 4), got (4,). Try Y.reshape(1, 4).",
    ),
    "Y.T": (
        lambda: steps.compute_cost(AL, Y.T),
        "compute_cost: expected Y of shape (1, 4), got (4, 1). Try Y.T.",
    ),
    "fewer labels": (
        lambda: steps.L_layer_model(X, Y[:, :3], [3, 1]),
        "expected Y of shape (1, 4), got (1, 3).",
    ),
    "wrong width": (
        lambda: steps.L_layer_model(X, Y, [5, 1]),
        "L_layer_model: expected X of shape (5, m), got (3, 4).",
    ),
    "A": (
        lambda: steps.linear_forward(X.T, W, b),
        "linear_forward: expected A of shape (3, m), got (4, 3). A looks",
    ),
    "b": (
        lambda: steps.linear_forward(X, W, np.zeros(2)),
        "expected b of shape (2, 1), got (2,). Try b.reshape(2, 1).",
    ),
    "W": (
        lambda: steps.linear_forward(X, W[0], b),
        "linear_forward: expected W of shape (n, n_prev), got (3,).",
    ),
    "AL": (lambda: steps.compute_cost(AL.T, Y), "compute_cost: expected AL of shape (1, m), got (4, 1)."),
    "ZL": (
        lambda: steps.compute_cost(AL, Y, np.ones((1, 3))),
        "compute_cost: expected ZL of shape (1, 4), got (1, 3).",
    ),
    "dA": (lambda: steps.relu_backward(W, X), "relu_backward: expected dA of shape (3, 4), got (2, 3)."),
    "dA of sigmoid": (
        lambda: steps.sigmoid_backward(X.T, X),
        "sigmoid_backward: expected dA of shape (3, 4), got (4, 3). Try dA.T.",
    ),
    "dZ": (
        lambda: steps.linear_backward(X, (X, W, b)),
        "linear_backward: expected dZ of shape (2, 4), got (3, 4).",
    ),
    "AL and caches": (
        lambda: steps.L_model_backward(AL[:, :2], Y[:, :2], CACHES),
        "L_model_backward: expected AL of shape (1, 4)",
    ),
    "dW": (
        lambda: steps.update_parameters({"W1": W}, {"dW1": W.T}, 1.0),
        "update_parameters: expected dW1 of shape (2, 3), got (3, 2). Try dW1.T.",
    ),
    "y": (
        lambda: steps.predict(X, Y[0], P),
        "predict: expected y of shape (1, 4), got (4,). Try y.reshape(1, 4).",
    ),
}


@pytest.mark.parametrize("mistake", SHAPES)
def test_shape_mistakes(mistake: str) -> None:
    call, words = SHAPES[mistake]
    with pytest.raises(ShapeError) as caught:
        call()
    assert words in str(caught.value)


OPTIONS = {
    "activation": (
        lambda: steps.linear_activation_forward(X, W, b, "rellu"),
        "linear_activation_forward: unknown activation 'rellu'. Did you mean 'relu'? Known: relu, sigmoid.",
    ),
    "activation back": (
        lambda: steps.linear_activation_backward(X, CACHES[0], "tanh"),
        "linear_activation_backward: unknown activation 'tanh'.",
    ),
    "two layers": (
        lambda: steps.two_layer_model(X, Y, [3, 2, 2, 1]),
        "two_layer_model: expected 3 layers_dims, got [3, 2, 2, 1]. Try L_layer_model.",
    ),
    "two outputs": (
        lambda: steps.L_layer_model(X, Y, [3, 2]),
        "expected layers_dims to end in 1, got [3, 2]. Try [3, 1].",
    ),
    "no widths": (
        lambda: steps.initialize_parameters(3, 0, 1),
        "initialize_parameters: expected 2 or more widths",
    ),
    "no W2": (
        lambda: steps.L_model_forward(X, {"W1": W, "b1": b, "W3": W, "b2": b}),
        "expected W1, b1, W2, ..., got ['W1', 'b1', 'W3', 'b2'].",
    ),
    "no parameters": (
        lambda: steps.predict(X, None, {}),
        "L_model_forward: expected W1, b1, W2, ..., got [].",
    ),
    "an odd one": (lambda: steps.L_model_forward(X, {**P, "W3": W}), "expected W1, b1, W2, ..., got"),
    "no gradient": (
        lambda: steps.update_parameters({"W1": W}, {"W1": W}, 1.0),
        "update_parameters: expected dW1 in grads, got ['W1'].",
    ),
}


@pytest.mark.parametrize("mistake", OPTIONS)
def test_option_mistakes(mistake: str) -> None:
    call, words = OPTIONS[mistake]
    with pytest.raises(OptionError) as caught:
        call()
    assert words in str(caught.value)


DATA = {
    "digits": (
        lambda: steps.compute_cost(AL, Y + 1),
        "compute_cost: expected labels 0 and 1 in Y, got [1 2]. Try 1 * (Y == 1).",
    ),
    "signs": (
        lambda: steps.L_layer_model(X, 2 * Y - 1, [3, 1]),
        "expected labels 0 and 1 in Y, got [-1  1].",
    ),
    "nan label": (
        lambda: steps.predict(X, np.where(Y, np.nan, 0), P),
        "predict: expected labels 0 and 1 in y, got [ 0. nan].",
    ),
    "none": (
        lambda: steps.L_layer_model(X[:, :0], Y[:, :0], [3, 1]),
        "expected labels 0 and 1 in Y, got [].",
    ),
    "nan pixel": (
        lambda: steps.L_layer_model(np.full((3, 4), np.nan), Y, [3, 1]),
        "L_layer_model: expected numbers in X, got nan or infinity.",
    ),
}


@pytest.mark.parametrize("mistake", DATA)
def test_data_mistakes(mistake: str) -> None:
    call, words = DATA[mistake]
    with pytest.raises(DataError) as caught:
        call()
    assert words in str(caught.value)
