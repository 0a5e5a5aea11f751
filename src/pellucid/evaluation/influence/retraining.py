"""Training again without some samples: the only proof of what they did."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from pellucid.data.dataset import Dataset
from pellucid.evaluation.influence.logits import outputs_of
from pellucid.evaluation.influence.snapshots import KeepSnapshots, Snapshot, own_copy
from pellucid.nn.model import Model
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

    def traced(self, n_snapshots: int = 20, callbacks: Sequence[Callback] = ()) -> Traced:
        """Run the training with all samples, and keep snapshots of it."""
        keep = KeepSnapshots(n_snapshots)
        model = self._trained((), [keep, *callbacks])
        return Traced(model, outputs_of(model, self.query_X), keep.snapshots)

    def _trained(self, group: Group, callbacks: Sequence[Callback]) -> Model:
        model = own_copy(self.start)
        keep = np.delete(np.arange(len(self.train)), list(group))
        held = {} if self.held is None else {"held": np.flatnonzero(np.isin(keep, self.held))}
        self.fit(model, self.train if not group else self.train.take(keep), callbacks, **held)
        return model
