"""What a replay is of: samples as a model takes them, read from images, a table's row or an array, and labels."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from pellucid.data.gaps import input_array
from pellucid.data.input_spec import white_seen
from pellucid.data.readers.images import check_takes_images, read_sample
from pellucid.data.readers.listing import TABLES, NamedImages
from pellucid.data.readers.table_text import MISSING
from pellucid.errors import DataError, OptionError, ShapeError, unknown_name
from pellucid.formats.outputs import outputs_of
from pellucid.nn.model import Model
from pellucid.progress import CountCallback
from pellucid.text import join_some, plural
from pellucid.types import Array, map_arrays, n_rows

MOST_READ = 1000  # images


class Samples(NamedTuple):
    """Inputs as loaded, with the name of each sample and, of a table's row, its columns and cells."""

    X: Any
    names: tuple[str, ...] = ()
    cells: tuple[Any, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def shown(self) -> dict[str, tuple[Any, ...]]:
        """What the page shows next to the numbers."""
        return {"names": self.names, "cells": self.cells, "notes": self.notes}

    @property
    def title(self) -> str:
        """Their names, else their number."""
        return join_some(self.names, 3) if self.names else plural(n_rows(self.X), "sample")


def read_samples(model: Model, data: Any, row: int, progress: CountCallback) -> Samples:
    """Return samples as a model of that kind takes them."""
    files = [data] if isinstance(data, bytes | str | Path) else data
    if isinstance(files, Sequence) and files and all(isinstance(each, str | Path | bytes) for each in files):
        if len(files) == 1 and not isinstance(files[0], bytes) and Path(files[0]).suffix.lower() in TABLES:
            return _row(model, Path(files[0]), row)
        return _images(model, files, progress)
    X = map_arrays(lambda values: input_array(values, "replay"), data)
    wanted: Any = model.input_shape
    if map_arrays(np.shape, X) == wanted:  # one sample
        X = map_arrays(lambda array: array[None], X)
    got = map_arrays(lambda array: array.shape[1:], X)
    if got != wanted:
        raise ShapeError(f"replay: expected samples of shape {wanted}, as the model takes, got {got}.")
    if n_rows(X) == 0:
        raise DataError("replay: expected at least one sample, got none.")
    return Samples(X)


def _images(model: Model, files: Sequence[Any], progress: CountCallback) -> Samples:
    check_takes_images(model.input_shape)
    listed = ([file] if isinstance(file, bytes) else NamedImages([file]) for file in files)
    images = [image for its in listed for image in its]
    if len(images) > MOST_READ:
        raise DataError(
            f"replay: {len(images):,} images are too many for a page. Name {MOST_READ:,} at most."
        )
    white, arrays = white_seen(model.inputs_seen), []
    for i, image in enumerate(images):
        progress(i, len(images))
        arrays.append(read_sample(image, model.input_shape, white))
    return Samples(
        np.stack(arrays), tuple("image" if isinstance(each, bytes) else Path(each).name for each in images)
    )


def _row(model: Model, path: Path, row: int) -> Samples:
    schema: Any = model._schema
    if schema is None:
        raise DataError(
            f"{path}: the model was trained on {model.input_shape}, not on a table; give it images."
        )
    one = schema.read_row(path, row)
    stands = {name: cells[0] or MISSING for name, cells in zip(one.names, one.columns, strict=True)}
    cells = [(column.name, stands.get(column.name, MISSING)) for column in schema.columns]
    encoded = schema.encode(one, with_target=False)
    return Samples(encoded.X, (f"row {row} of {path.name}",), (cells,), encoded.notes)


def targets_of(model: Model, label: Any, m: int) -> Array:
    """Return the labels of samples as class numbers or quantities."""
    outputs = outputs_of(model)
    if "" not in outputs:
        raise OptionError(
            "replay: the model has several outputs. In Python: pl.replay(model, (X, y)), y a dictionary by output."
        )
    output, n_out = outputs[""], model.output_shape[-1]
    is_of_several = output.kind == "answers" or (output.kind == "values" and n_out > 1)
    if isinstance(label, str) and label not in output.classes:
        label = [part.strip() for part in label.split(",")]
    labels = list(label) if isinstance(label, list | tuple | np.ndarray) else [label]
    if is_of_several and not isinstance(labels[0], list | tuple | np.ndarray):
        labels = [labels]  # of one sample, and so of all
    if len(labels) not in (1, m):
        raise OptionError(
            f"replay: expected one label, or one for each of {plural(m, 'sample')}, got {len(labels)}."
        )
    encode: Any = {"values": _quantities, "answers": _answers}.get(output.kind, _class)
    encoded = [encode(one, output.classes, n_out) for one in labels]
    return np.array(encoded * m if len(labels) == 1 else encoded)


def _quantities(label: Any, classes: tuple[str, ...], n_out: int) -> Any:
    given = label if isinstance(label, list | tuple | np.ndarray) else [label]
    try:
        numbers = [float(one) for one in given]
    except ValueError:
        raise OptionError(f"replay: the model predicts numbers, and the label is {label!r}.") from None
    if len(numbers) != n_out or not np.isfinite(numbers).all():
        raise OptionError(f"replay: expected {plural(n_out, 'finite number')} as the label, got {label!r}.")
    return numbers if n_out > 1 else numbers[0]


def _answers(label: Any, classes: tuple[str, ...], n_out: int) -> list[int]:
    numbers = {_class(one, classes, n_out) for one in label if str(one)}
    return [int(i in numbers) for i in range(len(classes))]


def _class(label: Any, classes: tuple[str, ...], n_out: int) -> int:
    """Return the number of a class by name; OptionError where there is none."""
    if str(label) in classes:
        return classes.index(str(label))
    raise OptionError(f"replay: {unknown_name('class', str(label), classes)}")
