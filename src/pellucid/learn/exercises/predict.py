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
GIVEN = ("L_model_forward",)


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


FAULTS = (
    ("threshold", "> 0.5", "> 0"),
    ("threshold", "> 0.5", "> 0.0"),
    ("threshold", "> 0.5", "> 0.4"),
    ("threshold", "> 0.5", "> 0.9"),
    ("threshold", "> 0.5", "> 1"),
    ("threshold", "> 0.5", "> np.mean(L_model_forward(X, parameters)[0])"),
    ("inequality at the threshold", "> 0.5", ">= 0.5"),
    ("inequality at the threshold", "AL > 0.5", "np.round(AL + 1e-12)"),
    ("inequality turned round", "> 0.5", "< 0.5"),
    ("inequality turned round", "np.where(probabilities > 0.5, 1, 0)", "np.where(probabilities > 0.5, 0, 1)"),
    ("probabilities for answers", "p = AL > 0.5", "p = AL"),
    ("returns the labels", "return p\n", "return p if y is None else y\n"),
    ("returns the accuracy", "    return p\n", "    return p if y is None else accuracy\n"),
    ("(m,) for (1, m)", "p = np.zeros((1, m))", "p = np.zeros((1, m)).ravel(); p = p"),
    (
        "returned in the wrong place",
        "    return np.where(probabilities > 0.5, 1, 0)",
        "    return np.where(probabilities > 0.5, 1, 0)[0]",
    ),
    ("answers as signs", "np.where(probabilities > 0.5, 1, 0)", "np.where(probabilities > 0.5, 1, -1)"),
    ("answers as signs", "np.heaviside(Z, 0)", "np.sign(Z)"),
    ("one answer for all", "p = AL > 0.5", "p = np.full(AL.shape, AL.mean() > 0.5)"),
)
