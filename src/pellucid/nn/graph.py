"""A graph of named nodes, with several inputs and outputs."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, final

from pellucid.errors import OptionError, ShapeError, unknown_name
from pellucid.nn.blocks import MERGES, merge_backward, merge_forward, merged_shape
from pellucid.nn.initializers import StartRandom
from pellucid.nn.layer import Layer
from pellucid.nn.model import Model
from pellucid.nn.sharing import build_place
from pellucid.ops.losses.base import LOSSES
from pellucid.ops.losses.joint import Joint, check_targets
from pellucid.ops.losses.targets import default_loss
from pellucid.registry import SetOnceMapping, option, register
from pellucid.types import Array, LayerRow, Shape

Node: TypeAlias = tuple[Layer | str, str | Sequence[str]]


def _with_lists(nodes: Mapping[str, Node]) -> Mapping[str, Node]:
    """Return the nodes, the sources of each as a list."""
    return SetOnceMapping(
        {
            name: (layer, [sources] if isinstance(sources, str) else list(sources))
            for name, (layer, sources) in nodes.items()
        }
    )


@final
@register
@dataclass(eq=False, repr=False)
class Graph(Model):
    """Named nodes, each fed by inputs or by nodes before it.

    Examples
    --------
    >>> from pellucid.nn.dense import Dense, Flatten
    >>> model = Graph(
    ...     inputs=["photo", "facts"],
    ...     nodes={
    ...         "pixels": (Flatten(), "photo"),
    ...         "seen": (Dense(4, activation="relu"), "pixels"),
    ...         "both": ("concat", ["seen", "facts"]),
    ...         "logit": (Dense(1), "both"),
    ...     },
    ...     outputs="logit",
    ... )
    >>> model.initialize({"photo": (8, 8, 3), "facts": (2,)})
    >>> model.output_shape
    (1,)
    """

    _shares_layers = True

    inputs: Sequence[str] = option(
        help="Names of the inputs. With one, X is an array; with several, a dictionary of arrays."
    )
    nodes: Mapping[str, Node] = option(
        check=_with_lists,
        help="Each node by name: (layer, source), in an order in which each is fed by earlier names. A node of "
        'several sources is ("concat", [...]), ("add", [...]), ("mean", [...]) or ("multiply", [...]). A layer at '
        "several nodes shares its parameters.",
    )
    outputs: str | Sequence[str] = option(
        help="One name: the output is an array. Several: a dictionary of arrays, with a loss for each."
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        self.is_single_output = isinstance(self.outputs, str)
        self.output_names = [self.outputs] if isinstance(self.outputs, str) else list(self.outputs)
        self._merged: dict[str, list[Array]] = {}  # what was joined at a node
        self._check_names()
        self._places = self.children()

    def _check_names(self) -> None:
        if not self.inputs or not self.nodes or not self.output_names:
            raise OptionError("Graph: expected at least one input, one node and one output.")
        known = list(self.inputs)
        for name, (layer, sources) in self.nodes.items():
            if name in known:
                raise OptionError(f"Graph: two nodes or inputs are called {name!r}; give each its own name.")
            for source in sources:
                if source not in known:
                    raise OptionError(f"Graph: node {name!r}: {unknown_name('source', source, known)}")
            if isinstance(layer, str) and layer not in MERGES:
                raise OptionError(f"Graph: node {name!r}: {unknown_name('merge', layer, MERGES)}")
            if not sources:
                raise OptionError(
                    f"Graph: node {name!r}: expected a source, got none. Name an input or a node."
                )
            if isinstance(layer, Layer) and len(sources) != 1:
                raise OptionError(
                    f"Graph: node {name!r}: a layer takes one source, got {len(sources)}. "
                    'Join them first with a ("concat", [...]) node.'
                )
            known.append(name)
        for output in self.output_names:
            if output not in self.nodes:
                raise OptionError(f"Graph: {unknown_name('output', output, self.nodes)}")

    def build(self, input_shape: Any, rng: StartRandom) -> None:
        """Build every node; ``input_shape`` is a shape, or with several inputs a dictionary of shapes."""
        given = input_shape if isinstance(input_shape, Mapping) else {self.inputs[0]: input_shape}
        if set(given) != set(self.inputs):
            raise ShapeError(f"Graph: expected shapes for {', '.join(self.inputs)}, got {', '.join(given)}.")
        shapes: dict[str, Shape] = {name: tuple(shape) for name, shape in given.items()}
        self.input_shape = input_shape
        self._list_steps()
        for name, step, sources in self.steps:
            of_sources = [shapes[source] for source in sources]
            if isinstance(step, str):
                shapes[name] = merged_shape(f"node {name!r}", of_sources, step)
            else:
                build_place(step, of_sources[0], rng)
                shapes[name] = step.output_shape
        self._shapes = shapes
        of_outputs: Any = {name: shapes[name] for name in self.output_names}
        self.output_shape = of_outputs[self.output_names[0]] if self.is_single_output else of_outputs

    def _list_steps(self) -> None:
        """List what runs at each node: a layer, or how its sources are joined."""
        places = iter(self._places)
        self.steps: list[tuple[str, Layer | str, Sequence[str]]] = [
            (name, layer if isinstance(layer, str) else next(places), sources)
            for name, (layer, sources) in self.nodes.items()
        ]

    def forward(self, X: Any, *, training: bool = False) -> Any:
        """Return the output, or a dictionary of them."""
        values: dict[str, Array] = dict(X) if isinstance(X, Mapping) else {self.inputs[0]: X}
        for name, step, sources in self.steps:
            if isinstance(step, str):
                parts = self._merged[name] = [values[source] for source in sources]
                shape = (len(parts[0]), *self._shapes[name])
                out = self._workspace.take(name, shape, parts[0].dtype)
                values[name] = merge_forward(parts, step, out=out)
            else:
                values[name] = step.forward(values[sources[0]], training=training and not step._is_frozen)
        if self.is_single_output:
            return values[self.output_names[0]]
        return {name: values[name] for name in self.output_names}

    def backward(self, dY: Any) -> Any:
        """Send the gradients back through the nodes in reverse; a node with several users adds theirs."""
        flows: dict[str, Array] = {}

        def add(name: str, flow: Array | None) -> None:
            if flow is None:
                return
            if name in flows:
                flows[name] += flow
            else:  # a copy: other users' buffers are written again before this one is read
                flows[name] = flow.copy()

        for name, flow in (dY if isinstance(dY, Mapping) else {self.output_names[0]: dY}).items():
            add(name, flow)
        for name, step, sources in reversed(self.steps):
            if name not in flows:  # no output asked for depends on it
                for leaf in step._uses() if isinstance(step, Layer) else ():
                    for gradient in leaf.grads.values():
                        gradient[...] = 0
                continue
            flow = flows.pop(name)
            if isinstance(step, str):
                parts = merge_backward(flow, self._merged[name], step)
                for source, part in zip(sources, parts, strict=True):
                    add(source, part)
            elif not step._is_skipped:
                add(sources[0], step.backward(flow))
        if self._flows:
            self._add_uses()
        if not self._needs_input_gradient:
            return None
        return (
            flows[self.inputs[0]]
            if len(self.inputs) == 1
            else {name: flows.get(name) for name in self.inputs}
        )

    def set_loss(self, loss: Any, **options: Any) -> None:
        """Choose the loss; with several outputs a dictionary from output to loss.

        Each of them is a name, a Loss, or ``{"type": name, **options}``, which may have a ``"weight"``: how much it
        counts in their sum.
        """
        if self.is_single_output:
            super().set_loss(loss, **options)
            return
        is_joint = isinstance(loss, Mapping) and loss.get("type") == "joint"  # as ``loss_config`` returns it
        losses = loss.get("losses") if is_joint else loss
        if not isinstance(losses, Mapping) or set(losses) != set(self.output_names):
            raise OptionError(
                f"Graph: expected a loss for each of the outputs {', '.join(self.output_names)}, as a dictionary, "
                f"got {losses!r}."
            )
        given = {key: dict(spec) if isinstance(spec, Mapping) else spec for key, spec in losses.items()}
        weights = {
            key: spec.pop("weight")
            for key, spec in given.items()
            if isinstance(spec, dict) and "weight" in spec
        }
        self._loss = Joint({key: LOSSES.resolve(spec) for key, spec in given.items()}, weights)
        self._has_chosen_loss = True

    def _choose_loss(self, y: Any) -> None:
        """Choose the loss that suits the outputs and these labels or targets, one for each output."""
        if self.is_single_output:
            super()._choose_loss(y)
        else:
            check_targets(y, self.output_names)
            self.set_loss({name: default_loss(self._shapes[name][-1], y[name]) for name in self.output_names})

    def _encode(self, y: Any) -> Any:
        """Return the targets as the losses take them; for several outputs a dictionary."""
        if self.is_single_output:
            return super()._encode(y)
        widths: Any = {name: self._shapes[name][-1] for name in self.output_names}
        return self._loss.encode(y, widths, self.dtype)

    def _named_leaves(self) -> dict[str, Layer]:
        """Return the layers inside by name: that of the node for one that is a node, as in the summary."""
        nodes = {id(layer): name for name, (layer, _) in reversed(list(self.nodes.items()))}
        return {nodes.get(id(leaf), name): leaf for name, leaf in super()._named_leaves().items()}

    def children(self) -> list[Layer]:
        """Return the nodes' layers, in order."""
        return [layer for layer, _ in self.nodes.values() if isinstance(layer, Layer)]

    @property
    def _own_operations(self) -> int:
        """The additions and multiplications of the nodes that add or multiply."""
        return sum(self._operations_of(name) for name in self.nodes)

    def _operations_of(self, name: str) -> int:
        layer, sources = self.nodes[name]
        return (
            (len(sources) - 1) * math.prod(self._shapes[name]) if layer in MERGES and layer != "concat" else 0
        )

    def _inner_rows(self, itemsize: int, depth: int = 0) -> list[LayerRow]:
        """Return the lines of the nodes; a layer is named after its node."""
        rows = []
        for name, layer, _ in self.steps:
            if isinstance(layer, Layer):
                inner = layer._summary_rows(itemsize, name, depth)
                rows += [inner[0]._replace(name=name)] if len(inner) == 1 else inner
            else:
                shape, n = self._shapes[name], self._operations_of(name)
                size = math.prod(shape) * itemsize
                rows.append(
                    LayerRow(name, layer, "", shape, 0, n, depth=depth, label=name, activation_bytes=size)
                )
        return rows

    def _mark_input_gradient(self, needed: bool) -> None:
        """Set for each node whether something before it, or the input, needs its input gradient."""
        self._needs_input_gradient = needed
        self._list_steps()
        needs = dict.fromkeys(self.inputs, needed)
        for name, step, sources in self.steps:
            before = any(needs[source] for source in sources)
            if isinstance(step, Layer):
                step._mark_input_gradient(before)
                before = before or step._is_trained
            needs[name] = before
