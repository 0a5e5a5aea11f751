"""Back through all layers, the last one first.

``AL`` (1, m): the probabilities, above 0 and below 1; ``Y`` (1, m): the labels, the integers 0 or 1; ``caches``: the
list of the L caches that the forward kept, ((A_prev, W, b), Z) each, the first layer's first.
``linear_activation_backward(dA, cache, activation)`` is given, and so are ``linear_backward``, ``relu_backward`` and
``sigmoid_backward``. Layer L is a sigmoid, the others are relus. The loss of one example is
-(Y log AL + (1 - Y) log(1 - AL)); its slope for AL is yours to find.

Return the dictionary of the slopes of the cost, the mean of the losses: dW1, db1, ..., dWL, dbL, each in the shape of
its parameter. What else is in it, such as dA1, is not looked at. L may be 1.

Why it matters: each layer hands its dA_prev on to the layer before. One that is handed the wrong thing spoils all
before it.

>>> X, W1, b1 = np.array([[1.0, -1.0]]), np.array([[1.0], [0.5]]), np.array([[0.0], [1.5]])
>>> Z1, A1 = np.array([[1.0, -1.0], [2.0, 1.0]]), np.array([[1.0, 0.0], [2.0, 1.0]])
>>> caches = [((X, W1, b1), Z1), ((A1, np.array([[1.0, -1.0]]), np.zeros((1, 1))), np.array([[-1.0, -1.0]]))]
>>> grads = L_model_backward(np.array([[0.26894142, 0.26894142]]), np.array([[1, 0]]), caches)
>>> grads["dW2"], grads["db2"]
(array([[-0.36552929, -0.59658787]]), array([[-0.23105858]]))
>>> grads["dW1"]
array([[-0.36552929],
       [ 0.5       ]])
"""

from functools import partial

import numpy as np

from pellucid import textbook
from pellucid.textbook import (
    linear_activation_backward,
    linear_backward,
    relu_backward,
    sigmoid_backward,
)

OUTPUTS = ("grads",)
LOOPS = True
ALIKE = (
    {"wrong cache", "own layer's activation for the previous one's"},
    {"dAL wrong", "activation twice"},  # AL - Y instead of dAL
)


def cases(rng):
    X, W1, b1 = np.array([[1.0, -1.0]]), np.array([[1.0], [0.5]]), np.array([[0.0], [1.5]])
    A1, first = np.array([[1.0, 0.0], [2.0, 1.0]]), ((X, W1, b1), np.array([[1.0, -1.0], [2.0, 1.0]]))
    last = (A1, np.array([[1.0, -1.0]]), np.zeros((1, 1))), np.array([[-1.0, -1.0]])
    yield np.full((1, 2), 1 / (1 + np.e)), np.array([[1, 0]]), [first, last]
    for widths, m in (([4, 5, 3, 1], 6), ([5, 4, 2, 3, 1], 7), ([3, 1], 5)):
        parameters = {}
        for layer, (n_prev, n) in enumerate(zip(widths, widths[1:], strict=False), start=1):
            parameters[f"W{layer}"] = rng.standard_normal((n, n_prev)) / np.sqrt(n_prev) * 1.3
            parameters[f"b{layer}"] = rng.standard_normal((n, 1)) * 0.3
        AL, caches = textbook.L_model_forward(rng.standard_normal((widths[0], m)), parameters)
        Y = np.arange(m).reshape(1, m) % 3 % 2
        yield AL, Y, caches


def measured(AL, Y, caches):
    def cost(layer, name, array):
        A = caches[0][0][0]
        for i, ((_, W, b), _) in enumerate(caches, start=1):
            W, b = array if (i, name) == (layer, "W") else W, array if (i, name) == (layer, "b") else b
            Z = W @ A + b
            A = np.maximum(0, Z)
        return float(np.mean(np.logaddexp(0, Z) - Y * Z))

    return {
        f"d{name}{layer}": (array, partial(cost, layer, name))
        for layer, ((_, *both), _) in enumerate(caches, start=1)
        for name, array in zip("Wb", both, strict=True)
    }


def L_model_backward(AL, Y, caches):
    grads = {}
    L = len(caches)
    dAL = -(np.divide(Y, AL) - np.divide(1 - Y, 1 - AL))
    current_cache = caches[L - 1]
    dA_prev, dW, db = linear_activation_backward(dAL, current_cache, "sigmoid")
    grads["dA" + str(L - 1)] = dA_prev
    grads["dW" + str(L)] = dW
    grads["db" + str(L)] = db
    for l in reversed(range(L - 1)):
        current_cache = caches[l]
        dA_prev, dW, db = linear_activation_backward(grads["dA" + str(l + 1)], current_cache, "relu")
        grads["dA" + str(l)] = dA_prev
        grads["dW" + str(l + 1)] = dW
        grads["db" + str(l + 1)] = db
    return grads


def right_in_one_loop(AL, Y, caches):
    grads = {}
    dA = (1 - Y) / (1 - AL) - Y / AL
    activation = "sigmoid"
    for layer in range(len(caches), 0, -1):
        cache = caches[layer - 1]
        dA, dW, db = linear_activation_backward(dA, cache, activation)
        grads[f"dW{layer}"] = dW
        grads[f"db{layer}"] = db
        activation = "relu"
    return grads


def right_from_the_sums(AL, Y, caches):
    grads = {}
    dZ = AL - Y
    for layer in range(len(caches), 0, -1):
        linear_cache, _ = caches[layer - 1]
        dA, grads[f"dW{layer}"], grads[f"db{layer}"] = linear_backward(dZ, linear_cache)
        if layer > 1:
            Z = caches[layer - 2][1]
            dZ = relu_backward(dA, Z)
    return grads


def right_by_hand(AL, Y, caches):
    m = Y.shape[1]
    L = len(caches)
    dZ = AL - Y
    grads = {}
    for i in range(L - 1, -1, -1):
        (A_prev, W, b), Z = caches[i]
        if i < L - 1:
            dZ = dA * (Z > 0)
        grads[f"dW{i + 1}"] = dZ @ A_prev.T / m
        grads[f"db{i + 1}"] = dZ.sum(axis=1, keepdims=True) / m
        dA = W.T @ dZ
    return grads


def right_with_lists(AL, Y, caches):
    L = len(caches)
    dA = np.divide(1 - Y, 1 - AL) - np.divide(Y, AL)
    dWs, dbs = [], []
    for l in reversed(range(L)):
        if l == L - 1:
            dA, dW, db = linear_activation_backward(dA, caches[l], "sigmoid")
        else:
            dA, dW, db = linear_activation_backward(dA, caches[l], "relu")
        dWs.insert(0, dW)
        dbs.insert(0, db)
    grads = {"dW" + str(i + 1): dWs[i] for i in range(L)}
    grads.update({"db" + str(i + 1): dbs[i] for i in range(L)})
    return grads


def right_by_enumerate(AL, Y, caches):
    grads = {}
    L = len(caches)
    dA = -Y / AL + (1 - Y) / (1 - AL)
    for number, cache in enumerate(reversed(caches)):
        layer = L - number
        activation = "sigmoid" if layer == L else "relu"
        dA, dW, db = linear_activation_backward(dA, cache, activation)
        grads.update({f"dW{layer}": dW, f"db{layer}": db})
    return grads


def right_while(AL, Y, caches):
    layer = len(caches)
    slope = (AL - Y) / (AL * (1 - AL))
    slope, dW, db = linear_activation_backward(slope, caches[-1], "sigmoid")
    grads = {f"dW{layer}": dW, f"db{layer}": db}
    while layer > 1:
        layer -= 1
        slope, dW, db = linear_activation_backward(slope, caches[layer - 1], "relu")
        grads[f"dW{layer}"] = dW
        grads[f"db{layer}"] = db
    return grads


def right_sums_first(AL, Y, caches):
    L = len(caches)
    grads = {}
    for l in range(L, 0, -1):
        linear_cache, Z = caches[l - 1]
        A_prev, W, b = linear_cache
        if l == L:
            dA = -(np.divide(Y, AL) - np.divide(1 - Y, 1 - AL))
            dZ = sigmoid_backward(dA, Z)
        else:
            dA = grads["dA" + str(l)]
            dZ = relu_backward(dA, Z)
        dA_prev, dW, db = linear_backward(dZ, linear_cache)
        grads["dA" + str(l - 1)] = dA_prev
        grads["dW" + str(l)] = dW
        grads["db" + str(l)] = db
    return grads


def right_by_hand_in_two_parts(AL, Y, caches):
    grads, L, m = {}, len(caches), AL.shape[1]
    (A_prev, W, b), Z = caches[L - 1]
    dZ = AL - Y
    grads["dW" + str(L)] = 1 / m * np.dot(dZ, A_prev.T)
    grads["db" + str(L)] = 1 / m * np.sum(dZ, axis=1, keepdims=True)
    dA = np.dot(W.T, dZ)
    for l in range(L - 1, 0, -1):
        (A_prev, W, b), Z = caches[l - 1]
        dZ = np.array(dA, copy=True)
        dZ[Z <= 0] = 0
        grads["dW" + str(l)] = 1 / m * np.dot(dZ, A_prev.T)
        grads["db" + str(l)] = 1 / m * np.sum(dZ, axis=1, keepdims=True)
        dA = np.dot(W.T, dZ)
    return grads


def right_by_pop(AL, Y, caches):
    grads = {}
    rest = list(caches)
    dA = -(Y / AL - (1 - Y) / (1 - AL))
    activation = "sigmoid"
    while rest:
        l = str(len(rest))
        dA, grads["dW" + l], grads["db" + l] = linear_activation_backward(dA, rest.pop(), activation)
        activation = "relu"
    return grads


def right_with_all_dA(AL, Y, caches):
    L = len(caches)
    dAs = [None] * (L + 1)
    dAs[L] = (AL - Y) / AL / (1 - AL)
    grads = {}
    for l in range(L, 0, -1):
        kind = "relu" if l < L else "sigmoid"
        dAs[l - 1], dW, db = linear_activation_backward(dAs[l], caches[l - 1], kind)
        grads["dW" + str(l)], grads["db" + str(l)] = dW, db
    return grads


FAULTS = (
    ("dAL wrong", "-(np.divide(Y, AL) - np.divide(1 - Y, 1 - AL))", "AL - Y"),
    ("dAL wrong", "(1 - Y) / (1 - AL) - Y / AL", "AL - Y"),
    ("one term only", "-(np.divide(Y, AL) - np.divide(1 - Y, 1 - AL))", "-np.divide(Y, AL)"),
    ("fraction upside down", "- Y / AL", "- AL / np.maximum(Y, 1e-9)"),
    ("last layer relu", '(dAL, current_cache, "sigmoid")', '(dAL, current_cache, "relu")'),
    ("last layer relu", 'activation = "sigmoid"', 'activation = "relu"'),
    ("all layers sigmoid", 'current_cache, "relu"', 'current_cache, "sigmoid"'),
    ("all layers sigmoid", 'activation = "relu"', 'activation = "sigmoid"'),
    ("bias forgotten", "(Z > 0)", "(W @ A_prev > 0)"),
    ("not handed on", 'grads["dA" + str(l + 1)], current_cache', "dAL, current_cache"),
    ("not handed on", "dA, dW, db = linear_activation_backward", "_, dW, db = linear_activation_backward"),
    ("mean twice", "dZ = AL - Y", "dZ = (AL - Y) / Y.shape[1]"),
    ("mean twice", "dA = (1 - Y) / (1 - AL) - Y / AL", "dA = ((1 - Y) / (1 - AL) - Y / AL) / Y.shape[1]"),
    ("mask left out", "dZ = dA * (Z > 0)", "dZ = dA"),
    ("mask left out", "dZ = relu_backward(dA, Z)", "dZ = dA"),
    ("wrong cache", "current_cache = caches[l]", "current_cache = caches[l + 1]"),
    ("wrong cache", "current_cache = caches[l]", "current_cache = caches[0]"),
    ("wrong cache", "caches[L - 1]", "caches[0]"),
    ("own layer's activation for the previous one's", "caches[layer - 2][1]", "caches[layer - 1][1]"),
    ("wrong number of a layer", 'grads["dW" + str(l + 1)]', 'grads["dW" + str(l)]'),
    ("a layer too many or too few", "range(L - 1)", "range(L)"),
    ("a layer too many or too few", "range(L - 1)", "range(L - 2)"),
    ("a layer too many or too few", "range(len(caches), 0, -1)", "range(len(caches), 1, -1)"),
    ("a layer too many or too few", "range(L - 1, -1, -1)", "range(L - 1, 0, -1)"),
    ("forward order", "reversed(range(L - 1))", "range(L - 1)"),
    ("W after the update", "dA = W.T @ dZ", "dA = (W - grads[f'dW{i + 1}']).T @ dZ"),
    ("input modified", "dZ = AL - Y", "dZ = AL\n    dZ -= Y"),
    ("dAL wrong", "-Y / AL + (1 - Y) / (1 - AL)", "AL - Y"),
    ("one term only", "-Y / AL + (1 - Y) / (1 - AL)", "-Y / AL"),
    ("dAL wrong", "(AL - Y) / (AL * (1 - AL))", "AL - Y"),
    ("multiplied for divided", "(AL - Y) / (AL * (1 - AL))", "(AL - Y) * AL * (1 - AL)"),
    ("fraction upside down", "Y, 1 - AL) - np.divide(Y, AL)", "AL, 1 - Y + 1e-9) - np.divide(AL, Y + 1e-9)"),
    ("activation left out", "    dZ = AL - Y\n", "    dZ = (AL - Y) / (AL * (1 - AL))\n"),
    ("activation twice", "    dZ = AL - Y\n", "    dZ = (AL - Y) * AL * (1 - AL)\n"),
    ("sign", "-Y / AL + (1 - Y) / (1 - AL)", "Y / AL - (1 - Y) / (1 - AL)"),
    ("last layer relu", '(slope, caches[-1], "sigmoid")', '(slope, caches[-1], "relu")'),
    ("last layer relu", '"sigmoid" if layer == L else "relu"', '"relu"'),
    ("last layer relu", "dZ = sigmoid_backward(dA, Z)", "dZ = relu_backward(dA, Z)"),
    ("all layers sigmoid", '"sigmoid" if layer == L else "relu"', '"sigmoid"'),
    ("all layers sigmoid", 'caches[layer - 1], "relu"', 'caches[layer - 1], "sigmoid"'),
    ("all layers sigmoid", "dZ = relu_backward(dA, Z)", "dZ = sigmoid_backward(dA, Z)"),
    ("all layers sigmoid", 'caches[l], "relu"', 'caches[l], "sigmoid"'),
    ("activation swapped", '"sigmoid" if layer == L else "relu"', '"relu" if layer == L else "sigmoid"'),
    ("activation swapped", "if l == L - 1:", "if l != L - 1:"),
    ("bias forgotten", "dZ[Z <= 0]", "dZ[W @ A_prev <= 0]"),
    ("mask from dA", "dZ[Z <= 0]", "dZ[dA <= 0]"),
    ("mask from dA", "dA * (Z > 0)", "dA * (dA > 0)"),
    ("mask left out", "        dZ[Z <= 0] = 0\n", ""),
    ("not handed on", "        slope, dW, db", "        _, dW, db"),
    ("not handed on", 'dA = grads["dA" + str(l)]', "dA = AL - Y"),
    ("not handed on", 'dA = grads["dA" + str(l)]', 'dA = grads["dA" + str(L - 1)]'),
    ("mean twice", "(AL - Y) / (AL * (1 - AL))", "(AL - Y) / (AL * (1 - AL)) / Y.shape[1]"),
    (
        "mean twice",
        "np.divide(1 - Y, 1 - AL) - np.divide(Y, AL)",
        "(np.divide(1 - Y, 1 - AL) - np.divide(Y, AL)) / Y.shape[1]",
    ),
    ("1/m missing", "1 / m * np.dot(dZ, A_prev.T)", "np.dot(dZ, A_prev.T)"),
    ("1/m missing", "1 / m * np.sum(dZ, axis=1, keepdims=True)", "np.sum(dZ, axis=1, keepdims=True)"),
    ("wrong axis", "np.sum(dZ, axis=1, keepdims=True)", "np.sum(dZ, axis=0, keepdims=True)"),
    ("keepdims missing", "np.sum(dZ, axis=1, keepdims=True)", "np.sum(dZ, axis=1)"),
    ("wrong cache", "slope, caches[layer - 1]", "slope, caches[layer]"),
    ("wrong cache", "caches[-1]", "caches[0]"),
    ("wrong cache", "enumerate(reversed(caches))", "enumerate(caches)"),
    ("unpacked in the wrong order", "A_prev, W, b), Z = caches[", "W, A_prev, b), Z = caches["),
    ("wrong cache", "(A_prev, W, b), Z = caches[l - 1]", "(A_prev, W, b), _ = caches[l - 1]"),
    ("wrong number of a layer", "layer = L - number\n", "layer = L - number - 1\n"),
    ("wrong number of a layer", "layer = L - number\n", "layer = number + 1\n"),
    ("wrong number of a layer", '"dW" + str(i + 1): dWs[i]', '"dW" + str(i): dWs[i]'),
    ("wrong number of a layer", 'grads["db" + str(l + 1)]', 'grads["db" + str(l)]'),
    ("wrong number of a layer", "dWs.insert(0, dW)", "dWs.append(dW)"),
    ("a layer too many or too few", "while layer > 1:", "while layer > 2:"),
    ("a layer too many or too few", "while layer > 1:", "while layer > 0:"),
    ("a layer too many or too few", "range(L - 1, 0, -1)", "range(L - 1, 1, -1)"),
    ("a layer too many or too few", "range(L - 1, 0, -1)", "range(L - 1, -1, -1)"),
    ("a layer too many or too few", "range(L, 0, -1)", "range(L, 1, -1)"),
    ("a layer too many or too few", "reversed(range(L))", "reversed(range(1, L))"),
    ("forward order", "reversed(range(L))", "range(L)"),
    ("forward order", "range(L - 1, 0, -1)", "range(1, L)"),
    ("W and dW confused", "dA = W.T @ dZ", 'dA = grads[f"dW{i + 1}"].T @ dZ'),
    ("overwritten in the loop", "        layer = L - number\n", "        layer, grads = L - number, {}\n"),
    ("dAL wrong", "-(Y / AL - (1 - Y) / (1 - AL))", "AL - Y"),
    ("dAL wrong", "(AL - Y) / AL / (1 - AL)", "AL - Y"),
    ("input modified", "rest = list(caches)", "rest = caches"),
    ("wrong cache", "rest.pop()", "rest.pop(0)"),
    ("last layer relu", '"relu" if l < L else "sigmoid"', '"relu"'),
    ("all layers sigmoid", '"relu" if l < L else "sigmoid"', '"sigmoid"'),
    ("activation swapped", '"relu" if l < L else "sigmoid"', '"sigmoid" if l < L else "relu"'),
    ("not handed on", "dAs[l], caches", "dAs[L], caches"),
    ("wrong number of a layer", "l = str(len(rest))", "l = str(len(rest) - 1)"),
    ("wrong number of a layer", "l = str(len(rest))", "l = str(len(caches) - len(rest) + 1)"),
    ("a layer too many or too few", "    while rest:\n", "    while len(rest) > 1:\n"),
    ("mean twice", "(AL - Y) / AL / (1 - AL)", "(AL - Y) / AL / (1 - AL) / Y.shape[1]"),
    ("overwritten in the loop", "        kind = ", "        grads = {}\n        kind = "),
    ("returned in the wrong place", " = dW, db\n    return grads", " = dW, db\n        return grads"),
    ("wrong index", "caches[L - 1]", "caches[L]"),
    ("wrong number of a layer", '["dA" + str(l + 1)], current_cache', '["dA" + str(l + 2)], current_cache'),
    ("wrong number of a layer", 'grads["dW" + str(L)]', 'grads["dW" + str(L - 1)]'),
    ("unpacked in the wrong order", "dA, dW, db", "dW, dA, db"),
    ("order of arguments", "(dA, cache, activation)", "(cache, dA, activation)"),
    ("order of arguments", "relu_backward(dA, Z)", "relu_backward(Z, dA)"),
)
