"""The sum of several losses, one for each output of a model that has several."""

from collections.abc import Mapping
from typing import Any

from pellucid.errors import DataError, OptionError
from pellucid.ops.losses.base import Loss
from pellucid.types import Array


def joint_loss(losses: Mapping[str, Loss], shares: Mapping[str, float]) -> Loss:
    """Return the loss that is the sum of the outputs' losses, each times its share.

    Outputs, targets and gradients are dictionaries by the outputs' names.

    Parameters
    ----------
    losses : mapping of str to Loss
    shares : mapping of str to float
        How much each counts; those not named count 1.

    Examples
    --------
    >>> import numpy as np
    >>> from pellucid.ops.losses.table import get_loss
    >>> both = joint_loss({"a": get_loss("mean_squared_error"), "b": get_loss("mean_squared_error")}, {"b": 10})
    >>> Y = {"a": np.zeros((1, 1)), "b": np.zeros((1, 1))}
    >>> both.forward({"a": np.ones((1, 1)), "b": np.ones((1, 1))}, Y)[0]
    11.0
    """
    for name in shares:
        if name not in losses:
            raise OptionError(
                f"joint loss: there is no output {name!r} to weigh. Outputs: {', '.join(losses)}."
            )

    def forward(
        Z: Any, Y: Any, *, weights: Array | None = None, normalizer: float | None = None
    ) -> tuple[float, dict[str, Any]]:
        total, caches = 0.0, {}
        for name, loss in losses.items():
            value, caches[name] = loss.forward(Z[name], Y[name], weights=weights, normalizer=normalizer)
            total += shares.get(name, 1.0) * value
        return total, caches

    def backward(cache: Mapping[str, Any], *, dZ: Any = None) -> Any:
        gradients = {}
        for name, loss in losses.items():
            gradients[name] = loss.backward(cache[name], dZ=None if dZ is None else dZ[name])
            if name in shares:
                gradients[name] *= shares[name]
        return gradients

    def encode(y: Any, n_out: Any, dtype: Any) -> Any:
        if not isinstance(y, Mapping) or set(y) != set(losses):
            given = ", ".join(y) if isinstance(y, Mapping) else f"one array of shape {y.shape}"
            raise DataError(f"joint loss: expected y as a dictionary of {', '.join(losses)}, got {given}.")
        return {name: loss.encode(y[name], n_out[name], dtype) for name, loss in losses.items()}

    return Loss(forward, backward, encode, None, "joint")
