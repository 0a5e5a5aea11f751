"""Use case: what a model says of images."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pellucid.data.readers.images import image_to_input, read_image
from pellucid.errors import DataError
from pellucid.evaluation.scores.predictions import check_weights
from pellucid.formats.safetensors import load
from pellucid.nn.model import Model


@dataclass(frozen=True)
class Prediction:
    """A model's verdict on one image."""

    image: str  # as it was named
    label: str  # the likeliest class
    probability: float  # of that label
    classes: dict[str, float]  # every class with its probability
    labels: tuple[str, ...] | None = None  # of a model of several yes-or-no questions: those answered yes
    value: Any = None  # of a model of quantities: one, or a list; the fields above are empty then

    def to_dict(self) -> dict[str, Any]:
        """Return the verdict as JSON can hold it."""
        if self.value is not None:
            return {"image": self.image, "value": self.value}
        if self.labels is not None:
            return {"image": self.image, "labels": list(self.labels), "classes": self.classes}
        return {
            "image": self.image,
            "label": self.label,
            "probability": self.probability,
            "classes": self.classes,
        }

    def in_words(self) -> str:
        """Return the verdict as a line shows it."""
        if self.value is not None:
            return str(self.value)
        if self.labels is None:
            return f"{self.label} ({100 * self.probability:.1f} %)"
        named = [f"{name} ({100 * self.classes[name]:.1f} %)" for name in self.labels]
        return ", ".join(named) or f"none of {', '.join(self.classes)}"


def predict_image(model: Model, image: str | Path | bytes, name: str = "") -> Prediction:
    """Return a model's verdict on an image of any size and kind that Pillow opens.

    Raises
    ------
    DataError
        If the image cannot be read.
    ShapeError
        If the model does not take images.
    """
    sample = image_to_input(read_image(image), model.input_shape)
    if model.loss_kind == "regression":
        return Prediction(name or str(image), "", 1.0, {}, value=model.predict(sample[None])[0].tolist())
    probabilities = model.predict_proba(sample[None])[0]
    best = int(np.argmax(probabilities))
    names = model.classes or tuple(str(label) for label in range(len(probabilities)))
    classes = {name: float(p) for name, p in zip(names, probabilities, strict=True)}
    yes = [name for name, p in classes.items() if p > 0.5]
    labels = tuple(yes) if model.loss_kind == "multi_label" else None
    return Prediction(name or str(image), names[best], float(probabilities[best]), classes, labels)


def predict_rows(model: Model, path: Path) -> tuple[list[dict[str, Any]], tuple[str, ...]]:
    """Return a table model's verdict on every row of a CSV file, and what was noted of the file.

    Raises
    ------
    DataError
        If the model was not trained on a table, or the file does not fit it.
    """
    if model.schema is None:
        raise DataError(
            f"{path}: the model was trained on {model.input_shape}, not on a table; give it images."
        )
    check_weights("predict", model)
    found = model.schema.encode(path, with_target=False)
    predicted = model.predict(found.X)
    if model.loss_kind == "regression":
        return [{"row": i, "value": value} for i, value in enumerate(predicted.tolist())], found.notes
    if model.loss_kind == "multi_label":
        return [
            {"row": i, "labels": [name for name, yes in zip(model.classes, row, strict=True) if yes]}
            for i, row in enumerate(predicted)
        ], found.notes
    probabilities = model.predict_proba(found.X)
    return [
        {
            "row": i,
            "label": model.classes[label],
            "probability": float(row[label]),
            "classes": {name: float(p) for name, p in zip(model.classes, row, strict=True)},
        }
        for i, (label, row) in enumerate(zip(predicted.tolist(), probabilities, strict=True))
    ], found.notes


def predict_images(model_path: str | Path, images: Iterable[str | Path]) -> list[Prediction]:
    """Return a saved model's verdict on each image; see :func:`predict_image`."""
    model = load(model_path)
    check_weights(str(model_path), model)
    return [predict_image(model, image) for image in images]
