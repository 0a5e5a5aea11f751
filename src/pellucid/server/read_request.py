"""From the bytes of a request to the samples of a model: images, rows of a table, or arrays in JSON."""

import json
from collections.abc import Callable
from itertools import islice
from typing import Any, NamedTuple

import numpy as np
from fastapi import HTTPException

from pellucid.data.readers.table_schema import TableSchema
from pellucid.data.readers.table_text import table_of
from pellucid.errors import DataError
from pellucid.server.body import Form
from pellucid.server.models import Served
from pellucid.server.options import ServerOptions
from pellucid.server.pictures import read_picture
from pellucid.text import join_some, kind_of, printable, shorten
from pellucid.types import Array

KEY = "instances"
MOST_NAMES = 100  # of a row's columns that are looked at, to name the nearest
LONGEST_NAME = 200  # characters of a file's name that come back
LONGEST_MESSAGE = 500  # characters: names in it come from outside


class Samples(NamedTuple):
    """What a request holds."""

    X: Array
    names: list[str | int]
    notes: tuple[str, ...] = ()


def read_samples(
    served: Served,
    content_type: str,
    body: bytes | Form,
    options: ServerOptions,
    is_waited_for: Callable[[], bool] = lambda: True,
) -> Samples:
    """Return the samples of a request, prepared.

    Parameters
    ----------
    served : Served
    content_type : str
        The request's header: ``image/...`` or nothing for one image, ``application/json`` for arrays and rows.
    body : bytes or Form
        The images of a form; else the bytes of whatever kind the header names.
    options : ServerOptions
        Its limits.
    is_waited_for : callable, optional
        Asked between images; once the request is cancelled, no more are decoded.

    Raises
    ------
    PellucidError, HTTPException
        If they cannot be read, or do not fit the model.
    """
    kind = content_type.partition(";")[0].strip().lower()
    if isinstance(body, list):
        samples = _of_form(served, body, options, is_waited_for)
    elif kind == "application/json":
        samples = _of_json(served, body, options)
    elif kind in ("", "application/octet-stream") or kind.startswith("image/"):
        samples = _of_form(served, [("image", body)], options, is_waited_for)
    else:
        raise HTTPException(
            415,
            f"expected Content-Type to be image/..., multipart/form-data or application/json, got "
            f"{printable(shorten(content_type, 80))!r}. With curl: -H 'Content-Type: image/jpeg'",
        )
    return samples._replace(X=served.prepare(samples.X))


def _of_form(
    served: Served, form: Form, options: ServerOptions, is_waited_for: Callable[[], bool]
) -> Samples:
    if served.takes != "images":
        raise HTTPException(
            422, f'{served.name}: the model takes {served.takes}, not images. Send JSON: {{"{KEY}": [...]}}.'
        )
    images, names = [], list[str | int]()
    for i, (file, content) in enumerate(form, 1):
        if not is_waited_for():
            raise HTTPException(503, "the request was cancelled")
        name = shorten(file, LONGEST_NAME) or f"image {i}"
        images.append(read_picture(content, served, name, options))
        names.append(name)
    return Samples(np.stack(images), names)


def _of_json(served: Served, body: bytes, options: ServerOptions) -> Samples:
    instances = _instances(body)
    most = options.max_images if served.takes == "images" else options.max_rows
    if len(instances) > most:
        raise HTTPException(
            413, f"expected at most {most} samples in a request, got {len(instances):,}. Send fewer."
        )
    names: list[str | int] = list(range(len(instances)))
    if served.takes == "rows":
        X, notes = _encode(served.model._schema, instances)
        return Samples(X, names, notes)
    return Samples(_array(instances), names)


def _instances(body: bytes) -> list[Any]:
    """Return the list of samples of a JSON document."""
    try:
        document = json.loads(body, parse_constant=_refuse_constant)
    except RecursionError:
        raise HTTPException(400, "the JSON is nested too deeply.") from None
    except ValueError as error:
        raise HTTPException(400, f"the JSON cannot be read: {printable(shorten(str(error), 200))}.") from None
    instances = document.get(KEY) if isinstance(document, dict) else document
    if not isinstance(instances, list) or not instances:
        raise HTTPException(
            422, f'expected {{"{KEY}": [...]}} with at least one sample, got {kind_of(document)} without any.'
        )
    return instances


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not a number of JSON")


def _array(instances: list[Any]) -> Array:
    """Return samples as an array of numbers."""
    try:
        X = np.array(instances)
    except (ValueError, OverflowError):
        raise HTTPException(
            422, "expected samples of one shape, got lists of several lengths, or nested too deeply."
        ) from None
    if X.dtype.kind not in "iufb" or not X.size:
        raise HTTPException(
            422, f"expected samples of numbers, nested in lists, got {_first_other(instances)}."
        )
    return X


def _first_other(value: Any) -> str:
    """Return what the first thing in nested lists is, for a message."""
    depth = 0
    while isinstance(value, list) and value and depth < 64:
        value, depth = value[0], depth + 1
    is_number = isinstance(value, int | float)
    return "other things among them, or numbers beyond 64 bits" if is_number else kind_of(value)


def _encode(schema: TableSchema, rows: list[Any]) -> tuple[Array, tuple[str, ...]]:
    """Return the rows of a table as the model takes them, and notes."""
    wanted = [column.name for column in schema.columns]
    for i, row in enumerate(rows):
        if not isinstance(row, dict):
            raise HTTPException(
                422, f"sample {i}: expected an object with {join_some(wanted, 6)}, got {kind_of(row)}."
            )
        other = next((name for name in wanted if isinstance(row.get(name), list | dict)), None)
        if other is not None:
            raise HTTPException(422, f"sample {i}: expected a number or a text for {other!r}.")
    there = set().union(*rows)
    if not there.issuperset(wanted):
        names = [shorten(name, 80) for name in islice(rows[0], MOST_NAMES)]
        table = table_of([{**dict.fromkeys(names), **{name: None for name in wanted if name in there}}])
        table.check_has(wanted, "which the model was trained on")
    try:
        found = schema.encode([{name: row.get(name) for name in wanted} for row in rows], with_target=False)
    except DataError as error:
        raise DataError(shorten(str(error), LONGEST_MESSAGE)) from None
    return found.X, tuple(shorten(note, LONGEST_MESSAGE) for note in found.notes)
