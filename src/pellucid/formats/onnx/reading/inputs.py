"""The inputs of a file: their shapes, and where images have their channels."""

from collections.abc import Mapping
from typing import Any

from pellucid.errors import OptionError
from pellucid.formats.onnx.reading.images import IMAGE_READERS
from pellucid.formats.onnx.reading.pointwise import POINTWISE
from pellucid.formats.onnx.reading.source import Slot, Source
from pellucid.formats.onnx.reading.values import Value, checked
from pellucid.text import join, shown

FLOATS_AND_BYTES = (1, 2, 11)  # ONNX's numbers of the types that are read
COLOURS = (1, 3, 4)  # channels of photos
# Their channels are axis 1.
KNOWING = {*IMAGE_READERS, "BatchNormalization"} - {"ReduceMax", "ReduceMean", "Resize", "Upsample"}


def input_values(source: Source, given: Any) -> dict[str, Value]:
    """Return the inputs; OptionError where a shape is free and not given, or other than the one given."""
    if not source.inputs:
        raise OptionError("it has no input.")
    names = [slot.name for slot in source.inputs]
    if given is not None and not isinstance(given, Mapping):
        if len(names) > 1:
            raise OptionError(
                f"--input-shape: the file has the inputs {join(names)}; expected a shape for each, by name, in "
                "Python."
            )
        given = {names[0]: given}
    given = given or {}
    if unknown := sorted(set(given) - set(names)):
        raise OptionError(f"it has no input {shown(unknown[0])}; its inputs are {join(names)}.")
    return {slot.name: _value(source, slot, given.get(slot.name)) for slot in source.inputs}


def _value(source: Source, slot: Slot, given: Any) -> Value:
    where = f"the input {shown(slot.name)}"
    if slot.kind not in FLOATS_AND_BYTES:
        raise OptionError(f"{where} is of ONNX's type {slot.kind}; expected floats or bytes.")
    dims = slot.dims
    if dims is None and given is None:
        raise OptionError(f"{where} has no shape. Give one: --input-shape 64x64x3 (height, width, channels).")
    n = len(given) if dims is None else len(dims) - 1
    if n not in (1, 3):
        raise OptionError(
            f"{where} has samples of {n} axes; expected rows of numbers, 1, or images, 3: sequences are not read."
        )
    sample = (None,) * n if dims is None else dims[1:]
    axes: tuple[int, ...] = (0,)
    if n == 3:
        axes = (1, 2, 0) if _has_channels_first(source, slot, sample) else (0, 1, 2)
    own = [sample[axis] for axis in axes]
    if given is not None:
        shape = tuple(int(m) for m in given)
        if len(shape) != n or any(
            m < 1 or (k is not None and k != m) for m, k in zip(shape, own, strict=False)
        ):
            raise OptionError(f"--input-shape: {where} has {_words(own)}, got {'x'.join(map(str, shape))}.")
        own = list(shape)
    if None in own:
        example = "x".join(str(m or 64) for m in own)
        raise OptionError(
            f"{where} has {_words(own)}: some are free. Fix them, as by --input-shape {example}."
        )
    lengths = [0] * n
    for axis, m in zip(axes, own, strict=True):
        lengths[axis] = int(m or 0)
    return checked(Value(slot.name, tuple(lengths), axes), where)


def _words(own: list[int | None]) -> str:
    names = ["height", "width", "channels"] if len(own) == 3 else ["columns"]
    return join([f"{'free' if m is None else m} {name}" for m, name in zip(own, names, strict=True)])


def _has_channels_first(source: Source, slot: Slot, sample: tuple[int | None, ...]) -> bool:
    """Return whether images are (c, h, w): as the first operation takes them that knows, else by their lengths."""
    reached = {slot.name}
    for node in source.nodes:
        if not reached.intersection(node.inputs):
            continue
        if node.op in POINTWISE or node.op in ("Cast", "Pad", "Dropout"):
            reached.update(node.outputs)
        elif node.op == "Transpose":
            return list(node.attributes.get("perm", ())) != [0, 3, 1, 2]
        elif node.op in KNOWING:
            return True
        else:
            break
    return sample[0] in COLOURS or sample[2] not in COLOURS
