"""The protocol of what computes a training's steps, and the case of one core."""

import math
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from pellucid.data.batches import Batch, Batches
from pellucid.data.dataset import Dataset
from pellucid.nn.model import Model
from pellucid.training.executor.choose_decay import choose_decay, folds_for_decay
from pellucid.training.executor.stack_layers import layers_of
from pellucid.training.schedules.base import Schedule
from pellucid.types import Array, n_rows

MOST_INPUTS = 500  # of a linear model whose curvature is computed: with more it costs more than it saves


class Steps(NamedTuple):
    """The steps to take next: of what, from where on, by which rule, and how many at most."""

    batches: Batches
    epoch: int  # how many are complete
    step: int  # how many were taken, in all
    step_in_epoch: int
    optimizer: Any
    schedule: Schedule | None
    at_most: int  # 1 or more


class StepLoss(NamedTuple):
    """The loss of a step's batch, before the step, and how much it counts in that of the epoch."""

    loss: float
    n_rows: int
    weight: float | None = None  # the sum of the batch's sample weights, where there are any


Tell: TypeAlias = Callable[[Sequence[StepLoss]], bool]


class Executor:
    """A model's steps, computed by the model alone; other executors split them, or take several in one call.

    Parameters
    ----------
    model : Model
        Initialized.

    Attributes
    ----------
    runs_layers : bool
        Whether each step runs all layers of the model, on the caller's thread: hooks are called then.
    """

    runs_layers = True

    def __init__(self, model: Model) -> None:
        self.model = model
        self._is_random = any(leaf._has("set_step_rng") for leaf in model._leaves())  # as Dropout is
        self._next: tuple[int, int] | None = None  # the batch that the open epoch gives next
        self._open: Iterator[Batch] = iter(())

    def run(self, steps: Steps, tell: Tell) -> bool:
        """Take the next step, or several, and tell their losses; return whether there are more.

        Parameters
        ----------
        steps : Steps
        tell : callable
            Takes the losses, and returns whether the training ends. One that is NaN or infinite is the last, and
            its step is not taken.
        """
        if self._next != (steps.epoch, steps.step_in_epoch):
            self._open = steps.batches.epoch(steps.epoch, skip=steps.step_in_epoch)
        self._next = steps.epoch, steps.step_in_epoch + 1
        X, Y, weights = next(self._open)
        if steps.schedule is not None:
            steps.schedule.apply(steps.optimizer, steps.step)
        if self._is_random:
            self.seed_step(steps.batches.seed, steps.step)
        loss = self.loss_and_grad(X, Y, weights=weights)
        if math.isfinite(loss):
            self.update(steps.optimizer)
        tell([StepLoss(loss, n_rows(Y), None if weights is None else float(weights.sum(dtype=float)))])
        return True

    def loss_and_grad(self, X: Any, Y: Any, *, weights: Array | None = None) -> float:
        """Return the loss of a batch and fill the model's ``grad``: ``model._loss_and_grad_of_encoded``."""
        return self.model._loss_and_grad_of_encoded(X, Y, weights=weights)

    def seed_step(self, seed: int, step: int) -> None:
        """Give the layers that draw random numbers their streams for a step."""
        self.model._seed_step(seed, step)

    def update(self, optimizer: Any) -> None:
        """Let an optimizer move the model's parameters by the model's ``grad``, which it may overwrite."""
        optimizer.step(self.model.theta, self.model.grad)

    def close(self) -> None:
        """Leave the model as it was found."""
        self._open = iter(())


class Minimizer(Executor):
    """The iterations of an optimizer that evaluates the loss itself: all of them are one call.

    Parameters
    ----------
    inner : Executor
        Computes loss and gradient.
    data : Dataset
        The samples, whose folds choose the weight decay where the optimizer leaves it to them.
    """

    def __init__(self, inner: Executor, data: Dataset) -> None:
        super().__init__(inner.model)
        self.inner, self.data, self.runs_layers = inner, data, inner.runs_layers

    def run(self, steps: Steps, tell: Tell) -> bool:
        """Minimize the loss of the full batch until the optimizer, or what is told of an iteration, ends it."""
        ((X, Y, weights),) = steps.batches.epoch(0)
        loss_and_grad = partial(self.inner.loss_and_grad, X, Y, weights=weights)

        def on_iteration(loss: float) -> bool:
            return tell([StepLoss(loss, steps.batches.n_rows)])

        optimizer, moments = steps.optimizer, None
        is_whole = steps.batches.whole is steps.batches  # not the part of one of several ranks
        has_penalty = bool(optimizer.folds or optimizer.weight_decay)
        if is_whole and has_penalty and optimizer.along_curvature:
            moments = _moments(self.model, X)
        if optimizer.folds and not optimizer.weight_decay:
            folds = folds_for_decay(self.data, optimizer.folds, steps.batches.seed)
            optimizer._keep(
                "weight_decay", choose_decay(self.inner, optimizer, (X, Y, weights), folds, moments)
            )
        optimizer.minimize(self.model.theta, loss_and_grad, self.model.grad, on_iteration, moments)
        return False


def _moments(model: Model, X: Any) -> Array | None:
    """Return X1^T X1 / m of the inputs X and a column of ones, where the model is one Dense layer of few inputs."""
    layers = layers_of(model)
    if not isinstance(X, np.ndarray) or len(layers) != 1:  # X may stay in its file
        return None
    if layers[0].activation != "linear" or layers[0].scale or layers[0].n_in > MOST_INPUTS:
        return None
    X1 = np.column_stack([X.reshape(len(X), -1), np.ones(len(X), X.dtype)]).astype(np.float64)
    moments: Array = X1.T @ X1 / len(X1)
    return moments if np.isfinite(moments).all() else None
