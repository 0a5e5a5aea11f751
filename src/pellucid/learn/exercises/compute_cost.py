"""How wrong the probabilities are: the mean cross-entropy.

``AL`` (1, m): probabilities, each above 0 and below 1. ``Y`` (1, m): labels, 0 or 1, integers or floats.

Return one number (a float, or an array of shape ()): minus the mean over the m examples of
Y log AL + (1 - Y) log(1 - AL), with the natural logarithm.

Why it matters: training lowers this number. 0.693 (log 2) is what guessing costs.

>>> round(float(compute_cost(np.array([[0.5, 0.25]]), np.array([[1, 0]]))), 4)  # (0.6931 + 0.2877) / 2
0.4904
"""

import numpy as np

OUTPUTS = ("cost",)
ALIKE = ({"1/m missing", "wrong m"},)  # an axis of length 1


def cases(rng):
    yield np.array([[0.5, 0.25]]), np.array([[1, 0]])
    yield rng.uniform(0.05, 0.95, (1, 5)), np.array([[1, 0, 0, 1, 0]])
    yield rng.uniform(0.01, 0.99, (1, 7)), np.array([[1.0, 1.0, 0.0, 1.0, 1.0, 0.0, 1.0]])


def compute_cost(AL, Y):
    m = Y.shape[1]
    cost = -(1 / m) * np.sum(Y * np.log(AL) + (1 - Y) * np.log(1 - AL))
    return cost


def right_in_steps(AL, Y):
    m = AL.shape[1]
    positive = Y * np.log(AL)
    negative = (1 - Y) * np.log(1 - AL)
    total = np.sum(positive + negative)
    cost = -total / m
    cost = np.squeeze(cost)
    return cost


def right_by_mean(AL, Y):
    losses = -np.where(Y == 1, np.log(AL), np.log(1 - AL))
    return losses.mean()


def right_by_products(AL, Y):
    m = AL.shape[1]
    first = np.dot(np.log(AL), Y.T)
    second = np.dot(np.log(1 - AL), (1 - Y).T)
    cost = -(first + second) / m
    return float(cost[0, 0])


def right_by_loops(AL, Y):
    m = Y.shape[1]
    total = 0.0
    for k in range(m):
        p, y = AL[0, k], Y[0, k]
        if y == 1:
            total -= np.log(p)
        else:
            total -= np.log(1 - p)
    return total / m


def right_by_likelihood(AL, Y):
    likelihood = Y * AL + (1 - Y) * (1 - AL)
    loss = np.log(likelihood)
    return -np.average(loss)


FAULTS = (
    ("labels flipped", "Y * np.log(AL) + (1 - Y) * np.log", "(1 - Y) * np.log(AL) + Y * np.log"),
    ("labels flipped", "np.where(Y == 1,", "np.where(Y == 0,"),
    ("labels flipped", "if y == 1", "if y == 0"),
    ("one term only", "Y * np.log(AL) + (1 - Y) * np.log(1 - AL)", "Y * np.log(AL)"),
    ("one term only", "np.sum(positive + negative)", "np.sum(positive)"),
    ("one term only", "np.sum(positive + negative)", "np.sum(negative)"),
    ("logarithm to another base", "np.log(", "np.log2("),
    ("logarithm to another base", "np.log(", "np.log10("),
    ("squared error", "np.sum(Y * np.log(AL) + (1 - Y) * np.log(1 - AL))", "-np.sum((AL - Y) ** 2)"),
    (
        "Y and AL swapped",
        "np.sum(Y * np.log(AL) + (1 - Y) * np.log(1 - AL))",
        "np.sum(AL * np.log(np.clip(Y, 1e-9, 1)) + (1 - AL) * np.log(np.clip(1 - Y, 1e-9, 1)))",
    ),
    ("no sum", "np.sum(positive + negative)", "positive + negative"),
    ("no sum", "losses.mean()", "losses"),
    ("keepdims extra", "float(cost[0, 0])", "cost"),
    ("1/m missing", "-(1 / m) * np.sum", "-np.sum"),
    ("wrong m", "Y.shape[1]", "len(Y)"),
    ("brackets", "(1 - Y) * np.log(1 - AL)", "1 - Y * np.log(1 - AL)"),
    ("brackets", "(1 - Y) * np.log(1 - AL)", "(1 - Y) * (1 - np.log(AL))"),
    ("halved", "-(1 / m)", "-(1 / (2 * m))"),
)
