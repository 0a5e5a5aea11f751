"""TracIn: what each training sample did to a prediction, by products of gradients, added up over a training."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from pellucid import dispatch
from pellucid.data.dataset import Dataset
from pellucid.data.preprocess import Preprocessing
from pellucid.errors import OptionError
from pellucid.evaluation.influence.logits import Slope, labels_of, logit_slope
from pellucid.evaluation.influence.snapshots import Snapshot, own_copy
from pellucid.nn.dense import Dense, Flatten
from pellucid.nn.hooks import record
from pellucid.nn.layer import Layer
from pellucid.nn.model import Model
from pellucid.nn.sequential import Sequential
from pellucid.ops.activations import ACTIVATIONS
from pellucid.ops.losses.base import LOSSES
from pellucid.progress import CountCallback
from pellucid.types import Array

ALL = slice(None)
PIECE = 256  # samples whose features are computed at a time


class Products(NamedTuple):
    """What two sets of gradients have in common."""

    dots: Array  # (m, n) float64: train sample i, query sample j
    train_norms: Array  # (m,) lengths of the gradients
    query_norms: Array  # (n,)


def is_stack(model: Model) -> bool:
    """Return whether a model is trained Dense layers one after another, perhaps with Flatten before them."""
    if not isinstance(model, Sequential) or model._further() or model._n_frozen:
        return False
    kinds = [type(layer) for layer in model.layers]
    n_flat = next((i for i, kind in enumerate(kinds) if kind is not Flatten), len(kinds))
    return n_flat < len(kinds) and all(kind is Dense for kind in kinds[n_flat:])


def dense_products(layers: Sequence[Dense], A: Array, m: int, slope: Slope, query_slope: Slope) -> Products:
    """Return the products of the gradients of Dense layers, one after another: one pass for all samples.

    Parameters
    ----------
    layers : sequence of Dense
        The last ones of a model.
    A : Array, shape (m + n, n_in)
        What the first of them takes, of the training and then of the query samples.
    m : int
        Training samples.
    slope, query_slope : callable
        The outputs' gradient of each training sample's loss, and of each query sample's score.

    Notes
    -----
    2 (m + n) p operations for the passes, and 2 m n (n_in + n_out) a layer for the products.
    """
    inputs, caches = [], []
    for layer in layers:
        inputs.append(A)
        Z = A @ layer.params["W"] + layer.params["b"]
        A, cache = ACTIVATIONS[layer.activation or "linear"].forward(Z)
        caches.append(cache)
    dA = np.concatenate([slope(A[:m], ALL), query_slope(A[m:], ALL)])
    n_samples = len(A)
    dots, squares = np.zeros((m, n_samples - m)), np.zeros(n_samples)
    for layer, A, cache in zip(layers[::-1], inputs[::-1], caches[::-1], strict=True):
        dZ = ACTIVATIONS[layer.activation or "linear"].backward(dA, cache)
        dots += (A[:m] @ A[m:].T + 1) * (dZ[:m] @ dZ[m:].T)
        squares += (np.einsum("ij,ij->i", A, A) + 1) * np.einsum("ij,ij->i", dZ, dZ)
        if layer is not layers[0]:
            dA = dZ @ layer.params["W"].T
    norms = np.sqrt(squares)
    return Products(dots, norms[:m], norms[m:])


def plain_products(
    model: Model,
    X: Array,
    query_X: Array,
    slope: Slope,
    query_slope: Slope,
    *,
    progress: CountCallback | None = None,
) -> Products:
    """Return the products for any model, each sample's gradient for all parameters computed by itself.

    Batch norm goes by its running statistics and dropout drops nothing: a sample alone has no batch.

    Notes
    -----
    A forward and a backward pass of one sample m + n times; the n query gradients are kept, n p numbers.
    """
    m, n = len(X), len(query_X)
    gradients = np.empty((n, model.theta.size), model.theta.dtype)
    for j in range(n):
        gradients[j] = _gradient(model, query_X, query_slope, j)
    dots, norms = np.empty((m, n)), np.empty(m)
    for i in range(m):
        gradient = _gradient(model, X, slope, i)
        dots[i] = gradients @ gradient
        norms[i] = np.linalg.norm(gradient)
        if progress is not None:
            progress(i + 1, m)
    return Products(dots, norms, np.linalg.norm(gradients, axis=1).astype(np.float64))


def _gradient(model: Model, X: Array, slope: Slope, i: int) -> Array:
    """Return the gradient of sample i alone, in the model's own array."""
    rows = slice(i, i + 1)
    model.backward(slope(model.forward(X[rows]), rows))
    return model.grad


def last_dense(model: Model) -> Dense:
    """Return the last layer, whose gradients alone are an approximation.

    Raises
    ------
    OptionError
        If it is not a Dense without activation that gives the model's outputs.
    """
    last: Layer = model._uses()[-1]
    gives_outputs = last._first_use is None and last.output_shape == model.output_shape
    if not isinstance(last, Dense) or last.activation is not None or not gives_outputs:
        raise OptionError(
            "influence: expected a model that ends in a Dense layer without activation, for its gradients alone."
        )
    return last


def inputs_of(head: Dense, model: Model, X: Array) -> Array:
    """Return what the last layer takes of prepared samples, float64."""
    parts = []
    with record(head) as watch:
        for start in range(0, len(X), PIECE):
            model.forward(X[start : start + PIECE])
            assert watch.input is not None
            parts.append(watch.input)
    return np.concatenate(parts).astype(np.float64)


MOST_SECONDS = 60.0  # that single gradients may take, before the last layer alone is taken
OPERATIONS_A_SECOND, SECONDS_A_LAYER = 4e9, 6e-5  # of one sample's forward and backward pass, roughly


@dataclass(frozen=True, eq=False)
class Influence:
    """What each training sample did to each query sample's score.

    Attributes
    ----------
    tracin : Array, shape (m, n), float64
        TracIn: how far training on sample i moved the score of query sample j, to first order and with all else as
        it was. Above 0: towards it. In the score's own units, where the optimizer is plain gradient descent.
    renormalized : Array, shape (m, n), float64
        The mean cosine, from -1 to 1, between the two samples' gradients: what TracIn gives if every training
        sample speaks with the same strength, however wrong the network was about it.
    predicted_labels : Array, shape (n,)
        The class whose log-odds are the score.
    steps : tuple of int
        The snapshots' steps.
    gradients : str
        "all" parameters', or the "last-layer" alone: an approximation.
    """

    tracin: Array
    renormalized: Array
    predicted_labels: Array
    steps: tuple[int, ...]
    gradients: str


def trace_influence(
    model: Model,
    snapshots: Sequence[Snapshot],
    train: Dataset,
    query: Dataset,
    *,
    weights: Array | None = None,
    progress: CountCallback | None = None,
) -> Influence:
    """Return what each training sample did to the prediction on each query sample.

    Parameters
    ----------
    model : Model
        Trained, a classifier: the predictions are its own. It stays as it is.
    snapshots : sequence of Snapshot
        Of its training: see :class:`KeepSnapshots`.
    train, query : Dataset
        As loaded; the model's preprocessing is applied.
    weights : Array, shape (m,), optional
        How much each training sample counted; 0: it was not trained on.
    progress : callable, optional
        Called with the number of single gradients done and of all, where they are computed one by one.

    Returns
    -------
    Influence
        On the log-odds of the class that the model predicts; of all parameters' gradients, unless these would take
        more than about a minute.

    Notes
    -----
    TracInCP of Pruthi, Liu, Kale and Sundararajan (2020), with the mean's 1/m::

        tracin[i, j] = sum over snapshots t of  rate_t / m  * (-grad loss_i)(theta_t) . (grad score_j)(theta_t)

    With a snapshot for every step of full-batch gradient descent its sum over i is the whole change of the score,
    to first order in the learning rate. ``renormalized`` is GAS of Hammoudeh and Lowd (2022): both gradients are
    divided by their lengths, and a snapshot counts by its rate. For a network's late gradients are those of the few
    samples that it still misclassifies, and plain TracIn drowns in them.

    Examples
    --------
    >>> from pellucid.evaluation.influence.snapshots import snapshot_of
    >>> from pellucid.nn.presets import preset
    >>> model = preset("logistic")
    >>> model.initialize((2,))
    >>> data = Dataset(np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([0, 1]))
    >>> trace_influence(model, [snapshot_of(model, 0)], data, data).tracin  # both are taken for class 0 so far
    array([[ 0.5 ,  0.25],
           [-0.25, -0.5 ]])
    """
    replica, rule = own_copy(model), model.preprocessing or Preprocessing()
    m, n, n_snapshots = len(train), len(query), len(snapshots)
    both = np.concatenate([rule.apply(part.X, model.dtype) for part in (train, query)])
    predicted_labels = labels_of(model.decision_function(query.X))
    slopes = loss_slope(model, train), logit_slope(predicted_labels)
    each = 3.0 * model._n_operations / OPERATIONS_A_SECOND + SECONDS_A_LAYER * len(model._leaves())
    is_quick = (m + n) * n_snapshots * each <= MOST_SECONDS
    way = "stack" if is_stack(model) else "all" if is_quick else "last-layer"

    def products(t: int) -> Products:
        if way == "stack":
            layers = [leaf for leaf in replica._leaves() if isinstance(leaf, Dense)]
            return dense_products(layers, both.reshape(m + n, -1), m, *slopes)
        if way == "last-layer":
            head = last_dense(replica)
            return dense_products([head], inputs_of(head, replica, both), m, *slopes)
        listen = None if progress is None else (lambda i, m: progress(t * m + i, n_snapshots * m))
        return plain_products(replica, both[:m], both[m:], *slopes, progress=listen)

    weight = np.full(m, 1 / m) if weights is None else weights / weights.sum()
    tracin, cosines, total = np.zeros((m, n)), np.zeros((m, n)), 0.0
    with dispatch.use_for(3.0 * n_snapshots * (m + n) * model._n_operations):
        for t, snapshot in enumerate(snapshots):
            snapshot.put_into(replica)
            dots, norms, query_norms = products(t)
            tracin -= snapshot.rate * weight[:, np.newaxis] * dots
            lengths = np.outer(norms, query_norms)
            cosines -= snapshot.rate * np.divide(dots, lengths, out=np.zeros_like(dots), where=lengths > 0)
            total += snapshot.rate
    cosines[weight == 0] = 0
    return Influence(
        tracin=tracin,
        renormalized=cosines / total,
        predicted_labels=predicted_labels,
        steps=tuple(snapshot.step for snapshot in snapshots),
        gradients="last-layer" if way == "last-layer" else "all",
    )


def loss_slope(model: Model, data: Dataset) -> Slope:
    """Return the outputs' gradient of each sample's own loss, not divided by their number."""
    loss = LOSSES.from_config(model.loss_config)
    Y = model._encode(data.y)

    def slope(Z: Array, rows: slice) -> Array:
        labels = Y[rows].astype(Z.dtype) if Y.dtype.kind == "f" else Y[rows]
        return loss.backward(loss.forward(Z, labels, normalizer=1.0)[1])

    return slope
