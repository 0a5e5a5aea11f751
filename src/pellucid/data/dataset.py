"""The records that hold data: samples with their labels, and a data set in its two parts."""

import base64
import html
import io
from dataclasses import dataclass, field, replace

import numpy as np

from pellucid.data.readers.table_schema import TableSchema
from pellucid.errors import DataError
from pellucid.text import by, join, kind_of, shorten
from pellucid.types import Array, Shape, n_rows, take_rows

SHOWN = 12  # pictures in a notebook
SIDE = 64  # pixels of each


@dataclass(frozen=True, eq=False)
class Dataset:
    """Samples with their labels.

    Attributes
    ----------
    X : Array, shape (m, ...)
        Inputs; images are ``(m, height, width, channels)`` and stay uint8 until a model prepares them.
    y : Array, shape (m,)
        Integer labels, indices into ``classes``. Multi-label: 0 and 1, shape (m, k), a column per class.
        Regression: floats, and no classes.
    classes : tuple of str
        The name of each class; empty where the data has none.
    noun : str, optional
        What one sample is called in sentences: "row", "digit"; default: "photo" for coloured pictures, "picture"
        for grey ones, else "sample".

    Examples
    --------
    >>> Dataset(np.zeros((3, 8, 8, 3), np.uint8), np.array([0, 1, 1]), ("non-cat", "cat"))
    Dataset(3 samples of 8 × 8 × 3, uint8: 1 non-cat, 2 cat)
    >>> Dataset(np.zeros((3, 8, 8, 3), np.uint8), np.array([0, 1, 1])).noun, Dataset(np.eye(2), np.eye(2)).noun
    ('photo', 'sample')
    """

    X: Array
    y: Array
    classes: tuple[str, ...] = ()
    noun: str = ""

    def __post_init__(self) -> None:
        for name, value in (("X", self.X), ("y", self.y)):
            for array in value.values() if isinstance(value, dict) else (value,):
                if not hasattr(array, "shape") or not hasattr(array, "dtype"):
                    raise DataError(
                        f"Dataset: expected {name} to be an array, or a dictionary of arrays, "
                        f"got {kind_of(array)}. Try np.asarray({name})."
                    )
        if not self.noun:
            is_grey = self.has_pictures and self.X.shape[3:] in ((), (1,))
            default = "picture" if is_grey else "photo" if self.has_pictures else "sample"
            object.__setattr__(self, "noun", default)

    def __len__(self) -> int:
        return n_rows(self.X)

    def __repr__(self) -> str:
        return f"Dataset({_in_words(self)})"

    def _repr_html_(self) -> str:
        """Return the first pictures and a description of the data, for a notebook."""
        return f"{_pictures(self)}<p>{html.escape(_in_words(self))}</p>"

    def take(self, rows: Array | slice) -> "Dataset":
        """Return the chosen samples as a new Dataset."""
        return replace(self, X=take_rows(self.X, rows), y=take_rows(self.y, rows))

    @property
    def has_pictures(self) -> bool:
        """Whether the samples are pictures: (h, w, channels), or grey ones of bytes, (h, w)."""
        X = self.X
        if isinstance(X, dict) or X.ndim not in (3, 4) or 0 in X.shape[1:]:
            return False
        return X.shape[3:] in ((1,), (3,), (4,)) or (X.ndim == 3 and X.dtype == np.uint8)

    @property
    def counts(self) -> Array:
        """The number of samples of each class, shape (k,); empty for regression."""
        if isinstance(self.y, dict) or self.y.dtype.kind == "f":
            return np.zeros(0, np.int64)
        if self.y.ndim == 2:
            yes: Array = self.y.sum(axis=0)
            return yes
        return np.bincount(self.y, minlength=len(self.classes))


@dataclass(frozen=True, eq=False)
class Split:
    """A data set in its two parts.

    Attributes
    ----------
    train, test : Dataset
    name : str
        As on the command line.
    notes : tuple of str
        What was done to the data while loading: a held-out part, files skipped.
    schema : TableSchema or None
        For a table: how its columns became numbers. A model keeps it, to read other tables in the same way.
    """

    train: Dataset
    test: Dataset
    name: str = ""
    notes: tuple[str, ...] = field(default=())
    schema: TableSchema | None = None

    def __repr__(self) -> str:
        return f"Split({self.name!r}, train: {_in_words(self.train)}; test: {_in_words(self.test)})"

    def _repr_html_(self) -> str:
        """Return the first pictures of each part and a description, for a notebook."""
        parts = (("Training part", self.train), ("Test part", self.test))
        shown = "".join(f"<h4>{title}</h4>{data._repr_html_()}" for title, data in parts)
        notes = "".join(f"<li>{html.escape(note)}</li>" for note in self.notes)
        return f"{shown}<ul>{notes}</ul>" if notes else shown

    @property
    def noun(self) -> str:
        """What one sample is called in sentences: "photo", "drawing", "digit", "row"."""
        return self.train.noun

    @property
    def classes(self) -> tuple[str, ...]:
        """The name of each class."""
        return self.train.classes


def _in_words(data: Dataset) -> str:
    """Return how many samples there are, of what shape and dtype, and how many of each class."""
    inputs = data.X if isinstance(data.X, dict) else {"": data.X}
    shapes = join(
        [f"{name} {by(X.shape[1:]) or 'one number'}, {X.dtype}".strip() for name, X in inputs.items()]
    )
    counts = [f"{n} {shorten(name, 30)}" for n, name in zip(data.counts.tolist(), data.classes, strict=False)]
    more = f" and {len(counts) - SHOWN} more classes" if len(counts) > SHOWN else ""
    return f"{len(data)} samples of {shapes}" + (f": {', '.join(counts[:SHOWN])}{more}" if counts else "")


def _pictures(data: Dataset) -> str:
    """Return the first pictures side by side as an HTML image; "" where the samples are not pictures."""
    from PIL import Image

    X = data.X
    if (
        not isinstance(X, np.ndarray)
        or not _is_picture(X.shape[1:])
        or X.dtype.kind not in "buif"
        or not len(X)
    ):
        return ""
    pixels = X[:SHOWN]
    if pixels.dtype != np.uint8:
        values = np.nan_to_num(pixels.astype(np.float64), posinf=0.0, neginf=0.0)
        values -= values.min()
        pixels = (values / (values.max() or 1.0) * 255).astype(np.uint8)
    pixels = np.broadcast_to(pixels.reshape(*pixels.shape[:3], -1)[..., :3], (*pixels.shape[:3], 3))
    sheet = Image.new("RGB", (len(pixels) * (SIDE + 2), SIDE), "white")
    for i, picture in enumerate(pixels):
        sheet.paste(Image.fromarray(np.ascontiguousarray(picture)).resize((SIDE, SIDE)), (i * (SIDE + 2), 0))
    file = io.BytesIO()
    sheet.save(file, "PNG")
    return f'<img alt="samples" src="data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}">'


def _is_picture(shape: Shape) -> bool:
    return len(shape) in (2, 3) and shape[2:] in ((), (1,), (3,), (4,)) and min(shape[:2]) >= 4
