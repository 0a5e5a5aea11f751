"""Draw the first weights of a network with one hidden layer.

``n_x`` inputs, ``n_h`` hidden units, ``n_y`` outputs. Return a dictionary: W1 (n_h, n_x), b1 (n_h, 1), W2 (n_y, n_h),
b2 (n_y, 1), arrays of floats. Weights are standard normal numbers times 0.01; biases are 0.

Draw from ``rng = np.random.RandomState(1)``, made in the function: W1 first, then W2, with ``rng.randn``. So your
numbers are the published ones, and NumPy's own stream (``np.random.seed``) is not touched.

Why it matters: with weights that are all equal, all units of a layer learn the same. With large ones, the sigmoid is
flat.

>>> initialize_parameters(2, 1, 1)["W1"]
array([[ 0.01624345, -0.00611756]])
>>> initialize_parameters(2, 1, 1)["b2"]
array([[0.]])
"""

import numpy as np

OUTPUTS = ("parameters",)
ALIKE = ({"drawn again each time", "wrong index"},)  # the same numbers twice


def cases(rng):
    yield 2, 1, 1
    yield 5, 4, 2
    yield 3, 7, 1


def initialize_parameters(n_x, n_h, n_y):
    rng = np.random.RandomState(1)
    W1 = rng.randn(n_h, n_x) * 0.01
    b1 = np.zeros((n_h, 1))
    W2 = rng.randn(n_y, n_h) * 0.01
    b2 = np.zeros((n_y, 1))
    parameters = {"W1": W1, "b1": b1, "W2": W2, "b2": b2}
    return parameters


def right_one_by_one(n_x, n_h, n_y):
    rng = np.random.RandomState(1)
    parameters = {}
    parameters["W1"] = 0.01 * rng.randn(n_h, n_x)
    parameters["W2"] = 0.01 * rng.randn(n_y, n_h)
    parameters["b1"] = np.zeros(shape=(n_h, 1))
    parameters["b2"] = np.zeros(shape=(n_y, 1))
    return parameters


def right_by_normal(n_x, n_h, n_y):
    random = np.random.RandomState(seed=1)
    W1 = random.normal(0.0, 1.0, size=(n_h, n_x)) / 100
    W2 = random.normal(0.0, 1.0, size=(n_y, n_h)) / 100
    return dict(W1=W1, b1=W1[:, :1] * 0, W2=W2, b2=np.full((n_y, 1), 0.0))


def right_by_literal(n_x, n_h, n_y):
    r = np.random.RandomState(1)
    return {
        "W1": r.randn(n_h, n_x) * 0.01,
        "b1": np.zeros((n_h, 1)),
        "W2": r.randn(n_y, n_h) * 0.01,
        "b2": np.zeros((n_y, 1)),
    }


def right_in_a_loop(n_x, n_h, n_y):
    rng = np.random.RandomState(1)
    dims = [n_x, n_h, n_y]
    parameters = {}
    for l in range(1, 3):
        parameters["W" + str(l)] = rng.randn(dims[l], dims[l - 1]) * 0.01
        parameters["b" + str(l)] = np.zeros((dims[l], 1))
    return parameters


def right_with_scale(n_x, n_h, n_y):
    rng = np.random.RandomState(1)
    scale = 1e-2
    shape1, shape2 = (n_h, n_x), (n_y, n_h)
    W1 = rng.standard_normal(shape1)
    W1 = np.multiply(W1, scale)
    W2 = rng.standard_normal(shape2)
    W2 = np.multiply(W2, scale)
    b1 = np.zeros(n_h).reshape(n_h, 1)
    b2 = np.zeros(n_y).reshape(n_y, 1)
    return {"W1": W1, "W2": W2, "b1": b1, "b2": b2}


def right_entry_by_entry(n_x, n_h, n_y):
    rng = np.random.RandomState(1)
    W1, W2 = np.zeros((n_h, n_x)), np.zeros((n_y, n_h))
    for i in range(n_h):
        for j in range(n_x):
            W1[i, j] = 0.01 * rng.randn()
    for i in range(n_y):
        for j in range(n_h):
            W2[i, j] = 0.01 * rng.randn()
    return {"W1": W1, "b1": np.zeros((n_h, 1)), "W2": W2, "b2": np.zeros((n_y, 1))}


def right_from_one_row(n_x, n_h, n_y):
    n1, n2 = n_h * n_x, n_y * n_h
    numbers = np.random.RandomState(1).randn(n1 + n2) * 0.01
    parameters = dict()
    parameters["W1"] = numbers[:n1].reshape(n_h, n_x)
    parameters["b1"] = np.array([[0.0]] * n_h)
    parameters["W2"] = numbers[n1:].reshape(n_y, n_h)
    parameters["b2"] = np.array([[0.0]] * n_y)
    return parameters


FAULTS = (
    ("seed inside", "rng = np.random.RandomState(1)", "np.random.seed(1); rng = np.random"),
    ("seed missing", "np.random.RandomState(1)", "np.random.RandomState()"),
    ("seed missing", "np.random.RandomState(1)", "np.random.RandomState(2)"),
    ("seed missing", "np.random.RandomState(seed=1)", "np.random.RandomState(seed=0)"),
    ("factor missing", "rng.randn(n_h, n_x) * 0.01", "rng.randn(n_h, n_x)"),
    ("factor missing", "rng.randn(n_y, n_h) * 0.01", "rng.randn(n_y, n_h)"),
    ("shape transposed", "rng.randn(n_h, n_x)", "rng.randn(n_x, n_h)"),
    ("shape transposed", "rng.randn(n_y, n_h)", "rng.randn(n_h, n_y)"),
    ("(m,) for (m, 1)", "np.zeros((n_h, 1))", "np.zeros(n_h)"),
    ("(m,) for (m, 1)", "np.zeros((n_y, 1))", "np.zeros(n_y)"),
    ("(m,) for (m, 1)", "np.zeros((n_y, 1))", "0.0"),
    ("shape transposed", "np.zeros((n_h, 1))", "np.zeros((1, n_h))"),
    ("weights all zero", "rng.randn(n_h, n_x) * 0.01", "np.zeros((n_h, n_x))"),
    ("biases not zero", "np.zeros((n_h, 1))", "np.ones((n_h, 1))"),
    ("biases not zero", "= np.zeros((n_h, 1))", "= rng.randn(n_h, 1)"),
    ("biases not zero", "= np.zeros((n_h, 1))", "= rng.randn(n_h, 1) * 0.01"),
    ("wrong constant", "rng.randn(n_h, n_x) * 0.01", "rng.randn(n_h, n_x) / np.sqrt(n_x)"),
    ("seed inside", "r = np.random.RandomState(1)", "np.random.seed(1); r = np.random"),
    ("seed missing", "np.random.RandomState(1)", "np.random.RandomState(0)"),
    ("drawn again each time", "    W2 = rng.randn", "    rng = np.random.RandomState(1)\n    W2 = rng.randn"),
    ("drawn again each time", " range(1, 3):\n", " range(1, 3):\n        rng = np.random.RandomState(1)\n"),
    ("drawn again each time", "for i in range(n_y", "rng = np.random.RandomState(1)\n    for i in range(n_y"),
    ("other generator", "rng = np.random.RandomState(1", "rng = np.random.RandomState(np.random.MT19937(1)"),
    ("uniform for normal", "0.01 * rng.randn(", "0.01 * rng.rand("),
    ("factor missing", "r.randn(n_h, n_x) * 0.01", "r.randn(n_h, n_x)"),
    ("factor missing", "r.randn(n_y, n_h) * 0.01", "r.randn(n_y, n_h)"),
    ("factor missing", "0.01 * rng.randn(n_h, n_x)", "rng.randn(n_h, n_x)"),
    ("factor missing", "0.01 * rng.randn(n_y, n_h)", "rng.randn(n_y, n_h)"),
    ("factor missing", "rng.randn(dims[l], dims[l - 1]) * 0.01", "rng.randn(dims[l], dims[l - 1])"),
    ("factor missing", "randn(n1 + n2) * 0.01", "randn(n1 + n2)"),
    ("factor missing", "    W2 = np.multiply(W2, scale)\n", ""),
    ("wrong constant", "* 0.01", "* 0.1"),
    ("wrong constant", "1e-2", "1e-3"),
    ("wrong constant", "/ 100", "/ 10"),
    ("divided for multiplied", "r.randn(n_h, n_x) * 0.01", "r.randn(n_h, n_x) / 0.01"),
    ("shape transposed", "r.randn(n_h, n_x)", "r.randn(n_x, n_h)"),
    ("shape transposed", "r.randn(n_y, n_h)", "r.randn(n_h, n_y)"),
    ("shape transposed", "rng.randn(dims[l], dims[l - 1])", "rng.randn(dims[l - 1], dims[l])"),
    ("shape transposed", "shape2 = (n_h, n_x), (n_y, n_h)", "shape2 = (n_x, n_h), (n_h, n_y)"),
    ("shape transposed", "reshape(n_h, n_x)", "reshape(n_x, n_h)"),
    ("shape transposed", "size=(n_h, n_x)", "size=(n_x, n_h)"),
    ("shape transposed", "np.zeros((dims[l], 1))", "np.zeros((1, dims[l]))"),
    ("scrambled", "numbers[:n1].reshape(n_h, n_x)", "numbers[:n1].reshape(n_x, n_h).T"),
    ("(m,) for (m, 1)", "np.zeros(n_h).reshape(n_h, 1)", "np.zeros(n_h)"),
    ("(m,) for (m, 1)", "np.zeros((dims[l], 1))", "np.zeros(dims[l])"),
    ("(m,) for (m, 1)", "[[0.0]] * n_h", "[0.0] * n_h"),
    ("wrong index", "np.zeros((dims[l], 1))", "np.zeros((dims[l - 1], 1))"),
    ("wrong variable", "np.zeros((n_y, 1))", "np.zeros((n_h, 1))"),
    ("wrong variable", "rng.randn(n_y, n_h)", "rng.randn(n_y, n_x)"),
    ("weights all zero", "rng.randn(n_y, n_h) * 0.01", "np.zeros((n_y, n_h))"),
    ("weights all zero", "r.randn(n_y, n_h) * 0.01", "np.zeros((n_y, n_h))"),
    ("biases not zero", "np.zeros((dims[l], 1))", "np.ones((dims[l], 1))"),
    ("biases not zero", "np.zeros((n_y, 1))", "np.ones((n_y, 1))"),
    ("biases not zero", 'b1": np.zeros((n_h, 1)),\n        "W2', 'b1": r.randn(n_h, 1) * 0.01,\n        "W2'),
    (
        "line too early",
        "    W1 = rng.randn(n_h, n_x) * 0.01\n    b1 = np.zeros((n_h, 1))\n    W2 = rng.randn(n_y, n_h) * 0.01\n",
        "    W2 = rng.randn(n_y, n_h) * 0.01\n    b1 = np.zeros((n_h, 1))\n    W1 = rng.randn(n_h, n_x) * 0.01\n",
    ),
    ("last layer left out", "range(1, 3)", "range(1, 2)"),
    ("wrong number of a layer", 'parameters["W" + str(l)] = ', 'parameters["W" + str(l - 1)] = '),
    ("overwritten in the loop", " l in range(1, 3):\n", " l in range(1, 3):\n        parameters = {}\n"),
    ("wrong variable", '"b1": b1, "W2": W2, "b2": b2', '"b1": b1, "W2": W1, "b2": b2'),
    ("wrong index", "numbers[n1:]", "numbers[:n2]"),
    ("returned in the wrong order", "    return parameters\n", "    return tuple(parameters.values())\n"),
    ("wrong constant", "(dims[l], dims[l - 1]) * 0.01", "(dims[l], dims[l - 1]) / np.sqrt(dims[l - 1])"),
    ("seed missing", "rng = np.random.RandomState(1)", "rng = np.random"),
    ("other generator", "rng.randn(n_h, n_x)", "np.random.default_rng(1).standard_normal((n_h, n_x))"),
    ("other generator", "rng.standard_normal(shape1)", "np.random.default_rng(1).standard_normal(shape1)"),
)
