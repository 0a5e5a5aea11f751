"""Copies of a model that share its parameters, one for each thread."""

import copy
from typing import Any

import numpy as np

from pellucid.nn.model import Model
from pellucid.workspace import Workspace


def replica(model: Model) -> Model:
    """Return a copy that shares the model's parameters, and has gradients, state and buffers of its own.

    It reports no loss: a penalty counts once.
    """
    shared: dict[int, Any] = {id(model.theta): model.theta}  # deepcopy takes what is here as it is
    shared |= {id(part): None for part in (model.reported, model.measured) if part is not None}
    for leaf in model.leaves():
        shared |= {id(array): array for array in leaf.params.values()}
        leaf.workspace = Workspace()
    twin = copy.deepcopy(model, shared)
    twin.grad = np.zeros_like(model.grad)
    twin.carve_gradients()
    return twin
