"""All that a run found out, in one record: what the report, the printed lines and metrics.json are made from."""

from dataclasses import dataclass

import numpy as np

from pellucid.checks.duplicates import Leak, find_leaks
from pellucid.data.dataset import Split
from pellucid.data.readers.images import image_to_input
from pellucid.evaluation.scores.metrics import Scores, score
from pellucid.evaluation.scores.predictions import sample_losses
from pellucid.nn.model import Model
from pellucid.plotting.style import are_images
from pellucid.runs.config import RunConfig
from pellucid.training.history import History
from pellucid.types import Array


@dataclass(frozen=True, eq=False)
class NewPhoto:
    """A photo that is in neither part of the data, and the model's verdict on it."""

    name: str
    original: Array  # (h, w, 3) uint8
    seen: Array  # one sample of the model's input
    y: int
    label: str
    probability: float


@dataclass(frozen=True, eq=False)
class RunResult:
    """All that a run found out.

    Attributes
    ----------
    predicted : Array, shape (m_test,)
    probabilities : Array, shape (m_test, k)
    losses : Array, shape (m_test,)
        Each test sample's cross-entropy.
    leaks : tuple of Leak
        Test samples that are also training samples, exactly or, of pictures, nearly.
    notes : tuple of str
        What a reader of the report must know of how it was made.
    """

    split: Split
    config: RunConfig
    model: Model
    history: History
    train: Scores
    test: Scores
    predicted: Array
    probabilities: Array
    losses: Array
    leaks: tuple[Leak, ...]
    photo: NewPhoto | None
    notes: tuple[str, ...] = ()

    @property
    def has_photos(self) -> bool:
        """Whether the samples are pictures that can be shown."""
        return holds_photos(self.split)

    @property
    def thing(self) -> str:
        """What a sample is called."""
        return "photo" if self.has_photos else "sample"


def holds_photos(split: Split) -> bool:
    """Return whether the samples are pictures: (h, w, channels), or grey ones of bytes, (h, w)."""
    X = split.train.X
    return are_images(X) and (X.ndim == 4 or X.dtype == np.uint8)


def examine(
    model: Model,
    split: Split,
    config: RunConfig,
    history: History,
    new_image: tuple[str, Array] | None,
    notes: tuple[str, ...] = (),
) -> RunResult:
    """Return what a trained model says of its data, and of a new image where there is one."""
    probabilities = model.predict_proba(split.test.X)
    predicted = probabilities.argmax(axis=1)
    photo = None
    if new_image is not None:
        name, original = new_image
        seen = image_to_input(original, model.input_shape)
        chances = model.predict_proba(seen[None])[0]
        label = int(chances.argmax())
        photo = NewPhoto(name, original, seen, label, split.classes[label], float(chances[label]))
    return RunResult(
        split=split,
        config=config,
        model=model,
        history=history,
        train=score(split.train.y, model.predict(split.train.X), split.classes),
        test=score(split.test.y, predicted, split.classes),
        predicted=predicted,
        probabilities=probabilities,
        losses=sample_losses(model.decision_function(split.test.X), split.test.y),
        leaks=tuple(find_leaks(split.train.X, split.test.X)),
        photo=photo,
        notes=notes,
    )
