"""Use case: what a saved model scores."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from pellucid.errors import DataError
from pellucid.evaluation.metrics import evaluate
from pellucid.formats.safetensors import load as load_model_file
from pellucid.nn.model import Model
from pellucid.types import Dataset, Split


def evaluate_on(model_path: Path, data: str, *, load: Callable[[], Split]) -> dict[str, Any]:
    """Return a saved model's figures on data: the test part, or all rows of a table like that it was trained on."""
    model = load_model_file(model_path)
    if model.schema is not None and Path(data).suffix.lower() in (".csv", ".tsv"):
        rows = model.schema.encode(Path(data))
        if rows.y is None:
            raise DataError(f"{data}: it has no column {', '.join(model.schema.target)} to compare with.")
        return figures_of(model, Dataset(rows.X, rows.y, model.classes))
    return figures_of(model, load().test)


def figures_of(model: Model, data: Dataset) -> dict[str, Any]:
    """Return the figures that suit the model's loss: accuracy of classes, of labels, or errors of quantities."""
    kind = model.loss_kind
    if kind == "classification":
        return evaluate(model, data).to_dict()
    predicted = model.predict(data.X)
    if kind == "multi_label":
        hits = predicted == data.y
        return {
            "n_samples": len(data.y),
            "label_accuracy": float(hits.mean()),
            "exact_match": float(hits.all(axis=1).mean()),
            "per_label": dict(zip(model.classes, hits.mean(axis=0).tolist(), strict=True)),
        }
    difference = predicted.reshape(len(data.y), -1) - data.y.reshape(len(data.y), -1)
    spread = float(((data.y - data.y.mean(axis=0)) ** 2).sum())
    return {
        "n_samples": len(data.y),
        "mean_absolute_error": float(np.abs(difference).mean()),
        "root_mean_squared_error": float(np.sqrt((difference**2).mean())),
        "r_squared": 1 - float((difference**2).sum()) / spread if spread else float("nan"),
    }
