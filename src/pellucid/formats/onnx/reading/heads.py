"""What a file makes of its last layer's outputs: losses take these as they are, logits."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from pellucid.errors import OptionError
from pellucid.formats.onnx.reading.pointwise import Groups, known_function
from pellucid.formats.onnx.reading.source import Node
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
    name, labels, node = output, tuple[str, ...](), producers.get(output)
    while node is not None and node.op in ("Identity", "Cast", "ZipMap"):
        if node.op == "ZipMap":
            of = node.attributes
            given = of.get("classlabels_strings") or of.get("classlabels_int64s") or ()
            labels = tuple(
                each.decode("utf-8", "replace") if isinstance(each, bytes) else str(each) for each in given
            )
        name = node.inputs[0]
        node = producers.get(name)
    if not labels:  # scikit-learn's converter takes the likeliest from a constant
        picks = [node.inputs[0] for node in producers.values() if node.op == "ArrayFeatureExtractor"]
        known = next((constants[name].reshape(-1) for name in picks if name in constants), ())
        labels = tuple(map(str, known))
    logits, kind = name, "none"
    if node is None:
        return Head(output, logits, kind, labels)
    if node.op in ("Softmax", "LogSoftmax") and node.attributes.get("axis", -1) in (-1, 1):
        logits, kind = node.inputs[0], {"Softmax": "softmax", "LogSoftmax": "log_softmax"}[node.op]
    elif node.op == "Exp":
        logits, kind = node.inputs[0], "exp"
    elif node.op == "Concat" and len(node.inputs) == 2 and (root := _pair_of(groups, *node.inputs)):
        logits, kind = root, "pair"
    elif (group := groups.find(name)) and group.activation == "sigmoid":
        logits, kind = group.root, "sigmoid"
    return Head(output, logits, kind, labels)


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

    Z = Z.astype(np.float64)
    if head.kind in ("softmax", "log_softmax"):
        return getattr(special, head.kind)(Z, axis=1)
    if head.kind in ("exp", "none"):
        return np.exp(Z) if head.kind == "exp" else Z
    P = special.expit(Z)
    return np.concatenate([1 - P, P], axis=1) if head.kind == "pair" else P
