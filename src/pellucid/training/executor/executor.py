"""The protocol of what computes a training's steps, and the case of one core."""

from collections.abc import Callable
from typing import Any

from pellucid.data.batches import Batches
from pellucid.errors import TrainingError
from pellucid.nn.model import Model
from pellucid.types import Array


class StepLost(TrainingError):
    """What computes the steps is gone, in the middle of one; the parameters are as they were before it."""


class Executor:
    """A model's steps, computed by the model alone; other executors split them.

    Parameters
    ----------
    model : Model
        Initialized.
    """

    def __init__(self, model: Model) -> None:
        self.model = model

    def loss_and_grad(self, X: Any, Y: Any, *, weights: Array | None = None) -> float:
        """Do what ``model.loss_and_grad`` does: return the loss, fill the model's ``grad``."""
        return self.model.loss_and_grad_of_encoded(X, Y, weights=weights)

    def seed_step(self, seed: int, step: int) -> None:
        """Give the layers that draw random numbers their streams for a step."""
        self.model.seed_step(seed, step)

    def update(self, optimizer: Any) -> None:
        """Let an optimizer move the model's parameters by the model's ``grad``, which it may overwrite."""
        optimizer.step(self.model.theta, self.model.grad)

    def takes_epochs(self, batches: Batches, optimizer: Any) -> bool:
        """Return whether ``take_some`` serves these batches and this optimizer as it is now."""
        return False

    def take_some(
        self, batches: Batches, epoch: int, skip: int, optimizer: Any, before: Callable[[int], None]
    ) -> list[float]:
        """Take some steps of an epoch, from number ``skip`` on, as many as are soon done; return their losses.

        ``before`` is called with the number of each, for the learning rate that the optimizer then has. A loss that
        is NaN or infinite is the last, and its step is not taken.
        """
        raise NotImplementedError

    def takes_many(self, optimizer: Any) -> bool:
        """Return whether ``take_many`` serves this optimizer as it is now."""
        return False

    def take_many(self, n: int, optimizer: Any) -> Array:
        """Take n steps on the full batch, fewer where that lasts long; return their losses, shape (at most n,).

        A loss that is NaN or infinite is the last, and its step is not taken.
        """
        raise NotImplementedError

    def close(self) -> None:
        """Leave the model as it was found."""
