"""What :func:`pellucid.training.trace.trace` returns: the arrays of one training step by layer, and as a table."""

import importlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from pellucid.data.dataset import Dataset
from pellucid.errors import OptionError, unknown_name
from pellucid.files import check_free, write_atomically
from pellucid.nn.model import Model
from pellucid.text import plural
from pellucid.text_blocks import blocks_as_html, shortened, table_lines
from pellucid.training.optimizers.base import Optimizer
from pellucid.types import Array, n_rows

SHOWN = 12  # numbers of an array that a table shows one by one
MOST_ROWS = 60  # of a table in a notebook
VIEWS = "trace.widget() shows it number by number; trace.save(path) writes that as a page."
ENOUGH = 20  # values of a unit, all 0, from which it counts as dead
MOST_OF_FEW = 0.8  # of the units, all 0 for fewer values, from which it is said


class TraceRow(NamedTuple):
    """An array of a step: in which pass, of which layer, and under which name."""

    part: str
    layer: str
    name: str
    array: Array


class Remark(NamedTuple):
    """What is odd in a step, where it stands: a layer, or "" for the loss, and one of the four passes."""

    layer: str
    part: str
    text: str


@dataclass(eq=False, repr=False)
class LayerTrace:
    """What one layer took, computed and passed back; each array is an attribute: ``.Z``, ``.dW``, ``.update_W``.

    Attributes
    ----------
    name, kind : str
        "dense_1", and the class.
    arrays : dict of str to Array
        In the order of computation. ``X``: the input. The parameters that it had: ``W``, ``b``. ``Z``: the value
        before the activation function. ``A``: the output. ``dA``, ``dZ``, ``dX``: the gradients of the loss for
        those; no ``dX`` where no layer before it is trained. ``dW``, ``db``: for the parameters. ``update_W``,
        ``update_b``: what the optimizer added to them. A further use of a layer that stands in several places has
        no parameters of its own: its ``dW`` is its share of the layer's, and ``own_dW`` that of the first use. A
        frozen layer has no gradients. ``mask``: what Dropout multiplied by. ``mean``, ``var``: of the batch, of
        BatchNorm, or of each row, of LayerNorm. ``running_mean``, ``running_var``: BatchNorm's, before the step.
    memory : dict of str to Array
        What the optimizer kept of earlier steps, ``velocity_W``, before this one; empty at its first.
    """

    name: str
    kind: str
    arrays: dict[str, Any] = field(default_factory=dict)
    memory: dict[str, Array] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Any:
        if name not in self.arrays:
            raise OptionError(f"{self.name}: {unknown_name('array', name, self.arrays)}")
        return self.arrays[name]

    def __getattr__(self, name: str) -> Any:
        arrays = vars(self).get("arrays", {})
        if name in arrays:
            return arrays[name]
        raise AttributeError(f"{vars(self).get('name', 'trace')}: {unknown_name('array', name, arrays)}")

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *self.arrays})

    def __repr__(self) -> str:
        shapes = (f"{name} {getattr(array, 'shape', '')}" for name, array in self.arrays.items())
        return f"LayerTrace({self.name}: {', '.join(shapes)})"


class Trace(dict[str, LayerTrace]):
    """One training step, or a prediction: every layer by name, ``trace["dense_1"].dW``; ``trace.table()``.

    Attributes
    ----------
    loss : float or None
        Of the parameters before the step. None of a prediction, and so are ``Y``, ``dZ`` and ``optimizer``.
    loss_after : float or None
        Of the same batch and the parameters after it, where the loss is the model's alone.
    X, Y : Array or dict of Array
        The batch as the first layer takes it, and what the loss compares the outputs with.
    Z, dZ : Array or dict of Array
        The model's raw outputs, and the gradient of the loss for them: where the backward pass begins.
    P : Array, dict of Array, or None
        The probabilities that the outputs stand for, where the loss gives any.
    weights : Array or None
        How much each sample counts.
    in_prediction : Array, dict of Array, or None
        The raw outputs of a prediction before the step, where Dropout or BatchNorm make them other than ``Z``.
    data : Dataset or None
        The samples as loaded.
    optimizer : Optimizer or None
        What made the update.
    is_update : bool
        Whether the model was left with the new parameters.
    changed : str
        Why arrays are not what the model computes, where that is so: a page then stores all, and says it.
    model : Model
        What took the step: a copy of the model asked for, unless that was updated.
    """

    def __init__(
        self,
        layers: dict[str, LayerTrace],
        model: Model,
        optimizer: Optimizer | None,
        loss: float | None,
        **arrays: Any,
    ) -> None:
        super().__init__(layers)
        self.model, self.optimizer, self.loss, self.is_update = model, optimizer, loss, False
        self.loss_after: float | None = None
        self.in_prediction: Any = None
        self.changed = ""
        self.X, self.Y, self.Z, self.dZ, self.P = (arrays[name] for name in ("X", "Y", "Z", "dZ", "P"))
        self.weights: Array | None = arrays.get("weights")
        self.data: Dataset | None = arrays.get("data")

    def __missing__(self, name: str) -> LayerTrace:
        raise OptionError(f"trace: {unknown_name('layer', name, self)}")

    def rows(self) -> list[TraceRow]:
        """Return every array of the step in the order of computation."""
        forward: list[TraceRow] = []
        backward: list[TraceRow] = []
        update: list[TraceRow] = []
        for name, layer in self.items():
            rows = [TraceRow("update", name, key, array) for key, array in layer.memory.items()]
            rows += [TraceRow(_part_of(key), name, key, array) for key, array in layer.arrays.items()]
            forward += [row for row in rows if row.part == "forward"]
            backward = [row for row in rows if row.part == "backward"] + backward
            update += [row for row in rows if row.part == "update"]
        ends = {
            "outputs Z": self.Z,
            "P": self.P,
            "targets Y": self.Y,
            "loss": None if self.loss is None else np.asarray(self.loss),
            "dZ": self.dZ,
        }
        loss = [TraceRow("loss", "", name, array) for name, array in ends.items() if array is not None]
        return [
            row._replace(name=f"{row.name} {key}".strip(), array=array)
            for row in [*forward, *loss, *backward, *update]
            for key, array in (row.array.items() if isinstance(row.array, dict) else [("", row.array)])
        ]

    def table(self, layer: str | None = None) -> "TraceTable":
        """Return a table to print: every number of small arrays, range and norm of the others.

        Parameters
        ----------
        layer : str, optional
            Only this layer's rows.
        """
        name = None if layer is None else self[layer].name
        return TraceTable(self._title(), [row for row in self.rows() if name in (None, row.layer)])

    def remarks(self) -> list[str]:
        """Return what should not be: units that are 0 for every sample, and a backward pass that ends in zeros."""
        return [each.text for each in self.located_remarks()]

    def located_remarks(self) -> list[Remark]:
        """Return what :meth:`remarks` does, each with its layer and pass."""
        found = []
        for name, layer in self.items():
            A: Any = layer.arrays.get("A")
            Z: Any = layer.arrays.get("Z")
            has_both = (
                isinstance(A, np.ndarray) and isinstance(Z, np.ndarray) and Z.shape == A.shape and A.ndim > 1
            )
            if has_both and (A >= 0).all() and (Z < 0).any():  # of relu and its kind
                dead = ~A.reshape(-1, A.shape[-1]).any(axis=0)
                is_seen = len(A) > 1 and A.size >= ENOUGH * len(dead)  # of one photo many channels are 0
                few = "this sample" if len(A) == 1 else f"each of these {len(A)} samples"
                text = f"{name}: {dead.sum()} of {len(dead)} units are 0 for "
                if is_seen:
                    text += (
                        "every sample (dead) and pass nothing back. Try a lower learning rate, another start, or "
                        "leaky_relu."
                    )
                else:
                    text += (
                        f"{few} and pass nothing back in this step (dead if they are for all others, too)."
                    )
                if dead.any() and (is_seen or dead.mean() >= MOST_OF_FEW):
                    found.append(Remark(name, "forward", text))
        if isinstance(self.dZ, np.ndarray) and not self.dZ.any():
            return [
                *found,
                Remark("", "loss", "The gradient of the loss is 0: nothing is trained in this step."),
            ]
        for name, layer in reversed(self.items()):
            dX = layer.arrays.get("dX")
            if isinstance(dX, np.ndarray) and dX.size and not dX.any():
                text = (
                    f"{name}: it passes back only zeros, so that no layer before it is trained in this step."
                )
                return [*found, Remark(name, "backward", text)]
        return found

    def to_html(self, title: str = "", *, samples: int = 64, most_mb: float = 32.0) -> str:
        """Return the step as a page to walk through, number by number: see docs/replay.md.

        Parameters
        ----------
        title : str, optional
            Its heading.
        samples : int, optional
            How many are shown at most.
        most_mb : float, optional
            Megabytes of the page, at most.

        Examples
        --------
        >>> import pellucid as pl
        >>> model = pl.Sequential([pl.Dense(2, "tanh"), pl.Dense(1)])
        >>> pl.trace(model, ([[0.0, 1.0], [1.0, 1.0]], [0, 1])).to_html()[:15]
        '<!DOCTYPE html>'
        """
        return str(_higher("page").replay_page(self._replay(title=title, samples=samples, most_mb=most_mb)))

    def save(self, path: str | Path, *, title: str = "", overwrite: bool = False) -> None:
        """Write the page of :meth:`to_html` to a file."""
        check_free(Path(path), overwrite=overwrite)
        write_atomically(Path(path), self.to_html(title))

    def widget(self) -> Any:
        """Return the views of :meth:`to_html` as a widget for a notebook; it needs the extra notebook."""
        return _higher("page").replay_widget(self._replay())

    def _replay(self, *, title: str = "", **how: Any) -> Any:
        title = title or self._title().splitlines()[0].partition(":")[0]
        return _higher("record").replay_of(self, title=title, **how)

    def _title(self) -> str:
        if self.loss is None:
            return "\n".join([f"Prediction of {plural(n_rows(self.X), 'sample')}", *self.remarks()])
        ending = "" if self.is_update else "; the model is as it was"
        step = f"One step of {self.optimizer!r} on {plural(n_rows(self.X), 'sample')}: loss {self.loss:.6g}{ending}"
        return "\n".join([step, *self.remarks()])

    def __repr__(self) -> str:
        return f"Trace({self._title().splitlines()[0]}; layers: {', '.join(self)})"

    def _repr_html_(self) -> str:
        """Return the table as HTML for a notebook; the views, which are megabytes, are asked for."""
        return self.table()._repr_html_() + blocks_as_html([VIEWS])


class TraceTable:
    """A trace's rows; it prints as an aligned table, a pass below the other."""

    def __init__(self, title: str, rows: list[TraceRow]) -> None:
        self.title, self.rows = title, rows

    def __str__(self) -> str:
        header = "layer", "array", "shape", "values"
        first, *lines = table_lines((header, [*map(_cells, self.rows)]), text=header)
        text, part = [self.title, "", first], ""
        for row, line in zip(self.rows, lines, strict=True):
            if row.part != part:
                part = row.part
                text += ["", part]
            text.append(line)
        return "\n".join(text)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        """Return the table as HTML for a notebook; of a deep network its beginning and its end."""
        rows: list[Any] = [(row.part, *_cells(row)) for row in self.rows]
        rows = shortened(rows, MOST_ROWS, "print(trace.table()) shows all")
        return blocks_as_html(
            [*self.title.splitlines(), (("pass", "layer", "array", "shape", "values"), rows)]
        )


def _higher(name: str) -> Any:
    """Return a module of the room of replays, which is a higher one."""
    return importlib.import_module(f"pellucid.replaying.{name}")


def _part_of(name: str) -> str:
    """Return the pass that an array belongs to."""
    is_backward = name.startswith(("d", "own_d"))
    return "update" if name.startswith("update_") else "backward" if is_backward else "forward"


def _cells(row: TraceRow) -> tuple[str, str, str, str]:
    return row.layer, row.name, str(row.array.shape) if row.array.ndim else "", _values(row.array)


def _values(array: Array) -> str:
    """Return every number of a small array on one line; of another its range, mean and norm."""
    if array.size <= SHOWN:
        return _nested(array.tolist())
    flat = array.astype(np.float64).ravel()
    low, mean, high = flat.min(), flat.mean(), flat.max()
    return f"min {low:.4g}, mean {mean:.4g}, max {high:.4g}, norm {np.linalg.norm(flat):.4g}"


def _nested(value: Any) -> str:
    """Return numbers in brackets, an axis inside the other.

    Examples
    --------
    >>> _nested([[0.0, 1.0], [0.123456, -2.0]])
    '[[0 1] [0.1235 -2]]'
    """
    return f"[{' '.join(map(_nested, value))}]" if isinstance(value, list) else f"{value:.4g}"
