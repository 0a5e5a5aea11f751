"""When a training breaks: which operation did it, and all that it takes to see it again."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from pellucid.errors import FormatError, PellucidError, ShapeError
from pellucid.nn.hooks import hook_use
from pellucid.nn.layer import Layer
from pellucid.nn.model import Model
from pellucid.nn.rebuild import description, named_arrays, rebuild
from pellucid.tensors import read_tensors, write_tensors
from pellucid.types import Array, map_arrays, n_rows, with_prefix

_KEY = "pellucid_nonfinite_step"


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


def find_nonfinite(model: Model, X: Any, Y: Any) -> Fault | None:
    """Return the first array of a step that holds NaN or infinity, in the order of computation.

    The step is computed once more, each layer watched. The model is left as it was: its gradient, its running
    statistics, the generators of its random layers and hooks too. Layers that draw random numbers need
    their streams: see ``Model._seed_step``.
    """
    for name, array in X.items() if isinstance(X, dict) else (("", X),):
        if rows := _bad_rows(array):
            return Fault("input", name, "", rows)
    for leaf in model._leaves():
        for key, array in leaf.params.items():
            if not np.isfinite(array).all():
                return Fault("parameter", leaf.name, key, [])
    found: list[Fault] = []
    with ExitStack() as stack, np.errstate(all="ignore"):
        stack.enter_context(unchanged(model))
        for use in model._uses():
            stack.enter_context(_faults_noted(use, found))
        loss = model._loss_and_grad_of_encoded(X, Y)
    if found:
        return found[0]
    if not np.isfinite(loss):
        return Fault("loss", "", "", [])
    return None


@contextmanager
def unchanged(model: Model) -> Iterator[None]:
    """Put back, at the end, what a training step changes: the gradient, the layers' state, their generators."""
    arrays = [model.grad, *(array for leaf in model._leaves() for array in leaf.state.values())]
    kept = [array.copy() for array in arrays]
    generators = [
        each for use in model._uses() for each in vars(use).values() if isinstance(each, np.random.Generator)
    ]
    drawn = [generator.bit_generator.state for generator in generators]
    try:
        yield
    finally:
        for array, before in zip(arrays, kept, strict=True):
            array[...] = before
        for generator, state in zip(generators, drawn, strict=True):
            generator.bit_generator.state = state


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

    return hook_use(leaf, forward=forward, backward=backward)


def write_step(
    path: str | Path,
    model: Model,
    X: Any,
    Y: Any,
    fault: Fault | None,
    *,
    seed: int,
    step: int,
    epoch: int,
) -> None:
    """Write batch, parameters and where it broke, so that :func:`replay_nonfinite` can compute the step again."""
    arrays = {f"model/{name}": array for name, array in named_arrays(model).items()}
    for name, batch in (("X", X), ("Y", Y)):
        parts = batch.items() if isinstance(batch, dict) else (("", batch),)
        arrays |= {f"{name}/{key}": array for key, array in parts}
    header = {
        "seed": seed,
        "step": step,
        "epoch": epoch,
        "fault": None if fault is None else fault._asdict(),
        **description(model),
    }
    write_tensors(path, _KEY, header, arrays)


def replay_nonfinite(path: str | Path) -> tuple[Model, Any, Any, Fault | None]:
    """Return the model, the batch and the fault of a recorded step, found by computing it again.

    Returns
    -------
    model : Model
        With the parameters that it broke at.
    X, Y : Array, or dict of Array
        The prepared batch and its targets.
    fault : Fault or None

    Raises
    ------
    FormatError
        If it is not a whole file of such a step.

    Notes
    -----
    What Dropout drops follows from the seed and the step of the record. A step that was split over threads drew
    other numbers in each part; it is computed here as one.
    """
    header, arrays = read_tensors(path, _KEY, kind="recorded step", advice="Train again to record one.")
    model_arrays, *parts = (with_prefix(name, arrays) for name in ("model/", "X/", "Y/"))
    advice = "The file is damaged; train again to record the step."
    try:
        model = rebuild(header, model_arrays)
        X, Y = (batch[""] if set(batch) == {""} else batch for batch in parts)
        for key in ("seed", "step"):
            if not isinstance(header.get(key), int) or header[key] < 0:
                raise FormatError(f"its {key} is {header.get(key)!r}, expected a whole number of at least 0")
        _check_batch(model, X, Y)
        model._seed_step(header["seed"], header["step"])
        fault = find_nonfinite(model, X, Y)
    except FormatError as error:
        raise FormatError(f"{path}: {error}. {advice}") from None
    except (PellucidError, LookupError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
        raise FormatError(f"{path}: its batch does not fit its network ({error}). {advice}") from None
    return model, X, Y, fault


def _check_batch(model: Model, X: Any, Y: Any) -> None:
    """Raise one of many errors if a batch is not one of the model's."""
    given = map_arrays(lambda array: array.shape[1:], X)
    if given != model.input_shape:
        raise ShapeError(f"its samples have shape {given}, expected {model.input_shape}")
    if len({len(array) for array in (X.values() if isinstance(X, dict) else [X])}) > 1:
        raise ShapeError("its inputs have different numbers of samples")
    zeros = map_arrays(lambda shape: np.zeros((n_rows(X), *shape), model.dtype), model.output_shape)
    model._loss.forward(zeros, Y)


def _bad_rows(array: Array) -> list[int]:
    finite = np.isfinite(array).reshape(len(array), -1).all(axis=1)
    return [int(row) for row in np.flatnonzero(~finite)[:10]]
