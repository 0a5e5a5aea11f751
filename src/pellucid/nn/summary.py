"""A model as a table: layers, shapes, parameters, operations and bytes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pellucid.errors import PellucidError
from pellucid.text import one_line
from pellucid.text_blocks import table_lines
from pellucid.types import LayerRow

if TYPE_CHECKING:
    from pellucid.nn.container import Container

_HEADINGS = ("layer", "kind", "output shape", "parameters", "operations", "output bytes", "parameter bytes")
_TOTALS = ("n_params", "n_operations", "activation_bytes", "parameter_bytes")
_MOST_ROWS = 50  # in a notebook
_LEFT = " style=text-align:left"
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
        import html

        head, *rows, total = map(_html_row, self._cells())
        n_more = len(rows) - _MOST_ROWS
        if n_more > 0:
            words = f"… {n_more} more lines: print(model.summary()) shows all"
            rows[_MOST_ROWS // 2 : n_more + _MOST_ROWS // 2] = [f"<tr><td colspan=7>{words}</td></tr>"]
        return (
            f"<table><caption>{html.escape(self.title)}</caption><thead>{head}</thead>"
            f"<tbody>{''.join(rows)}</tbody><tfoot>{total}</tfoot></table><p>{'<br>'.join(self.notes)}</p>"
        )


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


def _html_row(cells: Sequence[str]) -> str:
    """Return words left-aligned, indentation kept, and numbers as the notebook aligns them."""
    import html

    spaced = ("\N{NO-BREAK SPACE}" * (len(cell) - len(cell.lstrip())) + cell.lstrip() for cell in cells)
    return (
        "<tr>"
        + "".join(f"<td{_LEFT * (i < 3)}>{html.escape(cell)}</td>" for i, cell in enumerate(spaced))
        + "</tr>"
    )
