"""One step downhill.

``parameters`` holds W1, b1, ..., WL, bL; ``grads`` holds dW1, db1, ..., dWL, dbL, and may hold others, such as dA1;
``learning_rate`` is a number above 0.

Return a new dictionary of the parameters, each minus ``learning_rate`` times its slope. The dictionary that you were
given and its arrays stay as they are.

Why it matters: with the wrong sign the cost climbs. And a function that changes its caller's arrays is found days
later.

>>> update_parameters({"W1": np.array([[1.0]]), "b1": np.array([[0.0]])}, {"dW1": np.array([[4.0]]), "db1": np.array([[-2.0]])}, 0.5)
{'W1': array([[-1.]]), 'b1': array([[1.]])}
"""

import copy

import numpy as np

OUTPUTS = ("parameters",)
LOOPS = True
GIVEN_LINES = "import copy\n"


def cases(rng):
    parameters = {"W1": np.array([[1.0]]), "b1": np.array([[0.0]])}
    yield parameters, {"dW1": np.array([[4.0]]), "db1": np.array([[-2.0]])}, 0.5
    for widths, rate in (([4, 3, 1], 0.3), ([2, 5, 3, 1], 0.07)):
        parameters, grads = {}, {}
        for layer, (n_prev, n) in enumerate(zip(widths, widths[1:], strict=False), start=1):
            parameters[f"W{layer}"] = rng.standard_normal((n, n_prev))
            parameters[f"b{layer}"] = rng.standard_normal((n, 1))
            grads[f"dA{layer - 1}"] = rng.standard_normal((n_prev, 6))
            grads[f"dW{layer}"], grads[f"db{layer}"] = (
                rng.standard_normal((n, n_prev)),
                rng.standard_normal((n, 1)),
            )
        yield parameters, grads, rate


def update_parameters(parameters, grads, learning_rate):
    parameters = parameters.copy()
    L = len(parameters) // 2
    for l in range(L):
        parameters["W" + str(l + 1)] = parameters["W" + str(l + 1)] - learning_rate * grads["dW" + str(l + 1)]
        parameters["b" + str(l + 1)] = parameters["b" + str(l + 1)] - learning_rate * grads["db" + str(l + 1)]
    return parameters


def right_by_comprehension(parameters, grads, learning_rate):
    return {name: p - learning_rate * grads["d" + name] for name, p in parameters.items()}


def right_on_a_copy(parameters, grads, learning_rate):
    new = copy.deepcopy(parameters)
    for name in new:
        new[name] -= learning_rate * grads[f"d{name}"]
    return new


def right_in_steps(parameters, grads, learning_rate):
    updated = {}
    for name, value in parameters.items():
        slope = grads["d" + name]
        step = learning_rate * slope
        updated[name] = value - step
    return updated


def right_by_layers(parameters, grads, learning_rate):
    L = len(parameters) // 2
    new = {}
    for layer in range(1, L + 1):
        W, b = parameters[f"W{layer}"], parameters[f"b{layer}"]
        dW, db = grads[f"dW{layer}"], grads[f"db{layer}"]
        new[f"W{layer}"] = W - learning_rate * dW
        new[f"b{layer}"] = b - learning_rate * db
    return new


FAULTS = (
    ("in place on the caller's dictionary", "parameters = parameters.copy()", "pass"),
    ("in place on the caller's arrays", "copy.deepcopy(parameters)", "dict(parameters)"),
    ("in place on the caller's arrays", "copy.deepcopy(parameters)", "parameters.copy()"),
    ("in place on the caller's dictionary", "copy.deepcopy(parameters)", "parameters"),
    ("in place on the caller's dictionary", "updated = {}", "updated = parameters"),
    ("learning rate left out", "p - learning_rate * grads", "p - grads"),
    ("learning rate left out", "step = learning_rate * slope", "step = slope"),
    ("slope alone", "p - learning_rate * grads", "-learning_rate * grads"),
    ("slope alone", "updated[name] = value - step", "updated[name] = step"),
    ("a layer too many or too few", "range(L)", "range(L - 1)"),
    ("a layer too many or too few", "range(L)", "range(1, L)"),
    ("a layer too many or too few", "range(1, L + 1)", "range(1, L)"),
    (
        "biases left out",
        '        new[f"b{layer}"] = b - learning_rate * db\n',
        '        new[f"b{layer}"] = b\n',
    ),
    ("divided by the learning rate", "step = learning_rate * slope", "step = slope / learning_rate"),
    ("wrong number of a layer", 'grads["dW" + str(l + 1)]', 'grads["dW1"]'),
    ("returns the old parameters", "return updated", "return parameters"),
    ("returns the old parameters", "    return new\n", "    return parameters\n"),
    (
        "learning rate changed",
        "step = learning_rate * slope",
        "learning_rate *= 0.9\n        step = learning_rate * slope",
    ),
    ("squared slope", "step = learning_rate * slope", "step = learning_rate * slope**2"),
    ("sign of the slope alone", "step = learning_rate * slope", "step = learning_rate * np.sign(slope)"),
)
