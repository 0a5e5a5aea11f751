"""Draw the first weights of a network of any depth.

``layer_dims`` lists the widths, the input's first: [12288, 20, 7, 5, 1]. Return a dictionary with, for each layer l
from 1 on, ``W{l}`` of shape (n_l, n_{l-1}) and ``b{l}`` of shape (n_l, 1). Weights are standard normal numbers divided
by the square root of n_{l-1}; biases are 0. All are arrays of floats.

Draw from one ``rng = np.random.RandomState(1)``, made once in the function: W1 first, then W2, and so on, with
``rng.randn``.

Why it matters: the sum of n numbers is about sqrt(n) times as large as one of them. Divided so, the sums of wide layers
are as large as those of narrow ones, and a deep network learns at all.

>>> parameters = initialize_parameters_deep([4, 3, 1])
>>> {name: p.shape for name, p in sorted(parameters.items())}
{'W1': (3, 4), 'W2': (1, 3), 'b1': (3, 1), 'b2': (1, 1)}
>>> parameters["W1"][0]
array([ 0.81217268, -0.30587821, -0.26408588, -0.53648431])
"""

import numpy as np

OUTPUTS = ("parameters",)
LOOPS = True


def cases(rng):
    yield ([4, 3, 1],)
    yield ([5, 2, 3, 1],)
    yield ([7, 4, 2, 3, 2],)


def initialize_parameters_deep(layer_dims):
    rng = np.random.RandomState(1)
    parameters = {}
    L = len(layer_dims)
    for l in range(1, L):
        parameters["W" + str(l)] = rng.randn(layer_dims[l], layer_dims[l - 1]) / np.sqrt(layer_dims[l - 1])
        parameters["b" + str(l)] = np.zeros((layer_dims[l], 1))
    return parameters


def right_by_pairs(layer_dims):
    rng = np.random.RandomState(1)
    parameters = {}
    for layer, (n_prev, n) in enumerate(zip(layer_dims[:-1], layer_dims[1:], strict=True), start=1):
        scale = np.sqrt(1 / n_prev)
        W = rng.randn(n, n_prev) * scale
        b = np.zeros((n, 1))
        parameters[f"W{layer}"] = W
        parameters[f"b{layer}"] = b
    return parameters


def right_in_two_loops(layer_dims):
    random, n_layers = np.random.RandomState(1), len(layer_dims) - 1
    weights = {}
    for i in range(n_layers):
        rows, columns = layer_dims[i + 1], layer_dims[i]
        drawn = random.randn(rows, columns)
        weights[f"W{i + 1}"] = drawn / columns**0.5
    biases = {f"b{i + 1}": np.zeros((layer_dims[i + 1], 1)) for i in range(n_layers)}
    return {**weights, **biases}


FAULTS = (
    ("seed inside", "rng = np.random.RandomState(1)", "np.random.seed(1); rng = np.random"),
    ("seed missing", "np.random.RandomState(1)", "np.random.RandomState()"),
    ("seed missing", "np.random.RandomState(1)", "np.random.RandomState(3)"),
    ("drawn again each time", "rng.randn(layer_dims[l]", "np.random.RandomState(1).randn(layer_dims[l]"),
    ("drawn again each time", "rng.randn(n, n_prev)", "np.random.RandomState(1).randn(n, n_prev)"),
    ("uniform for normal", "rng.randn(n, n_prev)", "rng.rand(n, n_prev)"),
    ("factor missing", " / np.sqrt(layer_dims[l - 1])", ""),
    ("factor missing", "rng.randn(n, n_prev) * scale", "rng.randn(n, n_prev)"),
    ("wrong constant", "/ np.sqrt(layer_dims[l - 1])", "* 0.01"),
    ("wrong constant", "np.sqrt(1 / n_prev)", "np.sqrt(2 / n_prev)"),
    ("square root missing", "/ np.sqrt(layer_dims[l - 1])", "/ layer_dims[l - 1]"),
    ("square root missing", "np.sqrt(1 / n_prev)", "1 / n_prev"),
    ("multiplied for divided", "/ np.sqrt(layer_dims[l - 1])", "* np.sqrt(layer_dims[l - 1])"),
    ("scaled by the wrong width", "np.sqrt(layer_dims[l - 1])", "np.sqrt(layer_dims[l])"),
    ("scaled by the wrong width", "np.sqrt(1 / n_prev)", "np.sqrt(1 / n)"),
    ("scaled by the wrong width", "np.sqrt(layer_dims[l - 1])", "np.sqrt(layer_dims[0])"),
    (
        "shape transposed",
        "rng.randn(layer_dims[l], layer_dims[l - 1])",
        "rng.randn(layer_dims[l - 1], layer_dims[l])",
    ),
    ("shape transposed", "rng.randn(n, n_prev)", "rng.randn(n_prev, n)"),
    ("(m,) for (m, 1)", "np.zeros((layer_dims[l], 1))", "np.zeros(layer_dims[l])"),
    ("(m,) for (m, 1)", "np.zeros((n, 1))", "np.zeros(n)"),
    ("shape transposed", "np.zeros((n, 1))", "np.zeros((1, n))"),
    ("biases not zero", "np.zeros((n, 1))", "np.ones((n, 1))"),
    ("biases not zero", "np.zeros((n, 1))", "rng.randn(n, 1)"),
    ("last layer left out", "range(1, L)", "range(1, L - 1)"),
    ("wrong number of a layer", 'parameters["W" + str(l)] = ', 'parameters["W" + str(l - 1)] = '),
)
