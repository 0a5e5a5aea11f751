"""Metrics that are measured after each epoch."""

import math
from dataclasses import dataclass
from typing import Any

from pellucid.errors import OptionError
from pellucid.nn.model import Model, read
from pellucid.ops.metrics import measured, metrics_by_name
from pellucid.registry import option, register
from pellucid.training.callbacks.base import Callback
from pellucid.training.events import EpochEnd, TrainStart
from pellucid.types import Array


@register
@dataclass(eq=False)
class Metrics(Callback):
    """Measure metrics after each epoch, on the validation samples or, where there are none, on the training's.

    ``train(metrics=...)`` makes one, and has it called before other callbacks, which find the numbers in
    ``event.metrics``: "validation_f1", or "f1" where the training samples were measured.

    Examples
    --------
    >>> import numpy as np
    >>> from pellucid.nn.presets import preset
    >>> from pellucid.training.fit import train
    >>> data = np.array([[0.0], [1.0]]), np.array([0, 1])
    >>> history = train(preset("logistic"), data, n_epochs=3, metrics=["balanced_accuracy"])
    >>> history.columns["balanced_accuracy"]
    [1.0, 1.0, 1.0]
    """

    metrics: Any = option(help="Names of pellucid.ops.metrics.METRICS, or functions of (y_true, y_pred).")

    def __post_init__(self) -> None:
        super().__post_init__()
        self._functions = metrics_by_name(self.metrics)
        if isinstance(self.metrics, list):
            self._keep("metrics", tuple(self.metrics))

    def train_start(self, event: TrainStart) -> None:
        """Refuse a model with several outputs."""
        if event.run.model._loss.kind == "joint":
            raise OptionError("metrics: the model has several outputs. Measure each by model.predict.")

    def epoch_end(self, event: EpochEnd) -> None:
        """Measure, and add to the epoch's metrics and to the history."""
        run, held = event.run, event.run.form.validation
        if held is None:
            prefix, Z = "", run.model.decision_function(run.data.X)
            y_true = _as_predicted(run.model, run.model._encode(run.data.y))
        else:
            prefix, Z = "validation_", run.model._last_outputs
            y_true = _as_predicted(run.model, held.Y)
        y_pred = read(run.model._loss, Z[:, 0] if Z.shape[1:] == (1,) else Z)
        for name, function in self._functions.items():
            if prefix + name in event.metrics:  # the accuracy of validation samples is measured anyway
                continue
            value = measured(name, function, y_true, y_pred)
            event.metrics[prefix + name] = value
            column = run.history.columns.setdefault(prefix + name, [])
            missed = len(run.history.columns["loss"]) - 1 - len(column)  # before it was asked for
            column.extend([math.nan] * missed)
            column.append(value)


def _as_predicted(model: Model, Y: Array) -> Array:
    """Return encoded targets in the form of predictions: class numbers, 0 and 1, or quantities."""
    if model._loss.kind == "classification":
        return Y if Y.ndim == 1 else (Y[:, 0] > 0.5).astype(int) if Y.shape[1] == 1 else Y.argmax(axis=1)
    if model._loss.kind == "multi_label":
        return Y.astype(int)
    quantities = model._loss.decode(Y)
    return quantities[:, 0] if quantities.shape[1] == 1 else quantities
