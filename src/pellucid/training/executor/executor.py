"""The protocol of what computes a training's steps, and the case of one core."""

from typing import Any

from pellucid.nn.model import Model
from pellucid.types import Array


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
        return self.model.loss_and_grad(X, Y, weights=weights)

    def seed_step(self, seed: int, step: int) -> None:
        """Give the layers that draw random numbers their streams for a step."""
        self.model.seed_step(seed, step)

    def update(self, optimizer: Any) -> None:
        """Let an optimizer move the model's parameters by the model's ``grad``, which it may overwrite."""
        optimizer.step(self.model.theta, self.model.grad)

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
