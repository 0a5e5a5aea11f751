"""From the pixels to a probability, through all layers.

``X`` (n_x, m); ``parameters`` holds W1, b1, W2, b2, ..., WL, bL.
``linear_activation_forward(A_prev, W, b, activation)`` is given. Layers 1 to L - 1 use "relu", the last one, L,
"sigmoid". L may be 1.

Return ``(AL, caches)``: AL (1, m), the last layer's outputs, and the list of the L caches, the first layer's first:
each holds its layer's A_prev, W, b and Z, as ``linear_activation_forward`` returns them or in a layout of your own.

Why it matters: L is read from the parameters; a network of any depth runs through the same few lines.

>>> parameters = {"W1": np.array([[1.0], [-1.0]]), "b1": np.zeros((2, 1)), "W2": np.array([[1.0, 2.0]]), "b2": np.zeros((1, 1))}
>>> AL, caches = L_model_forward(np.array([[1.0, -1.0]]), parameters)
>>> AL
array([[0.73105858, 0.88079708]])
>>> len(caches)
2
"""

import numpy as np

from pellucid.textbook import linear_activation_forward

OUTPUTS = "AL", "caches"
LOOPS = True
ALIKE = (
    {"always the input", "a layer too many or too few", "wrong index"},  # of two layers
    {"a cache not kept", "caches overwritten", "overwritten in the loop"},
)


def cases(rng):
    W1, W2 = np.array([[1.0], [-1.0]]), np.array([[1.0, 2.0]])
    yield np.array([[1.0, -1.0]]), {"W1": W1, "b1": np.zeros((2, 1)), "W2": W2, "b2": np.zeros((1, 1))}
    for widths, m in (([4, 5, 3, 1], 6), ([3, 1], 5), ([5, 4, 2, 3, 1], 7)):
        parameters = {}
        for layer, (n_prev, n) in enumerate(zip(widths, widths[1:], strict=False), start=1):
            parameters[f"W{layer}"] = rng.standard_normal((n, n_prev))
            parameters[f"b{layer}"] = rng.standard_normal((n, 1))
        yield rng.standard_normal((widths[0], m)), parameters


def L_model_forward(X, parameters):
    caches = []
    A = X
    L = len(parameters) // 2
    for l in range(1, L):
        A_prev = A
        A, cache = linear_activation_forward(
            A_prev, parameters["W" + str(l)], parameters["b" + str(l)], activation="relu"
        )
        caches.append(cache)
    AL, cache = linear_activation_forward(
        A, parameters["W" + str(L)], parameters["b" + str(L)], activation="sigmoid"
    )
    caches.append(cache)
    return AL, caches


def right_in_one_loop(X, parameters):
    L = len(parameters) // 2
    A, caches = X, []
    for layer in range(1, L + 1):
        W, b = parameters[f"W{layer}"], parameters[f"b{layer}"]
        activation = "relu" if layer < L else "sigmoid"
        A, cache = linear_activation_forward(A, W, b, activation)
        caches.append(cache)
    return A, caches


def right_by_hand(X, parameters):
    L = max(int(name[1:]) for name in parameters)
    caches = []
    A_prev = X
    for i in range(L):
        W = parameters[f"W{i + 1}"]
        b = parameters[f"b{i + 1}"]
        Z = W @ A_prev + b
        if i == L - 1:
            A = 1 / (1 + np.exp(-Z))
        else:
            A = np.maximum(0, Z)
        caches.append(((A_prev, W, b), Z))
        A_prev = A
    return A, caches


def right_all_activations(X, parameters):
    L = len(parameters) // 2
    activations = [X]
    caches = []
    for l in range(1, L + 1):
        W = parameters["W" + str(l)]
        b = parameters["b" + str(l)]
        if l == L:
            A, cache = linear_activation_forward(activations[l - 1], W, b, "sigmoid")
        else:
            A, cache = linear_activation_forward(activations[l - 1], W, b, "relu")
        activations.append(A)
        caches.append(cache)
    return activations[-1], caches


def right_while(X, parameters):
    caches, A, layer = [], X, 1
    while f"W{layer + 1}" in parameters:
        A, cache = linear_activation_forward(A, parameters[f"W{layer}"], parameters[f"b{layer}"], "relu")
        caches += [cache]
        layer += 1
    AL, cache = linear_activation_forward(A, parameters[f"W{layer}"], parameters[f"b{layer}"], "sigmoid")
    caches += [cache]
    return AL, caches


def right_by_list_of_activations(X, parameters):
    L = len(parameters) // 2
    kinds = ["relu"] * (L - 1) + ["sigmoid"]
    caches = []
    A = X
    for number, kind in enumerate(kinds, start=1):
        keys = f"W{number}", f"b{number}"
        W, b = parameters[keys[0]], parameters[keys[1]]
        A, cache = linear_activation_forward(A, W, b, kind)
        caches.append(cache)
    return A, caches


def right_by_hand_in_two_parts(X, parameters):
    L = len(parameters) // 2
    caches = []
    A = X
    for l in range(1, L):
        A_prev = A
        W = parameters["W" + str(l)]
        b = parameters["b" + str(l)]
        Z = np.dot(W, A_prev) + b
        A = Z * (Z > 0)
        caches.append(((A_prev, W, b), Z))
    WL, bL = parameters["W" + str(L)], parameters["b" + str(L)]
    ZL = np.dot(WL, A) + bL
    AL = 1 / (1 + np.exp(-ZL))
    caches.append(((A, WL, bL), ZL))
    return AL, caches


def right_filled(X, parameters):
    weights = [name for name in parameters if name.startswith("W")]
    L = len(weights)
    caches = [None] * L
    A = X
    for l in range(L):
        A_prev = A
        activation = "sigmoid"
        if l + 1 < L:
            activation = "relu"
        A, caches[l] = linear_activation_forward(
            A_prev, parameters["W" + str(l + 1)], parameters["b" + str(l + 1)], activation
        )
    return A, caches


def right_by_pairs(X, parameters):
    L = len(parameters) // 2
    weights = [parameters["W" + str(l)] for l in range(1, L + 1)]
    biases = [parameters["b" + str(l)] for l in range(1, L + 1)]
    A, caches = X, []
    for W, b in zip(weights[:-1], biases[:-1], strict=True):
        A, cache = linear_activation_forward(A, W, b, "relu")
        caches.append(cache)
    AL, cache = linear_activation_forward(A, weights[-1], biases[-1], "sigmoid")
    caches.append(cache)
    return AL, caches


def right_with_keys(X, parameters):
    caches, A_prev = [], X
    L = int(len(parameters) / 2)
    for l in range(L - 1):
        W_key, b_key = f"W{l + 1}", f"b{l + 1}"
        A, cache = linear_activation_forward(A_prev, parameters[W_key], parameters[b_key], "relu")
        caches.append(cache)
        A_prev = A
    AL, cache = linear_activation_forward(A_prev, parameters[f"W{L}"], parameters[f"b{L}"], "sigmoid")
    return AL, [*caches, cache]


FAULTS = (
    ("last layer relu", 'activation="sigmoid"', 'activation="relu"'),
    ("last layer relu", 'activation = "relu" if layer < L else "sigmoid"', 'activation = "relu"'),
    ("all layers sigmoid", 'activation="relu"', 'activation="sigmoid"'),
    ("all layers sigmoid", 'activation = "relu" if layer < L else "sigmoid"', 'activation = "sigmoid"'),
    ("always the input", "A_prev = A\n", "A_prev = X\n"),
    ("always the input", "(A, W, b, activation)", "(X, W, b, activation)"),
    ("always the input", "\n        A, parameters[", "\n        X, parameters["),
    ("a layer too many or too few", "len(parameters) // 2", "len(parameters) // 2 - 1"),
    ("a layer too many or too few", "len(parameters) // 2", "len(parameters)"),
    ("a layer too many or too few", "range(1, L):", "range(1, L + 1):"),
    ("a layer too many or too few", "range(1, L):", "range(1, L - 1):"),
    ("a layer too many or too few", "range(1, L):", "range(2, L):"),
    ("wrong condition", "layer < L else", "layer < L - 1 else"),
    ("wrong number of a layer", '" + str(L)], parameters["b" + str(L', '" + str(l)], parameters["b" + str(l'),
    ("wrong number of a layer", '"b" + str(l)', '"b" + str(l + 1)'),
    ("a cache not kept", "caches.append(cache)\n    return", "return"),
    ("a cache not kept", "        caches.append(cache)\n    AL", "    AL"),
    ("a cache not kept", "        caches.append(cache)\n    return A", "    return A"),
    ("caches in the wrong order", "return AL, caches", "return AL, caches[::-1]"),
    ("caches in the wrong order", "caches.append(cache)", "caches.insert(0, cache)"),
    ("caches overwritten", "caches.append(cache)", "caches = [cache]"),
    ("another function", "caches.append(cache)", "caches.extend(cache)"),
    ("cache missing", "return AL, caches", "return AL"),
    ("cache missing", "return A, caches", "return A"),
    ("returns the layer before", "return AL, caches", "return A, caches"),
    ("input modified", "A = X\n", "A = X\n    X -= X.mean()\n"),
    ("last layer relu", "if l == L:", "if l > L:"),
    ("last layer relu", '["relu"] * (L - 1) + ["sigmoid"]', '["relu"] * L'),
    ("last layer relu", "AL = 1 / (1 + np.exp(-ZL))", "AL = np.maximum(0, ZL)"),
    ("last layer relu", 'parameters[f"b{layer}"], "sigmoid")', 'parameters[f"b{layer}"], "relu")'),
    ("last layer relu", 'activation = "sigmoid"\n', 'activation = "relu"\n'),
    ("all layers sigmoid", "if l == L:", "if l <= L:"),
    ("all layers sigmoid", '["relu"] * (L - 1) + ["sigmoid"]', '["sigmoid"] * L'),
    ("all layers sigmoid", "A = Z * (Z > 0)", "A = 1 / (1 + np.exp(-Z))"),
    ("all layers sigmoid", 'activation = "relu"\n', 'activation = "sigmoid"\n'),
    ("always the input", "activations[l - 1], W, b,", "activations[0], W, b,"),
    ("always the input", "(A, W, b, kind)", "(X, W, b, kind)"),
    ("always the input", "np.dot(W, A_prev) + b", "np.dot(W, X) + b"),
    ("wrong index", "activations[l - 1], W, b,", "activations[l - 2], W, b,"),
    ("activation swapped", "if l == L:", "if l != L:"),
    ("activation swapped", "layer < L else", "layer >= L else"),
    ("activation swapped", "if l + 1 < L:", "if l + 1 >= L:"),
    ("a layer too many or too few", "range(1, L + 1)", "range(1, L)"),
    ("last layer relu", "if l + 1 < L:", "if l < L:"),
    ("last layer relu", "if i == L - 1:", "if i == L:"),
    ("a layer too many or too few", 'while f"W{layer + 1}" in', 'while f"W{layer}" in'),
    ("a layer too many or too few", 'while f"W{layer + 1}" in', 'while f"W{layer + 2}" in'),
    ("a layer too many or too few", '["relu"] * (L - 1)', '["relu"] * (L - 2)'),
    ("wrong number of a layer", 'f"b{number}"', 'f"b{number - 1}"'),
    ("wrong number of a layer", 'parameters["W" + str(l + 1)]', 'parameters["W" + str(l)]'),
    ("wrong variable", 'WL, bL = parameters["W" + str(L)], parameters["b" + str(L)]', "WL, bL = W, b"),
    ("wrong name", 'b = parameters["b" + str(l)]', 'b = parameters["W" + str(l)]'),
    ("a cache not kept", "    caches += [cache]\n    return", "    return"),
    ("a cache not kept", "    caches.append(((A, WL, bL), ZL))\n", ""),
    ("caches overwritten", "caches += [cache]", "caches = [cache]"),
    ("caches overwritten", "A, caches[l] = ", "A, caches[0] = "),
    ("cache holds A", "caches.append(((A_prev, W, b), Z))", "caches.append(((A_prev, W, b), A))"),
    ("wrong variable", "caches.append(((A, WL, bL), ZL))", "caches.append(((AL, WL, bL), ZL))"),
    ("wrong variable", "caches.append(((A_prev, W, b), Z))", "caches.append(((A, W, b), Z))"),
    ("cache lacks a part", "caches.append(((A_prev, W, b), Z))", "caches.append((A_prev, W, b))"),
    ("always the input", "        A_prev = A\n    return", "    return"),
    (
        "always the input",
        "    for l in range(1, L):\n        A_prev = A\n",
        "    A_prev = A\n    for l in range(1, L):\n",
    ),
    ("relu missing", "A = Z * (Z > 0)", "A = Z"),
    ("relu missing", "A = np.maximum(0, Z)", "A = Z"),
    ("returns the sums", "AL = 1 / (1 + np.exp(-ZL))", "AL = ZL"),
    ("returned in the wrong place", "(cache)\n    return A, caches", "(cache)\n        return A, caches"),
    ("returns the layer before", "activations[-1]", "activations[-2]"),
    ("returns the sums", "return A, caches", "return caches[-1][1], caches"),
    ("overwritten in the loop", "        A_prev = A\n", "        A_prev, caches = A, []\n"),
    ("always the input", '(A, W, b, "relu")', '(X, W, b, "relu")'),
    ("always the input", "        A_prev = A\n    AL", "    AL"),
    ("all layers sigmoid", '(A, W, b, "relu")', '(A, W, b, "sigmoid")'),
    ("all layers sigmoid", 'parameters[b_key], "relu")', 'parameters[b_key], "sigmoid")'),
    ("last layer relu", 'weights[-1], biases[-1], "sigmoid")', 'weights[-1], biases[-1], "relu")'),
    ("last layer relu", 'parameters[f"b{L}"], "sigmoid")', 'parameters[f"b{L}"], "relu")'),
    ("a layer too many or too few", "zip(weights[:-1], biases[:-1]", "zip(weights, biases"),
    ("a layer too many or too few", "zip(weights[:-1], biases[:-1]", "zip(weights[1:-1], biases[1:-1]"),
    ("a layer too many or too few", "range(L - 1)", "range(L)"),
    ("a layer too many or too few", "range(L - 1)", "range(L - 2)"),
    ("a layer too many or too few", "range(L - 1)", "range(1, L - 1)"),
    ("wrong number of a layer", 'f"b{l + 1}"', 'f"b{l}"'),
    ("a cache not kept", "AL, [*caches, cache]", "AL, caches"),
    ("caches in the wrong order", "[*caches, cache]", "[cache, *caches]"),
    ("order of arguments", "(A, W, b, activation)", "(W, A, b, activation)"),
    ("order of arguments", "(A, W, b, kind)", "(A, b, W, kind)"),
    (
        "a pair for its first part",
        "A, cache = linear_activation_forward(A, W, b, kind)\n        caches.append(cache)",
        "A = linear_activation_forward(A, W, b, kind)\n        caches.append(A[1])",
    ),
)
