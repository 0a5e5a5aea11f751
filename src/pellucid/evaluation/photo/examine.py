"""A photo of one's own: what the network sees of it, what it is near to, and how easily the verdict moves."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from pellucid.data.dataset import Dataset
from pellucid.data.readers.images import image_to_input, read_image
from pellucid.errors import OptionError
from pellucid.evaluation.photo.neighbours import FeatureSpace, nearest
from pellucid.evaluation.photo.novelty import BLIND, Novelty, NoveltyTest
from pellucid.evaluation.photo.variants import photo_variants
from pellucid.evaluation.saliency.scoring import check_takes_image
from pellucid.nn.model import Model
from pellucid.text import percent
from pellucid.types import Array

N_NEAR = 5


@dataclass(frozen=True)
class Neighbour:
    """A training photo near to the photo.

    Attributes
    ----------
    index : int
        Its row in the training part.
    label : str
        Its class.
    distance : float
        See :func:`pellucid.evaluation.photo.neighbours.nearest` and ``nearest_by_features``.
    """

    index: int
    label: str
    distance: float


@dataclass(frozen=True, eq=False)
class Variant:
    """The photo, changed a little, and what the network says of it.

    Attributes
    ----------
    name : str
        ``"mirrored"``.
    seen : Array, shape input_shape
        As the network sees it.
    label : str
        The verdict.
    probability : float
        Of the class that the unchanged photo is given.
    """

    name: str
    seen: Array
    label: str
    probability: float


@dataclass(frozen=True, eq=False)
class TrainingPhotos:
    """A model's training photos, made ready once for many photos.

    Attributes
    ----------
    data : Dataset
    features : FeatureSpace
        How the model's last hidden layer describes them.
    novelty : NoveltyTest
    """

    data: Dataset
    features: FeatureSpace
    novelty: NoveltyTest

    @classmethod
    def of(cls, model: Model, data: Dataset) -> "TrainingPhotos":
        """Return the training photos of a model, described.

        Raises
        ------
        ShapeError, DataError
            If they are not images of the model's shape, or fewer than two.
        """
        return cls(data, FeatureSpace.of(model, data.X), NoveltyTest.of(data.X))

    def named(self, found: tuple[Array, Array]) -> tuple[Neighbour, ...]:
        """Return the first row of what ``nearest`` found, with class names."""
        names, y = self.data.classes, self.data.y
        return tuple(
            Neighbour(int(i), names[int(y[i])] if names else str(y[i]), float(distance))
            for i, distance in zip(found[0][0], found[1][0], strict=True)
        )


@dataclass(frozen=True, eq=False)
class OwnPhoto:
    """All that there is to say of one photo.

    Attributes
    ----------
    original : Array, shape (H, W, 3) or (H, W, c), dtype uint8
        As a viewer shows it: turned upright, on white where it was transparent.
    seen : Array, shape input_shape
        The very pixels that the network is given.
    label : str
    probability : float
        Of that class.
    classes : dict of str to float
        Every class with its probability.
    variants : tuple of Variant
        The first is the photo as it is.
    by_pixels, by_features : tuple of Neighbour
        The nearest training photos, the nearest first; empty without training photos.
    novelty : Novelty or None
        None without training photos.
    """

    original: Array
    seen: Array
    label: str
    probability: float
    classes: dict[str, float]
    variants: tuple[Variant, ...]
    by_pixels: tuple[Neighbour, ...] = ()
    by_features: tuple[Neighbour, ...] = ()
    novelty: Novelty | None = None

    @property
    def steadiness(self) -> str:
        """How the verdict moves with small changes, in a sentence or two."""
        changed = self.variants[1:]
        low = min(changed, key=lambda variant: variant.probability)
        high = max(changed, key=lambda variant: variant.probability)
        lowest, highest = percent(low.probability, 1), percent(high.probability, 1)
        other = [variant.name for variant in changed if variant.label != self.label]
        goes = f"goes from {lowest} ({low.name}) to {highest} ({high.name})"
        if lowest == highest:
            goes = f"stays at {lowest}"
        moves = f"Cropped, flipped, darker or brighter, the probability of “{self.label}” {goes}"
        if not other:
            return f"{moves}; the verdict stays the same in all {len(changed)} variants."
        return f"{moves}; the verdict changes in {len(other)} of {len(changed)} variants: {_listed(other)}."

    @property
    def nearest_words(self) -> str:
        """The nearest training photos in a sentence or two; empty without training photos."""
        if not self.by_pixels:
            return ""
        first = self.by_pixels[0]
        if first.distance == 0:
            return f"It is training photo {first.index} (“{first.label}”) itself, pixel by pixel."
        unit = " of 255" if self.seen.dtype == np.uint8 else ""
        n, n_same = len(self.by_features), sum(near.label == self.label for near in self.by_features)
        share = "all" if n_same == n > 1 else "none" if not n_same else str(n_same)
        return (
            f"The nearest training photo by its pixels is number {first.index} (“{first.label}”), "
            f"{first.distance:.3g}{unit} away on average; of the {n} that the network finds most alike, {share} "
            f"{'is' if n_same < 2 and share != 'all' else 'are'} “{self.label}”."
        )

    @property
    def sentences(self) -> list[str]:
        """What is to be known, the most important first."""
        novelty = [] if self.novelty is None else [self.novelty.words]
        lines = [
            f"The network says “{self.label}” ({percent(self.probability, 1)}).",
            self.steadiness,
            self.nearest_words,
            *novelty,
        ]
        if self.novelty is not None and self.novelty.is_alarm:
            lines.insert(1, lines.pop())  # a verdict on what was never seen is worth little: that comes first
        return [line for line in lines if line]

    def to_dict(self) -> dict[str, Any]:
        """Return it without the pixels, as JSON can hold it."""
        return {
            "label": self.label,
            "probability": self.probability,
            "classes": self.classes,
            "original_size": list(self.original.shape[:2]),
            "seen_shape": list(self.seen.shape),
            "variants": [
                {"name": variant.name, "label": variant.label, "probability": variant.probability}
                for variant in self.variants
            ],
            "nearest_by_pixels": [vars(near) for near in self.by_pixels],
            "nearest_by_features": [vars(near) for near in self.by_features],
            "novelty": None if self.novelty is None else {**self.novelty.to_dict(), "cannot_see": BLIND},
        }


def examine_photo(
    model: Model,
    image: str | Path | bytes | Array,
    train: Dataset | TrainingPhotos | None = None,
    *,
    n_near: int = N_NEAR,
) -> OwnPhoto:
    """Look at one photo as the network does: its pixels, its neighbours, its variants, its novelty.

    Parameters
    ----------
    model : Model
        A trained classifier of images.
    image : str, Path, bytes or Array
        A file of any size and kind, or its content; or an array, (H, W, 3) of uint8, or one sample of the model's
        input shape.
    train : Dataset or TrainingPhotos, optional
        The training part; without it neighbours and novelty are left out. For several photos make
        ``TrainingPhotos.of(model, train)`` once.
    n_near : int, optional
        How many neighbours of each kind.

    Raises
    ------
    DataError
        If the image cannot be read.
    ShapeError
        If the model does not take images, or the array is none.
    OptionError
        If the model does not give classes with probabilities.

    Examples
    --------
    >>> from pellucid.data.source import load_data
    >>> from pellucid.nn.presets import preset
    >>> digits = load_data("digits").train
    >>> model = preset("logistic", 10)
    >>> model.initialize((8, 8, 1))
    >>> model.set_loss("categorical_cross_entropy")
    >>> photo = examine_photo(model, digits.X[7], digits)
    >>> photo.by_pixels[0].index, photo.variants[1].name, photo.novelty.is_unlike
    (7, 'mirrored', False)
    """
    if model.loss_kind != "classification":
        raise OptionError(
            f"own photo: expected a model that tells classes apart, got one of {model.loss_kind}."
        )
    check_takes_image(model)
    original = image if isinstance(image, np.ndarray) else read_image(image)
    shape: Any = model.input_shape
    is_sample = original.shape == shape
    if is_sample and original.ndim == 2:
        original = original[..., None]
    seen = original.reshape(shape) if is_sample else image_to_input(original, shape)
    names, changed = photo_variants(original, shape)
    P = model.predict_proba(np.concatenate([seen[None], changed]))
    labels = model.classes or tuple(str(i) for i in range(P.shape[1]))
    best = int(P[0].argmax())
    variants = tuple(
        Variant(name, pixels, labels[int(row.argmax())], float(row[best]))
        for name, pixels, row in zip(["as it is", *names], [seen, *changed], P, strict=True)
    )
    photo = OwnPhoto(
        original=original,
        seen=seen,
        label=labels[best],
        probability=float(P[0, best]),
        classes={name: float(p) for name, p in zip(labels, P[0], strict=True)},
        variants=variants,
    )
    return photo if train is None else _among(photo, model, train, n_near)


def _among(photo: OwnPhoto, model: Model, train: Dataset | TrainingPhotos, n: int) -> OwnPhoto:
    """Return the photo with what the training photos say of it."""
    ready = train if isinstance(train, TrainingPhotos) else TrainingPhotos.of(model, train)
    X = photo.seen[None]
    return replace(
        photo,
        by_pixels=ready.named(nearest(ready.data.X, X, n)),
        by_features=ready.named(ready.features.nearest(X, n)),
        novelty=ready.novelty.judge(X)[0],
    )


def _listed(names: list[str], most: int = 4) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
