"""From probabilities to answers.

``X`` (n_x, m); ``y`` (1, m), the labels, or None; ``parameters`` of a trained network.
``L_model_forward(X, parameters)`` is given and returns (AL, caches).

Return p of shape (1, m): 1 where the probability is above 0.5, 0 elsewhere (0 at exactly 0.5), as floats, integers or
booleans. With labels, print the share of right answers, in words of your own (what is printed is not checked).

Why it matters: the cost is for the training, the share of right answers for people.

>>> parameters = {"W1": np.array([[1.0]]), "b1": np.array([[0.0]])}
>>> predict(np.array([[3.0, 0.0, -3.0]]), None, parameters)
array([[1., 0., 0.]])
"""

import numpy as np

from pellucid.textbook import L_model_forward

OUTPUTS = ("p",)
ALIKE = (
    {"threshold", "sigmoid too many", "sigmoid missing", "ones for zeros", "probabilities for answers"},
    {"(m,) for (1, m)", "returned in the wrong place"},
)


def cases(rng):
    yield np.array([[3.0, 0.0, -3.0]]), None, {"W1": np.array([[1.0]]), "b1": np.array([[0.0]])}
    for n_x, n_h, m in ((3, 4, 5), (2, 3, 8)):
        parameters = {"W1": rng.standard_normal((n_h, n_x)), "b1": rng.standard_normal((n_h, 1))}
        parameters |= {"W2": rng.standard_normal((1, n_h)) * 2, "b2": np.zeros((1, 1))}
        X = rng.standard_normal((n_x, m)) * 2
        X[:, 0], parameters["b1"][:, 0] = 0, -np.abs(parameters["b1"][:, 0])  # a probability of exactly 0.5
        yield X, (np.arange(m).reshape(1, m) % 2), parameters
    yield rng.standard_normal((3, 9)), None, {"W1": np.array([[0.1, 0.2, -0.2]]), "b1": np.array([[-0.1]])}


def predict(X, y, parameters):
    m = X.shape[1]
    p = np.zeros((1, m))
    probabilities, caches = L_model_forward(X, parameters)
    for i in range(m):
        if probabilities[0, i] > 0.5:
            p[0, i] = 1
        else:
            p[0, i] = 0
    if y is not None:
        print("Accuracy: " + str(np.sum((p == y) / m)))
    return p


def right_by_comparison(X, y, parameters):
    AL, _ = L_model_forward(X, parameters)
    p = AL > 0.5
    p = p.astype(float)
    if y is not None:
        accuracy = np.mean(p == y)
        print(f"Accuracy: {accuracy}")
    return p


def right_by_where(X, y, parameters):
    probabilities = L_model_forward(X, parameters)[0]
    return np.where(probabilities > 0.5, 1, 0)


def right_by_sums(X, y, parameters):
    _, caches = L_model_forward(X, parameters)
    Z = caches[-1][1]
    p = np.heaviside(Z, 0)
    return p


def right_by_loop_over_list(X, y, parameters):
    probas, caches = L_model_forward(X, parameters)
    answers = []
    for probability in probas[0]:
        if probability > 0.5:
            answers.append(1)
        else:
            answers.append(0)
    p = np.array([answers])
    if y is not None:
        right = sum(int(a == b) for a, b in zip(p[0], y[0], strict=True))
        print("Accuracy:", right / y.shape[1])
    return p


def right_filled(X, y, parameters):
    AL, caches = L_model_forward(X, parameters)
    p = np.zeros(AL.shape)
    p[AL > 0.5] = 1
    if y is not None:
        print("Accuracy: " + str(np.mean((p == y) * 1.0)))
    return p


def right_by_comprehension(X, y, parameters):
    AL = L_model_forward(X, parameters)[0]
    m = X.shape[1]
    p = np.array([[1.0 if AL[0, i] > 0.5 else 0.0 for i in range(m)]])
    if y is not None:
        accuracy = 100 - np.mean(np.abs(p - y)) * 100
        print(f"{accuracy} %")
    return p


def right_example_by_example(X, y, parameters):
    m = X.shape[1]
    p = np.zeros((1, m), dtype=int)
    for k in range(m):
        a, _ = L_model_forward(X[:, k : k + 1], parameters)
        p[0, k] = int(a[0, 0] > 0.5)
    if y is not None:
        print(np.mean(p == y))
    return p


def right_by_hand(X, y, parameters):
    L = len(parameters) // 2
    A = X
    for l in range(1, L):
        A = np.maximum(0, np.dot(parameters["W" + str(l)], A) + parameters["b" + str(l)])
    Z = np.dot(parameters["W" + str(L)], A) + parameters["b" + str(L)]
    AL = 1 / (1 + np.exp(-Z))
    p = (AL > 0.5).astype(int)
    if y is not None:
        print("Accuracy:", (p == y).mean())
    return p


FAULTS = (
    ("threshold", "> 0.5", "> 0"),
    ("threshold", "> 0.5", "> 0.0"),
    ("threshold", "> 0.5", "> 0.4"),
    ("threshold", "> 0.5", "> 0.9"),
    ("threshold", "> 0.5", "> 1"),
    ("threshold", "> 0.5", "> np.mean(L_model_forward(X, parameters)[0])"),
    ("inequality at the threshold", "AL > 0.5", "np.round(AL + 1e-12)"),
    ("inequality turned round", "np.where(probabilities > 0.5, 1, 0)", "np.where(probabilities > 0.5, 0, 1)"),
    ("probabilities for answers", "p = AL > 0.5", "p = AL"),
    ("returns the labels", "return p\n", "return p if y is None else y\n"),
    ("returns the accuracy", "    return p\n", "    return p if y is None else np.mean(p == y)\n"),
    ("(m,) for (1, m)", "p = np.zeros((1, m))", "p = np.zeros((1, m)).ravel(); p = p"),
    ("(m,) for (1, m)", "np.where(probabilities > 0.5, 1, 0)", "np.where(probabilities > 0.5, 1, 0)[0]"),
    ("answers as signs", "np.where(probabilities > 0.5, 1, 0)", "np.where(probabilities > 0.5, 1, -1)"),
    ("answers as signs", "np.heaviside(Z, 0)", "np.sign(Z)"),
    ("one answer for all", "p = AL > 0.5", "p = np.full(AL.shape, AL.mean() > 0.5)"),
    ("threshold", "np.heaviside(Z, 0)", "np.heaviside(Z - 0.5, 0)"),
    ("threshold", "> 0.5", "> 0.6"),
    ("inequality at the threshold", "np.heaviside(Z, 0)", "np.heaviside(Z, 1)"),
    (
        "inequality turned round",
        "            answers.append(1)\n        else:\n            answers.append(0)",
        "            answers.append(0)\n        else:\n            answers.append(1)",
    ),
    ("inequality turned round", "1.0 if AL[0, i] > 0.5 else 0.0", "0.0 if AL[0, i] > 0.5 else 1.0"),
    (
        "inequality turned round",
        "            p[0, i] = 1\n        else:\n            p[0, i] = 0",
        "            p[0, i] = 0\n        else:\n            p[0, i] = 1",
    ),
    ("probabilities for answers", "p[0, k] = int(a[0, 0] > 0.5)", "p = p * 1.0; p[0, k] = a[0, 0]"),
    ("probabilities for answers", "    return p\n", "    return L_model_forward(X, parameters)[0]\n"),
    ("probabilities for answers", "p = (AL > 0.5).astype(int)", "p = AL"),
    ("probabilities for answers", "            answers.append(1)", "            answers.append(probability)"),
    ("returns the accuracy", "        print(np.mean(p == y))\n", "        return np.mean(p == y)\n"),
    ("returns the accuracy", '        print("Accuracy:", (p == y).mean())', "        return (p == y).mean()"),
    (
        "returns the accuracy",
        '        print("Accuracy: " + str(np.mean((p == y) * 1.0)))\n',
        "        p = np.mean((p == y) * 1.0)\n",
    ),
    ("(m,) for (1, m)", "np.array([answers])", "np.array(answers)"),
    ("(m,) for (1, m)", "p = p.astype(float)", "p = p.astype(float)[0]"),
    (
        "(m,) for (1, m)",
        "[[1.0 if AL[0, i] > 0.5 else 0.0 for i in range(m)]]",
        "[1.0 if AL[0, i] > 0.5 else 0.0 for i in range(m)]",
    ),
    ("a column for a row", "np.array([answers])", "np.array([answers]).T"),
    ("answers as signs", "answers.append(0)", "answers.append(-1)"),
    ("answers as signs", "1.0 if AL[0, i] > 0.5 else 0.0", "1.0 if AL[0, i] > 0.5 else -1.0"),
    ("one answer for all", "if probability > 0.5:", "if probas[0, 0] > 0.5:"),
    ("one answer for all", "if probabilities[0, i] > 0.5:", "if probabilities[0, 0] > 0.5:"),
    ("one answer for all", "1.0 if AL[0, i] > 0.5", "1.0 if AL[0, 0] > 0.5"),
    ("one answer for all", "X[:, k : k + 1]", "X[:, :1]"),
    ("probabilities for answers", "p[0, k] = int(a[0, 0] > 0.5)", "p[0, k] = int(a[0, 0])"),
    (
        "relu missing",
        'np.maximum(0, np.dot(parameters["W" + str(l)], A) + parameters["b" + str(l)])',
        'np.dot(parameters["W" + str(l)], A) + parameters["b" + str(l)]',
    ),
    ("a layer too many or too few", "range(1, L)", "range(1, L - 1)"),
    ("a layer too many or too few", "range(1, L)", "range(1, L + 1)"),
    ("sigmoid missing", "AL = 1 / (1 + np.exp(-Z))", "AL = Z"),
    ("sigmoid too many", "AL = 1 / (1 + np.exp(-Z))", "AL = 1 / (1 + np.exp(-1 / (1 + np.exp(-Z))))"),
    ("bias forgotten", '["W" + str(l)], A) + parameters["b" + str(l)]', '["W" + str(l)], A)'),
    ("wrong cache", "caches[-1][1]", "caches[0][1]"),
    (
        "overwritten in the loop",
        "            answers.append(1)\n        else:\n            answers.append(0)",
        "            answers = [1]\n        else:\n            answers = [0]",
    ),
    ("a pair for its first part", "L_model_forward(X, parameters)[0]", "L_model_forward(X, parameters)"),
    ("order of arguments", "L_model_forward(X, parameters)", "L_model_forward(parameters, X)"),
    (
        "returned in the wrong place",
        "    if y is not None:\n        print(np.mean(p == y))\n    return p",
        "        return p",
    ),
    ("ones for zeros", "p = np.zeros(AL.shape)", "p = np.ones(AL.shape)"),
    ("returned in the wrong place", "(p == y) * 1.0)))\n    return p", "(p == y) * 1.0)))\n        return p"),
)
