"""What a model predicts for images, or for the rows of a table: batch by batch, so that any number of them fits."""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from pellucid.data.input_spec import white_seen
from pellucid.data.readers.images import check_takes_images, read_sample
from pellucid.data.readers.listing import TABLES, NamedImages, listed_images
from pellucid.data.readers.reading import fill_rows
from pellucid.data.stored.base import choose_rows
from pellucid.dispatch import use_for
from pellucid.errors import DataError
from pellucid.nn.model import Model
from pellucid.prediction.predicted import PredictedSamples, Prediction, predict_samples
from pellucid.progress import CountCallback
from pellucid.text import plural
from pellucid.types import n_rows

PIECE = 256  # samples of a batch, at most
PIECE_BYTES = 2**27  # of a batch of images, at most
STDIN = "-"

Image = str | Path | bytes  # bytes: the content of a file, from standard input


class Batch(NamedTuple):
    """What a model predicts for some samples that follow one another."""

    predictions: Any  # a list of Prediction, or Encoded
    faults: dict[str, DataError]  # what is wrong with each image that cannot be read


def image_batches(
    model: Model,
    images: Iterable[Image],
    *,
    is_left_out: Callable[[str], bool] = lambda name: False,
    progress: CountCallback = lambda done, total: None,
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
                batch = _image_batch(model, kept, progress, n_before, total)
            yield batch
        n_before += len(kept)


def _image_batch(
    model: Model, images: Sequence[Image], progress: CountCallback, n_before: int, total: int
) -> Batch:
    X = np.empty((len(images), *model.input_shape), np.uint8)
    shape, white = model.input_shape, white_seen(model.inputs_seen)

    def tell(done: int, _: int) -> None:
        progress(n_before + done, total)

    rows = fill_rows(X, lambda i: (read_sample(images[i], shape, white), None), tell)
    named = [_name(images[i]) for i in rows.found]
    found = predict_samples(model, X[: len(named)], named) if named else []
    return Batch(found, {_name(images[i]): error for i, error in rows.faults.items()})


def _name(image: Image) -> str:
    return STDIN if isinstance(image, bytes) else str(image)


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
    progress: CountCallback = lambda done, total: None,
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
