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
GIVEN = ("linear_activation_forward",)
LOOPS = True
ALIKE = (
    {"always the input", "a layer too many or too few"},  # of two layers
    {"a cache not kept", "caches overwritten"},
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


FAULTS = (
    ("last layer relu", 'activation="sigmoid"', 'activation="relu"'),
    ("last layer relu", 'activation = "relu" if layer < L else "sigmoid"', 'activation = "relu"'),
    ("all layers sigmoid", 'activation="relu"', 'activation="sigmoid"'),
    ("all layers sigmoid", 'activation = "relu" if layer < L else "sigmoid"', 'activation = "sigmoid"'),
    ("always the input", "A_prev = A\n", "A_prev = X\n"),
    (
        "always the input",
        "linear_activation_forward(A, W, b, activation)",
        "linear_activation_forward(X, W, b, activation)",
    ),
    (
        "always the input",
        "\n        A, parameters[",
        "\n        X, parameters[",
    ),
    ("a layer too many or too few", "len(parameters) // 2", "len(parameters) // 2 - 1"),
    ("a layer too many or too few", "len(parameters) // 2", "len(parameters)"),
    ("a layer too many or too few", "range(1, L):", "range(1, L + 1):"),
    ("a layer too many or too few", "range(1, L):", "range(1, L - 1):"),
    ("a layer too many or too few", "range(1, L):", "range(2, L):"),
    ("a layer too many or too few", "layer < L else", "layer < L - 1 else"),
    (
        "wrong number of a layer",
        'parameters["W" + str(L)], parameters["b" + str(L)]',
        'parameters["W" + str(l)], parameters["b" + str(l)]',
    ),
    ("wrong number of a layer", '"b" + str(l)', '"b" + str(l + 1)'),
    ("a cache not kept", "caches.append(cache)\n    return", "return"),
    ("a cache not kept", "        caches.append(cache)\n    AL", "    AL"),
    ("a cache not kept", "        caches.append(cache)\n    return A", "    return A"),
    ("caches in the wrong order", "return AL, caches", "return AL, caches[::-1]"),
    ("caches in the wrong order", "caches.append(cache)", "caches.insert(0, cache)"),
    ("caches overwritten", "caches.append(cache)", "caches = [cache]"),
    ("caches in the wrong order", "caches.append(cache)", "caches.extend(cache)"),
    ("returned in the wrong order", "return AL, caches", "return caches, AL"),
    ("cache missing", "return AL, caches", "return AL"),
    ("cache missing", "return A, caches", "return A"),
    ("returns the layer before", "return AL, caches", "return A, caches"),
    ("input modified", "A = X\n", "A = X\n    X -= X.mean()\n"),
)
