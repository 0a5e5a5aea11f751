"""TracIn: what each training sample did to a prediction, added up over a training."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pellucid import dispatch
from pellucid.data.dataset import Dataset
from pellucid.data.preprocess import Preprocessing
from pellucid.errors import OptionError, ShapeError
from pellucid.evaluation.influence.gradients import (
    Products,
    Slope,
    head_products,
    is_stack,
    plain_products,
    stack_products,
)
from pellucid.evaluation.influence.logits import check_classifier, labels_of, logit_slope
from pellucid.evaluation.influence.snapshots import Snapshot, own_copy
from pellucid.nn.model import Model
from pellucid.ops.losses.base import LOSSES
from pellucid.progress import CountCallback
from pellucid.types import Array

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

    Raises
    ------
    OptionError
        If there is no snapshot, or the model gives no class probabilities.
    ShapeError
        If the samples do not fit the model.

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
    >>> from pellucid.evaluation.influence.snapshots import last_snapshot
    >>> from pellucid.nn.presets import preset
    >>> model = preset("logistic")
    >>> model.initialize((2,))
    >>> data = Dataset(np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([0, 1]))
    >>> trace_influence(model, [last_snapshot(model, 0)], data, data).tracin  # both are taken for class 0 so far
    array([[ 0.5 ,  0.25],
           [-0.25, -0.5 ]])
    """
    _check(model, snapshots, train, query)
    replica = own_copy(model)
    rule = model.preprocessing or Preprocessing()
    X, query_X = rule.apply(train.X, model.dtype), rule.apply(query.X, model.dtype)
    predicted_labels = labels_of(model.decision_function(query.X))
    slopes = loss_slope(model, train), logit_slope(predicted_labels)
    m, n_snapshots = len(X), len(snapshots)
    each = 3.0 * model._n_operations / OPERATIONS_A_SECOND + SECONDS_A_LAYER * len(model._leaves())
    is_quick = (m + len(query_X)) * n_snapshots * each <= MOST_SECONDS
    way = "stack" if is_stack(model) else "all" if is_quick else "last-layer"
    gram = X.reshape(m, -1) @ query_X.reshape(len(query_X), -1).T if way == "stack" else None

    def products(t: int) -> Products:
        if way == "stack":
            return stack_products(replica, X, query_X, *slopes, gram=gram)
        if way == "last-layer":
            return head_products(replica, X, query_X, *slopes)
        listen = None if progress is None else (lambda i, m: progress(t * m + i, n_snapshots * m))
        return plain_products(replica, X, query_X, *slopes, progress=listen)

    weight = np.full(len(X), 1 / len(X)) if weights is None else weights / weights.sum()
    tracin, cosines, total = np.zeros((len(X), len(query_X))), np.zeros((len(X), len(query_X))), 0.0
    with dispatch.use_for(3.0 * len(snapshots) * (len(X) + len(query_X)) * model._n_operations):
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
        dZ: Array = loss.backward(loss.forward(Z, labels, normalizer=1.0)[1])
        return dZ

    return slope


def _check(model: Model, snapshots: Sequence[Snapshot], train: Dataset, query: Dataset) -> None:
    if not snapshots:
        raise OptionError("trace_influence: expected at least one snapshot of the training, got none.")
    check_classifier(model)
    for name, data in (("training", train), ("query", query)):
        if data.X.shape[1:] != model.input_shape:
            raise ShapeError(
                f"trace_influence: expected {name} samples of shape {model.input_shape}, as the model was trained "
                f"on, got {data.X.shape[1:]}."
            )
