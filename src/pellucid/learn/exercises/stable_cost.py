"""The cost, exact however sure the network is.

A probability rounds to 1 long before the truth is certain, and log(1 - 1) is minus infinity. Computed from the last
sums it need not. ``ZL`` (1, m): the last layer's sums, AL = sigmoid(ZL); ``Y`` (1, m): labels, the integers 0 or 1.

Return one number (a float, or an array of shape ()): the mean over the m examples of -(Y log AL + (1 - Y) log(1 - AL)),
finite and right to 9 digits (or to 1e-12) for any ZL from -1e6 to 1e6. Note that -log sigmoid(z) is log(1 + e^(-z)),
and that e^z overflows where z is large.

Why it matters: one confident mistake makes the cost infinite and all gradients NaN.

>>> round(float(stable_cost(np.array([[50.0, 0.0]]), np.array([[0, 1]]))), 4)  # (50 + 0.6931) / 2
25.3466
"""

import numpy as np

OUTPUTS = ("cost",)


def cases(rng):
    yield np.array([[50.0, 0.0]]), np.array([[0, 1]])
    yield rng.standard_normal((1, 5)) * 2, np.array([[1, 0, 0, 1, 0]])
    yield rng.standard_normal((1, 7)) * 50, np.array([[1, 1, 0, 1, 0, 0, 1]])
    yield np.array([[-1e6, 2.0, 1e6]]), np.array([[1, 1, 0]])
    yield np.array([[1000.0, -1000.0, 800.0, -3.0, 0.0]]), np.array([[1, 0, 0, 1, 0]])


def stable_cost(ZL, Y):
    m = Y.shape[1]
    losses = np.logaddexp(0, ZL) - Y * ZL
    cost = np.sum(losses) / m
    return cost


def right_by_maximum(ZL, Y):
    m = ZL.shape[1]
    losses = np.maximum(ZL, 0) - ZL * Y + np.log(1 + np.exp(-np.abs(ZL)))
    return np.sum(losses) / m


def right_by_where(ZL, Y):
    signed = np.where(Y == 1, -ZL, ZL)
    losses = np.logaddexp(0, signed)
    return losses.mean()


def right_by_log1p(ZL, Y):
    m = Y.shape[1]
    signed = (1 - 2 * Y) * ZL
    large = np.maximum(signed, 0)
    small = np.log1p(np.exp(-np.abs(signed)))
    return float((large + small).sum() / m)


def right_by_loops(ZL, Y):
    total, m = 0.0, Y.shape[1]
    for k in range(m):
        z = ZL[0, k] if Y[0, k] == 0 else -ZL[0, k]
        if z > 0:
            total += z + np.log(1 + np.exp(-z))
        else:
            total += np.log(1 + np.exp(z))
    return total / m


FAULTS = (
    (
        "log of zero",
        "np.logaddexp(0, ZL) - Y * ZL",
        "-(Y * np.log(1 / (1 + np.exp(-ZL))) + (1 - Y) * np.log(1 - 1 / (1 + np.exp(-ZL))))",
    ),
    (
        "clipped",
        "np.logaddexp(0, ZL) - Y * ZL",
        "-np.where(Y == 1, np.log(np.clip(1 / (1 + np.exp(-ZL)), 1e-15, 1)), np.log(np.clip(1 - 1 / (1 + np.exp(-ZL)), 1e-15, 1)))",
    ),
    (
        "clipped",
        "np.logaddexp(0, ZL) - Y * ZL",
        "-np.where(Y == 1, np.log(1 / (1 + np.exp(-ZL)) + 1e-8), np.log(1 - 1 / (1 + np.exp(-ZL)) + 1e-8))",
    ),
    ("clipped", "np.logaddexp(0, ZL)", "np.logaddexp(0, np.clip(ZL, -30, 30))"),
    ("overflow", "np.logaddexp(0, ZL)", "np.log(1 + np.exp(ZL))"),
    ("overflow", "np.logaddexp(0, signed)", "np.log(1 + np.exp(signed))"),
    ("overflow", "np.exp(-np.abs(ZL))", "np.exp(ZL)"),
    ("labels flipped", "np.where(Y == 1, -ZL, ZL)", "np.where(Y == 1, ZL, -ZL)"),
    ("labels flipped", "- Y * ZL", "- (1 - Y) * ZL"),
    ("labels flipped", "(1 - 2 * Y)", "(2 * Y - 1)"),
    ("one term only", "np.logaddexp(0, ZL) - Y * ZL", "np.logaddexp(0, ZL)"),
    ("wrong m", "Y.shape[1]", "Y.shape[0]"),
    ("no sum", "losses.mean()", "losses"),
)
