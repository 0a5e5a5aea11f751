"""A training's parameters, kept now and then: what influence is traced over."""

import copy
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, final

import numpy as np

from pellucid.errors import FormatError
from pellucid.nn.model import Model
from pellucid.training.checkpoint import read_checkpoint
from pellucid.training.events import Event, StepEnd, StepsEnd, TrainStart
from pellucid.types import Array


@dataclass(frozen=True, eq=False)
class Snapshot:
    """A model's parameters after some steps of its training.

    Attributes
    ----------
    step : int
        Updates made before.
    rate : float
        The learning rate, times the steps that this snapshot stands for; of a checkpoint, the learning rate alone.
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
        now = snapshot_of(self._run.model, step, self._run.optimizer.learning_rate)
        self.snapshots.append(replace(now, theta=self._run.form.to_plain(now.theta)))

    def _close(self, n_steps: int) -> None:
        """Let each snapshot stand for the steps from it to the next; one after the last step for none."""
        kept = [snapshot for snapshot in self.snapshots if snapshot.step < max(n_steps, 1)]
        ends = [snapshot.step for snapshot in kept[1:]] + [n_steps]
        self._before += [
            replace(snapshot, rate=snapshot.rate * (end - snapshot.step))
            for snapshot, end in zip(kept, ends, strict=True)
        ]
        self._first, self.snapshots = n_steps, list(self._before)


def own_copy(model: Model) -> Model:
    """Return a copy of a model with parameters, state and buffers of its own."""
    made = copy.deepcopy(model)
    made._bind()  # a copy's arrays, also one that came from another process, are no views of its theta
    made._mark_input_gradient(False)
    return made


def snapshot_of(model: Model, step: int, rate: float = 1.0) -> Snapshot:
    """Return a model as it is, as the snapshot after a step."""
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
