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


def cases(rng):
    parameters = {"W1": np.array([[1.0]]), "b1": np.array([[0.0]])}
    yield parameters, {"dW1": np.array([[4.0]]), "db1": np.array([[-2.0]])}, 0.5
    for widths, rate in (([4, 3, 1], 0.3), ([2, 5, 3, 1], 0.07)):
        parameters, grads = {}, {}
        for layer, (n_prev, n) in enumerate(zip(widths, widths[1:], strict=False), start=1):
            parameters[f"W{layer}"] = rng.standard_normal((n, n_prev))
            parameters[f"b{layer}"] = rng.standard_normal((n, 1))
            grads[f"dA{layer - 1}"] = rng.standard_normal((n_prev, 6))
            grads[f"dW{layer}"] = rng.standard_normal((n, n_prev))
            grads[f"db{layer}"] = rng.standard_normal((n, 1))
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


def right_by_literal(parameters, grads, learning_rate):
    L = len(parameters) // 2
    weights = {f"W{l}": parameters[f"W{l}"] - learning_rate * grads[f"dW{l}"] for l in range(1, L + 1)}
    biases = {f"b{l}": parameters[f"b{l}"] - learning_rate * grads[f"db{l}"] for l in range(1, L + 1)}
    return {**weights, **biases}


def right_by_keys(parameters, grads, learning_rate):
    new = dict(parameters)
    for key in list(parameters):
        new[key] = new[key] - np.multiply(learning_rate, grads["d" + key])
    return new


def right_while(parameters, grads, learning_rate):
    updated = dict()
    l = 1
    while "W" + str(l) in parameters:
        W_key, b_key = "W" + str(l), "b" + str(l)
        updated[W_key] = parameters[W_key] - learning_rate * grads["d" + W_key]
        updated[b_key] = parameters[b_key] - learning_rate * grads["d" + b_key]
        l = l + 1
    return updated


def right_on_copies_of_arrays(parameters, grads, learning_rate):
    params = {}
    for name in parameters:
        value = parameters[name].copy()
        value -= learning_rate * grads[f"d{name}"]
        params[name] = value
    return params


def right_by_kinds(parameters, grads, learning_rate):
    new = {}
    for kind in ("W", "b"):
        for layer in range(1, len(parameters) // 2 + 1):
            name = kind + str(layer)
            step = -learning_rate * grads["d" + name]
            new[name] = parameters[name] + step
    return new


FAULTS = (
    ("in place on the caller's dictionary", "parameters = parameters.copy()", "pass"),
    ("in place on the caller's arrays", "copy.deepcopy(parameters)", "dict(parameters)"),
    ("in place on the caller's arrays", "copy.deepcopy(parameters)", "parameters.copy()"),
    ("in place on the caller's dictionary", "copy.deepcopy(parameters)", "parameters"),
    ("in place on the caller's dictionary", "updated = {}", "updated = parameters"),
    ("slope alone", "p - learning_rate * grads", "-learning_rate * grads"),
    ("slope alone", "updated[name] = value - step", "updated[name] = step"),
    ("a layer too many or too few", "range(L)", "range(L - 1)"),
    ("a layer too many or too few", "range(L)", "range(1, L)"),
    ("a layer too many or too few", "range(1, L + 1)", "range(1, L)"),
    ("biases left out", '        new[f"b{layer}"] = b - learning_rate * db', '        new[f"b{layer}"] = b'),
    ("divided by the learning rate", "step = learning_rate * slope", "step = slope / learning_rate"),
    ("wrong number of a layer", 'grads["dW" + str(l + 1)]', 'grads["dW1"]'),
    ("returns the old parameters", "return updated", "return parameters"),
    ("returns the old parameters", "    return new\n", "    return parameters\n"),
    ("learning rate changed", "step = learning_rate", "learning_rate *= 0.9\n        step = learning_rate"),
    ("squared slope", "step = learning_rate * slope", "step = learning_rate * slope**2"),
    ("sign of the slope alone", "step = learning_rate * slope", "step = learning_rate * np.sign(slope)"),
    ("in place on the caller's dictionary", "new = dict(parameters)", "new = parameters"),
    ("in place on the caller's dictionary", "updated = dict()", "updated = parameters"),
    ("in place on the caller's dictionary", "params = {}", "params = parameters"),
    ("in place on the caller's arrays", "value = parameters[name].copy()", "value = parameters[name]"),
    ("in place on the caller's arrays", "new[key] = new[key] - np", "new[key] -= np"),
    (
        "in place on the caller's arrays",
        "            new[name] = parameters[name] + step\n",
        "            parameters[name] += step\n            new[name] = parameters[name]\n",
    ),
    ("in place on the caller's dictionary", "= W", '= parameters[f"W{layer}"] = W'),
    ("sign", 'learning_rate * grads[f"d{name}"]', '-learning_rate * grads[f"d{name}"]'),
    ("learning rate left out", 'np.multiply(learning_rate, grads["d" + key])', 'grads["d" + key]'),
    ("learning rate left out", "step = -learning_rate * grads", "step = -grads"),
    ("slope alone", "new[name] = parameters[name] + step", "new[name] = step"),
    ("slope alone", "new[key] = new[key] - np", "new[key] = -np"),
    ("slope alone", "= W - learning_rate * dW", "= learning_rate * dW"),
    ("slope alone", "parameters[W_key] - learning_rate * grads", "learning_rate * grads"),
    ("a layer too many or too few", "range(1, len(parameters) // 2 + 1)", "range(1, len(parameters) // 2)"),
    ("a layer too many or too few", "len(parameters) // 2\n", "len(parameters) // 2 - 1\n"),
    ("a layer too many or too few", "len(parameters) // 2\n", "len(parameters)\n"),
    ("a layer too many or too few", "range(L)", "range(L + 1)"),
    ("a layer too many or too few", "    l = 1\n", "    l = 2\n"),
    ("a layer too many or too few", "range(1, L + 1)", "range(2, L + 1)"),
    ("biases left out", ' parameters[b_key] - learning_rate * grads["d" + b_key]\n', " parameters[b_key]\n"),
    (
        "biases left out",
        '        parameters["b" + str(l + 1)] = parameters["b" + str(l + 1)] - learning_rate * grads["db" + str(l + 1)]\n',
        "",
    ),
    ("biases left out", 'for kind in ("W", "b"):', 'for kind in ("W",):'),
    ("biases left out", "return {**weights, **biases}", "return weights"),
    ("biases left out", "p in parameters.items()", 'p in parameters.items() if name.startswith("W")'),
    ("biases left out", "for key in list(parameters)", 'for key in [k for k in parameters if k[0] == "W"]'),
    ("divided by the learning rate", "learning_rate * dW", "dW / learning_rate"),
    (
        "divided by the learning rate",
        'np.multiply(learning_rate, grads["d" + key])',
        'grads["d" + key] / learning_rate',
    ),
    ("wrong number of a layer", 'grads["dW" + str(l + 1)]', 'grads["dW" + str(l)]'),
    ("wrong number of a layer", 'grads[f"dW{l}"]', 'grads[f"dW{L}"]'),
    ("wrong number of a layer", 'grads[f"db{layer}"]', 'grads["db1"]'),
    ("wrong name", 'grads["db" + str(l + 1)]', 'grads["dW" + str(l + 1)]'),
    ("wrong name", 'grads["d" + b_key]', 'grads["d" + W_key]'),
    ("wrong name", 'grads["d" + name]', "grads[name]"),
    ("wrong name", 'grads["d" + key]', "grads[key]"),
    ("wrong name", '[f"W{layer}"], parameters[f"b{layer}"]', '[f"W{layer}"], parameters[f"W{layer}"]'),
    ("wrong name", 'new[f"b{layer}"] = b', 'new[f"W{layer}"] = b'),
    ("wrong name", "        updated[b_key] = ", "        updated[W_key] = "),
    ("W and dW confused", "W - learning_rate * dW", "dW - learning_rate * W"),
    ("returns the old parameters", "return params\n", "return parameters\n"),
    ("returns the old parameters", "        params[name] = value", "        params[name] = parameters[name]"),
    ("learning rate changed", "            step", "            learning_rate *= 0.9\n            step"),
    ("squared slope", "learning_rate * dW", "learning_rate * dW**2"),
    ("squared slope", 'grads[f"d{name}"]', 'grads[f"d{name}"] ** 2'),
    ("sign of the slope alone", "learning_rate * dW", "learning_rate * np.sign(dW)"),
    ("sign of the slope alone", 'grads["d" + key]', 'np.sign(grads["d" + key])'),
    ("overwritten in the loop", "        slope = grads", "        updated = {}\n        slope = grads"),
    ("overwritten in the loop", "        W_key, b_key", "        updated = dict()\n        W_key, b_key"),
    ("overwritten in the loop", "value = parameters[name]", "params = {}\n        value = parameters[name]"),
    ("overwritten in the loop", "        for layer in range", "        new = {}\n        for layer in range"),
    ("returned in the wrong place", "    return updated\n", "        return updated\n"),
    ("returned in the wrong place", "    return params\n", "        return params\n"),
    ("multiplied for added", "new[name] = parameters[name] + step", "new[name] = parameters[name] * step"),
    ("divided by m too often", "learning_rate * slope", "learning_rate * slope / slope.shape[1]"),
    ("sum too many", "learning_rate * db", "learning_rate * np.sum(db)"),
)
