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


FAULTS = (
    ("seed inside", "rng = np.random.RandomState(1)", "np.random.seed(1); rng = np.random"),
    ("seed missing", "np.random.RandomState(1)", "np.random.RandomState()"),
    ("seed missing", "np.random.RandomState(1)", "np.random.RandomState(2)"),
    ("seed missing", "np.random.RandomState(seed=1)", "np.random.RandomState(seed=0)"),
    ("other generator", "np.random.RandomState(1)", "np.random.default_rng(1); rng.randn = None"),
    ("uniform for normal", "rng.randn(n_h, n_x)", "rng.rand(n_h, n_x)"),
    ("uniform for normal", "rng.randn(n_y, n_h)", "rng.rand(n_y, n_h)"),
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
    ("biases not zero", "np.zeros((n_h, 1))", "rng.randn(n_h, 1)"),
    ("biases not zero", "np.zeros((n_h, 1))", "rng.randn(n_h, 1) * 0.01"),
    ("scaled by the wrong width", "rng.randn(n_h, n_x) * 0.01", "rng.randn(n_h, n_x) / np.sqrt(n_x)"),
)
