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
ALIKE = (
    {"rows for columns", "transpose"},
    {"wrong m", "returned in the wrong place"},
)


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


def right_by_array_split(X, Y, size, order):
    m = X.shape[1]
    cuts = range(size, m, size)
    parts = np.split(order, list(cuts))
    return [(X[:, part], Y[:, part]) for part in parts]


def right_by_ceil(X, Y, size, order):
    m = Y.shape[1]
    permutation = list(order)
    n_batches = int(np.ceil(m / size))
    batches = []
    for k in range(n_batches):
        begin = k * size
        end = min((k + 1) * size, m)
        batch_X = X[:, permutation[begin:end]]
        batch_Y = Y[:, permutation[begin:end]]
        batches.append((batch_X, batch_Y))
    return batches


def right_example_by_example(X, Y, size, order):
    batches, columns, labels = [], [], []
    for number in order:
        columns.append(X[:, number])
        labels.append(Y[0, number])
        if len(columns) == size:
            batches.append((np.array(columns).T, np.array([labels])))
            columns, labels = [], []
    if columns:
        batches.append((np.array(columns).T, np.array([labels])))
    return batches


def right_by_splitting(X, Y, size, order):
    m = X.shape[1]
    shuffled_X, shuffled_Y = X[:, order], Y[:, order]
    cuts = np.arange(size, m, size)
    Xs = np.split(shuffled_X, cuts, axis=1)
    Ys = np.split(shuffled_Y, cuts, axis=1)
    return list(zip(Xs, Ys, strict=True))


def right_by_rows(X, Y, size, order):
    rows, labels = X.T[order], Y.T[order]
    batches = []
    i = 0
    while i * size < len(rows):
        part = slice(i * size, (i + 1) * size)
        batches.append((rows[part].T, labels[part].T))
        i += 1
    return batches


FAULTS = (
    ("labels not shuffled", "Y_shuffled = Y[:, order]", "Y_shuffled = Y"),
    ("labels not shuffled", "Y[:, chosen]", "Y[:, start : start + size]"),
    ("not shuffled", "order[start : start + size]", "np.arange(len(order))[start : start + size]"),
    ("not shuffled", "X_shuffled = X[:, order]", "X_shuffled = X"),
    ("order turned round", "X_shuffled = X[:, order]", "X_shuffled = X[:, np.argsort(order)]"),
    ("order turned round", "order[start : start + size]", "np.argsort(order)[start : start + size]"),
    ("last batch missing", "    if m % size != 0:", "    if False:"),
    ("last batch missing", "range(0, m, size)", "range(0, m - size + 1, size)"),
    ("empty batch", "    if m % size != 0:", "    if True:"),
    ("wrong step", "range(0, m, size)", "range(0, m)"),
    ("wrong m", "X.shape[1]", "X.shape[0]"),
    ("rows for columns", "X_shuffled[:, start : start + size]", "X_shuffled[start : start + size]"),
    ("rows for columns", "X[:, chosen], Y[:, chosen]", "X.T[chosen], Y.T[chosen]"),
    ("(m,) for (1, m)", "Y[:, chosen]", "Y[0, chosen]"),
    ("one too many or too few", "start + size]\n        Y_batch", "start + size - 1]\n        Y_batch"),
    ("empty batch", "m // size", "m // size + 1"),
    ("returned in the wrong order", "append((X_batch, Y_batch))", "append((Y_batch, X_batch))"),
    ("overwritten in the loop", "batches.append((X_batch, Y_batch))", "batches = [(X_batch, Y_batch)]"),
    ("labels not shuffled", "rows, labels = X.T[order], Y.T[order]", "rows, labels = X.T[order], Y.T"),
    ("labels not shuffled", "shuffled_Y = X[:, order], Y[:, order]", "shuffled_Y = X[:, order], Y"),
    ("labels not shuffled", "Y[:, permutation[begin:end]]", "Y[:, begin:end]"),
    ("labels not shuffled", "Y_shuffled = Y[:, list(order)].reshape", "Y_shuffled = Y.reshape"),
    ("labels not shuffled", "np.take(Y, part, axis=1)", "Y[:, done:stop]"),
    ("not shuffled", "X[:, permutation[begin:end]]", "X[:, begin:end]"),
    ("not shuffled", "shuffled_X, shuffled_Y = X[:, order], Y[:, order]", "shuffled_X, shuffled_Y = X, Y"),
    ("not shuffled", "rows, labels = X.T[order], Y.T[order]", "rows, labels = X.T, Y.T"),
    ("not shuffled", "for number in order:", "for number in range(len(order)):"),
    ("not shuffled", "permutation = list(order)", "permutation = list(range(m))"),
    ("own random numbers", "= list(order)", "= list(np.random.RandomState(0).permutation(m))"),
    (
        "own random numbers",
        "X_shuffled = X[:, order]",
        "order = np.random.RandomState(0).permutation(m)\n    X_shuffled = X[:, order]",
    ),
    ("order turned round", "permutation = list(order)", "permutation = list(np.argsort(order))"),
    ("order turned round", "X.T[order], Y.T[order]", "X.T[np.argsort(order)], Y.T[np.argsort(order)]"),
    (
        "last batch missing",
        "    if columns:\n        batches.append((np.array(columns).T, np.array([labels])))\n",
        "",
    ),
    ("last batch missing", "int(np.ceil(m / size))", "m // size"),
    ("last batch missing", "while i * size < len(rows):", "while (i + 1) * size <= len(rows):"),
    ("last batch missing", "    while done < X.shape[1]:", "    while done + size <= X.shape[1]:"),
    ("empty batch", "int(np.ceil(m / size))", "m // size + 1"),
    ("empty batch", "while i * size < len(rows):", "while i * size <= len(rows):"),
    ("empty batch", "np.arange(size, m, size)", "np.arange(size, m + 1, size)"),
    ("empty batch", "range(size, m, size)", "range(size, m + size, size)"),
    ("empty batch", "    if columns:\n", "    if True:\n"),
    ("wrong step", "range(0, len(order), size)", "range(len(order))"),
    ("wrong step", "begin = k * size", "begin = k"),
    ("overwritten in the loop", "batches.append((batch_X, batch_Y))", "batches = [(batch_X, batch_Y)]"),
    ("overwritten in the loop", "        chosen = order", "        batches = []\n        chosen = order"),
    ("line missing", "            columns, labels = [], []\n", ""),
    ("one too many or too few", "(k + 1) * size, m)", "(k + 1) * size - 1, m)"),
    ("one too many or too few", "order[start : start + size]", "order[start : start + size - 1]"),
    ("one too many or too few", "(i + 1) * size)", "(i + 1) * size + 1)"),
    ("one too many or too few", "start : start + size]", "start : start + size + 1]"),
    ("one too many or too few", "begin = k * size", "begin = k * size + 1"),
    ("one too many or too few", "m = Y.shape[1]", "m = Y.shape[1] - 1"),
    ("transpose", "(rows[part].T, labels[part].T)", "(rows[part], labels[part])"),
    ("transpose", "np.array(columns).T", "np.array(columns)"),
    ("(m,) for (1, m)", "np.array([labels])", "np.array(labels)"),
    ("(m,) for (1, m)", "Y[:, part]", "Y[0, part]"),
    ("(m,) for (1, m)", "batch_Y = Y[:, permutation[begin:end]]", "batch_Y = Y[0, permutation[begin:end]]"),
    ("returned in the wrong order", "append((batch_X, batch_Y))", "append((batch_Y, batch_X))"),
    ("returned in the wrong order", "zip(Xs, Ys", "zip(Ys, Xs"),
    ("returned in the wrong order", "list(zip(Xs, Ys, strict=True))", "(Xs, Ys)"),
    ("returned in the wrong place", " chosen]))\n    return batches", " chosen]))\n        return batches"),
    ("wrong variable", "(X_batch, Y_batch)", "(X_batch, X_batch)"),
    ("wrong variable", "batch_Y = Y[:, permutation", "batch_Y = X[:, permutation"),
    ("wrong m", "range(size, m, size)", "range(size, len(X), size)"),
    ("input modified", "for start in range(0, len", "X[:] = X[:, order]\n    for start in range(0, len"),
    ("one too many or too few", "(k + 1) * size], Y_shuffled", "(k + 1) * size - 1], Y_shuffled"),
    ("one too many or too few", "X_shuffled[:, n_complete * size :", "X_shuffled[:, n_complete * size + 1 :"),
    (
        "wrong index",
        "X_shuffled[:, n_complete * size :], Y_shuffled[:, n_complete * size :]",
        "X_shuffled[:, -size:], Y_shuffled[:, -size:]",
    ),
    ("wrong step", "done = stop", "done += 1"),
    ("one too many or too few", "done = stop", "done = stop + 1"),
    ("labels not shuffled", "    Y_shuffled = Y[:, order]\n", "    Y_shuffled = Y[:, np.arange(m)]\n"),
    ("not shuffled", "part = order[done:stop]", "part = np.arange(done, stop)"),
    ("order turned round", "parts = np.split(order,", "parts = np.split(np.argsort(order),"),
    ("a column for a row", "Y[:, list(order)].reshape((1, m))", "Y[:, list(order)].reshape((m, 1))"),
)
