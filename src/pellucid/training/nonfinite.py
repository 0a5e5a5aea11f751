"""When a training breaks: which operation did it, and all that it takes to see it again."""

import json
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from pellucid.files import write_atomically
from pellucid.nn.hooks import hooked, unfused
from pellucid.nn.layer import Layer
from pellucid.nn.model import Model
from pellucid.types import Array


class Fault(NamedTuple):
    """The first place where a step went non-finite.

    Attributes
    ----------
    where : str
        "input", "parameter", "forward", "loss", "backward" or "gradient".
    layer : str
        The layer's name; empty for input and loss.
    array : str
        Which of its arrays: "output", "input gradient", or a parameter's name.
    samples : list of int
        Positions in the batch, where the array has one row a sample; at most ten.
    """

    where: str
    layer: str
    array: str
    samples: list[int]

    def in_words(self) -> str:
        """Return the fault as a sentence's middle.

        Examples
        --------
        >>> Fault("forward", "dense_2", "output", [3]).in_words()
        'in the forward pass, the output of dense_2, sample 3 of the batch'
        """
        place = {"forward": "in the forward pass, ", "backward": "in the backward pass, "}.get(self.where, "")
        what = {"input": "the input", "loss": "the loss"}.get(self.where, f"the {self.array} of {self.layer}")
        rows = ", ".join(map(str, self.samples))
        return f"{place}{what}" + (
            f", sample{'s' * (len(self.samples) > 1)} {rows} of the batch" if rows else ""
        )


def find_fault(model: Model, X: Any, Y: Any) -> Fault | None:
    """Return the first array of a step that holds a number that is none, in the order of computation.

    The step is computed once more, each layer watched; the model's parameters are not moved.
    """
    for name, array in X.items() if isinstance(X, dict) else (("", X),):
        if rows := _bad_rows(array):
            return Fault("input", name, "", rows)
    for leaf in model.leaves():
        for key, array in leaf.params.items():
            if not np.isfinite(array).all():
                return Fault("parameter", leaf.name, key, [])
    found: list[Fault] = []
    with ExitStack() as stack, np.errstate(all="ignore"):
        stack.enter_context(unfused(model))
        for leaf in model.leaves():
            stack.enter_context(_faults_noted(leaf, found))
        loss = model.loss_and_grad(X, Y)
    if found:
        return found[0]
    if not np.isfinite(loss):
        return Fault("loss", "", "", [])
    return None


def _faults_noted(leaf: Layer, found: list[Fault]) -> AbstractContextManager[None]:
    """Note in ``found`` where a layer's output, input gradient or gradients are NaN or infinite."""

    def note(where: str, array: str, value: Array | None) -> None:
        if value is not None and value.dtype.kind == "f" and (rows := _bad_rows(value)):
            found.append(Fault(where, leaf.name, array, rows))

    def forward(plain: Callable[..., Array], X: Array, training: bool) -> Array:
        Y = plain(X, training=training)
        note("forward", "output", Y)
        return Y

    def backward(plain: Callable[..., Array | None], dY: Array) -> Array | None:
        dX = plain(dY)
        note("backward", "input gradient", dX)
        for key, gradient in leaf.grads.items():
            if not np.isfinite(gradient).all():
                found.append(Fault("backward", leaf.name, f"gradient for {key}", []))
        return dX

    return hooked(leaf, forward=forward, backward=backward)


def write_black_box(
    path: str | Path, model: Model, X: Any, Y: Any, fault: Fault | None, step: int, epoch: int
) -> None:
    """Write batch, parameters and where it broke, so that :func:`replay_nonfinite` can compute the step again."""
    from safetensors.numpy import save as to_bytes

    arrays = {"theta": model.theta}
    for name, batch in (("X", X), ("Y", Y)):
        parts = batch.items() if isinstance(batch, dict) else (("", batch),)
        arrays |= {f"{name}/{key}": np.ascontiguousarray(array) for key, array in parts}
    for i, leaf in enumerate(model.leaves()):
        arrays |= {f"state/{i}/{key}": value for key, value in leaf.state.items()}
    header = {
        "step": step,
        "epoch": epoch,
        "fault": None if fault is None else fault._asdict(),
        "architecture": model.config(),
        "dtype": model.dtype,
        "loss": model.loss,
        "loss_options": dict(model.loss_options),
        "input_shape": model.input_shape,
    }
    write_atomically(path, to_bytes(arrays, {"pellucid_black_box": json.dumps(header)}))


def replay_nonfinite(path: str | Path) -> tuple[Model, Any, Any, Fault | None]:
    """Return the model, the batch and the fault of a black box, found anew by computing the step again.

    Returns
    -------
    model : Model
        With the parameters that it broke at.
    X, Y : Array, or dict of Array
        The prepared batch and its targets.
    fault : Fault or None
    """
    from safetensors import safe_open

    from pellucid.nn.model import model_from_config

    with safe_open(path, framework="numpy") as file:
        header = json.loads(file.metadata()["pellucid_black_box"])
        arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a dictionary
    model = model_from_config(header["architecture"], dtype=header["dtype"])
    shape = header["input_shape"]
    model.initialize(shape if isinstance(shape, dict) else tuple(shape))
    model.set_loss(header["loss"], **header["loss_options"])
    model.theta[...] = arrays["theta"]
    for i, leaf in enumerate(model.leaves()):
        for key, value in leaf.state.items():
            value[...] = arrays[f"state/{i}/{key}"]
    batch = []
    for name in ("X/", "Y/"):
        parts = {key.removeprefix(name): value for key, value in arrays.items() if key.startswith(name)}
        batch.append(parts.get("", parts))
    return model, batch[0], batch[1], find_fault(model, batch[0], batch[1])


def _bad_rows(array: Array) -> list[int]:
    finite = np.isfinite(array).reshape(len(array), -1).all(axis=1)
    return [int(row) for row in np.flatnonzero(~finite)[:10]]
