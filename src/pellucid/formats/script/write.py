"""The text of a script: what it is for, the network, the functions that it needs, and its weights."""

import hashlib
import pprint
from typing import Any, NamedTuple

import numpy as np

from pellucid.data.input_spec import white_seen
from pellucid.data.readers.table_schema import Column
from pellucid.errors import OptionError
from pellucid.formats.half_precision import stored
from pellucid.formats.html.inline import inline_bytes
from pellucid.formats.outputs import kind_of_samples, outputs_of, rule_of
from pellucid.formats.script.network import definition, literal, write_forward
from pellucid.formats.script.sources import Sources, names_in
from pellucid.formats.steps import steps_of
from pellucid.formats.templates import template
from pellucid.nn.model import Model
from pellucid.nn.pretrained.notice import notice_of
from pellucid.process_state import parse
from pellucid.types import Array
from pellucid.version import __version__

_ROOM = "pellucid.formats.script"
HEADINGS = {  # of the functions of each module
    f"{_ROOM}.layers": "Layers",
    f"{_ROOM}.photos": "Reading photos",
    "pellucid.data.readers.picture_modes": "Reading photos: kinds of pictures",
    f"{_ROOM}.tables": "Reading tables",
    "pellucid.data.readers.table_files": "Reading tables: what divides the fields",
    "pellucid.data.readers.table_text": "Reading tables: cells",
    "pellucid.data.readers.table_columns": "Reading tables: columns",
    "pellucid.data.readers.dates": "Reading tables: dates",
    "pellucid.data.gaps": "Reading tables: gaps",
    f"{_ROOM}.commands": "The command line",
    f"{_ROOM}.weights": "Weights",
}


class Written(NamedTuple):
    """A script, and the arrays of the file beside it: none where the weights are inside."""

    text: str
    beside: dict[str, Array]


def write_script(model: Model, *, is_inside: bool, name: str = "predict", dtype: str = "float32") -> Written:
    """Return a model as a script of that name, its weights inside or beside it."""
    steps, outputs = steps_of(model), outputs_of(model)
    given: Any = model.input_shape
    shapes: Any = model.output_shape
    if any(np.shape(shape) != (1,) for shape in (shapes.values() if isinstance(shapes, dict) else [shapes])):
        raise OptionError(
            "export: a script needs a network whose outputs are rows. End it with Flatten and Dense."
        )
    forward, schema = write_forward(steps), model._schema
    weights = {key: stored(array, dtype) for key, array in forward.weights.items()}
    content = b"".join(array.tobytes() for array in weights.values())
    stamp = hashlib.sha256(content).hexdigest()[:16]
    has_answers = any(output.kind == "answers" for output in outputs.values())
    about = {
        "columns": () if schema is None else tuple(map(_column, schema.columns)),
        "forward": forward.lines,
        "functions": forward.functions | (definition("sigmoid", {}, "") if has_answers else {}),
        "half": tuple(key for key, array in weights.items() if array.itemsize == 2),
        "headings": HEADINGS,
        "inputs": given if isinstance(given, dict) else {"samples": given},
        "is_inside": is_inside,
        "is_joint": isinstance(given, dict),
        "kind": kind_of_samples(model),
        "n_params": f"{model.n_params:,}",
        "name": name if name.isidentifier() else "predict",
        "outputs": outputs,
        "rule": rule_of(model),
        "schema": schema,
        "seen": model.inputs_seen,
        "shapes": {key: array.shape for key, array in weights.items()},
        "stamp": stamp,
        "version": __version__,
        "notice": notice_of(model),
    }
    script = template(
        _ROOM, "script.py.jinja", autoescape=False, literal=literal, white_seen=white_seen, wide=_wide
    )
    sources = Sources()
    sources.add(names_in(parse(script.render(about, text="", sources=Sources()))), list(HEADINGS))
    sources.add_import("np", "numpy")
    if not is_inside:
        sources.add_import("Path", "pathlib", "Path")
    beside = {} if is_inside else {**weights, "stamp": np.array(stamp)}
    return Written(
        script.render(about, text=inline_bytes(content) if is_inside else "", sources=sources), beside
    )


def _column(one: Column) -> tuple[Any, ...]:
    """Return a column as ``tables.Columns`` has it."""
    return one.name, one.kind, one.categories, one.fill, one.marks_gaps, one.parts


def _wide(value: Any) -> str:
    """Return a value as Python code, on several lines where it is long."""
    if isinstance(value, tuple) and all(isinstance(word, str) for word in value):
        line = f"({', '.join(map(literal, value))}{',' if len(value) == 1 else ''})"
        if len(line) <= 90:
            return line
    return pprint.pformat(value, sort_dicts=False, width=100, compact=True)
