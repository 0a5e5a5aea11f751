"""Training again without some samples, the only proof of what they did; and parameters kept on the way."""

import copy
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, final

import numpy as np

from pellucid.data.dataset import Dataset
from pellucid.data.preprocess import Preprocessing
from pellucid.errors import FormatError
from pellucid.evaluation.influence.logits import outputs_of
from pellucid.nn.dense import Dense, Flatten
from pellucid.nn.model import Model
from pellucid.nn.sequential import Sequential
from pellucid.training.checkpoint import read_checkpoint
from pellucid.training.events import Callback, Event, StepEnd, StepsEnd, TrainStart
from pellucid.types import Array


@dataclass(frozen=True, eq=False)
class Snapshot:
    """A model's parameters after some steps of its training.

    Attributes
    ----------
    step : int
        Updates made before.
    rate : float
        The learning rate, times the steps that this snapshot stands for.
    theta : Array, shape (p,)
        All parameters, in the plain form.
    states : tuple of dict of str to Array
        Of each layer, what is kept but not trained.
    """

    step: int
    rate: float
    theta: Array
    states: tuple[dict[str, Array], ...]

    def put_into(self, model: Model) -> None:
        """Write the parameters and states into a model of the same architecture."""
        model.theta[...] = self.theta
        # From the back: a training in the dual form has no Flatten in front.
        for leaf, state in zip(model._leaves()[-len(self.states) :], self.states, strict=True):
            for key, value in state.items():
                leaf.state[key] = value.copy()


@final
class KeepSnapshots:
    """A callback of ``train`` that keeps the parameters at evenly spaced steps, the first start included.

    One for each training. Of one in stages, each of which goes on where the one before ended, it keeps as many of
    each.

    Parameters
    ----------
    n : int, optional
        How many snapshots; each stands for the steps from it to the next.

    Attributes
    ----------
    snapshots : list of Snapshot
        Complete when the training is over.

    Examples
    --------
    >>> from pellucid.nn.dense import Dense
    >>> from pellucid.nn.sequential import Sequential
    >>> from pellucid.training.fit import train
    >>> from pellucid.training.optimizers.sgd import SGD
    >>> from pellucid.data.dataset import Dataset
    >>> keep = KeepSnapshots(2)
    >>> data = Dataset(np.array([[0.0], [1.0]]), np.array([0, 1]))
    >>> _ = train(Sequential([Dense(1)]), data, optimizer=SGD(0.5), n_epochs=10, callbacks=[keep])
    >>> [(snapshot.step, snapshot.rate) for snapshot in keep.snapshots]
    [(0, 2.5), (5, 2.5)]
    """

    def __init__(self, n: int = 20) -> None:
        self.n = n
        self.snapshots: list[Snapshot] = []
        self._run: Any = None
        self._due: list[int] = []
        self._first, self._before = 0, list[Snapshot]()  # where this stage began, and what was kept before

    def __call__(self, event: Event) -> None:
        """Copy the parameters at each of the ``n`` chosen steps."""
        if isinstance(event, TrainStart):
            self._run, self.snapshots = event.run, []
            first, total = self._first, event.run.n_epochs * event.run.n_steps
            self._due = sorted({first + (total - first) * i // self.n for i in range(self.n)}, reverse=True)
            self._keep(first)
        elif isinstance(event, StepEnd):
            self._keep(event.step + 1)
        elif isinstance(event, StepsEnd):
            self._close(self._run.step)
            self._run = None

    def next_step(self, step: int) -> int:
        """Return at which step it looks again: those before may be taken in one call."""
        return self._due[-1] if self._due else sys.maxsize

    def _keep(self, step: int) -> None:
        if not self._due or step != self._due[-1]:
            return
        self._due.pop()
        model = self._run.model
        states = tuple({key: value.copy() for key, value in leaf.state.items()} for leaf in model._leaves())
        theta = self._run.form.to_plain(model.theta)
        self.snapshots.append(Snapshot(step, self._run.optimizer.learning_rate, theta, states))

    def _close(self, n_steps: int) -> None:
        """Let each snapshot stand for the steps from it to the next; one after the last step for none."""
        kept = [snapshot for snapshot in self.snapshots if snapshot.step < max(n_steps, 1)]
        ends = [snapshot.step for snapshot in kept[1:]] + [n_steps]
        self._before += [
            Snapshot(snapshot.step, snapshot.rate * (end - snapshot.step), snapshot.theta, snapshot.states)
            for snapshot, end in zip(kept, ends, strict=True)
        ]
        self._first, self.snapshots = n_steps, list(self._before)


def own_copy(model: Model) -> Model:
    """Return a copy of a model with parameters, state and buffers of its own."""
    made = copy.deepcopy(model)
    made._bind()  # a copy's arrays, also one that came from another process, are no views of its theta
    made._mark_input_gradient(False)
    return made


def last_snapshot(model: Model, step: int, rate: float = 1.0) -> Snapshot:
    """Return a model as the snapshot after the last step of its training."""
    states = tuple({key: value.copy() for key, value in leaf.state.items()} for leaf in model._leaves())
    return Snapshot(step, rate, model.theta.copy(), states)


def read_snapshot(path: str | Path, model: Model, rate: float = 1.0) -> Snapshot:
    """Return the snapshot that a checkpoint of a training in the direct form holds.

    Parameters
    ----------
    path : str or Path
    model : Model
        Of the same architecture, initialized.
    rate : float, optional

    Raises
    ------
    FormatError
        If it is not a whole checkpoint, of another model, or of a training in the dual form.
    """
    try:
        header, arrays = read_checkpoint(path)
        step = int(header["position"][1])
    except (FormatError, KeyError, TypeError, IndexError, ValueError) as error:
        raise FormatError(f"{path}: not a whole checkpoint ({error}). Remove it, or add --retrain.") from None
    theta = arrays.get("theta", np.empty(0))
    if "form/W_0" in arrays:
        raise FormatError(
            f"{path}: it is in the dual form, without the first layer's weights. Add --retrain."
        )
    if theta.shape != model.theta.shape:
        raise FormatError(f"{path}: it is of another model. Remove it, or add --retrain.")
    states = tuple(
        {key: arrays.get(f"state.{i}.{key}", value) for key, value in leaf.state.items()}
        for i, leaf in enumerate(model._leaves())
    )
    return Snapshot(step, rate, theta, states)


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
