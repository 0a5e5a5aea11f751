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
ALIKE = ({"overflow", "minimum for maximum", "log of zero"},)


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


def right_in_one_line(ZL, Y):
    return np.mean(np.maximum(ZL, 0) - ZL * Y + np.log1p(np.exp(-np.abs(ZL))))


def right_by_two_terms(ZL, Y):
    m = ZL.shape[1]
    log_A = -np.logaddexp(0, -ZL)
    log_not_A = -np.logaddexp(0, ZL)
    losses = -(Y * log_A + (1 - Y) * log_not_A)
    cost = 1 / m * np.sum(losses)
    return np.squeeze(cost)


def right_by_masks(ZL, Y):
    z = np.array(ZL, dtype=float)
    z[Y == 1] *= -1
    losses = np.zeros(z.shape)
    up = z > 0
    losses[up] = z[up] + np.log1p(np.exp(-z[up]))
    losses[~up] = np.log1p(np.exp(z[~up]))
    return np.sum(losses) / z.shape[1]


def right_by_softplus(ZL, Y):
    def softplus(x):
        return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))

    m = Y.shape[1]
    cost = np.sum(Y * softplus(-ZL) + (1 - Y) * softplus(ZL)) / m
    return float(cost)


def right_by_pairs(ZL, Y):
    losses = []
    for z, y in zip(ZL[0], Y[0], strict=True):
        largest = max(z, 0.0)
        loss = largest - y * z + np.log(np.exp(-largest) + np.exp(z - largest))
        losses.append(loss)
    return sum(losses) / len(losses)


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
    ("absolute value missing", "np.exp(-np.abs(ZL))", "np.exp(ZL)"),
    ("labels flipped", "np.where(Y == 1, -ZL, ZL)", "np.where(Y == 1, ZL, -ZL)"),
    ("labels flipped", "- Y * ZL", "- (1 - Y) * ZL"),
    ("labels flipped", "(1 - 2 * Y)", "(2 * Y - 1)"),
    ("one term only", "np.logaddexp(0, ZL) - Y * ZL", "np.logaddexp(0, ZL)"),
    ("no sum", "losses.mean()", "losses"),
    ("log of zero", "log_A = -np.logaddexp(0, -ZL)", "log_A = np.log(1 / (1 + np.exp(-ZL)))"),
    ("log of zero", "log_not_A = -np.logaddexp(0, ZL)", "log_not_A = np.log(1 - 1 / (1 + np.exp(-ZL)))"),
    (
        "log of zero",
        "Y * softplus(-ZL) + (1 - Y) * softplus(ZL)",
        "-Y * np.log(1 / (1 + np.exp(-ZL))) - (1 - Y) * np.log(1 - 1 / (1 + np.exp(-ZL)))",
    ),
    ("clipped", "-np.logaddexp(0, ZL)", "np.log(np.clip(1 - 1 / (1 + np.exp(-ZL)), 1e-15, 1))"),
    ("clipped", "log_A = -np.logaddexp(0, -ZL)", "log_A = np.log(1 / (1 + np.exp(-ZL)) + 1e-15)"),
    ("clipped", "z = np.array(ZL, dtype=float)", "z = np.clip(np.array(ZL, dtype=float), -500, 500)"),
    ("clipped", "losses = np.logaddexp(0, signed)", "losses = np.minimum(np.logaddexp(0, signed), 100)"),
    ("overflow", "-np.logaddexp(0, -ZL)", "-np.log(1 + np.exp(-ZL))"),
    ("overflow", "np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))", "np.log(1 + np.exp(x))"),
    ("overflow", "largest = max(z, 0.0)", "largest = 0.0"),
    ("overflow", "if z > 0:", "if z > 1e9:"),
    ("overflow", "up = z > 0", "up = z > 1e9"),
    ("absolute value missing", "np.exp(-np.abs(x))", "np.exp(-x)"),
    ("absolute value missing", "np.exp(-np.abs(signed))", "np.exp(-signed)"),
    ("absolute value missing", "np.exp(-np.abs(ZL))", "np.exp(-ZL)"),
    ("labels flipped", "z[Y == 1] *= -1", "z[Y == 0] *= -1"),
    ("labels flipped", "softplus(-ZL) + (1 - Y) * softplus(ZL)", "softplus(ZL) + (1 - Y) * softplus(-ZL)"),
    ("labels flipped", "(Y * log_A + (1 - Y) * log_not_A)", "((1 - Y) * log_A + Y * log_not_A)"),
    ("labels flipped", "if Y[0, k] == 0 else", "if Y[0, k] == 1 else"),
    ("labels flipped", "largest - y * z", "largest - (1 - y) * z"),
    ("labels flipped", "np.maximum(ZL, 0) - ZL * Y", "np.maximum(ZL, 0) - ZL * (1 - Y)"),
    ("one term only", "-(Y * log_A + (1 - Y) * log_not_A)", "-(Y * log_A)"),
    ("one term only", "Y * softplus(-ZL) + (1 - Y) * softplus(ZL)", "Y * softplus(-ZL)"),
    ("one term only", "np.maximum(ZL, 0) - ZL * Y + np", "np.maximum(ZL, 0) + np"),
    ("term missing", "z[up] + np.log1p(np.exp(-z[up]))", "np.log1p(np.exp(-z[up]))"),
    ("term missing", "(large + small)", "small"),
    ("term missing", "total += z + np", "total += np"),
    ("term missing", "np.maximum(x, 0) + np.log1p", "np.log1p"),
    ("term missing", "np.maximum(ZL, 0) - ZL * Y + np", "-ZL * Y + np"),
    ("no sum", "1 / m * np.sum(losses)", "1 / m * losses"),
    ("no sum", "np.sum(losses) / m", "losses / m"),
    ("halved", "1 / m * np.sum(losses)", "1 / (2 * m) * np.sum(losses)"),
    ("overwritten in the loop", "losses.append(loss)", "losses = [loss]"),
    ("minimum for maximum", "largest = max(z, 0.0)", "largest = min(z, 0.0)"),
    ("input modified", "z = np.array(ZL, dtype=float)", "z = ZL"),
    ("returned in the wrong place", "losses.append(loss)\n    return", "losses.append(loss)\n        return"),
    ("squared error", "np.logaddexp(0, ZL) - Y * ZL", "(1 / (1 + np.exp(-ZL)) - Y) ** 2"),
    ("factor missing", "signed = (1 - 2 * Y) * ZL", "signed = (1 - Y) * ZL"),
    ("wrong constant", "np.logaddexp(0, signed)", "np.logaddexp(1, signed)"),
    ("wrong constant", "np.maximum(x, 0)", "np.maximum(x, 1)"),
)
