"""From a file's nodes to layers: what its outputs need, what nodes compute together, one after another."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from pellucid.errors import FormatError, OptionError, PellucidError
from pellucid.formats.onnx.reading.constants import FOLDED, MOVES, fold
from pellucid.formats.onnx.reading.constants import MOST_VALUES as MOST_COMPUTED
from pellucid.formats.onnx.reading.heads import Head, find_head
from pellucid.formats.onnx.reading.images import IMAGE_READERS
from pellucid.formats.onnx.reading.layers import READERS, Norm, affine, find_norm, normalized
from pellucid.formats.onnx.reading.moves import moved
from pellucid.formats.onnx.reading.pointwise import POINTWISE, Group, Groups
from pellucid.formats.onnx.reading.source import Node, Source
from pellucid.formats.onnx.reading.structure import Step
from pellucid.formats.onnx.reading.values import MOST_VALUES, TRIAL, Value, array_at, lacking, value_at
from pellucid.nn.activation import Activation
from pellucid.nn.layer import Layer
from pellucid.text import shown
from pellucid.types import Array

UNFIT = (AttributeError, IndexError, KeyError, OverflowError, TypeError, ValueError, ZeroDivisionError)
ALL_READERS = READERS | IMAGE_READERS


class Network(NamedTuple):
    """Layers that were read.

    Attributes
    ----------
    steps : dict of str to Step
        In an order in which each is fed by inputs or earlier ones.
    outputs : list of str
        The steps that give the outputs.
    heads : list of Head
        What the file makes of each of these: probabilities, usually.
    """

    steps: dict[str, Step]
    outputs: list[Value]
    heads: list[Head]


class Reader:
    """Reads the nodes that some outputs depend on.

    Parameters
    ----------
    source : Source
    inputs : mapping of str to Value
        The file's inputs.
    """

    def __init__(self, source: Source, inputs: Mapping[str, Value]) -> None:
        self.constants = dict(source.constants)
        self.values = dict(inputs)
        self.steps: dict[str, Step] = {}
        self._n_values = 0
        self.producers: dict[str, Node] = {}
        self._shape_like: set[str] = set()
        self._most = MOST_COMPUTED + 4 * sum(array.size for array in self.constants.values())
        self._most_weights = self._most
        self._list_nodes(source.nodes)
        self.groups = Groups(self.producers, self.constants)
        for name in self.producers:
            self.groups.ancestors(name)

    def _list_nodes(self, nodes: Sequence[Node]) -> None:
        """Enter which node gives what, computing constants on the way."""
        known = {*self.constants, *self.values}
        for node in nodes:
            for name in filter(None, node.inputs):
                if name not in known:
                    raise FormatError(f"{node.label} takes {shown(name)}, which nothing before it gives.")
            for name in filter(None, node.outputs):
                if name in known:
                    raise FormatError(f"{node.label} gives {shown(name)}, which is there already.")
                known.add(name)
            inputs = [name for name in node.inputs if name]
            if node.op != "Shape" and all(name in self.constants for name in inputs):
                arrays = [self.constants.get(name) for name in node.inputs]
                found = {name: self._fold(node, arrays, i) for i, name in enumerate(node.outputs)}
                self.constants |= {name: array for name, array in found.items() if array is not None}
                if node.outputs[0] in self.constants:
                    continue
            varying = [name for name in inputs if name not in self.constants]
            if node.op == "Shape" or (varying and all(name in self._shape_like for name in varying)):
                self._shape_like.update(node.outputs)
            for name in filter(None, node.outputs):
                self.producers[name] = node

    def _fold(self, node: Node, arrays: Sequence[Array | None], output: int = 0) -> Array | None:
        """Compute a constant; all of them together are not much larger than the file."""
        found = fold(node, arrays, self._most, output=output)
        self._most -= 0 if found is None else found.size
        return found

    def read(self, outputs: Sequence[str]) -> Network:
        """Return the layers that these outputs depend on."""
        heads = [find_head(name, self.producers, self.constants, self.groups) for name in outputs]
        plan = self._plan([head.logits for head in heads])
        planned = [(name, plan[name]) for name in self.producers if name in plan]
        # An operation that is not known is named before a shape that is made for it, which says less.
        for name, made_by in planned:
            folded = FOLDED | POINTWISE if name in self._shape_like else frozenset[str]()
            if isinstance(made_by, Node) and made_by.op not in {*ALL_READERS, *MOVES, "Shape", *folded}:
                raise lacking(made_by)
        for name, made_by in planned:
            self._read_one(name, made_by)
        found = []
        for head in heads:
            if head.logits not in self.values:
                raise FormatError(f"the output {shown(head.logits)} does not depend on the input.")
            found.append(self.values[head.logits])
        return Network(self.steps, found, heads)

    def _plan(self, names: Sequence[str]) -> dict[str, Node | Group | Norm]:
        """Return how each value that is needed is made."""
        plan: dict[str, Node | Group | Norm] = {}
        stack = list(names)
        while stack:
            name = stack.pop()
            if name in plan or name in self.constants or name in self.values:
                continue
            node = self.producers.get(name)
            if node is None:
                raise FormatError(f"nothing in the file gives {shown(name)}.")
            found: Group | Norm | None = None
            if name not in self._shape_like:
                found = self.groups.find(name) if node.op in POINTWISE else None
                found = found or find_norm(node, self.producers, self.constants)
            plan[name] = node if found is None else found
            stack += [found.root] if found is not None else [each for each in node.inputs if each]
        return plan

    def _read_one(self, name: str, made_by: Node | Group | Norm) -> None:
        if isinstance(made_by, Group):
            self.values[name] = self._read_group(made_by)
            return
        if isinstance(made_by, Norm):
            self.values[name] = normalized(
                self.producers[name], self.values[made_by.root], made_by, self._add
            )
            return
        node = made_by
        output = node.outputs.index(name)
        if output and node.op != "Split":
            raise OptionError(f"{node.label}: its further outputs are not read.")
        given: list[Any] = [
            self.values.get(each, self.constants.get(each)) if each else None for each in node.inputs
        ]
        if node.op == "Shape" and isinstance(given[0], Value):
            of = node.attributes
            whole = np.array([TRIAL, *given[0].shape], np.int64)
            self.constants[name] = whole[of.get("start", 0) : of.get("end")]
            return
        if name in self._shape_like and (node.op in FOLDED or node.op in POINTWISE):
            if any(isinstance(each, Value) for each in given):
                raise lacking(node)
            found = self._fold(node, given)
            if found is None:
                raise lacking(node)
            self.constants[name] = found
            return
        values = [each for each in given if isinstance(each, Value)]
        if not values:
            raise lacking(node)
        if node.op in MOVES:
            self.values[name] = self._moved(node, given, output)
            return
        for value in values:
            if value.moved is not None:
                raise OptionError(
                    f"{value.moved.label}: of {TRIAL} samples {value.own_shape} "
                    f"it makes {value.moved.places.shape}. Read are other layouts of each sample, rows of all its "
                    "numbers, and some of its channels."
                )
        try:
            self.values[name] = ALL_READERS[node.op](node, given, self._add)
        except PellucidError:
            raise
        except UNFIT:
            raise FormatError(f"{node.label}: its inputs or attributes are none that it may have.") from None
        self._count(node.label, self.values[name])

    def _moved(self, node: Node, given: Sequence[Any], output: int) -> Value:
        """Return what a node makes of the places of a value's numbers."""
        value, others = value_at(node, given, 0), [array_at(node, given, i) for i in range(1, len(given))]
        if TRIAL * math.prod(value.shape) > self._most:
            raise OptionError(f"{node.label}: it moves more numbers than are read.")
        if node.op == "Reshape":
            target = np.array(node.attributes.pop("shape") if "shape" in node.attributes else others[0])
            target[:1] = np.where(target[:1] > 0, TRIAL, target[:1])  # computed, or that of the export
            node, others = node._replace(opset=max(5, node.opset)), [target]
        places = self._fold(node, [value.places, *others], output)
        assert places is not None
        return moved(value, places, node.label, self._add)

    def _read_group(self, group: Group) -> Value:
        value = self.values[group.root]
        if group.activation == "linear" or (not group.activation and (group.factor, group.shift) == (1, 0)):
            return value
        if not group.activation:
            return affine(value, group.factor, group.shift, self._add)
        layer = Activation(group.activation, **group.options)
        return value._replace(step=self._add(layer, [value.step], {}))

    def _add(
        self, layer: Layer | str, sources: list[str], arrays: dict[str, Array], *, repeats: bool = False
    ) -> str:
        name = f"{layer if isinstance(layer, str) else type(layer).__name__.lower()}_{len(self.steps) + 1}"
        while name in self.values:  # an input of that name
            name += "_"
        self._most_weights -= sum(array.size for array in arrays.values())
        if self._most_weights < 0:
            raise OptionError("its layers have more weights than four times those of the file.")
        self.steps[name] = Step(layer, sources, arrays, repeats)
        return name

    def _count(self, where: str, value: Value) -> None:
        self._n_values += int(np.prod(value.shape, dtype=object))
        if self._n_values > MOST_VALUES:
            raise OptionError(
                f"{where}: the network computes more than {MOST_VALUES} numbers for one sample."
            )
