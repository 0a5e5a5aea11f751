"""Cut the examples into mini-batches.

``X`` (n_x, m), ``Y`` (1, m), ``size``: examples a batch, ``order``: an array (m,) of the integers 0 to m - 1, shuffled.
Return the list of the batches ``(X_batch, Y_batch)``, each of shapes (n_x, size) and (1, size): the first holds the
examples order[0], ..., order[size - 1], and so on. The last one is smaller where ``size`` does not divide m or is above
m; there is no empty one.

Why it matters: X shuffled one way and Y another is labels at random.

>>> batches = mini_batches(np.array([[10, 11, 12]]), np.array([[0, 1, 0]]), 2, np.array([2, 0, 1]))
>>> [(X.tolist(), Y.tolist()) for X, Y in batches]
[([[12, 10]], [[0, 0]]), ([[11]], [[1]])]
"""

import numpy as np

OUTPUTS = ("batches",)
LOOPS = True


def cases(rng):
    yield np.array([[10, 11, 12]]), np.array([[0, 1, 0]]), 2, np.array([2, 0, 1])
    for n_x, m, size in ((3, 8, 4), (2, 7, 3), (4, 5, 9)):
        yield rng.standard_normal((n_x, m)), rng.integers(0, 2, (1, m)), size, rng.permutation(m)


def mini_batches(X, Y, size, order):
    m = X.shape[1]
    X_shuffled = X[:, order]
    Y_shuffled = Y[:, order]
    batches = []
    for start in range(0, m, size):
        X_batch = X_shuffled[:, start : start + size]
        Y_batch = Y_shuffled[:, start : start + size]
        batches.append((X_batch, Y_batch))
    return batches


def right_by_numbers(X, Y, size, order):
    batches = []
    for start in range(0, len(order), size):
        chosen = order[start : start + size]
        batches.append((X[:, chosen], Y[:, chosen]))
    return batches


def right_complete_first(X, Y, size, order):
    m = X.shape[1]
    X_shuffled = X[:, list(order)]
    Y_shuffled = Y[:, list(order)].reshape((1, m))
    n_complete = m // size
    batches = []
    for k in range(n_complete):
        batch = (X_shuffled[:, k * size : (k + 1) * size], Y_shuffled[:, k * size : (k + 1) * size])
        batches.append(batch)
    if m % size != 0:
        batches.append((X_shuffled[:, n_complete * size :], Y_shuffled[:, n_complete * size :]))
    return batches


def right_while(X, Y, size, order):
    done, batches = 0, []
    while done < X.shape[1]:
        stop = min(done + size, X.shape[1])
        part = order[done:stop]
        batches.append((np.take(X, part, axis=1), np.take(Y, part, axis=1)))
        done = stop
    return batches


FAULTS = (
    ("labels not shuffled", "Y_shuffled = Y[:, order]", "Y_shuffled = Y"),
    ("labels not shuffled", "Y[:, chosen]", "Y[:, start : start + size]"),
    (
        "not shuffled",
        "chosen = order[start : start + size]",
        "chosen = np.arange(len(order))[start : start + size]",
    ),
    ("not shuffled", "X_shuffled = X[:, order]", "X_shuffled = X"),
    ("order turned round", "X_shuffled = X[:, order]", "X_shuffled = X[:, np.argsort(order)]"),
    (
        "order turned round",
        "chosen = order[start : start + size]",
        "chosen = np.argsort(order)[start : start + size]",
    ),
    ("last batch missing", "    if m % size != 0:", "    if False:"),
    ("last batch missing", "range(0, m, size)", "range(0, m - size + 1, size)"),
    ("empty batch", "    if m % size != 0:", "    if True:"),
    ("wrong step", "range(0, m, size)", "range(0, m)"),
    ("wrong m", "X.shape[1]", "X.shape[0]"),
    ("rows for columns", "X_shuffled[:, start : start + size]", "X_shuffled[start : start + size]"),
    ("rows for columns", "X[:, chosen], Y[:, chosen]", "X.T[chosen], Y.T[chosen]"),
    ("(m,) for (1, m)", "Y[:, chosen]", "Y[0, chosen]"),
    ("one too many or too few", "start + size]\n        Y_batch", "start + size - 1]\n        Y_batch"),
    ("one too many or too few", "m // size", "m // size + 1"),
    (
        "returned in the wrong order",
        "batches.append((X_batch, Y_batch))",
        "batches.append((Y_batch, X_batch))",
    ),
    ("overwritten in the loop", "batches.append((X_batch, Y_batch))", "batches = [(X_batch, Y_batch)]"),
)
