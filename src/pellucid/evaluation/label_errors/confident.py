"""Confident learning: which labels contradict the probabilities that were predicted without them.

Northcutt, Jiang and Chuang (2021), "Confident learning: estimating uncertainty in dataset labels".
"""

import numpy as np

from pellucid.types import Array


def confident_classes(P: Array, y: Array) -> tuple[Array, Array]:
    """Return the class that each sample confidently belongs to, -1 where there is none, and the thresholds.

    The threshold of class j is the mean probability of j among the samples labelled j: how sure the network
    usually is of it. A sample confidently belongs to the most probable of the classes that reach theirs.

    Parameters
    ----------
    P : Array, shape (m, k)
        Probabilities by networks that were not trained on the sample.
    y : Array, shape (m,)

    Returns
    -------
    classes : Array, shape (m,)
    thresholds : Array, shape (k,)
        Infinite for a class without samples.

    Examples
    --------
    >>> P = np.array([[0.9, 0.1], [0.8, 0.2], [0.3, 0.7], [0.1, 0.9], [0.95, 0.05]])
    >>> classes, thresholds = confident_classes(P, np.array([0, 0, 1, 1, 1]))
    >>> classes.tolist(), thresholds.round(2).tolist()
    ([0, -1, 1, 1, 0], [0.85, 0.55])
    """
    k = P.shape[1]
    thresholds = np.array([P[y == j, j].mean() if (y == j).any() else np.inf for j in range(k)])
    reaches = thresholds - 1e-6 <= P
    best = np.where(reaches, P, -1.0).argmax(axis=1)
    return np.where(reaches.any(axis=1), best, -1), thresholds


def contradicted(P: Array, y: Array) -> tuple[Array, Array]:
    """Return which labels are contradicted with confidence, the clearest first, and the likely class of each.

    Examples
    --------
    >>> P = np.array([[0.9, 0.1], [0.8, 0.2], [0.3, 0.7], [0.1, 0.9], [0.95, 0.05]])
    >>> contradicted(P, np.array([0, 0, 1, 1, 1]))
    (array([4]), array([0]))
    """
    classes, _ = confident_classes(P, y)
    rows = np.flatnonzero((classes >= 0) & (classes != y))
    margin = P[rows, classes[rows]] - P[rows, y[rows]]
    rows = rows[np.argsort(-margin, kind="stable")]
    return rows, classes[rows]
