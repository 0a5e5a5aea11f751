"""The text of a script: what it is for, the network, the functions that it needs, and its weights."""

import ast
import base64
import hashlib
import itertools
import pprint
import textwrap
from typing import Any, NamedTuple

import numpy as np

from pellucid.data.input_spec import white_seen
from pellucid.data.preprocess import Preprocessing
from pellucid.errors import OptionError
from pellucid.formats.outputs import ARRAYS, PHOTO, TABLE, Output, kind_of_samples, outputs_of, rule_of
from pellucid.formats.script.network import Forward, definition, literal, write_forward
from pellucid.formats.script.sources import Sources, names_in
from pellucid.formats.steps import steps_of
from pellucid.nn.model import Model
from pellucid.nn.pretrained.notice import notice_of
from pellucid.ops.losses.regression import MeanSquaredError, Poisson
from pellucid.types import Array, Shape
from pellucid.version import __version__

_ROOM = "pellucid.formats.script"
HEADINGS = {  # of the functions of each module
    f"{_ROOM}.layers": "Layers",
    f"{_ROOM}.photos": "Reading photos",
    "pellucid.data.readers.picture_modes": "Reading photos: kinds of pictures",
    f"{_ROOM}.tables": "Reading tables",
    "pellucid.data.readers.csv_file": "Reading tables: what divides the fields",
    "pellucid.data.readers.table_text": "Reading tables: cells",
    f"{_ROOM}.commands": "The command line",
    f"{_ROOM}.weights": "Weights",
}
WIDTH = 500  # of a line of weights: Python reads long lines faster
CALL = "main(predict, __doc__)"
_DESCRIBE = {"probabilities": "named", "answers": "answered", "scores": "scored", "values": "valued"}
_SAMPLES = {PHOTO: "photo", TABLE: "table", ARRAYS: "samples"}


class Written(NamedTuple):
    """A script, and the arrays of the file beside it: none where the weights are inside."""

    text: str
    beside: dict[str, Array]


def write_script(model: Model, *, is_inside: bool, name: str = "predict") -> Written:
    """Return a model as a script of that name, its weights inside or beside it."""
    steps, outputs = steps_of(model), outputs_of(model)
    if any(not isinstance(shape, tuple) or len(shape) != 1 for shape in _shapes(model.output_shape)):
        raise OptionError(
            "export: a script needs a network whose outputs are rows. End it with Flatten and Dense."
        )
    forward = write_forward(steps)
    weights = {name: np.ascontiguousarray(array, "<f4") for name, array in forward.weights.items()}
    body = [
        *_constants(model, outputs),
        _forward(forward, steps.inputs, outputs),
        *_prediction(model, outputs),
    ]
    content = b"".join(array.tobytes() for array in weights.values())
    stamp = hashlib.sha256(content).hexdigest()[:16]
    shapes = "".join(f"    {literal(name)}: {array.shape!r},\n" for name, array in weights.items())
    reader = "unpacked" if is_inside else "loaded"
    sources = Sources()
    functions = forward.functions
    if any(output.kind == "answers" for output in outputs.values()):
        functions = functions | definition("sigmoid", {}, "")
    for text in (*functions.values(), *body, CALL, reader):
        sources.add(names_in(ast.parse(text)), list(HEADINGS))
    sources.add_imports(["import numpy as np"] + ([] if is_inside else ["from pathlib import Path"]))
    parts = [
        _about(model, outputs, name, is_inside=is_inside),
        "from __future__ import annotations\n\n" + "\n".join(sources.import_lines),
        *(text for text in sources.constants if text.startswith("class ")),
        "\n".join(text for text in sources.constants if not text.startswith("class ")),
        *body,
    ]
    for module, heading in HEADINGS.items():
        if module in sources.functions:
            parts += [_heading(heading), *sources.functions[module]]
    if functions:
        parts += [_heading("Activations"), *functions.values()]
    parts += [_heading("The weights of each layer, float32"), f"SHAPES = {{\n{shapes}}}"]
    if is_inside:
        parts.append(f'W = unpacked(b"""\n{_lines(content)}""", SHAPES)')
    else:
        parts.append(f'W = loaded(Path(__file__).with_suffix(".npz"), SHAPES, "{stamp}")')
    parts.append(f'if __name__ == "__main__":\n    {CALL}')
    beside = {} if is_inside else {**weights, "stamp": np.array(stamp)}
    return Written(_joined(parts), beside)


def _shapes(shape: Any) -> list[Any]:
    return list(shape.values()) if isinstance(shape, dict) else [shape]


def _about(model: Model, outputs: dict[str, Output], name: str, *, is_inside: bool) -> str:
    kind, name = kind_of_samples(model), name if name.isidentifier() else "predict"
    usage = {
        PHOTO: ("photo.jpg [more.png ...]", 'predict("photo.jpg")'),
        TABLE: ("table.csv", 'predict("table.csv")'),
        ARRAYS: ("samples.npy" if isinstance(model.input_shape, tuple) else "samples.npz", "predict(X)"),
    }[kind]
    takes = {PHOTO: "photos, resized to {} x {} pixels", TABLE: "rows of a table", ARRAYS: "arrays"}[kind]
    if kind == PHOTO:
        takes = takes.format(*model.input_shape[:2])
    gives = {
        "probabilities": "the probability of each class",
        "answers": "the probability of each label",
        "scores": "a score for each class",
        "values": "predicted values",
    }
    what = " and ".join(dict.fromkeys(gives[output.kind] for output in outputs.values()))
    needs = "NumPy and Pillow" if kind == PHOTO else "NumPy"
    words = (
        f"`forward` is the whole network, a line for each layer, {model.n_params:,} parameters: from {takes}, to "
        f"{what}. Its outputs are those of the model that it was made from, within 1e-5. The weights are "
        f"{'at the end of this file' if is_inside else 'in the .npz file of the same name, beside this one'}."
    )
    return "\n".join(
        [
            "#!/usr/bin/env python3",
            f'"""What a trained network predicts, with nothing but {needs}.',
            "",
            f"    python {name}.py {usage[0]} [--json]",
            "",
            f"or, in Python: from {name} import predict; {usage[1]}",
            "",
            textwrap.fill(words, 100),
            "",
            f"Written by pellucid {__version__}.",
            *(("", *(textwrap.fill(line, 100) for line in notice)) if (notice := notice_of(model)) else ()),
            '"""',
        ]
    )


def _constants(model: Model, outputs: dict[str, Output]) -> list[str]:
    """Return what the functions below are told of this network."""
    kind, rule, lines = kind_of_samples(model), rule_of(model), []
    if kind == PHOTO:
        lines.append(f"SHAPE = {model.input_shape!r}  # of a photo: height, width, channels")
        lines.append(f"WHITE = {white_seen(model.inputs_seen)!r}  # of the training pictures")
    elif kind == TABLE:
        columns = tuple((column.name, column.categories) for column in model._schema.columns)
        lines.append(
            f"# The name of each column, and the words of a column of words.\nCOLUMNS = {_wide(columns)}"
        )
    else:
        shapes: Any = model.input_shape
        named = shapes if isinstance(shapes, dict) else {"samples": shapes}
        lines.append(f"INPUTS = {_wide(named)}  # the shape of one sample")
    if rule.kind == "standardize":
        lines.append(f"MEAN = np.array({_wide(list(rule.mean))})")
        lines.append(f"SCALE = np.array({_wide(list(rule.scale))})")
    for name, output in outputs.items():
        if output.kind != "values":
            lines.append(f"{_classes_name(outputs, name)} = {_wide(output.classes)}")
    return ["\n".join(lines)]


def _classes_name(outputs: dict[str, Output], name: str) -> str:
    return f"CLASSES_{list(outputs).index(name) + 1}" if name else "CLASSES"


def _forward(forward: Forward, inputs: dict[str, Shape], outputs: dict[str, Output]) -> str:
    several = " (a dictionary of them)" if len(inputs) > 1 else ""
    doc = f'    """Return the raw outputs of the network for prepared samples{several}."""'
    return "\n".join(["def forward(X):", doc, *forward.lines])


def _prediction(model: Model, outputs: dict[str, Output]) -> list[str]:
    """Return the functions ``prepare``, ``outputs`` and ``predict``."""
    kind, rule = kind_of_samples(model), rule_of(model)
    shape: Any = model.input_shape
    each = _prepared("X", rule)
    if isinstance(shape, dict):
        each = f"{{name: {_prepared('x', rule)} for name, x in X.items()}}"
    made = {
        name: _made("Z" if not name else f"Z[{literal(name)}]", output) for name, output in outputs.items()
    }
    entries = "".join(f"\n        {literal(name)}: {text}," for name, text in made.items())
    result = made.get("", f"{{{entries}\n    }}")
    functions = [
        f'def prepare(X):\n    """Return samples as the first layer takes them."""\n    return {each}',
        'def outputs(X):\n    """Return what the network gives for samples: '
        f'{", ".join(dict.fromkeys(output.kind for output in outputs.values()))}."""\n'
        f"    Z = forward(prepare(X))\n    return {result}",
    ]
    read = {
        PHOTO: "read_photo(photo, SHAPE, WHITE)[None]",
        TABLE: f"read_table(table, COLUMNS, {literal(model._schema.decimal)}, {literal(model._schema.missing)})"
        if model._schema is not None
        else "",
        ARRAYS: "read_arrays(samples, INPUTS)",
    }[kind]
    doc = {
        PHOTO: "Return what the network says of a photo: a path, or pixels (height, width, 3) of bytes.",
        TABLE: "Return what the network says of each row: of a .csv file, or of a list of dictionaries.",
        ARRAYS: "Return what the network says of each sample: of arrays, or of a .npy or .npz file.",
    }[kind]
    name = _SAMPLES[kind]
    if "" in outputs:
        told = _told("P", outputs[""], "CLASSES")
        body = (
            f"    P = outputs({read})[0]\n    return {told}"
            if kind == PHOTO
            else f"    return [{told} for P in outputs({read})]"
        )
    else:
        parts = ", ".join(
            f"{literal(key)}: {_told(f'found[{literal(key)}][i]', output, _classes_name(outputs, key))}"
            for key, output in outputs.items()
        )
        one = f'{{"outputs": {{{parts}}}}}'
        body = f"    found = outputs({read})\n    rows = range(len(found[{literal(next(iter(outputs)))}]))\n"
        body += f"    found = [{one} for i in rows]\n    return found" + ("[0]" if kind == PHOTO else "")
    functions.append(f'def predict({name}):\n    """{doc}"""\n{body}')
    return functions


def _prepared(x: str, rule: Preprocessing) -> str:
    plain = f"{x}.astype(np.float32)"
    if rule.kind == "divide":
        return f'{plain} / np.float32({rule.divisor!r}) if {x}.dtype.kind in "ui" else {plain}'
    if rule.kind == "standardize":
        return f"(({x} - MEAN) / SCALE).astype(np.float32)"
    return plain


def _made(Z: str, output: Output) -> str:
    """Return an expression of what is made of raw outputs."""
    loss = output.loss
    if output.kind == "probabilities":
        return f"class_probabilities({Z})"
    if output.kind == "answers":
        return f"sigmoid({Z})"
    if isinstance(loss, Poisson):
        return f"np.exp({Z})"
    if isinstance(loss, MeanSquaredError) and loss.centre:  # outputs are standardized targets
        spread, centre = (np.asarray(part, np.float64).tolist() for part in (loss.spread, loss.centre))
        return f"{Z} * np.float32({spread!r}) + np.float32({centre!r})"
    return Z


def _told(P: str, output: Output, classes: str) -> str:
    return f"{_DESCRIBE[output.kind]}({P}{'' if output.kind == 'values' else f', {classes}'})"


def _wide(value: Any) -> str:
    """Return a value as Python code, on several lines where it is long."""
    if isinstance(value, tuple) and all(isinstance(word, str) for word in value):
        line = f"({', '.join(map(literal, value))}{',' if len(value) == 1 else ''})"
        if len(line) <= 90:
            return line
    return pprint.pformat(value, sort_dicts=False, width=100, compact=True)


def _heading(text: str) -> str:
    return f"# {text} {'-' * (97 - len(text))}"


def _lines(content: bytes) -> str:
    text = base64.b64encode(content).decode()
    return "".join(f"{text[i : i + WIDTH]}\n" for i in range(0, len(text), WIDTH))


def _joined(parts: list[str]) -> str:
    """Return the parts with two empty lines around functions and one elsewhere."""
    text = parts[0]
    for before, part in itertools.pairwise(parts):
        is_wide = part.startswith(("def ", "class ", "# ", "if __name__")) or before.startswith(
            ("def ", "class ")
        )
        text += ("\n\n\n" if is_wide and not before.startswith("# ") else "\n\n") + part
    return text + "\n"
