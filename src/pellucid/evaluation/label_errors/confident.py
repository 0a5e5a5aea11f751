"""Confident learning: which labels contradict the probabilities that were predicted without them.

Northcutt, Jiang and Chuang (2021), "Confident learning: estimating uncertainty in dataset labels".
"""

import numpy as np

from pellucid.types import Array


def contradicted(P: Array, y: Array) -> tuple[Array, Array]:
    """Return which labels are contradicted with confidence, the clearest first, and the likely class of each.

    The threshold of class j is the mean probability of j among the samples labelled j: how sure the network
    usually is of it. A sample confidently belongs to the most probable of the classes that reach theirs.

    Parameters
    ----------
    P : Array, shape (m, k)
        Probabilities by networks that were not trained on the sample.
    y : Array, shape (m,)

    Examples
    --------
    >>> P = np.array([[0.9, 0.1], [0.8, 0.2], [0.3, 0.7], [0.1, 0.9], [0.95, 0.05]])
    >>> contradicted(P, np.array([0, 0, 1, 1, 1]))
    (array([4]), array([0]))
    """
    thresholds = [P[y == j, j].mean() if (y == j).any() else np.inf for j in range(P.shape[1])]
    confident = np.where(np.array(thresholds) - 1e-6 <= P, P, -1.0)
    classes = confident.argmax(axis=1)
    rows = np.flatnonzero((confident.max(axis=1) >= 0) & (classes != y))
    margin = P[rows, classes[rows]] - P[rows, y[rows]]
    rows = rows[np.argsort(-margin, kind="stable")]
    return rows, classes[rows]
