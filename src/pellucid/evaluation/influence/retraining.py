"""Training again without some samples: the only proof of what they did."""

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from pellucid.data.dataset import Dataset
from pellucid.data.preprocess import Preprocessing
from pellucid.evaluation.influence.logits import outputs_of
from pellucid.evaluation.influence.snapshots import KeepSnapshots, Snapshot, own_copy
from pellucid.nn.dense import Dense, Flatten
from pellucid.nn.model import Model
from pellucid.nn.sequential import Sequential
from pellucid.training.events import Callback
from pellucid.types import Array

Fit = Callable[..., object]
Group = tuple[int, ...]  # numbers of training samples, rising
Runner = Callable[[Callable[[Group], Array], Sequence[Group]], dict[Group, Array]]


class Traced(NamedTuple):
    """A training with all samples."""

    model: Model
    outputs: Array  # (n, n_out) float64, for the query samples
    snapshots: list[Snapshot]


@dataclass(frozen=True, eq=False)
class Retraining:
    """A training that can be run again, with all samples or without some.

    Attributes
    ----------
    start : Model
        Initialized, not trained; every training begins from a copy of it.
    train : Dataset
    query_X : Array, shape (n, ...)
        Samples whose predictions are asked for, as loaded.
    fit : callable
        Takes model, data and callbacks, and trains in place: the same way each time. Picklable, where trainings run
        in other processes. With ``held``, also takes the rows that are held out, as ``held``.
    held : Array of int, optional
        Samples held out for validation: the same ones in each training.

    Notes
    -----
    A sample is left out by removing its row, so that the mean is taken over one sample fewer: exactly the training
    that would have been without it. With mini-batches, other samples then form a batch, which
    changes so much that the effect of one sample is hard to distinguish from chance.

    Examples
    --------
    >>> from pellucid.nn.presets import preset
    >>> from pellucid.training.fit import train
    >>> data = Dataset(np.array([[0.0], [1.0], [1.0]]), np.array([0, 1, 1]))
    >>> start = preset("logistic")
    >>> start.initialize((1,))
    >>> fit = lambda model, data, callbacks: train(model, data, n_epochs=50, callbacks=callbacks)
    >>> again = Retraining(start, data, np.array([[1.0]]), fit)
    >>> bool(again.without((0,)) > again.without() > again.without((1,)))  # the 0 spoke against it, each 1 for it
    True
    """

    start: Model
    train: Dataset
    query_X: Array
    fit: Fit
    held: Array | None = None

    def without(self, group: Group = ()) -> Array:
        """Return the outputs for the query samples, (n, n_out) float64, of a training without a group."""
        return outputs_of(self._trained(group, ()), self.query_X)

    def traced(self, n_snapshots: int = 20) -> Traced:
        """Run the training with all samples, and keep snapshots of it."""
        keep = KeepSnapshots(n_snapshots)
        model = self._trained((), [keep])
        return Traced(model, outputs_of(model, self.query_X), keep.snapshots)

    def _trained(self, group: Group, callbacks: Sequence[Callback]) -> Model:
        model = own_copy(self.start)
        keep = np.delete(np.arange(len(self.train)), list(group))
        held = {} if self.held is None else {"held": np.flatnonzero(np.isin(keep, self.held))}
        self.fit(model, self.train if not group else self.train.take(keep), callbacks, **held)
        return model


def project_to_span(retraining: Retraining) -> Retraining:
    """Return the same training with the samples turned into as few coordinates as there are samples.

    Gradient descent moves the first layer's weights only within the span of the training samples. An orthonormal
    basis Q of that span and of the query samples turns every X into X Q and W_0 into Q^T W_0: the same products and
    the same training, whose set-up costs next to nothing.

    Parameters
    ----------
    retraining : Retraining
        Of a model for which the dual form holds: see :func:`pellucid.training.dual.form.why_not_dual`. With another
        optimizer the result is another training.

    Returns
    -------
    Retraining
        The one given, where samples have no more numbers than there are samples.

    Notes
    -----
    One QR decomposition, 2 n_in (m + n)^2 operations. Equal up to rounding: compare ``without()`` with the outputs
    of the model itself.
    """
    start = retraining.start
    assert isinstance(start, Sequential)
    rule = start.preprocessing or Preprocessing.for_data(retraining.train.X)
    X, query_X = (
        rule.apply(part, start.dtype).reshape(len(part), -1)
        for part in (retraining.train.X, retraining.query_X)
    )
    m, rows = len(X), np.concatenate([X, query_X]).astype(np.float64)
    if rows.shape[1] <= len(rows):
        return retraining
    Q, R = np.linalg.qr(rows.T)
    small = np.ascontiguousarray(R.T).astype(start.dtype)
    return Retraining(
        _with_inputs(start, Q.T @ _first_dense(start).params["W"]),
        Dataset(small[:m], retraining.train.y, retraining.train.classes),
        small[m:],
        retraining.fit,
        retraining.held,
    )


def _first_dense(model: Sequential) -> Dense:
    layer = next(layer for layer in model.layers if not isinstance(layer, Flatten))
    assert isinstance(layer, Dense)
    return layer


def _with_inputs(start: Sequential, W: Array) -> Sequential:
    """Return a copy of a model with other weights, (n, n_out), of its first Dense, for samples of shape (n,)."""
    first = _first_dense(start)
    dense = Dense(first.units, first.activation, first.initializer)
    dense.name, dense.input_shape, dense.output_shape = first.name, (len(W),), first.output_shape
    dense.params = {"W": W, "b": first.params["b"].copy()}
    after = start.layers[start.layers.index(first) + 1 :]
    model = Sequential([dense, *copy.deepcopy(after)], dtype=start.dtype)
    model.input_shape, model.output_shape = dense.input_shape, start.output_shape
    model._bind()
    model._mark_input_gradient(False)
    model._copy_loss(start)
    model.preprocessing, model.classes = Preprocessing(), start.classes
    return model
