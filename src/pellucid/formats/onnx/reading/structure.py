"""Layers that feed one another as a model: a sequence, with shortcuts and branches where there are any."""

from collections.abc import Mapping, Sequence
from typing import Any

from pellucid.formats.onnx.reading.steps import Step
from pellucid.nn.blocks import Parallel, Residual
from pellucid.nn.dense import Activation
from pellucid.nn.graph import Graph
from pellucid.nn.layer import Layer
from pellucid.nn.model import Model
from pellucid.nn.sequential import Sequential


def build_model(
    steps: Mapping[str, Step], inputs: Sequence[str], outputs: Sequence[str], *, dtype: str
) -> Model:
    """Return the model of steps in an order in which each is fed by earlier ones.

    With one input and one output it is a Sequential, so that layers can be frozen and the last one exchanged;
    else a Graph.
    """
    if len(inputs) == len(outputs) == 1:
        layers = _chain(steps, list(steps), inputs[0], outputs[0])
        return Sequential(layers, dtype=dtype)
    names: Any = outputs[0] if len(outputs) == 1 else list(outputs)
    return Graph(list(inputs), _nodes(steps, list(steps)), names, dtype=dtype)


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
        return Graph(["input"], _nodes(steps, names, start), _safe(names)[end])
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
    inside = set(names)
    taken: set[str] = set()
    found = []
    for source in steps[names[-1]].sources:
        wanted: set[str] = set()
        stack = [] if source == start else [source]
        while stack:
            name = stack.pop()
            if name in inside and name not in wanted:
                wanted.add(name)
                stack += steps[name].sources
        if wanted & taken:
            return None
        taken |= wanted
        found.append([name for name in names if name in wanted])
    return found


def _nodes(steps: Mapping[str, Step], names: Sequence[str], start: str | None = None) -> dict[str, Any]:
    own = _safe(names) if start is not None else {name: name for name in names}
    if start is not None:
        own[start] = "input"
    nodes: dict[str, Any] = {}
    for name in names:
        sources = [own.get(source, source) for source in steps[name].sources]
        layer = steps[name].layer
        nodes[own[name]] = (layer, sources if isinstance(layer, str) else sources[0])
    return nodes


def _safe(names: Sequence[str]) -> dict[str, str]:
    """Return short names for nodes: those of a file may be paths."""
    return {name: f"node_{i}" for i, name in enumerate(names, 1)}
