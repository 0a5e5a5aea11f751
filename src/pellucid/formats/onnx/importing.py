"""A network of an ONNX file as a model, which predicts the same."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from pellucid.data.input_spec import InputsSeen, seen_from_config
from pellucid.data.preprocess import Preprocessing
from pellucid.data.readers.table_schema import TableSchema
from pellucid.errors import DataError, FormatError, OptionError, PellucidError, ShapeError
from pellucid.formats.onnx.reading.comparison import largest_difference
from pellucid.formats.onnx.reading.heads import Head, default_loss_of
from pellucid.formats.onnx.reading.inputs import input_values
from pellucid.formats.onnx.reading.network import UNFIT, Reader
from pellucid.formats.onnx.reading.pixels import Lead, lead_of, with_pixels
from pellucid.formats.onnx.reading.source import Slot, Source, read_source
from pellucid.formats.onnx.reading.structure import Step, build_model, simplified
from pellucid.formats.onnx.reading.values import Value
from pellucid.formats.outputs import TOLERANCE
from pellucid.nn.model import Model, check_classes
from pellucid.nn.pretrained.pixels import PIXELS
from pellucid.registry import Limits, check_option, validate_call
from pellucid.text import first_line
from pellucid.types import Shape

TASKS = ("classification", "multi_label", "regression")
FLOATS = (0, 1, 11)  # ONNX's numbers of the types of outputs that are read; 0: a sequence, of a ZipMap
_SUFFIXES = ("_probabilities", "_values", "_scores", "_logits")  # of our own outputs


class Imported(NamedTuple):
    """A model, how far its outputs are from the file's at most, and what was assumed of its photos."""

    model: Model
    difference: float
    pixels: str | None


@validate_call("path", "input_shape", "classes")
def import_onnx(
    path: str | Path,
    *,
    input_shape: Shape | Mapping[str, Shape] | None = None,
    classes: Sequence[str] | None = None,
    pixels: str | None = None,
    task: str | None = None,
) -> Model:
    """Return the network of an ONNX file as a model, which predicts the same.

    It can be trained on, explained, saved and exported like others, and begin a training on other data: see
    :func:`pellucid.transfer`. Files of PyTorch, Keras and scikit-learn's converter are read, and those of
    :func:`pellucid.export_onnx`, whose preprocessing, classes and columns come back.

    Parameters
    ----------
    path : str or Path
    input_shape : tuple of int, optional
        Of one sample as pellucid has it: (height, width, channels) of images. Needed where the file leaves it free;
        a dictionary by name where it has several inputs.
    classes : sequence of str, optional
        The names of the classes. Default: those in the file, if it has any.
    pixels : {"0..1", "-1..1", "imagenet", "lite", "0..255"}, optional
        What the network was trained on, where the file has no preprocessing: pixels from 0 to 1, from -1 to 1, from
        0 to 1 standardized by ImageNet's mean and deviation, (x - 127) / 128 of a byte x, or from 0 to 255. Photos
        are then prepared so. Default: "0..1" for images of 1, 3 or 4 channels. A file that takes bytes, or begins
        by dividing floats, has its preprocessing inside.
    task : {"classification", "multi_label", "regression"}, optional
        What the outputs stand for, where the file ends without softmax or sigmoid. Default: one output is a
        quantity, several are classes.

    Returns
    -------
    Model
        A Sequential; a Graph where there are several inputs or outputs. Its raw outputs are logits: a softmax or
        sigmoid at the end is that of its loss.

    Raises
    ------
    MissingExtraError
        If onnx is not installed.
    FormatError
        If it is no ONNX file, is cut off, or keeps arrays outside its folder.
    OptionError
        If it has an operation that pellucid lacks, which is named with its node, or an option does not fit.
    PellucidError
        If the model's outputs are not the file's, in onnxruntime, or in onnx's own evaluator where that is missing.

    Notes
    -----
    Images are (m, h, w, c): the weights after a flattening are permuted. Activation functions that are spelled out
    in smaller operations are found by their values, among those of :class:`pellucid.Activation`.

    Operations that are read: Conv, with groups, strides, dilations and any padding; Gemm, MatMul;
    BatchNormalization, LayerNormalization; MaxPool, AveragePool, GlobalAveragePool, GlobalMaxPool, ReduceMean and
    ReduceMax over height and width; Add, Sum, Mean and Mul, of values too where one has a number for each; Sub,
    Div, Concat; Flatten, Reshape, Squeeze, Unsqueeze, Transpose; Pad with zeros or by reflection, Resize by whole
    numbers (nearest) or bilinear, without antialias; Softmax, LogSoftmax, Sigmoid and Exp at the end; Dropout,
    Identity, Cast, Scaler, ZipMap; Split, Slice and Gather of channels, as a convolution or Dense layer with
    weights of 0 and 1, which are trained on like others; groups of channels that are mixed, as in ShuffleNet; and
    whatever is computed of constants and shapes alone. Layer norms may be spelled out in smaller operations.
    """
    return read_onnx(Path(path), input_shape=input_shape, classes=classes, pixels=pixels, task=task).model


def read_onnx(path: Path, **options: Any) -> Imported:
    """Do what :func:`import_onnx` does, and return what it found besides."""
    source = read_source(path)
    try:
        return _imported(source, **options)
    except RecursionError:
        raise FormatError(f"{path}: its branches are nested too deeply.") from None
    except (FormatError, OptionError, ShapeError, DataError) as error:
        raise type(error)(f"{path}: {error}") from None


def _imported(
    source: Source,
    input_shape: Any = None,
    classes: Sequence[str] | None = None,
    pixels: str | None = None,
    task: str | None = None,
) -> Imported:
    check_option("import", "pixels", pixels, str | None, Limits(choices=lambda: PIXELS))
    check_option("import", "task", task, str | None, Limits(choices=lambda: TASKS))
    outputs = [slot for slot in source.outputs if slot.kind in FLOATS]
    if not outputs:
        raise OptionError("it has no output of floats.")
    own = _own_rule(source) if pixels is None else None
    if own is not None and own.kind == "robust":
        source = _without_preprocessing(source)
    try:
        inputs = input_values(source, input_shape)
        network = Reader(source, inputs).read([slot.name for slot in outputs])
    except PellucidError:
        raise
    except UNFIT as error:
        raise FormatError(
            f"a node has attributes or inputs that do not fit it ({first_line(error)})."
        ) from None
    for value in network.outputs:
        if len(value.axes) != 1 or value.order is not None:
            raise OptionError(
                f"its output has samples of the shape {value.shape}: expected one row of numbers, such as a number "
                "for each class."
            )
    steps, names = simplified(network.steps, [value.step for value in network.outputs])
    lead, assumed = Lead(), None
    if len(inputs) == 1:
        (value,) = inputs.values()
        lead = lead_of(source.inputs[0], value, steps, own)
        lead, assumed = with_pixels(lead, value, pixels, steps)
    elif pixels is not None:
        raise OptionError(f"pixels: the file has {len(inputs)} inputs; expected one.")
    if not set(names) <= set(steps):
        raise OptionError("an output is an input as it is. There is nothing to import.")
    model = _made(source, steps, inputs, names, outputs)
    model.preprocessing = lead.rule
    _name(model, source, network.heads, outputs, task, classes)
    if "inputs" in source.metadata:
        model.inputs_seen = _of_metadata(lambda: seen_from_config(source.json("inputs")))
    elif lead.rule is not None and lead.rule.kind == "divide" and (pixels or source.inputs[0].kind == 2):
        model.inputs_seen = InputsSeen("uint8", 0.0, 255.0, True, False, int(np.prod(model.input_shape)))
    difference = largest_difference(source, model, inputs, network.heads, lead)
    if not difference <= TOLERANCE:
        raise PellucidError(
            f"{source.path}: the model's outputs differ from the file's by {difference:.2g}, more than "
            f"{TOLERANCE:g}. It was not imported."
        )
    return Imported(model, difference, assumed)


def _own_rule(source: Source) -> Preprocessing | None:
    """Return the preprocessing of the model that our own export wrote; None for other files."""
    if "inputs" not in source.metadata:
        return None
    rule = source.json("preprocessing")
    return Preprocessing() if rule is None else _of_metadata(lambda: Preprocessing.from_config(rule))


def _without_preprocessing(source: Source) -> Source:
    """Return what a file of our own says without the nodes that prepare its only input."""
    prepares = {
        name for node in source.nodes if node.name.startswith("preprocessing.") for name in node.outputs
    }
    nodes = []
    for node in source.nodes:
        if not prepares.intersection(node.outputs):
            inputs = [source.inputs[0].name if name in prepares else name for name in node.inputs]
            nodes.append(node._replace(inputs=tuple(inputs)))
    return source._replace(nodes=nodes)


def _of_metadata(read: Callable[[], Any]) -> Any:
    """Return what is read of the metadata; FormatError where they are of another kind."""
    try:
        return read()
    except (PellucidError, TypeError, KeyError, ValueError, AttributeError) as error:
        raise FormatError(f"its metadata do not describe a model ({error}).") from None


def _made(
    source: Source, steps: dict[str, Step], inputs: Mapping[str, Value], names: list[str], outputs: list[Slot]
) -> Model:
    """Return the model of steps, with their weights."""
    weights = [array for array in source.constants.values() if array.dtype.kind == "f" and array.ndim > 1]
    dtype = "float64" if weights and all(array.itemsize == 8 for array in weights) else "float32"
    if len(inputs) > 1 or len(names) > 1:
        if len(set(names)) < len(names):
            raise OptionError("two of its outputs are one value.")
        renamed = dict(zip(names, _short_names(outputs, inputs), strict=True))
        steps = {
            renamed.get(name, name): Step(
                step.layer, [renamed.get(each, each) for each in step.sources], step.arrays
            )
            for name, step in steps.items()
        }
        names = [renamed[name] for name in names]
    model = build_model(steps, list(inputs), names, dtype=dtype)
    shapes = {name: value.own_shape for name, value in inputs.items()}
    model.initialize(shapes if len(shapes) > 1 else next(iter(shapes.values())))
    if not model._is_initialized:
        raise OptionError("its layers have no weights. There is nothing to import.")
    for step in steps.values():
        if isinstance(step.layer, str):
            continue
        for key, array in step.arrays.items():
            home = step.layer.params if key in step.layer.params else step.layer.state
            if home[key].shape != array.shape:
                raise FormatError(
                    f"{step.layer._label}: {key} of the shape {array.shape}, not {home[key].shape}."
                )
            home[key][...] = array
            if not np.isfinite(home[key]).all():
                raise FormatError(f"{step.layer._label}: its {key} holds NaN or infinite numbers.")
    return model


def _short_names(outputs: Sequence[Slot], inputs: Mapping[str, Value]) -> list[str]:
    """Return the names of outputs, without the ends that our own export gives them."""
    names = []
    for slot in outputs:
        short = next((slot.name.removesuffix(end) for end in _SUFFIXES if slot.name.endswith(end)), slot.name)
        names.append(short if short and short not in inputs and short not in names else slot.name)
    return names


def _name(
    model: Model,
    source: Source,
    heads: Sequence[Head],
    outputs: Sequence[Slot],
    task: str | None,
    classes: Sequence[str] | None,
) -> None:
    """Set the loss, the names of the classes and the columns."""
    widths: Any = model.output_shape
    own = {} if task else _of_metadata(lambda: _own_loss(source.json("loss"), widths, outputs))
    schema = source.json("schema")
    model._schema = None if schema is None else _of_metadata(lambda: TableSchema.from_config(schema))
    if own:
        _of_metadata(lambda: model.set_loss(own))
    elif isinstance(widths, dict):  # a task is that of the outputs that do not say theirs
        model.set_loss(
            {
                name: default_loss_of(head, widths[name][-1], task if head.kind == "none" else None)
                for name, head in zip(widths, heads, strict=True)
            }
        )
    else:
        model.set_loss(default_loss_of(heads[0], widths[-1], task))
    known = source.json("classes")
    if classes is None and isinstance(known, list):
        classes = [str(each) for each in known]
    given = tuple(classes if classes is not None else heads[0].labels if len(heads) == 1 else ())
    check_classes(model, given)
    model.classes = given


def _own_loss(own: Any, widths: Any, outputs: Sequence[Slot]) -> dict[str, Any]:
    """Return the loss that our own export keeps in the metadata; empty where there is none of these outputs."""
    if not isinstance(own, dict):
        return {}
    if not isinstance(widths, dict):
        return _of_file(own, outputs[0].name)
    if set(own.get("losses", ())) != set(widths):
        return {}
    return {
        name: _of_file(own["losses"][name], slot.name) for name, slot in zip(widths, outputs, strict=True)
    }


def _of_file(loss: Any, output: str) -> dict[str, Any]:
    """Return a loss of the metadata; targets that the file has in their own unit are not standardized."""
    left_out = () if output.endswith("logits") else ("centre", "spread")
    return {key: value for key, value in dict(loss).items() if key not in left_out}
