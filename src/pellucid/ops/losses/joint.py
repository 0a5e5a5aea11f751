"""The sum of several losses, one for each output of a model that has several."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pellucid.errors import DataError, OptionError
from pellucid.ops.losses.base import Loss
from pellucid.text import kind_of
from pellucid.types import Array


@dataclass
class Joint(Loss):
    """The sum of the losses of a model's outputs, each times its weight.

    Outputs, targets and gradients are dictionaries by the outputs' names. Models build it: it is not registered.

    Parameters
    ----------
    losses : dict of str to Loss
    loss_weights : dict of str to float
        Default: 1.

    Examples
    --------
    >>> import numpy as np
    >>> from pellucid.ops.losses.regression import MeanSquaredError
    >>> both = Joint({"a": MeanSquaredError(), "b": MeanSquaredError()}, {"b": 10.0})
    >>> Y = {"a": np.zeros((1, 1)), "b": np.zeros((1, 1))}
    >>> both.forward({"a": np.ones((1, 1)), "b": np.ones((1, 1))}, Y)[0]
    11.0
    """

    losses: dict[str, Loss]
    loss_weights: dict[str, float] = field(default_factory=dict)
    kind = "joint"
    _registered_as = "joint"

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in self.loss_weights:
            if name not in self.losses:
                raise OptionError(
                    f"joint loss: there is no output {name!r} to weight. Outputs: {', '.join(self.losses)}."
                )

    def _changed_options(self) -> dict[str, Any]:
        """Return the losses as a file has them, each with its weight where it has one."""
        named = {
            name: {"type": one._registered_as, **one._changed_options()} for name, one in self.losses.items()
        }
        for name, weight in self.loss_weights.items():
            named[name]["weight"] = weight
        return {"losses": named}

    def forward(
        self, Z: Any, Y: Any, *, weights: Array | None = None, normalizer: float | None = None
    ) -> tuple[float, dict[str, Any]]:
        """Return the weighted sum of the outputs' losses, and their caches."""
        total, caches = 0.0, {}
        for name, loss in self.losses.items():
            value, caches[name] = loss.forward(Z[name], Y[name], weights=weights, normalizer=normalizer)
            total += self.loss_weights.get(name, 1.0) * value
        return total, caches

    def backward(self, cache: Any, *, dZ: Any = None) -> Any:
        """Return the gradient for each output, times its weight."""
        gradients = {}
        for name, loss in self.losses.items():
            gradients[name] = loss.backward(cache[name], dZ=None if dZ is None else dZ[name])
            if name in self.loss_weights:
                gradients[name] *= self.loss_weights[name]
        return gradients

    def encode(self, y: Any, n_out: Any, dtype: Any) -> Any:
        """Return the targets of each output, from dictionaries of targets and widths."""
        check_targets(y, self.losses)
        return {name: loss.encode(y[name], n_out[name], dtype) for name, loss in self.losses.items()}


def check_targets(y: Any, names: Iterable[str]) -> None:
    """Raise DataError unless there are targets for each of the outputs."""
    if not isinstance(y, Mapping) or set(y) != set(names):
        given = ", ".join(map(str, y)) if isinstance(y, Mapping) else kind_of(y)
        raise DataError(
            f"joint loss: expected y as a dictionary of {', '.join(names)}, got {given}. "
            "For one target, let the network have one output, given by its name alone."
        )
