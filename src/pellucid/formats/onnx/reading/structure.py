"""Layers that feed one another as a model: a sequence, with shortcuts and branches where there are any."""

import dataclasses
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from pellucid.nn.activation import Activation
from pellucid.nn.blocks import Parallel, Residual
from pellucid.nn.conv import Conv2D
from pellucid.nn.dense import Dense
from pellucid.nn.graph import Graph
from pellucid.nn.layer import Layer
from pellucid.nn.model import Model
from pellucid.nn.norm import Affine, LayerNorm
from pellucid.nn.sequential import Sequential
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
    """Return the steps that outputs depend on, in their order."""
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


def build_model(
    steps: Mapping[str, Step], inputs: Sequence[str], outputs: Sequence[str], *, dtype: str
) -> Model:
    """Return the model of steps in an order in which each is fed by earlier ones.

    With one input and one output it is a Sequential, so that layers can be frozen and the last one exchanged;
    else a Graph.
    """
    if len(inputs) == len(outputs) == 1:
        return Sequential(_chain(steps, list(steps), inputs[0], outputs[0]), dtype=dtype)
    names: Any = outputs[0] if len(outputs) == 1 else list(outputs)
    return Graph(list(inputs), _nodes(steps, list(steps), {}), names, dtype=dtype)


def _chain(steps: Mapping[str, Step], names: Sequence[str], start: str, end: str) -> list[Layer]:
    """Return the layers from one value to another; what lies between two values that all pass is one of them."""
    if start == end:
        return [Activation("linear")]
    last = {source: i for i, name in enumerate(names) for source in steps[name].sources}
    layers: list[Layer] = []
    begin, open_until = 0, last[start]
    for i, name in enumerate(names):
        if open_until <= i:  # nothing earlier is used later: all goes through this value
            layers.append(_part(steps, names[begin : i + 1], start))
            begin, start = i + 1, name
        open_until = max(open_until, last.get(name, i))
    return layers


def _part(steps: Mapping[str, Step], names: Sequence[str], start: str) -> Layer:
    """Return what lies between two values that all pass: a layer, a shortcut, branches, or a graph."""
    end = names[-1]
    step = steps[end]
    if isinstance(step.layer, Layer) and len(names) == 1:
        return step.layer
    branches = _branches(steps, names, start) if isinstance(step.layer, str) else None
    if branches is None:
        # A file's may be paths
        own = {start: "input"} | {name: f"node_{i}" for i, name in enumerate(names, 1)}
        return Graph(["input"], _nodes(steps, names, own), own[end])
    parts = [
        _chain(steps, branch, start, source) for branch, source in zip(branches, step.sources, strict=True)
    ]
    made = [part[0] if len(part) == 1 else Sequential(part) for part in parts]
    if step.layer == "add" and len(made) == 2 and any(branches) and not step.repeats:
        body, around = (0, 1) if len(branches[0]) >= len(branches[1]) else (1, 0)
        return Residual(made[body], made[around] if branches[around] else None)
    return Parallel(made, merge=str(step.layer))


def _branches(steps: Mapping[str, Step], names: Sequence[str], start: str) -> list[list[str]] | None:
    """Return the steps of each source of the last one, None where some belong to several."""
    inside = {name: steps[name] for name in names}
    found = [list(_needed(inside, [source])) for source in steps[names[-1]].sources]
    n_steps = sum(map(len, found))
    return found if n_steps == len(set().union(*found)) else None


def _nodes(steps: Mapping[str, Step], names: Sequence[str], own: Mapping[str, str]) -> dict[str, Any]:
    """Return the nodes of a graph, by their ``own`` names in it where they have some."""
    nodes: dict[str, Any] = {}
    for name in names:
        layer, sources = steps[name].layer, [own.get(source, source) for source in steps[name].sources]
        nodes[own.get(name, name)] = (layer, sources if isinstance(layer, str) else sources[0])
    return nodes
