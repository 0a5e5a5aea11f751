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


def right_in_steps(layer_dims):
    rng = np.random.RandomState(1)
    parameters = {}
    L = len(layer_dims) - 1
    for l in range(L):
        n_prev = layer_dims[l]
        n = layer_dims[l + 1]
        W = rng.randn(n, n_prev)
        W = W / np.sqrt(n_prev)
        parameters["W" + str(l + 1)] = W
        parameters["b" + str(l + 1)] = np.zeros((n, 1))
    return parameters


def right_while(layer_dims):
    r = np.random.RandomState(1)
    parameters = dict()
    l = 1
    while l < len(layer_dims):
        factor = np.sqrt(1.0 / layer_dims[l - 1])
        parameters[f"W{l}"] = r.randn(layer_dims[l], layer_dims[l - 1]) * factor
        parameters[f"b{l}"] = np.zeros(shape=(layer_dims[l], 1), dtype=float)
        l += 1
    return parameters


def right_by_zip(layer_dims):
    rng = np.random.RandomState(1)
    pairs = list(zip(layer_dims[1:], layer_dims, strict=False))
    weights = {f"W{l}": rng.randn(n, k) / np.sqrt(k) for l, (n, k) in enumerate(pairs, 1)}
    biases = {f"b{l}": np.zeros((n, 1)) for l, (n, _) in enumerate(pairs, 1)}
    return weights | biases


def right_one_after_another(layer_dims):
    rng = np.random.RandomState(1)
    parameters = {}
    n_prev = layer_dims[0]
    for l, n in enumerate(layer_dims[1:]):
        parameters[f"W{l + 1}"] = rng.normal(size=(n, n_prev)) * n_prev**-0.5
        parameters[f"b{l + 1}"] = np.zeros(n)[:, np.newaxis]
        n_prev = n
    return parameters


def right_with_lists(layer_dims):
    rng = np.random.RandomState(1)
    Ws, bs = [], []
    for i in range(1, len(layer_dims)):
        deviation = 1 / np.sqrt(layer_dims[i - 1])
        Ws.append(rng.randn(layer_dims[i], layer_dims[i - 1]) * deviation)
        bs.append(np.full((layer_dims[i], 1), 0.0))
    parameters = {}
    for i, (W, b) in enumerate(zip(Ws, bs, strict=True)):
        parameters.update({"W" + str(i + 1): W, "b" + str(i + 1): b})
    return parameters


FAULTS = (
    ("seed inside", "rng = np.random.RandomState(1)", "np.random.seed(1); rng = np.random"),
    ("seed missing", "np.random.RandomState(1)", "np.random.RandomState()"),
    ("seed missing", "np.random.RandomState(1)", "np.random.RandomState(3)"),
    ("drawn again each time", "rng.randn(layer_dims[l]", "np.random.RandomState(1).randn(layer_dims[l]"),
    ("drawn again each time", "rng.randn(n, n_prev)", "np.random.RandomState(1).randn(n, n_prev)"),
    ("factor missing", " / np.sqrt(layer_dims[l - 1])", ""),
    ("factor missing", "rng.randn(n, n_prev) * scale", "rng.randn(n, n_prev)"),
    ("wrong constant", "/ np.sqrt(layer_dims[l - 1])", "* 0.01"),
    ("wrong constant", "np.sqrt(1 / n_prev)", "np.sqrt(2 / n_prev)"),
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
    ("seed inside", "r = np.random.RandomState(1)", "np.random.seed(1); r = np.random"),
    ("seed missing", "np.random.RandomState(1)", "np.random.RandomState(0)"),
    (
        "drawn again each time",
        "        W = rng.randn(n, n_prev)\n",
        "        rng = np.random.RandomState(1)\n        W = rng.randn(n, n_prev)\n",
    ),
    ("drawn again each time", "        factor", "        r = np.random.RandomState(1)\n        factor"),
    ("drawn again each time", "deviation = 1", "rng = np.random.RandomState(1)\n        deviation = 1"),
    ("drawn again each time", "rng.randn(n, k)", "np.random.RandomState(1).randn(n, k)"),
    ("uniform for normal", "rng.normal(size=", "rng.uniform(size="),
    ("factor missing", "        W = W / np.sqrt(n_prev)\n", ""),
    ("factor missing", "layer_dims[l - 1]) * factor", "layer_dims[l - 1])"),
    ("factor missing", " * n_prev**-0.5", ""),
    ("factor missing", "rng.randn(n, k) / np.sqrt(k)", "rng.randn(n, k)"),
    ("factor missing", "layer_dims[i - 1]) * deviation", "layer_dims[i - 1])"),
    ("factor missing", "drawn / columns**0.5", "drawn"),
    ("wrong constant", "W / np.sqrt(n_prev)", "W * 0.01"),
    ("wrong constant", "np.sqrt(1.0 / layer_dims", "np.sqrt(2.0 / layer_dims"),
    ("wrong constant", "rng.randn(n, k) / np.sqrt(k)", "rng.randn(n, k) * 0.01"),
    ("wrong constant", "rng.randn(n, k) / np.sqrt(k)", "rng.randn(n, k) * np.sqrt(2 / k)"),
    ("wrong constant", "deviation = 1 / np", "deviation = 0.01 / np"),
    ("square root missing", "n_prev**-0.5", "n_prev**-1.0"),
    ("square root missing", "columns**0.5", "columns"),
    ("multiplied for divided", "n_prev**-0.5", "n_prev**0.5"),
    ("scaled by the wrong width", "W / np.sqrt(n_prev)", "W / np.sqrt(n)"),
    ("scaled by the wrong width", "/ np.sqrt(k)", "/ np.sqrt(n)"),
    ("scaled by the wrong width", "n_prev**-0.5", "n**-0.5"),
    ("scaled by the wrong width", "np.sqrt(1.0 / layer_dims[l - 1])", "np.sqrt(1.0 / layer_dims[l])"),
    ("scaled by the wrong width", "1 / np.sqrt(layer_dims[i - 1])", "1 / np.sqrt(layer_dims[i])"),
    ("scaled by the wrong width", "drawn / columns**0.5", "drawn / rows**0.5"),
    ("scaled by the wrong width", "np.sqrt(layer_dims[l - 1])", "np.sqrt(layer_dims[l - 1] + layer_dims[l])"),
    (
        "shape transposed",
        "r.randn(layer_dims[l], layer_dims[l - 1])",
        "r.randn(layer_dims[l - 1], layer_dims[l])",
    ),
    ("shape transposed", "rng.randn(n, k)", "rng.randn(k, n)"),
    ("shape transposed", "size=(n, n_prev)", "size=(n_prev, n)"),
    ("shape transposed", "random.randn(rows, columns)", "random.randn(columns, rows)"),
    ("shape transposed", "(layer_dims[i], layer_dims[i - 1])", "(layer_dims[i - 1], layer_dims[i])"),
    ("(m,) for (m, 1)", "np.zeros(n)[:, np.newaxis]", "np.zeros(n)"),
    ("(m,) for (m, 1)", "np.full((layer_dims[i], 1), 0.0)", "np.full(layer_dims[i], 0.0)"),
    ("(m,) for (m, 1)", "np.zeros(shape=(layer_dims[l], 1), dtype=float)", "np.zeros(layer_dims[l])"),
    ("shape transposed", "np.zeros((layer_dims[l], 1))", "np.zeros((1, layer_dims[l]))"),
    ("shape transposed", "np.full((layer_dims[i], 1), 0.0)", "np.full((1, layer_dims[i]), 0.0)"),
    ("wrong index", "np.zeros((layer_dims[l], 1))", "np.zeros((layer_dims[l - 1], 1))"),
    ("biases not zero", "np.zeros((layer_dims[l], 1))", "np.ones((layer_dims[l], 1))"),
    ("biases not zero", "np.full((layer_dims[i], 1), 0.0)", "np.full((layer_dims[i], 1), 0.01)"),
    ("last layer left out", "while l < len(layer_dims):", "while l < len(layer_dims) - 1:"),
    ("last layer left out", "L = len(layer_dims) - 1", "L = len(layer_dims) - 2"),
    ("last layer left out", "range(1, len(layer_dims))", "range(1, len(layer_dims) - 1)"),
    ("a layer too many or too few", "range(1, L)", "range(L)"),
    ("a layer too many or too few", "range(1, L)", "range(1, L + 1)"),
    ("a layer too many or too few", "layer_dims) - 1\n", "layer_dims)\n"),
    ("wrong number of a layer", '"W" + str(l + 1)', '"W" + str(l)'),
    ("wrong number of a layer", 'f"W{l + 1}"', 'f"W{l}"'),
    ("wrong number of a layer", 'f"b{l + 1}"', 'f"b{l}"'),
    ("wrong number of a layer", '"W" + str(i + 1): W, "b" + str(i + 1)', '"W" + str(i): W, "b" + str(i)'),
    ("wrong number of a layer", "start=1)", "start=0)"),
    ("wrong number of a layer", "in enumerate(pairs, 1)", "in enumerate(pairs)"),
    ("overwritten in the loop", "n_prev = layer_dims[l]", "parameters = {}\n        n_prev = layer_dims[l]"),
    ("overwritten in the loop", "        scale = np", "        parameters = {}\n        scale = np"),
    ("line missing", "        n_prev = n\n", ""),
    ("weights all zero", "rng.randn(n, n_prev)", "np.zeros((n, n_prev))"),
    ("returned in the wrong place", "    return parameters\n", "        return parameters\n"),
    ("biases left out", "return {**weights, **biases}", "return weights"),
    ("biases left out", "return weights | biases", "return weights"),
    ("seed missing", "rng = np.random.RandomState(1)", "rng = np.random"),
    ("other generator", "rng.randn(n, n_prev)", "np.random.default_rng(1).standard_normal((n, n_prev))"),
    (
        "other generator",
        "rng.randn(layer_dims[l], layer_dims[l - 1])",
        "np.random.default_rng(1).standard_normal((layer_dims[l], layer_dims[l - 1]))",
    ),
)
