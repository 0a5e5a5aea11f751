"""The training photos that are nearest to a photo: by their pixels, and by what the network makes of them."""

import math
from typing import Any

import numpy as np

from pellucid.data.preprocess import Preprocessing
from pellucid.errors import DataError, OptionError, ShapeError
from pellucid.nn.dense import Dense
from pellucid.nn.hooks import record
from pellucid.nn.model import Model
from pellucid.nn.pretrained.features import body_features
from pellucid.types import Array

BLOCK = 2**22  # numbers of training samples searched at a time: 32 MB as float64


def nearest(train_X: Any, X: Array, n: int = 5) -> tuple[Array, Array]:
    """Return the training samples nearest to each sample, the nearest first.

    Parameters
    ----------
    train_X : Array or StoredArray, shape (m_train, ...)
        Photos, or rows of features; any numeric dtype. Not modified.
    X : Array, shape (m, ...)
        Of the same sample shape, in the same units.
    n : int, optional
        How many; fewer where there are fewer.

    Returns
    -------
    indices : Array, shape (m, n), dtype int64
        Rows of ``train_X``; of equally near ones the first.
    distances : Array, shape (m, n), dtype float64
        The root mean square difference of two samples' numbers, in their own units: of uint8 photos in
        brightness steps from 0 to 255. 0 for the very same numbers, and only then.

    Raises
    ------
    ShapeError
        If samples have different shapes.
    DataError
        If there is no training sample.
    OptionError
        If ``n`` is below 1.

    Notes
    -----
    3 m m_train d operations for samples of d numbers, by SciPy's ``cdist``, some training samples at a time: from
    the differences, so that what is the same is at 0.

    Examples
    --------
    >>> nearest(np.array([[0, 0], [3, 3], [9, 9]], np.uint8), np.array([[4, 4]], np.uint8), n=2)
    (array([[1, 0]]), array([[1., 4.]]))
    """
    from scipy.spatial.distance import cdist

    if train_X.shape[1:] != X.shape[1:]:
        raise ShapeError(
            f"nearest: expected samples of shape {train_X.shape[1:]}, as in training, got {X.shape[1:]}."
        )
    if n < 1:
        raise OptionError(f"nearest: expected n of 1 or more, got {n}.")
    if not len(train_X):
        raise DataError("nearest: expected a training sample to compare with, got none.")
    m, d = len(X), math.prod(X.shape[1:])
    Q, rows = X[:].reshape(m, d).astype(np.float64), max(1, BLOCK // max(1, d))
    indices, distances = np.empty((m, 0), np.int64), np.empty((m, 0))
    for start in range(0, len(train_X), rows):
        T = train_X[start : start + rows]
        numbers = np.broadcast_to(np.arange(start, start + len(T)), (m, len(T)))
        indices = np.hstack([indices, numbers])
        distances = np.hstack([distances, cdist(Q, T.reshape(len(T), d).astype(np.float64))])
        best = np.argsort(distances, axis=1, kind="stable")[:, :n]  # of what is equal, the first
        indices, distances = np.take_along_axis(indices, best, 1), np.take_along_axis(distances, best, 1)
    return indices, distances / math.sqrt(max(1, d))


def hidden_features(model: Model, X: Array) -> Array:
    """Return what a model's last trained layer sees of raw inputs: the network's own description of them.

    Parameters
    ----------
    model : Model
        Initialized, of one input. A network of a single layer sees the inputs themselves.
    X : Array, shape (m, *input_shape)
        As the data has them; the model's preprocessing is applied.

    Returns
    -------
    features : Array, shape (m, d), the model's dtype

    Examples
    --------
    >>> from pellucid.nn.presets import preset
    >>> model = preset("mlp")
    >>> model.initialize((8, 8, 3))
    >>> hidden_features(model, np.zeros((2, 8, 8, 3), np.uint8)).shape
    (2, 5)
    """
    layer = next((use for use in reversed(model._uses()) if use.params), None)
    rule = model.preprocessing or Preprocessing()  # as predictions do
    if layer is None:
        return rule.apply(X, model.dtype).reshape(len(X), -1)
    if model._n_body and isinstance(model._places[-1], Dense):  # it sees what the body makes of photos
        return body_features(model, X, rule)
    parts, rows = [], model._rows_a_piece(X)
    with model._run_lock, record(layer) as watch:
        for start in range(0, max(1, len(X)), rows):
            model.forward(rule.apply(X[start : start + rows], model.dtype))
            assert watch.input is not None
            parts.append(watch.input.reshape(len(watch.input), -1))
    return np.concatenate(parts)


def nearest_by_features(model: Model, train_X: Array, X: Array, n: int = 5) -> tuple[Array, Array]:
    """Return the training samples that a model finds most alike, by what its last trained layer sees of them.

    Parameters
    ----------
    model : Model
    train_X : Array, shape (m_train, *input_shape)
    X : Array, shape (m, *input_shape)
        As the data has them.
    n : int, optional

    Returns
    -------
    indices : Array, shape (m, n), dtype int64
    distances : Array, shape (m, n), dtype float64
        The root mean square difference of the features, each in units of its standard deviation over the
        training samples. Many may be 0: a network learns to see samples of one class alike.

    Examples
    --------
    >>> from pellucid.nn.presets import preset
    >>> model = preset("mlp")
    >>> X = np.arange(5 * 8 * 8 * 3, dtype=np.uint8).reshape(5, 8, 8, 3)
    >>> model.initialize((8, 8, 3))
    >>> indices, distances = nearest_by_features(model, X, X[3:4], n=1)
    >>> indices.tolist(), distances.round(6).tolist()
    ([[3]], [[0.0]])
    """
    F, Q = (hidden_features(model, part).astype(np.float64) for part in (train_X, X))
    mean, spread = F.mean(axis=0), F.std(axis=0)
    used = spread > 1e-12 * np.maximum(1, np.abs(mean))  # not of a unit that never fires
    F, Q = ((part - mean)[:, used] / spread[used] for part in (F, Q))
    return nearest(F, Q, n)
