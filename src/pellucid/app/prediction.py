"""Use case: what a model says of images."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pellucid.data.images import image_to_input, read_image
from pellucid.formats.safetensors import load
from pellucid.nn.model import Model


@dataclass(frozen=True)
class Prediction:
    """A model's verdict on one image."""

    image: str  # as it was named
    label: str
    probability: float  # of that label
    classes: dict[str, float]  # every class with its probability

    def to_dict(self) -> dict[str, Any]:
        """Return the verdict as JSON can hold it."""
        return {
            "image": self.image,
            "label": self.label,
            "probability": self.probability,
            "classes": self.classes,
        }


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
    probabilities = model.predict_proba(sample[None])[0]
    best = int(np.argmax(probabilities))
    names = model.classes or tuple(str(label) for label in range(len(probabilities)))
    classes = {name: float(p) for name, p in zip(names, probabilities, strict=True)}
    return Prediction(name or str(image), names[best], float(probabilities[best]), classes)


def predict_images(model_path: str | Path, images: Iterable[str | Path]) -> list[Prediction]:
    """Return a saved model's verdict on each image; see :func:`predict_image`."""
    model = load(model_path)
    return [predict_image(model, image) for image in images]
