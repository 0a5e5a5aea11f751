"""A model as a table: layers, shapes, parameters, operations and bytes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pellucid.errors import PellucidError
from pellucid.text import one_line
from pellucid.text_blocks import blocks_as_html, shortened, table_lines
from pellucid.types import LayerRow

if TYPE_CHECKING:
    from pellucid.nn.container import Container

_HEADINGS = ("layer", "kind", "output shape", "parameters", "operations", "output bytes", "parameter bytes")
_TOTALS = ("n_params", "n_operations", "activation_bytes", "parameter_bytes")
_MOST_ROWS = 50  # in a notebook
_NOTE = "Operations and output bytes are of one sample's forward pass."


@dataclass(frozen=True, repr=False)
class Summary:
    """A model's lines and their sums; it prints as an aligned table.

    Attributes
    ----------
    kind, dtype : str
        The model's class and dtype.
    input_shape, output_shape : tuple of int, or mapping of str to tuple
        Of one sample.
    rows : tuple of LayerRow
        Layers and structures, in order.
    """

    kind: str
    dtype: str
    input_shape: Any
    output_shape: Any
    rows: tuple[LayerRow, ...]

    @property
    def layers(self) -> tuple[LayerRow, ...]:
        """The lines of the layers alone, without those of structures around them."""
        return tuple(row for row in self.rows if not row.is_structure)

    @property
    def n_params(self) -> int:
        """Of the whole model."""
        return sum(row.n_params for row in self.rows)

    @property
    def n_frozen(self) -> int:
        """Parameters of frozen layers, which no training moves."""
        return sum(row.n_params for row in self.rows if row.is_frozen)

    @property
    def n_operations(self) -> int:
        """Of one sample's forward pass through the whole model."""
        return sum(row.n_operations for row in self.rows)

    @property
    def activation_bytes(self) -> int:
        """Of all outputs for one sample: the least that training keeps from the forward to the backward pass."""
        return sum(row.activation_bytes for row in self.rows)

    @property
    def parameter_bytes(self) -> int:
        """Of all parameters; training also holds their gradients and the optimizer's state."""
        return sum(row.parameter_bytes for row in self.rows)

    def to_dict(self) -> dict[str, Any]:
        """Return the table as a JSON-serializable dictionary."""
        about = {name: getattr(self, name) for name in ("kind", "dtype", "input_shape", "output_shape")}
        totals = {name: getattr(self, name) for name in _TOTALS}
        return {**about, "rows": [row._asdict() for row in self.rows], "totals": totals}

    @property
    def title(self) -> str:
        """Class, dtype and shape of the samples."""
        return f"{self.kind}, {self.dtype}, samples of shape {shape_text(self.input_shape)}"

    @property
    def notes(self) -> list[str]:
        """What stands below the table: how many parameters are frozen, if any, and how to read it."""
        frozen = [row.name for row in self.rows if row.is_frozen]
        if not frozen:
            return [_NOTE]
        trained = self.n_params - self.n_frozen
        return [f"Parameters frozen, up to {frozen[-1]}: {self.n_frozen:,}; trained: {trained:,}.", _NOTE]

    def _cells(self) -> list[tuple[str, ...]]:
        """Return headings, lines and totals as strings."""
        totals = (f"{getattr(self, name):,}" for name in _TOTALS)
        return [_HEADINGS, *map(_cells, self.rows), ("total", "", shape_text(self.output_shape), *totals)]

    def text(self, *, has_note: bool = True) -> str:
        """Return the table as aligned plain text, with or without the note on how to read it."""
        head, *rows = self._cells()
        *lines, total = table_lines((head, rows), rule="-", text=head[:3])
        table = [self.title, "", *lines, lines[1], total]
        return "\n".join(map(one_line, [*table, "", *self.notes] if has_note else table))

    def __str__(self) -> str:
        return self.text()

    __repr__ = __str__

    def _repr_html_(self) -> str:
        """Return the table as HTML for a notebook; of a very deep network its beginning and its end."""
        head, *lines, total = self._cells()
        rows = [(name.replace("  ", "\N{NO-BREAK SPACE}" * 2), *cells) for name, *cells in lines]
        table = head, [*shortened(rows, _MOST_ROWS, "print(model.summary()) shows all"), total]
        return blocks_as_html([self.title, table, *self.notes])


def summarize(model: "Container") -> Summary:
    """Return the summary of a model whose shapes are known.

    Parameters
    ----------
    model : Model
        Built: see ``initialize`` and ``_lay_out``.

    Raises
    ------
    PellucidError
        If it is not built yet.

    Examples
    --------
    >>> from pellucid.nn.dense import Dense, Flatten
    >>> from pellucid.nn.sequential import Sequential
    >>> model = Sequential([Flatten(), Dense(3, activation="relu"), Dense(1)])
    >>> model.initialize((2, 2, 3))
    >>> summary = summarize(model)
    >>> summary.n_params, summary.n_operations
    (43, 78)
    """
    if not model.output_shape:
        raise PellucidError(
            "summary: the shapes are not known yet, since they follow from the samples'. Train the model, or make "
            "its parameters by model.initialize(X.shape[1:]), such as model.initialize((64, 64, 3))."
        )
    rows = tuple(model._inner_rows(np.dtype(model.dtype).itemsize))
    return Summary(type(model).__name__, model.dtype, model.input_shape, model.output_shape, rows)


def _cells(row: LayerRow) -> tuple[str, ...]:
    kind = f"{row.kind}, {row.activation}" if row.activation else row.kind
    numbers = (row.n_params, row.n_operations, row.activation_bytes, row.parameter_bytes)
    return ("  " * row.depth + row.label, kind, shape_text(row.output_shape), *(f"{n:,}" for n in numbers))


def shape_text(shape: Any) -> str:
    """Return a shape, or several by name, as text."""
    if isinstance(shape, Mapping):
        return ", ".join(f"{name} {tuple(one)}" for name, one in shape.items())
    return str(tuple(shape))
