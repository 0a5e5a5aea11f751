"""What is odd in a step, where it stands: NaN, dead and saturated units, vanishing and exploding gradients."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from pellucid.text import percent
from pellucid.training.trace import names_of_uses
from pellucid.training.trace_records import Remark, Trace, TraceRow
from pellucid.types import Array

SATURATED = 0.01  # from an end of sigmoid or tanh: the derivative is below 0.01, or 0.02
MANY = 0.5  # of a layer's values
VANISHED, EXPLODED = 1e-3, 1e3  # the norm of a gradient, relative to that of the last layer's
LARGE = 0.5  # of an update, relative to the weights
RISE = 0.01  # of the loss, relative to it
ENDS = {"sigmoid": (0.0, 1.0), "tanh": (-1.0, 1.0)}
PARAMETERS = ("W", "b", "gamma", "beta")  # also where they are frozen


def remarks_of(trace: Trace, steps: Mapping[str, int]) -> list[dict[str, Any]]:
    """Return what is odd in a step, as the page has it.

    Parameters
    ----------
    trace : Trace
    steps : mapping of str to int
        The number of each layer's step.

    Returns
    -------
    list of dict
        ``step``, None for the loss; ``part``: "forward", "loss", "backward" or "update"; and ``text``.
    """
    found = _first_nonfinite(trace)
    if not found:
        of_two = _of_two_values(trace)
        flows = [] if of_two else _gradients(trace)  # whose cause is then known
        found = [*of_two, *trace.located_remarks(), *_saturated(trace), *flows, *_updates(trace)]
    found += _own_ways(trace)
    return [{"step": steps.get(each.layer), "part": each.part, "text": each.text} for each in found]


def _first_nonfinite(trace: Trace) -> list[Remark]:
    """Return where NaN or infinity came first, and of what."""
    for row in trace.rows():
        if row.array.dtype.kind == "f" and not np.isfinite(row.array).all():
            return [Remark(row.layer, row.part, _origin(trace, row))]
    return []


def _origin(trace: Trace, row: TraceRow) -> str:
    array, kind = row.array, "NaN" if np.isnan(row.array).any() else "infinite"
    n = int((~np.isfinite(array)).sum())
    verb = "is" if n == 1 else "are"
    many = f"{n} of {array.size} numbers of {row.name}" if array.size > 1 else row.name
    where = f"{row.layer}: {many} {verb} {kind}" if row.layer else f"{many} {verb} {kind}"
    place = np.argwhere(~np.isfinite(np.atleast_1d(array)))[0].tolist()
    first = "" if array.size == 1 else f", at {place}" if n == 1 else f", the first at {place}"
    layer = trace.get(row.layer)
    if layer is not None and (row.name in PARAMETERS or f"update_{row.name}" in layer.arrays):
        return f"{where} before the step{first}. All that is computed of it is {kind} too."
    if row.name == "X":
        return f"{where}{first}: the samples themselves."
    return f"{where}{first}. It began here: all that it was computed of is finite."


def _saturated(trace: Trace) -> list[Remark]:
    """Return the layers most of whose values are at the ends of sigmoid or tanh."""
    found, uses = [], names_of_uses(trace.model)
    activations = {uses[id(use)]: getattr(use, "activation", None) for use in trace.model._uses()}
    for name, layer in trace.items():
        A, activation = layer.arrays.get("A"), activations.get(name)
        if activation not in ENDS or not isinstance(A, np.ndarray) or not A.size:
            continue
        low, high = ENDS[activation]
        share = float(((A - low < SATURATED) | (high - A < SATURATED)).mean())
        if share > MANY:
            text = (
                f"{name}: {percent(share)} of its values are within {SATURATED} of an end of {activation} "
                "(saturated): next to nothing is passed back. Try smaller weights, scaled inputs, or relu."
            )
            found.append(Remark(name, "forward", text))
    return found


def _gradients(trace: Trace) -> list[Remark]:
    """Return the layer that vanishing or exploding gradients reach most, with the norms at both ends."""
    norms: dict[str, float] = {}
    for name, layer in trace.items():
        dA, has_parameters = layer.arrays.get("dA"), not layer.arrays.keys().isdisjoint(("dW", "dgamma"))
        if has_parameters and isinstance(dA, np.ndarray) and (norm := _norm(dA)):
            norms[name] = norm  # of only zeros there is a remark already
    if len(norms) < 2:
        return []
    *_, (last, of_last) = norms.items()
    least, most = min(norms, key=norms.__getitem__), max(norms, key=norms.__getitem__)
    if norms[least] < VANISHED * of_last:
        name, what = least, "vanishes"
        advice = "Try another initializer, relu, batch norm, or residual connections."
    elif norms[most] > EXPLODED * of_last:
        name, what = most, "explodes"
        advice = "Try clip_norm, smaller weights, batch norm, or a lower learning rate."
    else:
        return []
    ends = f"its norm is {norms[name]:.2g} at {name}, {of_last:.2g} at {last}"
    return [Remark(name, "backward", f"The gradient {what} on its way: {ends}. {advice}")]


def _updates(trace: Trace) -> list[Remark]:
    """Return the layers that the step moves far, and a loss that rises."""
    found = []
    for name, layer in trace.items():
        W, update = layer.arrays.get("W"), layer.arrays.get("update_W")
        if W is None or update is None or not W.any():
            continue
        ratio = _norm(update) / _norm(W)
        if ratio > LARGE:
            text = f"{name}: the update is {percent(ratio)} of the weights. Try a lower learning rate."
            found.append(Remark(name, "update", text))
    rise = 0.0 if trace.loss is None or trace.loss_after is None else trace.loss_after - trace.loss
    if trace.loss is not None and rise > RISE * abs(trace.loss):
        text = (
            f"After the update the loss of the same batch is {trace.loss_after:.4g}, higher than before "
            f"({trace.loss:.4g}): the step was too long. Try a lower learning rate."
        )
        found.append(Remark("", "update", text))
    return found


def _norm(array: Array) -> float:
    return float(np.linalg.norm(array.astype(np.float64)))


def _of_two_values(trace: Trace) -> list[Remark]:
    """Return the batch norms that take two values a channel: their output is -1 and 1, whatever the input."""
    text = (
        "of two values a channel batch norm makes -1 and 1, whatever they are, so that almost nothing is passed "
        "back. Take three samples or more, or one."
    )
    return [
        Remark(name, "forward", f"{name}: {text}")
        for name, layer in trace.items()
        if layer.kind == "BatchNorm" and "mean" in layer.arrays and layer.X.size == 2 * layer.mean.size
    ]


def _own_ways(trace: Trace) -> list[Remark]:
    """Return where a layer computes in another way than its formula says."""
    text = (
        "one value a channel has no variance, so that the running statistics are used, as in prediction. Take a "
        "batch of several samples."
    )
    return [
        Remark(name, "forward", f"{name}: {text}")
        for name, layer in trace.items()
        if layer.kind == "BatchNorm" and "dgamma" in layer.arrays and "mean" not in layer.arrays
    ]
