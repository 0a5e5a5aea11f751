"""What keeps a network from learning: each layer alone, the network, the loss, and one step on the data."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from pellucid.data.coerce import as_dataset
from pellucid.nn.by_name import ModelLike, as_model
from pellucid.nn.gradient_check import GradientCheck, check_gradients
from pellucid.nn.layer import Layer
from pellucid.nn.model import Model
from pellucid.registry import explain_call
from pellucid.text import join
from pellucid.text_blocks import Result
from pellucid.training.trace import trace
from pellucid.training.trace_records import Trace
from pellucid.types import map_arrays

MOST = 256  # samples that the step is taken on


@dataclass(frozen=True, repr=False)
class Faults(Result):
    """What was found, from the parts to the whole; what comes after a fault is not looked at.

    Attributes
    ----------
    gradients : GradientCheck
    step : Trace or None
        One step on the data; None without data, or where a gradient is wrong.
    """

    columns = "checked", ""
    in_json = "headline gradients notes"

    gradients: GradientCheck
    step: Trace | None

    @property
    def notes(self) -> tuple[str, ...]:
        """Each fault in a sentence; empty where none was found."""
        return (*self.gradients.notes, *self._of_step)

    @cached_property
    def _of_step(self) -> list[str]:
        return [] if self.step is None else _faults_of(self.step)

    @property
    def headline(self) -> str:
        """What is at fault, or that nothing is."""
        if not self.gradients.is_ok:
            return self.gradients.headline
        checked = join(list(dict.fromkeys(row["checked"] for row in self.to_rows())))
        return (
            f"Faults in a step on the data: {len(self.notes)}."
            if self.notes
            else f"No fault found: {checked}."
        )

    def to_rows(self) -> list[dict[str, Any]]:
        """Return a row for each thing that was looked at, and whether it is in order."""
        stages = dict.fromkeys(row.stage for row in self.gradients.rows)
        rows = [
            (stage, all(row.is_ok for row in self.gradients.rows if row.stage == stage)) for stage in stages
        ]
        rows += [] if self.step is None else [("step on the data", not self._of_step)]
        return [{"checked": stage, "outcome": "ok" if is_ok else "FAULT"} for stage, is_ok in rows]

    def cells(self, row: dict[str, Any]) -> list[Any]:
        """Return a row as it is printed."""
        return list(row.values())


@explain_call
def find_fault(
    model: ModelLike | Layer, data: Any = None, *, input_shape: Any = None, loss: Any = None, seed: int = 1
) -> Faults:
    """Find what keeps a network from learning, as in one with layers of your own.

    Parameters
    ----------
    model : Model, Layer, str or Path
        Not changed. A layer is checked alone.
    data : Dataset, (X, y), Split, str or Path, optional
        Then one step is taken on the first 256 samples, too, if all gradients are right.
    input_shape : tuple of int, or mapping of str to tuple, optional
        Default: the model's own, else that of the data.
    loss : str, dict or Loss, optional
        Default: the model's own, else what suits outputs and targets.
    seed : int, optional
        Random seed.

    Returns
    -------
    Faults

    Raises
    ------
    OptionError, ShapeError, DataError
        If shapes, loss or data do not fit.

    Notes
    -----
    First :func:`pellucid.nn.gradient_check.check_gradients`; then the step is searched for NaN, infinity, units
    that are 0 for every sample, and a backward pass of zeros: see ``Trace.remarks``.

    Examples
    --------
    >>> import pellucid as pl
    >>> X = np.linspace(-1, 1, 40).reshape(20, 2)
    >>> model = pl.Sequential(pl.Dense(3, "relu"), pl.Dense(1, initializer="zeros"))
    >>> print(pl.find_fault(model, (X, X[:, 0] > 0)))
    Faults in a step on the data: 1.
    <BLANKLINE>
    checked
    layer alone       ok
    network           ok
    loss              ok
    step on the data  FAULT
    <BLANKLINE>
    dense_2: it passes back only zeros, so that no layer before it is trained in this step.
    """
    if isinstance(model, Layer) and not isinstance(model, Model):
        return Faults(check_gradients(model, input_shape, loss=loss, seed=seed), None)
    data = None if data is None else as_dataset(data, "find_fault")
    network = as_model(model, "find_fault", data)
    shape = input_shape or network.input_shape
    if not shape and data is not None:
        shape = map_arrays(lambda X: X.shape[1:], data.X)
    checked = check_gradients(network, shape, loss=loss, seed=seed)
    if data is None or not checked.is_ok:
        return Faults(checked, None)
    return Faults(checked, trace(network, data.take(slice(0, MOST)), loss=loss, seed=seed))


def _faults_of(step: Trace) -> list[str]:
    """Return what is wrong in a step: the first array that is not finite, else what the step remarks."""
    for row in step.rows():
        if row.array.dtype.kind == "f" and not np.isfinite(row.array).all():
            of = f"{row.layer}: {row.name}" if row.layer else row.name
            return [f"{of} holds NaN or infinity, the first in this step ({row.part})."]
    return step.remarks()
