"""What a replay says of its samples: names, labels, pictures, cells, and the verdict on each."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from pellucid.data.readers.table_schema import Column
from pellucid.data.show import pixels
from pellucid.formats.outputs import Output, rule_of
from pellucid.nn.model import Model
from pellucid.replaying.blocks import Blocks
from pellucid.text import join_some, percent
from pellucid.training.trace_records import Trace
from pellucid.types import Array, is_image_shape, map_arrays

BYTE = 255


def samples_of(
    trace: Trace,
    outputs: dict[str, Output],
    n: int,
    blocks: Blocks,
    names: Sequence[str],
    cells: Sequence[Sequence[tuple[str, str]]],
) -> list[dict[str, Any]]:
    """Return what the page says of the first samples of the batch.

    Parameters
    ----------
    trace : Trace
    outputs : dict of str to Output
        Of its model.
    n : int
        How many.
    blocks : Blocks
        Takes the pictures.
    names : sequence of str
        Of each sample of the batch; empty: its file, else its number.
    cells : sequence of (column, cell)
        Of each sample that is a row of a table; empty: as the table's columns write them.
    """
    found = []
    for row in range(n):
        picture, predicted = picture_of(trace, row), None
        verdict, is_right = verdict_of(trace.Z, trace.Y, outputs, row)
        if trace.in_prediction is not None:  # Dropout or batch norm make it another
            predicted, _ = verdict_of(trace.in_prediction, None, outputs, row)
            verdict = f"{verdict} in this step, {predicted} in prediction"
        found.append(
            {
                "name": names[row] if len(names) else _name(trace, row),
                "label": None if trace.Y is None else label_of(trace, outputs, row),
                "picture": None if picture is None else blocks.put(picture),
                "columns": [list(cell) for cell in cells[row]] if len(cells) else _cells(trace, row),
                "verdict": verdict,
                "is_right": is_right,
                "in_prediction": predicted,
                "loss": loss_of(trace, row),
            }
        )
    return found


def _name(trace: Trace, row: int) -> str:
    data = trace.data
    if data is None:
        return f"sample {row + 1}"
    return data.file(row) or f"{data.noun} {row + 1}"


def picture_of(trace: Trace, row: int) -> Array | None:
    """Return a sample's pixels as the first layer took them, uint8 (h, w, 3); None of one that is no image.

    Of a batch that layers before the first one have changed, the image as loaded.
    """
    for name, X in trace.X.items() if isinstance(trace.X, dict) else [("", trace.X)]:
        if is_image_shape(X.shape[1:]) and (prepared := _bytes(trace.model, X[row])) is not None:
            return pixels(prepared[None])[0]
        loaded = None if trace.data is None else trace.data.X[name] if name else trace.data.X
        if loaded is not None and is_image_shape(loaded.shape[1:]) and loaded.dtype == np.uint8:
            return pixels(np.asarray(loaded[row : row + 1]))[0]
    return None


def _bytes(model: Model, x: Array) -> Array | None:
    """Return prepared pixels as bytes again; None where they are no pixels."""
    rule = rule_of(model)
    if rule.kind != "divide" and (rule.scale or not 0 <= x.min() <= x.max() <= 1):
        return None
    return np.rint(np.clip(np.nan_to_num(x.astype(np.float64) * BYTE), 0, BYTE)).astype(np.uint8)


def _cells(trace: Trace, row: int) -> list[list[str]] | None:
    """Return the columns of a row of a table with what stands in them; None of other samples."""
    schema: Any = trace.model._schema
    if schema is None or trace.data is None or isinstance(trace.data.X, dict):
        return None
    x, places = np.asarray(trace.data.X[row], np.float64), zip(schema.columns, schema.slices, strict=True)
    return [[column.name, _cell(column, x[at])] for column, at in places]


def _cell(column: Column, values: Array) -> str:
    """Return what stood in a cell that became these numbers."""
    if column.categories:
        return next((word for word, value in zip(column.categories, values, strict=True) if value), "another")
    if (column.marks_gaps and values[-1]) or not np.isfinite(values[0]):
        return "missing"
    if column.parts and column.parts[0] != "days":
        return ", ".join(f"{part} {value:g}" for part, value in zip(column.parts, values, strict=False))
    return column.written(float(values[0]))


def loss_of(trace: Trace, row: int) -> float | str | None:
    """Return a sample's own loss, without its weight; None of a prediction."""
    if trace.loss is None:
        return None
    Z, Y = (map_arrays(lambda array: array[row : row + 1], each) for each in (trace.Z, trace.Y))
    with np.errstate(all="ignore"):
        return finite(float(trace.model._loss.forward(Z, Y)[0]))


def verdict_of(Zs: Any, Ys: Any, outputs: dict[str, Output], row: int) -> tuple[str, bool | None]:
    """Return what the outputs say of a sample, and whether it is its label; None where that is not known."""
    texts, rights = {}, []
    for name, output in outputs.items():
        texts[name], is_right = _verdict(output, _of(Zs, name, row), _of(Ys, name, row))
        rights += [] if is_right is None else [is_right]
    return _in_words(texts), all(rights) if rights else None


def _in_words(texts: dict[str, str]) -> str:
    """Return what is said of each output, behind its name where it has one."""
    return "; ".join(f"{name}: {text}" if name else text for name, text in texts.items())


def _of(arrays: Any, name: str, row: int) -> Any:
    """Return a row of an output's array, (1, n) or (1,); None where there is none."""
    if arrays is None:
        return None
    return (arrays[name] if name else arrays)[row : row + 1]


def _verdict(output: Output, Z: Array, Y: Any) -> tuple[str, bool | None]:
    if not np.isfinite(Z).all():
        return "none: the outputs are not finite numbers", None if Y is None else False
    if output.kind == "values":
        return ", ".join(f"{value:.6g}" for value in np.ravel(output.loss.mean(Z))), None
    if output.kind == "answers":
        P = np.ravel(output.loss.probabilities(Z))
        named = zip(output.classes, P.tolist(), strict=True)
        yes = [f"{name} ({percent(p, 1)})" for name, p in named if p > 0.5]
        is_right = None if Y is None else bool(((P > 0.5) == (np.ravel(Y) > 0.5)).all())
        return ", ".join(yes) or f"none of {', '.join(output.classes)}", is_right
    scores = output.loss.probabilities(Z)[0] if output.kind != "scores" else Z[0]
    scores = np.array([-scores[0], scores[0]]) if len(scores) == 1 else scores  # of a single score
    best = int(scores.argmax())
    ties = [name for name, score in zip(output.classes, scores, strict=True) if score == scores[best]][1:]
    said = [] if output.kind == "scores" else [percent(float(scores[best]), 1)]
    said += [f"equal to {join_some(ties, 3)}"] if ties else []  # the first of them, as in every prediction
    text = output.classes[best] + (f" ({', '.join(said)})" if said else "")
    return text, None if Y is None else best == class_in(Y)


def class_in(Y: Array) -> int:
    """Return the class that an encoded target stands for, (1,), (1, 1) or (1, k): the likeliest.

    Examples
    --------
    >>> class_in(np.array([2])), class_in(np.array([[1.0]])), class_in(np.array([[0.2, 0.8]]))
    (2, 1, 1)
    """
    if Y.ndim == 1:
        return int(Y[0])
    return int(Y[0, 0] > 0.5) if Y.shape[1] == 1 else int(Y[0].argmax())


def label_of(trace: Trace, outputs: dict[str, Output], row: int) -> str:
    """Return a sample's label, or its targets, as a reader knows them."""
    texts = {}
    for name, output in outputs.items():
        Y = _of(trace.Y, name, row)
        if output.kind == "values":
            given = _of(None if trace.data is None else trace.data.y, name, row)
            texts[name] = ", ".join(f"{value:.6g}" for value in np.ravel(Y if given is None else given))
        elif output.kind == "answers":
            yes = [each for each, y in zip(output.classes, np.ravel(Y), strict=True) if y > 0.5]
            texts[name] = ", ".join(yes) or "none"
        else:
            texts[name] = output.classes[class_in(Y)]
    return _in_words(texts)


def finite(value: float) -> float | str:
    """Return a number as JSON can hold it: NaN and infinity as text that JavaScript's ``Number`` takes.

    Examples
    --------
    >>> finite(0.5), finite(float("nan")), finite(float("-inf"))
    (0.5, 'NaN', '-Infinity')
    """
    if np.isfinite(value):
        return value
    return "NaN" if np.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def one_hot(Y: Array, Z: Array) -> Array:
    """Return targets as rows next to outputs: a class number as a row of zeros with a single 1.

    Examples
    --------
    >>> one_hot(np.array([1, 0]), np.zeros((2, 3)))
    array([[0., 1., 0.],
           [1., 0., 0.]])
    """
    if Y.ndim > 1 or Z.ndim < 2 or Z.shape[1] == 1:
        return Y
    return np.eye(Z.shape[1], dtype=Z.dtype)[Y]
