"""One photo as a model sees it, made once: pixels, prediction, variants, nearest training photos, novelty."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from pellucid.data.coerce import as_dataset
from pellucid.data.dataset import Dataset
from pellucid.data.novelty import Novelty, NoveltyTest
from pellucid.evaluation.explain.neighbours import nearest, nearest_by_features
from pellucid.evaluation.explain.variants import photo_variants
from pellucid.evaluation.saliency.scoring import prepared_image, read_photo
from pellucid.nn.model import Model, read
from pellucid.ops.losses.base import LOSSES
from pellucid.shares import chance
from pellucid.text import percent, placed, shorten
from pellucid.text_blocks import Block, InJson, Result, Table
from pellucid.types import Array

N_NEAR = 5
LONGEST_NAME = 40  # of a file, in a table


@dataclass(frozen=True, eq=False)
class Neighbour(InJson):
    """A training photo near to the photo.

    Attributes
    ----------
    index : int
        Its row in the training part.
    label : str
        Its class.
    distance : float
        See :mod:`pellucid.evaluation.explain.neighbours`.
    image : Array, shape input_shape
    name : str
        Its file; "" where samples are no files.
    """

    index: int
    label: str
    distance: float
    image: Array
    name: str = ""

    in_json = "index label distance name"


@dataclass(frozen=True, eq=False)
class Variant(InJson):
    """The photo, changed, and its prediction.

    Attributes
    ----------
    name : str
        ``"mirrored"``.
    seen : Array, shape input_shape
        As the network sees it.
    label : str
        The predicted class.
    probability : float
        Of the class that the unchanged photo is given.
    """

    name: str
    seen: Array
    label: str
    probability: float

    in_json = "name label probability"


@dataclass(frozen=True, eq=False, repr=False)
class ImageContext(Result):
    """All that is known of one photo.

    Attributes
    ----------
    original : Array, shape (H, W, 3) or (H, W, c), dtype uint8
        As a viewer shows it: turned upright, on white where it was transparent.
    seen : Array, shape input_shape
        The very pixels that the network is given.
    prepared : Array, shape input_shape
        The same as the first layer takes them.
    outputs : Array, shape (n_out,)
        Of the network, before any sigmoid or softmax.
    prediction : str
        In a few words: ``"cat (97.1 %)"``; for a regression the numbers.
    classes : dict of str to float
        Every class with its probability; empty for a model that gives none, and so is all that follows.
    variants : tuple of Variant
        The first is the photo as it is.
    by_pixels, by_features : tuple of Neighbour
        The nearest training photos, the nearest first; empty without training photos.
    novelty : Novelty or None
        None without training photos.
    noun : str
        What a training photo is called: "photo", "drawing", "digit".
    """

    original: Array
    seen: Array
    prepared: Array
    outputs: Array
    prediction: str
    classes: dict[str, float]
    variants: tuple[Variant, ...] = ()
    by_pixels: tuple[Neighbour, ...] = ()
    by_features: tuple[Neighbour, ...] = ()
    novelty: Novelty | None = None
    noun: str = "photo"

    @classmethod
    def of(
        cls,
        model: Model,
        image: str | Path | bytes | Array,
        train: Dataset | tuple[Any, Any] | None = None,
    ) -> "ImageContext":
        """Read, resize, prepare and predict a photo, each once, and compare it with the training photos.

        Parameters
        ----------
        model : Model
            Trained on images.
        image : str, Path, bytes or Array
            A file of any size and kind, or its content; or an array, (H, W, 3) of uint8, or one sample of the
            model's input shape.
        train : Dataset or (X, y), optional
            The training part; without it neighbours and novelty are left out.

        Raises
        ------
        DataError
            If the image cannot be read.
        ShapeError
            If the model does not take images, or the array is none.

        Examples
        --------
        >>> from pellucid.data.source import load_data
        >>> from pellucid.nn.presets import preset
        >>> digits = load_data("digits").train
        >>> model = preset("logistic", 10)
        >>> model.initialize((8, 8, 1))
        >>> model.set_loss("categorical_cross_entropy")
        >>> photo = ImageContext.of(model, digits.X[7], digits)
        >>> photo.by_pixels[0].index, photo.variants[1].name, photo.novelty.is_unlike
        (7, 'mirrored', False)
        """
        original, seen = read_photo("explain_photo", model, image)
        prepared = prepared_image(model, seen)
        Z = model._raw_outputs(prepared[None])
        loss = LOSSES.resolve(model.loss_config)
        if model._loss.kind != "classification" or not loss.gives_probabilities:
            prediction = _in_words(model, read(loss, Z[:, 0] if Z.shape[1:] == (1,) else Z)[0])
            return cls(original, seen, prepared, Z[0], prediction, {})
        p = loss.probabilities(Z)[0]
        labels = model.classes or tuple(str(i) for i in range(len(p)))
        best = int(p.argmax())
        photo = cls(
            original,
            seen,
            prepared,
            Z[0],
            f"{labels[best]} ({percent(float(p[best]), 1)})",
            {name: float(value) for name, value in zip(labels, p, strict=True)},
            _variants(model, original, seen, labels, p),
        )
        return photo if train is None else photo.among(model, train)

    in_json = (
        "headline label probability classes variants nearest_by_pixels=by_pixels "
        "nearest_by_features=by_features novelty"
    )

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of what ``cells`` returns."""
        return "image", "class", f"probability of '{self.label}'", "distance"

    @property
    def label(self) -> str:
        """The predicted class."""
        return max(self.classes, key=self.classes.__getitem__)

    @property
    def probability(self) -> float:
        """Of the predicted class."""
        return max(self.classes.values())

    def among(self, model: Model, train: Dataset | tuple[Any, Any], n: int = N_NEAR) -> "ImageContext":
        """Return the photo with its neighbours and its novelty among the training photos."""
        data, X = as_dataset(train, "explain_photo: train"), self.seen[None]
        by_pixels, by_features = (
            tuple(
                Neighbour(
                    int(i),
                    data.classes[data.y[i]] if data.classes else str(data.y[i]),
                    float(distance),
                    data.X[i],
                    data.file(int(i)),
                )
                for i, distance in zip(indices[0], distances[0], strict=True)
            )
            for indices, distances in (nearest(data.X, X, n), nearest_by_features(model, data.X, X, n))
        )
        features = model._outputs_and_features(X)[1] if model._n_body else None
        novelty = (model._novelty or NoveltyTest.of(data.X)).judge(X, features)[0]
        noun = data.noun
        return replace(self, by_pixels=by_pixels, by_features=by_features, novelty=novelty, noun=noun)

    @property
    def headline(self) -> str:
        """The prediction, whether small changes move it, and whether the photo is unlike the training photos."""
        if not self.classes:
            return f"{self.prediction}."
        n = sum(one.label == self.label for one in self.variants[1:])
        found = (
            f"Predicted '{self.label}' ({chance(self.probability, 1)}); so {'is' if n == 1 else 'are'} {n} "
        )
        found += f"of {len(self.variants) - 1} variants."
        if self.novelty is None:
            return found
        words = self.novelty.headline(self.noun)
        return f"{words} {found}" if self.novelty.is_alarm else f"{found} {words}"

    def to_rows(self) -> list[dict[str, Any]]:
        """Return a row for each variant, with the probability of the predicted class, and for each neighbour."""
        near = {"by pixels": self.by_pixels, "by the last hidden layer": self.by_features}
        return [
            *({"kind": "variant", **one.to_dict()} for one in self.variants),
            *({"kind": f"nearest {how}", **one.to_dict()} for how, found in near.items() for one in found),
        ]

    def cells(self, row: dict[str, Any]) -> tuple[str, ...]:
        """Return a row as it is printed."""
        if row["kind"] == "variant":
            return row["name"], row["label"], chance(row["probability"], 1), ""
        place = placed(f"no. {row['index']}", shorten(row["name"], LONGEST_NAME))
        return f"{row['kind']}: {place}", row["label"], "", f"{row['distance']:.3g}"

    def tables(self) -> list[Table]:
        """Return the variants, and the nearest training photos where there are any."""
        rows = [self.cells(row) for row in self.to_rows()]
        variants, near = [row[:3] for row in rows if row[2]], [(*row[:2], row[3]) for row in rows if row[3]]
        image, label, probability, distance = self.columns
        return [
            ((image, label, probability), variants),
            *([((image, label, distance), near)] if near else []),
        ]

    def blocks(self) -> list[Block]:
        """Return the headline, and the tables where there are probabilities."""
        return [self.headline, *(self.tables() if self.classes else ())]

    def to_dict(self) -> Any:
        """Return it without the pixels, as JSON can hold it; None where there are no probabilities."""
        sizes = {"original_size": list(self.original.shape[:2]), "seen_shape": list(self.seen.shape)}
        return {**super().to_dict(), **sizes} if self.classes else None


def _variants(
    model: Model, original: Array, seen: Array, labels: Sequence[str], p: Array
) -> tuple[Variant, ...]:
    """Return the photo as it is and its variants with their predictions."""
    names, changed = photo_variants(original, seen.shape)
    best = int(p.argmax())
    return tuple(
        Variant(name, pixels, labels[int(row.argmax())], float(row[best]))
        for name, pixels, row in zip(
            ["as it is", *names], [seen, *changed], [p, *model.predict_proba(changed)], strict=True
        )
    )


def _in_words(model: Model, predicted: Any) -> str:
    """Return the prediction of a model without probabilities, or of several labels or quantities."""
    if model._loss.kind == "classification":
        return model.classes[int(predicted)] if model.classes else str(predicted)
    if model._loss.kind == "multi_label":
        names = model.classes or tuple(str(i) for i in range(len(predicted)))
        return (
            ", ".join(name for name, yes in zip(names, predicted, strict=True) if yes) or "none of the labels"
        )
    return ", ".join(f"{value:.4g}" for value in np.ravel(predicted))
