"""The layers that are read one by one, before they have a structure, and what is simplified among them."""

import dataclasses
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from pellucid.nn.conv import Conv2D
from pellucid.nn.dense import Activation, Dense
from pellucid.nn.layer import Layer
from pellucid.nn.norm import Affine, LayerNorm
from pellucid.types import Array


@dataclass
class Step:
    """A layer or, as in a graph, how several values are joined; what it takes, and the values of its arrays."""

    layer: Layer | str
    sources: list[str]
    arrays: dict[str, Array] = field(default_factory=dict)
    repeats: bool = False  # whether it joins values of several shapes: one number a channel and an image


def simplified(steps: Mapping[str, Step], outputs: Sequence[str]) -> tuple[dict[str, Step], list[str]]:
    """Return what outputs depend on, with factors, shifts and activations in the layers before them.

    A layer keeps an activation function of its own where that takes no options, as layers are written by hand.
    """
    steps, outputs = _needed(steps, outputs), list(outputs)
    n_uses = Counter(source for step in steps.values() for source in step.sources) + Counter(outputs)
    replaced: dict[str, str] = {}
    kept: dict[str, Step] = {}
    for name, step in steps.items():
        step.sources = [replaced.get(source, source) for source in step.sources]
        before = kept.get(step.sources[0])
        if before is not None and n_uses[step.sources[0]] == 1 and _joined(before, step):
            replaced[name] = step.sources[0]
            n_uses[step.sources[0]] = n_uses[name]
        else:
            kept[name] = step
    return kept, [replaced.get(name, name) for name in outputs]


def _needed(steps: Mapping[str, Step], outputs: Sequence[str]) -> dict[str, Step]:
    wanted, stack = set(), list(outputs)
    while stack:
        name = stack.pop()
        if name in steps and name not in wanted:
            wanted.add(name)
            stack += steps[name].sources
    return {name: step for name, step in steps.items() if name in wanted}


def _joined(before: Step, step: Step) -> bool:
    """Take a step into the one before it where that can compute both, and return whether it did."""
    layer, earlier = step.layer, before.layer
    if isinstance(earlier, Affine | LayerNorm) and isinstance(layer, Affine):
        gamma = step.arrays["gamma"]
        before.arrays = {
            "gamma": before.arrays["gamma"] * gamma,
            "beta": before.arrays["beta"] * gamma + step.arrays["beta"],
        }
        return True
    if not isinstance(earlier, Conv2D | Dense) or earlier.activation is not None:
        return False
    if isinstance(layer, Affine):
        gamma, arrays = step.arrays["gamma"], before.arrays
        b = arrays.get("b", np.zeros(len(gamma))) * gamma + step.arrays["beta"]
        arrays["W"] = arrays["W"] * gamma
        is_shift = bool((b != 0).any() or (gamma == 1).all())
        if isinstance(earlier, Conv2D) and is_shift and not earlier.use_bias:
            before.layer = dataclasses.replace(earlier, use_bias=True)
        if isinstance(earlier, Dense) or "b" in arrays or is_shift:
            arrays["b"] = b
        return True
    if isinstance(layer, Activation) and not layer.options:
        before.layer = dataclasses.replace(earlier, activation=layer.activation)
        return True
    return False
