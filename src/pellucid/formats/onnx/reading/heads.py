"""What a file makes of its last layer's outputs, and how far these are from the model's."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from pellucid.errors import FormatError, OptionError
from pellucid.formats.onnx.export import by_onnxruntime, by_reference, needed
from pellucid.formats.onnx.reading.pixels import Lead
from pellucid.formats.onnx.reading.pointwise import Groups, known_function
from pellucid.formats.onnx.reading.source import Node, Source
from pellucid.formats.onnx.reading.values import MOST_VALUES, Value
from pellucid.nn.model import Model
from pellucid.text import shown
from pellucid.types import Array

# What the file makes of outputs, and what one of them, or several, may stand for, by default the first.
_CLASSES, _ANSWERS = ("classification",), ("multi_label",)
_ENDS: dict[str, tuple[Any, ...]] = {
    "softmax": ("softmax", _CLASSES, _CLASSES),
    "log_softmax": ("the logarithm of softmax", _CLASSES, _CLASSES),
    "sigmoid": ("sigmoid", (*_CLASSES, *_ANSWERS), _ANSWERS),
    "pair": ("sigmoid", (*_CLASSES, *_ANSWERS), _ANSWERS),
    "exp": ("exp", ("regression",), ("regression",)),
    "none": ("", ("regression", *_CLASSES, *_ANSWERS), (*_CLASSES, "regression", *_ANSWERS)),
}
MOST_EXPONENT = 80  # whose exponential is a float32
MOST_LOGIT = 30  # up to which probabilities have all their digits


class Head(NamedTuple):
    """The logits of an output, and what the file makes of them.

    Attributes
    ----------
    output : str
        The file's output.
    logits : str
        The value before.
    kind : str
        "softmax", "log_softmax", "sigmoid"; "pair", which is 1 - p and p, p the sigmoid; "exp", or "none".
    labels : tuple of str
        The names of the classes, where nodes have them.
    """

    output: str
    logits: str
    kind: str
    labels: tuple[str, ...] = ()


def find_head(
    output: str, producers: Mapping[str, Node], constants: Mapping[str, Array], groups: Groups
) -> Head:
    """Return what makes an output of the file."""
    name = output
    labels: tuple[str, ...] = ()
    node = producers.get(name)
    while node is not None and node.op in ("Identity", "Cast", "ZipMap"):
        if node.op == "ZipMap":
            given = (
                node.attributes.get("classlabels_strings") or node.attributes.get("classlabels_int64s") or ()
            )
            labels = tuple(
                each.decode("utf-8", "replace") if isinstance(each, bytes) else str(each) for each in given
            )
        name = node.inputs[0]
        node = producers.get(name)
    if not labels:  # scikit-learn's converter takes the likeliest from a constant
        picks = [node.inputs[0] for node in producers.values() if node.op == "ArrayFeatureExtractor"]
        known = next((constants[name].reshape(-1) for name in picks if name in constants), ())
        labels = tuple(map(str, known))
    if node is None:
        return Head(output, name, "none", labels)
    if node.op in ("Softmax", "LogSoftmax") and node.attributes.get("axis", -1) in (-1, 1):
        return Head(output, node.inputs[0], "softmax" if node.op == "Softmax" else "log_softmax", labels)
    if node.op == "Exp":
        return Head(output, node.inputs[0], "exp", labels)
    if node.op == "Concat" and len(node.inputs) == 2 and (root := _pair_of(groups, *node.inputs)):
        return Head(output, root, "pair", labels)
    group = groups.find(name)
    if group is not None and group.activation == "sigmoid":
        return Head(output, group.root, "sigmoid", labels)
    return Head(output, name, "none", labels)


def _pair_of(groups: Groups, no: str, yes: str) -> str | None:
    """Return what 1 - p and p are made of, p the sigmoid."""
    shared = sorted(groups.ancestors(no) & groups.ancestors(yes), key=lambda each: groups.order.get(each, -1))
    for root in shared:
        first, second = groups.values(no, root), groups.values(yes, root)
        if first is None or second is None or known_function(second) != ("sigmoid", {}):
            continue
        if np.allclose(first, 1 - second, rtol=0, atol=1e-6):
            return root
    return None


def default_loss_of(head: Head, n_out: int, task: str | None) -> dict[str, Any]:
    """Return the loss whose model predicts what the file does, as ``set_loss`` takes it.

    OptionError if a task is given that is another than that of the softmax or sigmoid at the end.

    Examples
    --------
    >>> default_loss_of(Head("y", "z", "pair"), 2, None)
    {'type': 'multi_label'}
    """
    end, *tasks = _ENDS[head.kind]
    allowed = tasks[n_out > 1]
    if task is not None and task not in allowed:
        raise OptionError(
            f"task: the output {shown(head.output)} ends in {end}, which is {allowed[0]}, not {task}. "
            "Leave the task out, or export the network without its end."
        )
    task = task or allowed[0]
    if task == "classification":
        return {"type": "binary_cross_entropy" if n_out == 1 else "categorical_cross_entropy"}
    return {"type": "poisson" if head.kind == "exp" else {"regression": "mean_squared_error"}.get(task, task)}


def as_the_file_has_it(head: Head, Z: Array) -> Array:
    """Return raw outputs as the file gives them.

    Examples
    --------
    >>> as_the_file_has_it(Head("y", "z", "pair"), np.zeros((1, 1)))
    array([[0.5, 0.5]])
    """
    from scipy import special

    outcomes: dict[str, Callable[[Array], Array]] = {
        "softmax": partial(special.softmax, axis=1),
        "log_softmax": partial(special.log_softmax, axis=1),
        "exp": np.exp,
        "none": np.asarray,
    }
    P = outcomes.get(head.kind, special.expit)(Z.astype(np.float64))
    return np.concatenate([1 - P, P], axis=1) if head.kind == "pair" else P


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
        outputs = by_onnxruntime(content, feed, list(names))
        outputs = by_reference(content, feed, list(names)) if outputs is None else outputs
    except Exception as error:
        reason = str(error).strip().partition("\n")[0]
        raise FormatError(f"it does not run, so that nothing can be compared with it: {reason}.") from None
    return [_as_array(output) for output in outputs]


def _needed_part(source: Source, names: Sequence[str]) -> Any:
    """Return the file with the nodes alone that its outputs need, all of which were read, and its arrays inside."""
    onnx = needed("onnx")
    model = onnx.load_from_string(source.content)
    graph = model.graph
    wanted, kept = set(names), []
    for proto in reversed(graph.node):
        if wanted.intersection(proto.output):
            wanted.update(proto.input)
            kept.append(proto)
    outputs = [each for each in graph.output if each.name in names]
    arrays = [
        onnx.numpy_helper.from_array(array, name)
        for name, array in source.constants.items()
        if name in wanted
    ]
    for field, entries in ((graph.node, kept[::-1]), (graph.output, outputs), (graph.initializer, arrays)):
        copies = [type(entry).FromString(entry.SerializeToString()) for entry in entries]
        del field[:]
        field.extend(copies)
    del graph.value_info[:]
    return model


def _as_array(output: Any) -> Array:
    """Return an output, a table too that has each probability under the name of its class."""
    if isinstance(output, list):
        output = [list(each.values()) for each in output]
    return np.asarray(output, np.float64)
