"""A training's form and executor on a cluster: the client moves the parameters, workers compute the gradients."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from pellucid.data.augmentation.augment import Augment
from pellucid.data.batches import Batch, Batches
from pellucid.distributed.waiting import ClusterError
from pellucid.distributed.worker_pool import WorkerPool
from pellucid.nn.model import Model
from pellucid.rng import stream
from pellucid.training.executor.executor import Executor, StepLost
from pellucid.training.form import Form, Validation
from pellucid.training.loss_setup import augment_weighted
from pellucid.types import Array, take_rows


class Turn(NamedTuple):
    """What stands in for the inputs of a batch: its number."""

    epoch: int
    i: int


class Turns(Batches):
    """Batches whose samples are elsewhere: each has its number, its targets and its weights.

    Parameters
    ----------
    plain : Batches
        The same batches, with samples.
    augment : Augment or None
        What changes them there.
    model : Model
    """

    def __init__(self, plain: Batches, augment: Augment | None, model: Model) -> None:
        numbers = np.arange(plain.n_rows)
        super().__init__(
            numbers, plain.Y, plain.batch_size, plain.seed, weights=plain.weights, shuffle=plain.shuffle
        )
        self.plain, self.augment, self.model = plain, augment, model

    def epoch(self, epoch: int, *, skip: int = 0) -> Iterator[Batch]:
        """Yield the batches of one epoch, all but the first ``skip``."""
        order, size = self.order(epoch), self.batch_size or self.n_rows
        for i in range(skip, self.n_steps):
            rows = order[i * size : (i + 1) * size]
            Y, weights = take_rows(self.Y, rows), None if self.weights is None else self.weights[rows]
            if weights is not None and self.augment is not None and self.augment.mixes_targets:
                rehearsal: Any = self.augment.rehearse(len(rows), self.model.input_shape, self.model.dtype)
                rng = stream(self.seed, "augment", epoch * self.n_steps + i)
                _, Y, weights = augment_weighted(rehearsal, rows, Y, weights, rng)
            yield Turn(epoch, i), Y, weights


class ClusterForm(Form):
    """The direct form, computed by others: batches are numbers."""

    def __init__(
        self, batches: Turns, validation: Validation | None, step: Executor, part: Model | None
    ) -> None:
        super().__init__(batches, validation, step, part)
        self.turns = batches

    def plain_step(self, model: Model, X: Any) -> tuple[Model, Any]:
        """Return the model and the samples of a batch, fetched."""
        samples, _, _ = next(self.turns.plain.epoch(X.epoch, skip=X.i))
        return super().plain_step(model, samples)


class ClusterSteps(Executor):
    """A model's steps on the workers of a pool.

    Parameters
    ----------
    model : Model
        What the steps run through.
    pool : WorkerPool
        Started.
    n_steps : int
        Steps in an epoch.
    """

    def __init__(self, model: Model, pool: WorkerPool, n_steps: int) -> None:
        super().__init__(model)
        self.pool, self.n_steps = pool, n_steps
        self.state = [array for leaf in model.leaves() for array in leaf.state.values()]

    def loss_and_grad(self, X: Any, Y: Any, *, weights: Array | None = None) -> float:
        """Return the loss of the batch of a turn, and fill the model's ``grad``."""
        step = X.epoch * self.n_steps + X.i
        try:
            loss = self.pool.step(
                self.model.theta, self.state, self.model.grad, epoch=X.epoch, i=X.i, step=step
            )
        except ClusterError as error:
            raise StepLost(
                f"train: {error}, at step {step}. Go on from the last checkpoint: --resume."
            ) from None
        if self.model.reported is not None:
            total = len(self.pool.task.rows(X.epoch, X.i)) if weights is None else weights.sum()
            loss = self.model.reported(loss, float(total))
        return loss

    def seed_step(self, seed: int, step: int) -> None:
        """Do nothing: the workers draw what the step's stream has for them."""
