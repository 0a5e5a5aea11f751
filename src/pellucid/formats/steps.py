"""A network as plain steps, one after another: what an exporter of a file that runs by itself writes down."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from pellucid.nn.blocks import Parallel, Residual
from pellucid.nn.graph import Graph
from pellucid.nn.layer import Layer
from pellucid.nn.model import Model
from pellucid.nn.sequential import Sequential
from pellucid.types import Shape


class Step(NamedTuple):
    """What makes one value of others."""

    what: Layer | str  # a layer, or how its sources are joined: "add", "concat"
    sources: tuple[str, ...]
    target: str
    shape: Shape  # of one sample of the value

    @property
    def key(self) -> str:
        """The stem of the names of its arrays: "dense_1"; in a further place of a layer, that of the first."""
        if isinstance(self.what, str):
            return self.what
        first: Layer = self.what._first_use or self.what
        return first.name or type(first).__name__.lower()


class Steps(NamedTuple):
    """A network: its inputs, what is done, and which values are its outputs."""

    inputs: dict[str, Shape]  # "input" where there is one
    steps: tuple[Step, ...]
    outputs: dict[str, str]  # the value of each; "" where there is one

    def last_uses(self) -> dict[str, int]:
        """Return the number of the step that is the last to need each value; of outputs, one behind all."""
        last = {source: i for i, step in enumerate(self.steps) for source in step.sources}
        return last | dict.fromkeys(self.outputs.values(), len(self.steps))


def steps_of(model: Model) -> Steps:
    """Return an initialized model as steps; structures are taken apart, layers of one's own are left as they are.

    Examples
    --------
    >>> from pellucid.nn.dense import Dense
    >>> model = Sequential([Dense(3), Residual(Dense(3))])
    >>> model.initialize((2,))
    >>> [(step.key, step.sources, step.target) for step in steps_of(model).steps]
    [('dense_1', ('input',), '#1'), ('dense_2', ('#1',), '#2'), ('add', ('#1', '#2'), '#3')]
    """
    found: list[Step] = []
    given: Any = model.input_shape
    inputs = dict(given) if isinstance(given, Mapping) else {"input": given}
    if not isinstance(model, Graph):
        outputs = {"": _write(found, model, "input")}
        return Steps(inputs, tuple(found), outputs)
    outputs = _write_graph(found, model, {name: name if name in inputs else "input" for name in model.inputs})
    if model.is_single_output:
        outputs = {"": outputs[model.output_names[0]]}
    return Steps(inputs, tuple(found), outputs)


def _write(found: list[Step], layer: Any, source: str) -> str:
    """Add the steps of a layer or structure, and return the name of its output."""
    if isinstance(layer, Sequential):
        for place in layer._places:
            source = _write(found, place, source)
        return source
    if isinstance(layer, Residual):
        body, *others = layer._places
        around = _write(found, others[0], source) if others else source
        return _add(found, "add", [around, _write(found, body, source)], layer.output_shape)
    if isinstance(layer, Parallel):
        return _add(
            found, layer.merge, [_write(found, each, source) for each in layer._places], layer.output_shape
        )
    if isinstance(layer, Graph):
        return _write_graph(found, layer, {layer.inputs[0]: source})[layer.output_names[0]]
    return _add(found, layer, [source], layer.output_shape)


def _write_graph(found: list[Step], graph: Any, inputs: Mapping[str, str]) -> dict[str, str]:
    values = dict(inputs)
    for name, step, sources in graph.steps:
        named = [values[source] for source in sources]
        if isinstance(step, str):
            values[name] = _add(found, step, named, graph._shapes[name])
        else:
            values[name] = _write(found, step, named[0])
    return {name: values[name] for name in graph.output_names}


def _add(found: list[Step], what: Layer | str, sources: Sequence[str], shape: Shape) -> str:
    target = f"#{len(found) + 1}"  # which is the name of no input
    found.append(Step(what, tuple(sources), target, shape))
    return target
