"""A file's outputs beside those of the model that was read from it."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pellucid.errors import FormatError, OptionError
from pellucid.formats.onnx.columns import keep_what_makes
from pellucid.formats.onnx.export import needed, outputs_of_file
from pellucid.formats.onnx.reading.heads import Head, as_the_file_has_it
from pellucid.formats.onnx.reading.pixels import Lead
from pellucid.formats.onnx.reading.source import Source
from pellucid.formats.onnx.reading.values import MOST_VALUES, Value
from pellucid.nn.model import Model
from pellucid.text import shown
from pellucid.types import Array

MOST_EXPONENT = 80  # whose exponential is a float32
MOST_LOGIT = 30  # up to which probabilities have all their digits


def largest_difference(
    source: Source, model: Model, inputs: Mapping[str, Value], heads: Sequence[Head], lead: Lead
) -> float:
    """Return how far the model's outputs are from the file's on random samples, at most."""
    forms = (False, True) if lead.rule is not None and next(iter(inputs.values())).is_image else (False,)
    names, found = [head.output for head in heads], 0.0
    for as_bytes in forms:
        rng = np.random.default_rng(1)
        feed, own = {}, {}
        for slot in source.inputs:
            value = inputs[slot.name]
            fixed = slot.dims[0] if slot.dims else None
            m = 3 if fixed is None else fixed
            if m * int(np.prod(value.shape, dtype=object)) > MOST_VALUES:
                raise OptionError(
                    f"the input {shown(slot.name)} is made for {m} samples at once, which is too many."
                )
            X, theirs = lead.samples(rng, (m, *value.own_shape), slot.kind, as_bytes=as_bytes)
            own[slot.name] = lead.prepared(X, model.dtype)
            feed[slot.name] = _as_the_file_has_it(theirs, value, slot.kind)
        Z: Any = model._raw_outputs(own if len(own) > 1 else next(iter(own.values())))
        outputs = list(Z.values()) if isinstance(Z, dict) else [Z]
        for theirs, raw, head in zip(run(source, names, feed), outputs, heads, strict=True):
            if head.kind == "exp":  # which may overflow, in the file and here
                with np.errstate(divide="ignore"):
                    theirs = np.clip(np.log(theirs), -MOST_EXPONENT, MOST_EXPONENT)
                ours = np.clip(raw.astype(np.float64), -MOST_EXPONENT, MOST_EXPONENT)
            else:
                ours = as_the_file_has_it(head, raw)
            largest = float(np.abs(ours).max())
            if head.kind in ("softmax", "sigmoid", "pair"):  # logits are rounded, too
                largest = float(np.abs(raw).max()) / MOST_LOGIT
            if theirs.size != ours.size:
                raise FormatError(
                    f"its output {shown(head.output)} has {theirs.size} numbers for {len(ours)} samples."
                )
            found = max(found, float(np.abs(theirs.reshape(ours.shape) - ours).max()) / max(1.0, largest))
    return found


def _as_the_file_has_it(X: Array, value: Value, kind: int) -> Array:
    """Return samples of pellucid in the layout and dtype of the file."""
    back = [0, *(value.axes.index(axis) + 1 for axis in range(len(value.axes)))]
    dtype: Any = {2: np.uint8, 11: np.float64}.get(kind, np.float32)
    return np.ascontiguousarray(X.transpose(back).reshape(len(X), *value.shape), dtype)


def run(source: Source, names: Sequence[str], feed: Mapping[str, Array]) -> list[Array]:
    """Return the file's outputs, by onnxruntime or, where it is missing, by onnx's own evaluator."""
    content = _needed_part(source, names).SerializeToString()
    try:
        outputs = outputs_of_file(content, feed, list(names))
    except Exception as error:
        reason = str(error).strip().partition("\n")[0]
        raise FormatError(f"it does not run, so that nothing can be compared with it: {reason}.") from None
    tables = ([list(row.values()) for row in each] if isinstance(each, list) else each for each in outputs)
    return [np.asarray(each, np.float64) for each in tables]  # a table has each probability by its class


def _needed_part(source: Source, names: Sequence[str]) -> Any:
    """Return the file with the nodes alone that its outputs need, all of which were read, and its arrays inside."""
    onnx = needed("onnx")
    model = onnx.load_from_string(source.content)
    keep_what_makes(model.graph, names)
    arrays = [
        onnx.numpy_helper.from_array(source.constants[each.name], each.name)
        for each in model.graph.initializer
    ]
    del model.graph.initializer[:], model.graph.value_info[:]
    model.graph.initializer.extend(arrays)
    return model
