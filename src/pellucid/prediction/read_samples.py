"""What a model predicts for images, or for the rows of a table: batch by batch, so that any number of them fits."""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from pellucid.data.input_spec import white_seen
from pellucid.data.novelty import Novelty
from pellucid.data.readers.images import check_takes_images, read_sample
from pellucid.data.readers.listing import TABLES, NamedImages, listed_images
from pellucid.data.readers.reading import fill_rows
from pellucid.data.stored.base import choose_rows
from pellucid.dispatch import use_for
from pellucid.errors import DataError, OptionError
from pellucid.nn.model import Model, probabilities, read
from pellucid.progress import CountCallback
from pellucid.text import join_some, percent, plural
from pellucid.text_blocks import Result
from pellucid.types import Array, n_rows

PIECE = 256  # samples of a batch, at most
PIECE_BYTES = 2**27  # of a batch of images, at most
STDIN = "-"

Image = str | Path | bytes  # bytes: the content of a file, from standard input


@dataclass(frozen=True)
class Prediction:
    """What a model predicts for one sample.

    Attributes
    ----------
    sample : str or int
        An image as it was named, or the number of a row.
    label : str
        The most probable class; empty of a model of quantities.
    probability : float
        Of that class.
    classes : dict of str to float
        Every class with its probability.
    labels : tuple of str or None
        Of a model of several yes-or-no questions: those answered yes.
    value : float or list of float or None
        Of a model of quantities.
    novelty : Novelty or None
        How unusual a photo is among the training photos, of a model with a pretrained body.
    """

    sample: str | int
    label: str = ""
    probability: float = 1.0
    classes: dict[str, float] = field(default_factory=dict)
    labels: tuple[str, ...] | None = None
    value: Any = None
    novelty: Novelty | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the prediction as JSON can hold it."""
        of: dict[str, Any] = {"row" if isinstance(self.sample, int) else "image": self.sample}
        if self.novelty is not None:
            of |= {"is_unlike": self.novelty.is_unlike, "novelty_p": self.novelty.p_value}
        if self.value is not None:
            return {**of, "value": self.value}
        if self.labels is not None:
            return {**of, "labels": list(self.labels), "classes": self.classes}
        return {**of, "label": self.label, "probability": self.probability, "classes": self.classes}

    def to_row(self) -> dict[str, Any]:
        """Return the prediction as a row of a table has it: no cell but ``labels`` holds a list."""
        row = self.to_dict()
        values, classes = row.pop("value", []), row.pop("classes", {})
        if isinstance(values, list):
            row |= {f"value {i}": value for i, value in enumerate(values, 1)}
        else:
            row["value"] = values
        return row | {f"p({name})": p for name, p in classes.items()}

    def in_words(self, *, is_brief: bool = False) -> str:
        """Return the prediction as a line shows it; brief: without probabilities."""
        if self.novelty is not None and self.novelty.is_alarm and not is_brief:
            return f"{replace(self, novelty=None).in_words()}. {self.novelty.headline()}"
        if self.value is not None:
            return str(self.value)
        labels = (self.label,) if self.labels is None else self.labels
        sure = {name: "" if is_brief else f" ({percent(self.classes[name], 1)})" for name in labels}
        return ", ".join(f"{name}{p}" for name, p in sure.items()) or f"none of {', '.join(self.classes)}"


class Encoded(NamedTuple):
    """Predictions as an output has them, made in another process."""

    content: bytes
    n: int

    def __len__(self) -> int:
        return self.n


@dataclass(frozen=True)
class PredictedSamples(Result):
    """What a model predicts for samples.

    Attributes
    ----------
    predictions : tuple of Prediction
        In the order of the samples.
    notes : tuple of str
        What to mind about the files.
    faults : dict of str to str
        What is wrong with each image that could not be read.
    """

    predictions: tuple[Prediction, ...]
    notes: tuple[str, ...] = ()
    faults: dict[str, str] = field(default_factory=dict)

    columns = ("sample", "prediction")

    def __len__(self) -> int:
        return len(self.predictions)

    def __getitem__(self, i: int) -> Prediction:
        return self.predictions[i]

    @property
    def headline(self) -> str:
        """How many samples there are, and how many of each class, or between which values."""
        unread = f" {plural(len(self.faults), 'image')} cannot be read." if self.faults else ""
        if self.predictions[0].value is not None:
            values = np.concatenate([np.ravel(each.value) for each in self.predictions])
            found = f"from {values.min():.6g} to {values.max():.6g}"
        else:
            counts = Counter(
                label
                for each in self.predictions
                for label in ((each.label,) if each.labels is None else each.labels or ("no label",))
            )
            found = join_some([f"{n} {label}" for label, n in counts.most_common()])
        return f"{plural(len(self), 'prediction')}: {found}.{unread}"

    def to_rows(self) -> list[dict[str, Any]]:
        """Return a row for each sample: its name, what is predicted, and each class's probability, ``p(cat)``."""
        return [each.to_row() for each in self.predictions]

    def blocks(self) -> list[Any]:
        """Return headline, a line for each sample, and notes."""
        lines = [(each.sample, each.in_words()) for each in self.predictions]
        return [self.headline, (self.columns, lines), *self.notes, *self.faults.values()]

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON can hold it."""
        found = [each.to_dict() for each in self.predictions]
        faults = [{"image": name, "error": error} for name, error in self.faults.items()]
        return {"predictions": found, "notes": list(self.notes), "faults": faults}


def predict_samples(model: Model, X: Array, samples: Sequence[str | int]) -> list[Prediction]:
    """Return what a model predicts for samples, in one pass.

    Parameters
    ----------
    model : Model
        Of classes, labels or quantities.
    X : Array, shape (m, ...)
        As the data have it; the model prepares it.
    samples : sequence of str or int, length m
        What each is called.

    Raises
    ------
    ShapeError
        If the model takes samples of another shape.
    OptionError
        If the model's loss gives no probabilities, or it has several outputs.
    """
    if model._loss.kind == "joint":
        raise OptionError(
            "predict: the model has several outputs. Take model.predict, which returns each by name."
        )
    if model._loss.kind != "regression":
        model._check_probabilities()
    Z, features = model._outputs_and_features(X)
    Z = Z[:, 0] if Z.shape[1:] == (1,) else Z
    novelties: Sequence[Novelty | None] = [None] * len(samples)
    if features is not None and model._novelty is not None:
        novelties = model._novelty.judge(np.asarray(X), features)
    if model._loss.kind == "regression":
        values = read(model._loss, Z).tolist()
        return [
            Prediction(sample, value=value, novelty=novelty)
            for sample, value, novelty in zip(samples, values, novelties, strict=True)
        ]
    P = probabilities(model._loss, Z)
    names = model.classes or tuple(str(label) for label in range(P.shape[1]))
    found = []
    for sample, row, novelty in zip(samples, P, novelties, strict=True):
        best = int(np.argmax(row))
        classes = {name: float(p) for name, p in zip(names, row, strict=True)}
        yes = tuple(name for name, p in classes.items() if p > 0.5)
        labels = yes if model._loss.kind == "multi_label" else None
        found.append(Prediction(sample, names[best], float(row[best]), classes, labels, novelty=novelty))
    return found


class Batch(NamedTuple):
    """What a model predicts for some samples that follow one another."""

    predictions: Any  # a list of Prediction, or Encoded
    faults: dict[str, DataError]  # what is wrong with each image that cannot be read


def image_batches(
    model: Model,
    images: Iterable[Image],
    *,
    is_left_out: Callable[[str], bool] = lambda name: False,
    progress: CountCallback | None = None,
    total: int = 0,
) -> Iterator[Batch]:
    """Yield what a model predicts for images of any size and kind that Pillow opens, in their order.

    Parameters
    ----------
    model : Model
        Of images.
    images : iterable of str, Path or bytes
        Taken one batch at a time: names may still be coming.
    is_left_out : callable, optional
        Tells of a name whether to leave it out.
    progress : callable, optional
        Called with the number of images read and their number.
    total : int, optional
        Their number, where it is known.

    Raises
    ------
    ShapeError
        If the model does not take images.
    """
    check_takes_images(model.input_shape)
    size = max(1, min(PIECE, PIECE_BYTES // math.prod(model.input_shape)))
    rest, n_before = iter(images), 0
    while piece := list(islice(rest, size)):
        kept = [image for image in piece if not is_left_out(_name(image))]
        n_before += len(piece) - len(kept)
        if kept:
            with use_for(float(max(total, len(kept))) * model._n_operations):
                batch = _image_batch(model, kept, partial(_count, progress, n_before, total))
            yield batch
        n_before += len(kept)


def _image_batch(model: Model, images: Sequence[Image], progress: CountCallback) -> Batch:
    X = np.empty((len(images), *model.input_shape), np.uint8)
    rows = fill_rows(X, partial(_read, images, model), progress)
    named = [_name(images[i]) for i in rows.found]
    found = predict_samples(model, X[: len(named)], named) if named else []
    return Batch(found, {_name(images[i]): error for i, error in rows.faults.items()})


def _read(images: Sequence[Image], model: Model, i: int) -> tuple[Array, None]:
    return read_sample(images[i], model.input_shape, white_seen(model.inputs_seen)), None


def _name(image: Image) -> str:
    return STDIN if isinstance(image, bytes) else str(image)


def _count(progress: CountCallback | None, before: int, total: int, done: int, of: int) -> None:
    if progress is not None:
        progress(before + done, total)


class Samples(NamedTuple):
    """What a model is to predict."""

    of: str  # "image" or "row"
    batches: Callable[[Callable[[Any], bool]], Iterator[Batch]]  # given which samples, by name, to leave out
    notes: tuple[str, ...]
    images: Iterable[Image] = ()
    total: int = 0  # of the images, where it is known


def samples_of(
    model: Model,
    files: Sequence[str | Path],
    *,
    stdin: BinaryIO | None = None,
    separator: bytes = b"\n",
    progress: CountCallback | None = None,
) -> Samples:
    """Return the samples that files stand for.

    Parameters
    ----------
    model : Model
    files : sequence of str or Path
        Images; folders, whose images are taken with those of their sub-folders; patterns such as ``photos/*.jpg``;
        "-" for what ``stdin`` lists or holds; or one .csv, .tsv or .parquet file.
    stdin : binary file, optional
    separator : bytes, optional
        Between names on ``stdin``.
    progress : callable, optional
        Called with the number of images read and their number, 0 where it is not known.

    Raises
    ------
    DataError, ShapeError
        If there are none, or they do not fit the model.
    """
    if len(files) == 1 and Path(files[0]).suffix.lower() in TABLES:
        return _rows(model, Path(files[0]))
    check_takes_images(model.input_shape)
    parts: list[Iterable[Image]] = []
    total = n_others = 0
    is_known = True
    for name in files:
        if stdin is not None and str(name) == STDIN:
            parts.append(listed_images(stdin, separator))
            is_known = False
            continue
        named = NamedImages([name])  # counted here, and listed again when their turn comes: names take memory
        total += sum(1 for _ in named)
        n_others += named.n_others
        parts.append(named)
    note = f"{plural(n_others, 'file')} in the folders not used: no images by their names"
    images, total = chain.from_iterable(parts), total * is_known
    return Samples(
        "image",
        lambda is_left_out: image_batches(
            model, images, is_left_out=is_left_out, progress=progress, total=total
        ),
        (note,) * bool(n_others),
        images,
        total,
    )


def _rows(model: Model, path: Path) -> Samples:
    """Return the rows of a table."""
    if model._schema is None:
        raise DataError(
            f"{path}: the model was trained on {model.input_shape}, not on a table; give it images."
        )
    found = model._schema.encode(path, with_target=False)
    return samples_in(model, found.X, found.notes, first=1)


def samples_in(model: Model, X: Any, notes: tuple[str, ...] = (), *, first: int = 0) -> Samples:
    """Return the samples of arrays, each called by its number, from ``first`` on; DataError if there are none."""
    if n_rows(X) == 0:
        raise DataError("predict: expected at least one sample, got none.")

    def batches(is_left_out: Callable[[int], bool]) -> Iterator[Batch]:
        rows = [i for i in range(n_rows(X)) if not is_left_out(i + first)]
        for start in range(0, len(rows), PIECE):
            piece = rows[start : start + PIECE]
            yield Batch(predict_samples(model, choose_rows(X, piece), [i + first for i in piece]), {})

    return Samples("row", batches, notes)


def none_read(first: DataError, n: int) -> DataError:
    """Return the error where not one of n images can be read."""
    return first if n == 1 else DataError(f"none of {n} images can be read; {first}")


def collect(samples: Samples) -> PredictedSamples:
    """Return all batches as one; DataError if no image can be read."""
    found: list[Prediction] = []
    faults: dict[str, DataError] = {}
    for batch in samples.batches(lambda sample: False):
        found += batch.predictions
        faults |= batch.faults
    if faults and not found:
        raise none_read(next(iter(faults.values())), len(faults))
    return PredictedSamples(tuple(found), samples.notes, {name: str(error) for name, error in faults.items()})
