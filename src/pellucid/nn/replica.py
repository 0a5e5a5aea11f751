"""Copies of a model that share its parameters, one for each thread."""

import copy
from typing import Any, NamedTuple, TypeVar
from weakref import WeakKeyDictionary

import numpy as np

from pellucid.nn.container import Container
from pellucid.nn.hooks import all_layers, is_hooked
from pellucid.nn.layer import Layer

Structure = TypeVar("Structure", bound=Container)


def replica(model: Structure) -> Structure:
    """Return a copy that shares the model's parameters, and has gradients, state and buffers of its own.

    It reports no loss: a penalty counts once.
    """
    shared: dict[int, Any] = {id(model.theta): model.theta}  # deepcopy takes what is here as it is
    left_out = (getattr(model, name, None) for name in ("_loss_hook", "_last_outputs"))
    shared |= {id(part): None for part in left_out if part is not None}
    for leaf in model._leaves():
        shared |= {id(array): array for array in leaf.params.values()}
    twin = copy.deepcopy(model, shared)
    twin._move(twin.theta, np.zeros_like(model.grad))
    return twin


def prediction_replicas(model: Structure, n: int) -> list[Structure]:
    """Return the model and n - 1 replicas that predict what it predicts now; they are kept for the next call.

    Where a layer is hooked (see :mod:`pellucid.nn.hooks`) it is the model alone.
    """
    if n <= 1 or is_hooked(model):
        return [model]
    kept = _KEPT.get(model)
    if kept is None or len(kept.twins) != n - 1 or not kept.fits(model):
        kept = _KEPT[model] = _Kept(model._leaves(), model.config(), [replica(model) for _ in range(n - 1)])
    for twin in kept.twins:
        for own, its in zip(all_layers(model), all_layers(twin), strict=True):
            its.state = own.state  # running statistics
    return [model, *kept.twins]


class _Kept(NamedTuple):
    """Replicas, and what they are replicas of."""

    leaves: list[Layer]
    config: dict[str, Any]
    twins: list[Any]

    def fits(self, model: Container) -> bool:
        """Return whether the model is still built of the same layers, with the same options."""
        leaves = model._leaves()
        return (
            all(twin.theta is model.theta for twin in self.twins)
            and list(map(id, leaves)) == list(map(id, self.leaves))
            and model.config() == self.config
        )


# No part of a copy or a pickle of the model
_KEPT: "WeakKeyDictionary[Container, _Kept]" = WeakKeyDictionary()
