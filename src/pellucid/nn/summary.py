"""A model as a table: layers, shapes, parameters, operations and bytes."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from pellucid.errors import PellucidError
from pellucid.nn.initializers import StartRandom, zeros
from pellucid.nn.layers import Flatten, Layer

_HEADINGS = ("layer", "kind", "output shape", "parameters", "operations", "output bytes", "parameter bytes")


@dataclass(frozen=True)
class TableRow:
    """One line: a layer, or a structure above those inside it.

    Attributes
    ----------
    name : str
        A layer's as messages have it. What the structure around it calls it, such as a node's name, comes first.
    kind : str
        The layer's class, or how a node joins its sources.
    activation : str
        ``""`` where there is none.
    depth : int
        How many structures it is inside of, the model itself not counted.
    output_shape : tuple of int
        Of one sample; of a graph with several outputs, by name.
    n_params : int
        Its own, not of those inside it.
    n_operations : int
        Multiplications and additions of one sample's forward pass, its own.
    activation_bytes : int
        What one sample's output takes in memory; 0 where it is the output of another layer seen anew.
    parameter_bytes : int
    """

    name: str
    kind: str
    activation: str
    depth: int
    output_shape: Any
    n_params: int
    n_operations: int
    activation_bytes: int
    parameter_bytes: int


@dataclass(frozen=True)
class ModelTable:
    """A model's lines and their sums; ``text`` is the table as plain text.

    Attributes
    ----------
    kind, dtype : str
        The model's class, and what it computes in.
    input_shape, output_shape : tuple of int, or mapping of str to tuple
        Of one sample.
    rows : tuple of TableRow
    """

    kind: str
    dtype: str
    input_shape: Any
    output_shape: Any
    rows: tuple[TableRow, ...]

    @property
    def n_params(self) -> int:
        """Of the whole model."""
        return sum(row.n_params for row in self.rows)

    @property
    def n_operations(self) -> int:
        """Of one sample's forward pass through the whole model."""
        return sum(row.n_operations for row in self.rows)

    @property
    def activation_bytes(self) -> int:
        """Of all outputs for one sample: what a training keeps from the forward to the backward pass, at least."""
        return sum(row.activation_bytes for row in self.rows)

    @property
    def parameter_bytes(self) -> int:
        """Of all parameters; a training also holds their gradients and what the optimizer remembers."""
        return sum(row.parameter_bytes for row in self.rows)

    def to_dict(self) -> dict[str, Any]:
        """Return the table as JSON can hold it."""
        totals = ("n_params", "n_operations", "activation_bytes", "parameter_bytes")
        return asdict(self) | {"totals": {name: getattr(self, name) for name in totals}}

    @property
    def text(self) -> str:
        """The table as aligned plain text."""
        lines = [_HEADINGS, *map(_cells, self.rows)]
        sums = (self.n_params, self.n_operations, self.activation_bytes, self.parameter_bytes)
        total = ("total", "", _shape_text(self.output_shape), *(f"{n:,}" for n in sums))
        widths = [max(map(len, column)) for column in zip(*lines, total, strict=True)]
        rule = "  ".join("-" * width for width in widths)
        title = f"{self.kind}, {self.dtype}, samples of shape {_shape_text(self.input_shape)}"
        body = [_aligned(line, widths) for line in lines]
        note = "Operations and output bytes are of one sample's forward pass."
        return "\n".join([title, "", body[0], rule, *body[1:], rule, _aligned(total, widths), "", note])

    def __str__(self) -> str:
        """Return the text."""
        return self.text


def model_table(model: Any) -> ModelTable:
    """Return the table of a model whose shapes are known.

    Parameters
    ----------
    model : Model
        Built: see ``Model.initialize`` and :func:`lay_out`.

    Raises
    ------
    PellucidError
        If it is not built yet.

    Examples
    --------
    >>> from pellucid.nn.layers import Dense
    >>> from pellucid.nn.sequential import Sequential
    >>> model = Sequential([Flatten(), Dense(3, activation="relu"), Dense(1)])
    >>> model.initialize((2, 2, 3))
    >>> table = model_table(model)
    >>> table.n_params, table.n_operations
    (43, 78)
    """
    if not model.output_shape:
        raise PellucidError(
            "summary: the shapes are not known yet. Call initialize(input_shape) first, or train the model."
        )
    item = np.dtype(model.dtype).itemsize
    rows = tuple(_rows_inside(model, 0, item))
    return ModelTable(type(model).__name__, model.dtype, model.input_shape, model.output_shape, rows)


def lay_out(model: Any, input_shape: Any) -> None:
    """Build a model for its table alone: every shape is learned, and all parameters are zeros.

    Nothing is drawn, so that a network too large for this machine costs no time to look at. The model is of no
    use for anything else afterwards.
    """
    for leaf in model.leaves():
        if hasattr(leaf, "_draw"):
            leaf._draw = zeros  # the system gives zeros out without touching memory
    model._name_layers()
    model.build(input_shape, StartRandom(np.random.PCG64(0)))


def _rows_inside(structure: Any, depth: int, item: int) -> Iterator[TableRow]:
    """Yield the lines of what is inside a structure, in order."""
    if not hasattr(structure, "nodes"):
        parts = _parts(structure)
        for child, role in zip(structure.children(), parts, strict=True):
            yield from _rows(child, role, depth, item)
        return
    for name, (layer, sources) in structure.nodes.items():  # a graph
        if isinstance(layer, Layer):
            yield from _rows(layer, name, depth, item)
        else:
            shape = structure._shapes[name]
            n = math.prod(shape)
            n_added = (len(sources) - 1) * n if layer == "add" else 0
            yield TableRow(name, layer, "", depth, shape, 0, n_added, n * item, 0)


def _rows(layer: Any, role: str, depth: int, item: int) -> Iterator[TableRow]:
    """Yield the line of a layer and of all inside it; ``role`` is what the structure around it calls it."""
    kind = type(layer).__name__
    if not hasattr(layer, "children"):
        name = ": ".join(filter(None, (role, layer.name or kind.lower())))
        n_params = sum(array.size for array in layer.params.values())
        n_values = 0 if isinstance(layer, Flatten) else math.prod(layer.output_shape)
        bend = getattr(layer, "activation", None) or ""
        row = (layer.output_shape, n_params, layer.n_operations, n_values * item, n_params * item)
        yield TableRow(name, kind, bend, depth, *row)
        return
    n_added, n_values = _own_work(layer)
    yield TableRow(role or kind.lower(), kind, "", depth, layer.output_shape, 0, n_added, n_values * item, 0)
    yield from _rows_inside(layer, depth + 1, item)


def _parts(structure: Any) -> Sequence[str]:
    """Return what a structure calls each of its children; Sequential calls them nothing."""
    n = len(structure.children())
    if hasattr(structure, "body"):
        return ("body", "shortcut")[:n]
    return [f"branch {i}" for i in range(1, n + 1)] if hasattr(structure, "branches") else [""] * n


def _own_work(structure: Any) -> tuple[int, int]:
    """Return the additions of a structure itself, and how many numbers its own output has, for one sample."""
    if hasattr(structure, "body"):
        n = math.prod(structure.output_shape)
        return n, n
    if hasattr(structure, "branches"):
        n = math.prod(structure.output_shape)
        return (len(structure.branches) - 1) * n if structure.merge == "add" else 0, n
    return 0, 0  # its output is that of a layer inside it


def _cells(row: TableRow) -> tuple[str, ...]:
    kind = f"{row.kind}, {row.activation}" if row.activation else row.kind
    name = "  " * row.depth + row.name
    numbers = (row.n_params, row.n_operations, row.activation_bytes, row.parameter_bytes)
    return (name, kind, _shape_text(row.output_shape), *(f"{n:,}" for n in numbers))


def _shape_text(shape: Any) -> str:
    if isinstance(shape, Mapping):
        return ", ".join(f"{name} {tuple(one)}" for name, one in shape.items())
    return str(tuple(shape))


def _aligned(cells: Sequence[str], widths: Sequence[int]) -> str:
    """Return words flush left and numbers flush right."""
    padded = [
        cell.ljust(width) if i < 3 else cell.rjust(width)
        for i, (cell, width) in enumerate(zip(cells, widths, strict=True))
    ]
    return "  ".join(padded).rstrip()
