"""The columns of a table as inputs of an ONNX graph: numbers and words in, what the network takes out."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pellucid.data.readers.dates import date_parts
from pellucid.data.readers.table_columns import RARE, cell_value
from pellucid.data.readers.table_schema import Column
from pellucid.data.readers.table_text import MISSING
from pellucid.formats.onnx.layers import Parts
from pellucid.types import Array

TABLE = "columns.table"  # the value that the columns make: what an import begins with
ML = "ai.onnx.ml"  # the domain of LabelEncoder
TAKEN = ("probabilities", "values", "scores", "logits")  # names of outputs


def column_inputs(parts: Parts, columns: Sequence[Column]) -> list[Any]:
    """Add what makes numbers of a table's columns, the value ``TABLE``, and return the graph's inputs.

    A column of numbers or truths is (m, 1) doubles, NaN where the value is missing; one of words (m, 1) strings,
    "" where it is; a date a column of doubles for each of its parts, such as "born month".
    """
    onnx, parts.where = parts.onnx, "columns"
    inputs, made = [], []
    for column, names in zip(columns, input_names(columns), strict=True):
        is_text = column.kind == "category"
        kind = onnx.TensorProto.STRING if is_text else onnx.TensorProto.DOUBLE
        inputs += [onnx.helper.make_tensor_value_info(name, kind, ["batch", 1]) for name in names]
        made += [_words(parts, column, names[0])] if is_text else _numbers(parts, column, names)
    parts.add("Concat", *made, name=TABLE, axis=1)
    return inputs


def input_names(columns: Sequence[Column]) -> list[list[str]]:
    """Return the names of the inputs of each column, each once.

    Examples
    --------
    >>> input_names([Column("born", "date", parts=("month", "days")), Column("values"), Column("born days")])
    [['born month', 'born days'], ['values (column)'], ['born days (column)']]
    """
    taken, found = {*TAKEN}, []
    for column in columns:
        names = [f"{column.name} {part}" for part in column.parts] or [column.name]
        for i in range(len(names)):
            while names[i] in taken:
                names[i] += " (column)"
            taken.add(names[i])
        found.append(names)
    return found


def _words(parts: Parts, column: Column, name: str) -> str:
    """Add the columns of 0 and 1 of a column of words."""
    places = {word: i for i, word in enumerate(column.categories)}
    if MISSING in places:
        places[""] = places[MISSING]
    codes = parts.add(
        "LabelEncoder",
        name,
        domain=ML,
        keys_strings=list(places),
        values_int64s=list(places.values()),
        default_int64=places.get(RARE, -1),
    )
    own = parts.add("Equal", codes, parts.constant(np.arange(len(column.categories))[None], np.int64))
    return parts.add("Cast", own, to=parts.onnx.TensorProto.DOUBLE)


def _numbers(parts: Parts, column: Column, names: Sequence[str]) -> list[str]:
    """Add the numbers of a column, gaps filled, and where gaps are marked, the mark."""
    if column.fill is None:
        return list(names)
    filled = date_parts(np.array([column.fill]), column.parts)[0] if column.parts else [column.fill]
    gaps = [parts.add("IsNaN", name) for name in names]
    found = [
        parts.add("Where", gap, parts.constant([[value]], np.float64), name)
        for gap, value, name in zip(gaps, filled, names, strict=True)
    ]
    return found + (
        [parts.add("Cast", gaps[0], to=parts.onnx.TensorProto.DOUBLE)] if column.marks_gaps else []
    )


def feed_of(columns: Sequence[Column], rows: Sequence[Mapping[str, str]]) -> dict[str, Array]:
    """Return rows as the graph takes them, by the names of its inputs.

    Examples
    --------
    >>> feed_of([Column("kg", fill=4.0), Column("coat", "category", ("tabby",))], [{"kg": "", "coat": "tabby"}])
    {'kg': array([[nan]]), 'coat': array([['tabby']], dtype=object)}
    """
    feed: dict[str, Array] = {}
    for column, names in zip(columns, input_names(columns), strict=True):
        cells = [row[column.name] for row in rows]
        if column.kind == "category":
            feed[names[0]] = np.array(cells, object)[:, None]
            continue
        values = np.array([cell_value(cell, column.kind, ".") for cell in cells], np.float64)
        gaps = np.isnan(values)
        parts = values[:, None]
        if column.parts:
            parts = date_parts(np.where(gaps, 0.0, values), column.parts)
            parts[gaps] = np.nan
        feed |= {name: part[:, None] for name, part in zip(names, parts.T, strict=True)}
    return feed


def without_columns(onnx: Any, model: Any, width: int) -> None:
    """Cut off what makes ``TABLE`` of a table's columns, in place: the graph then takes that, (m, width)."""
    graph = model.graph
    keep_what_makes(graph, [output.name for output in graph.output], given=TABLE)
    del graph.input[:]
    graph.input.append(onnx.helper.make_tensor_value_info(TABLE, onnx.TensorProto.DOUBLE, ["batch", width]))


def keep_what_makes(graph: Any, names: Sequence[str], given: str = "") -> None:
    """Leave of a graph's nodes and arrays, in place, those that some values need where one of them is given."""
    wanted = set(names)
    for i in reversed(range(len(graph.node))):
        if wanted.intersection(graph.node[i].output):
            wanted.update(graph.node[i].input)
            wanted.discard(given)
        else:
            del graph.node[i]
    for entries in (graph.initializer, graph.output):
        for i in reversed(range(len(entries))):
            if entries[i].name not in wanted:
                del entries[i]
