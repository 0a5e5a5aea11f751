"""What a prediction would be without each training sample, estimated at once: for a layer that sees features."""

import numpy as np

from pellucid.data.dataset import Dataset
from pellucid.evaluation.influence.logits import logit_slope
from pellucid.evaluation.influence.tracin import loss_slope
from pellucid.nn.model import Model
from pellucid.types import Array

TOLERANCE = 1e-8  # of the conjugate gradients, relative to the right side


def linear_estimate(
    model: Model, train: Dataset, query: Dataset, predicted_labels: Array, decay: float, weights: Array | None
) -> Array:
    """Return about how far the log-odds of predictions fall when each training sample alone is left out.

    Parameters
    ----------
    model : Model
        One Dense layer, trained to the minimum of its mean cross-entropy plus decay/2 ||W||^2.
    train, query : Dataset
        Of features, (m, d) and (n, d).
    predicted_labels : Array, shape (n,)
        The classes whose log-odds are meant.
    decay : float
    weights : Array or None, shape (m,)
        How much each training sample counted.

    Returns
    -------
    estimate : Array, shape (m, n), float64

    Notes
    -----
    One Newton step from the minimum theta (Cook and Weisberg, 1982; Koh and Liang, 2017)::

        theta_without_i - theta = H^-1 (w_i grad loss_i + w_i decay [W; 0]) / (w - w_i)

    with H the Hessian of what was minimized and w the sum of weights. H is never made: for each query, H u = grad
    score is solved by conjugate gradients, of two products (m, d) x (d, k) a step.
    """
    from scipy.sparse.linalg import LinearOperator, cg

    def with_ones(X: Array) -> Array:
        return np.hstack([X, np.ones((len(X), 1))]).astype(np.float64)

    F, Q = with_ones(train.X), with_ones(query.X)
    m, d = F.shape
    w = np.ones(m) if weights is None else weights.astype(np.float64)
    (leaf,) = model._leaves()
    W = np.vstack([leaf.params["W"], np.zeros(leaf.params["W"].shape[1])]).astype(np.float64)
    theta = np.vstack([leaf.params["W"], leaf.params["b"]])
    Z = F @ theta
    P = model._loss.probabilities(Z)
    k = Z.shape[1]
    P = P[:, -k:]  # of one output, the probability of the second class
    is_penalized = np.arange(d)[:, None] < d - 1

    def times_hessian(flat: Array) -> Array:
        V = flat.reshape(d, k)
        U = P * (F @ V)
        U -= P * (U if k == 1 else U.sum(axis=1, keepdims=True))
        product = F.T @ (U * w[:, None]) / w.sum() + decay * is_penalized * V
        return np.asarray(product.ravel())

    H = LinearOperator((d * k, d * k), matvec=times_hessian, dtype=np.float64)
    G = loss_slope(model, train)(Z, slice(None))  # of each sample's own loss
    S = logit_slope(predicted_labels)(Q @ theta, slice(None))
    columns = []
    for q, s in zip(Q, S, strict=True):
        u = cg(H, np.outer(q, s).ravel(), rtol=TOLERANCE, maxiter=10 * d)[0].reshape(d, k)
        change = ((F @ u) * G).sum(axis=1) + decay * (u * W).sum()
        columns.append(-change * w / np.maximum(w.sum() - w, 1e-12))
    return np.stack(columns, axis=1)
