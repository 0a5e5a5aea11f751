"""The records that hold data: samples with their labels, and a data set in its two parts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from pellucid.data.gaps import input_array, plain_array
from pellucid.data.labels import numbered, renumbered
from pellucid.data.readers.picture_modes import UNKNOWN, White
from pellucid.data.readers.table_schema import TableSchema
from pellucid.data.show import dataset_html, in_words, split_html
from pellucid.data.stored.base import StoredArray, choose_rows
from pellucid.errors import CallError, DataError, UnknownAttributeError
from pellucid.text import kind_of, placed
from pellucid.text_blocks import frame_of
from pellucid.types import Array, is_image_shape, map_arrays, n_rows, take_rows

if TYPE_CHECKING:
    from matplotlib.axes import Axes


TWO_PARTS = "It has two parts, data.train and data.test, each with X and y"


@dataclass(frozen=True, eq=False)
class Dataset:
    """Samples with their labels.

    Attributes
    ----------
    X : Array, shape (m, ...)
        Inputs; images are ``(m, height, width, channels)`` and stay uint8 until a model prepares them. Loaded with
        ``on_disk``, a :class:`~pellucid.data.stored.base.StoredArray`, of which rows are read when asked for.
    y : Array, shape (m,)
        Integer labels, indices into ``classes``; names of classes become such. Multi-label: 0 and 1, shape (m, k),
        a column per class. Regression: floats, and no classes.
    classes : tuple of str
        The name of each class; empty where the data has none.
    noun : str, optional
        What one sample is called in sentences: "row", "digit"; default: "photo" for coloured pictures, "picture"
        for grey ones, else "sample".
    groups : Array, shape (m,), optional
        A number for each sample, the same for those that belong together, such as photos of one cat: no fold and no
        held-out part gets some of a group without the others.
    files : Array of str, shape (m,), optional
        The file of each sample, where every sample is one: its path below the folder that was read.
    white : White, optional
        The value of white of the floating-point and of the 32-bit grey pictures among them; a model keeps it, and
        reads others by it.

    Examples
    --------
    >>> Dataset(np.zeros((3, 8, 8, 3), np.uint8), np.array([0, 1, 1]), ("non-cat", "cat"))
    Dataset(3 samples of 8 × 8 × 3, uint8: 1 non-cat, 2 cat)
    >>> Dataset(np.eye(3), ["b", "a", "b"])[1:]
    Dataset(2 samples of 3, float64: 1 a, 1 b)
    >>> Dataset(np.zeros((3, 8, 8, 3), np.uint8), np.array([0, 1, 1])).noun, Dataset(np.eye(2), np.eye(2)).noun
    ('photo', 'sample')
    """

    X: Array
    y: Array
    classes: tuple[str, ...] = ()
    noun: str = ""
    groups: Array | None = None
    files: Array | None = None
    white: White = UNKNOWN

    def __post_init__(self) -> None:
        for name, value in (("X", self.X), ("y", self.y)):
            object.__setattr__(self, name, map_arrays(partial(_array, name), value))
        if isinstance(self.X, dict) and len({len(part) for part in self.X.values()}) > 1:
            found = ", ".join(f"{name}: {len(part)}" for name, part in self.X.items())
            raise DataError(f"Dataset: expected every input to have the same samples, got {found} of them.")
        if isinstance(self.y, np.ndarray) and self.y.dtype.kind in "OUS":
            y, classes = numbered(self.y, self.classes, "Dataset: y")
            object.__setattr__(self, "y", y)
            object.__setattr__(self, "classes", classes)
        if not self.noun:
            is_grey = self.has_pictures and self.X.shape[3:] in ((), (1,))
            default = "picture" if is_grey else "photo" if self.has_pictures else "sample"
            object.__setattr__(self, "noun", default)

    def __len__(self) -> int:
        return n_rows(self.X)

    def __getitem__(self, rows: Any) -> Any:
        """Return one sample with its label, as a pair, or several as a new Dataset: see :meth:`take`."""
        if not isinstance(rows, int | np.integer) or isinstance(rows, bool):
            return self.take(_checked_rows(rows, len(self)))
        if not -len(self) <= rows < len(self):
            raise DataError(f"Dataset: expected a number below {len(self)}, that of the samples, got {rows}.")
        return take_rows(self.X, rows), take_rows(self.y, rows)

    def __iter__(self) -> Iterator[Any]:
        """Refuse: whether its two arrays or its samples are meant is not clear."""
        raise CallError(
            "Dataset: its arrays are data.X and data.y (X, y = data.X, data.y); its samples one by one are "
            "zip(data.X, data.y)."
        )

    if not TYPE_CHECKING:  # a type checker finds unknown names itself

        def __getattr__(self, name: str) -> Any:
            raise UnknownAttributeError("Dataset", name, self, kind="data")

    def __repr__(self) -> str:
        return f"Dataset({in_words(self)})"

    def _repr_html_(self) -> str:
        """Return the first samples and a description of the data, for a notebook."""
        return dataset_html(self)

    def plot(self, n: int = 25, *, predicted: Any = None, ax: Any = None) -> Axes:
        """Draw the data and return the matplotlib axes.

        Pictures are drawn with their labels; points in the plane by class; of other tables, how many samples each
        class has, or how the target is distributed.

        Parameters
        ----------
        n : int, optional
            Pictures drawn, from the first on.
        predicted : array_like, shape (m,), optional
            Of pictures: the class that a model predicts for each, as ``model.predict`` returns it; it is written
            below the label, red where it is another.
        ax : matplotlib.axes.Axes, optional
            Where to draw. Default: new axes.

        Examples
        --------
        >>> from matplotlib.figure import Figure
        >>> data = Dataset(np.zeros((3, 8, 8, 3), np.uint8), np.array([0, 1, 1]), ("non-cat", "cat"))
        >>> [text.get_text() for text in data.plot(ax=Figure().add_subplot()).texts]
        ['non-cat', 'cat', 'cat']
        >>> [text.get_text() for text in data.plot(predicted=[0, 0, 1], ax=Figure().add_subplot()).texts][1]
        'cat\\n→ non-cat'
        """
        from pellucid.plotting.plot_samples import draw_samples  # when a picture is asked for

        return draw_samples(self, n, ax, predicted)

    def take(self, rows: Array | slice) -> Dataset:
        """Return the chosen samples as a new Dataset; what stays in its file stays there."""
        groups, files = (None if its is None else its[rows] for its in (self.groups, self.files))
        return replace(
            self, X=choose_rows(self.X, rows), y=take_rows(self.y, rows), groups=groups, files=files
        )

    def split(self, test_fraction: float = 0.2, *, seed: int = 1) -> Split:
        """Hold out a part of the samples, stratified by class; copies and groups stay on one side.

        Examples
        --------
        >>> data = Dataset(np.arange(20.0).reshape(10, 2), np.arange(10) % 2, ("cat", "dog"))
        >>> [len(part) for part in data.split(0.4)]
        [6, 4]
        """
        from pellucid.data.validate import hold_out

        return hold_out(self, name="data", seed=seed, test_fraction=test_fraction)

    def to_frame(self) -> Any:
        """Return a pandas table: a row for each sample, with its features (of a table), its file, and its label.

        Raises
        ------
        MissingExtraError
            If pandas is not installed.
        """
        if isinstance(self.X, dict) or isinstance(self.y, dict):
            raise DataError("to_frame: expected one array of inputs and one of labels, got several by name.")
        columns: dict[str, Any] = {} if self.files is None else {"file": self.files}
        if self.X.ndim == 2:
            columns |= {f"x{j + 1}": x for j, x in enumerate(self.X.T)}
        names = self.y.ndim == 1 and self.classes
        labels = np.array(self.classes)[self.y] if names else self.y
        columns |= (
            {"y": labels} if self.y.ndim == 1 else {f"y{j + 1}": labels[:, j] for j in range(labels.shape[1])}
        )
        rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
        return frame_of(rows, "data.to_frame", "data.X and data.y")

    def file(self, i: int) -> str:
        """Return the file of sample i, below the folder that was read; "" where samples are no files.

        Examples
        --------
        >>> Dataset(np.eye(2), np.eye(2), files=np.array(["cat/tom.jpg", "dog/rex.jpg"])).file(1)
        'dog/rex.jpg'
        """
        return "" if self.files is None else str(self.files[i])

    @property
    def has_pictures(self) -> bool:
        """Whether the samples are pictures: (h, w, channels), or grey ones of bytes, (h, w)."""
        X = self.X
        return (
            not isinstance(X, dict) and is_image_shape(X.shape[1:]) and (X.ndim == 4 or X.dtype == np.uint8)
        )

    @property
    def counts(self) -> Array:
        """The number of samples of each class, shape (k,); empty for regression."""
        if isinstance(self.y, dict) or self.y.dtype.kind == "f":
            return np.zeros(0, np.int64)
        if self.y.ndim == 2:
            return self.y.sum(axis=0)
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

    def __post_init__(self) -> None:
        """Number the classes of the test part as those of the training part, where it names no others."""
        train, test = self.train.classes, self.test.classes
        if train and test and test != train and set(test) <= set(train):
            y = renumbered(self.test.y, test, train, "Split: test")
            object.__setattr__(self, "test", replace(self.test, y=y, classes=train))

    def __iter__(self) -> Iterator[Dataset]:
        """Yield both parts: ``train, test = data``."""
        return iter((self.train, self.test))

    def __bool__(self) -> bool:
        return True

    def __len__(self) -> int:
        raise CallError(f"Split: {TWO_PARTS}: len(data.train), len(data.test).")

    def __getitem__(self, rows: Any) -> Any:
        raise CallError(f"Split: {TWO_PARTS}. Try data.train[{rows!r}].")

    if not TYPE_CHECKING:  # a type checker finds unknown names itself

        def __getattr__(self, name: str) -> Any:
            raise UnknownAttributeError("Split", name, self, kind="split")

    def __repr__(self) -> str:
        return f"Split({self.name!r}, train: {in_words(self.train)}; test: {in_words(self.test)})"

    def _repr_html_(self) -> str:
        """Return the first samples of each part, the counts and a description, for a notebook."""
        return split_html(self)

    def plot(self, n: int = 25, *, ax: Any = None) -> Axes:
        """Draw the training part and return the matplotlib axes: see :meth:`Dataset.plot`."""
        return self.train.plot(n, ax=ax)

    def place(self, part: str, i: int) -> str:
        """Return where sample i of the "training" or the "test" part is: its number, behind its file if it is one.

        Examples
        --------
        >>> data = Dataset(np.eye(2), np.arange(2), ("cat", "dog"), files=np.array(["cat/tom.jpg", "dog/rex.jpg"]))
        >>> Split(data, data).place("test", 1)
        'dog/rex.jpg (test sample 1)'
        """
        return placed(f"{part} {self.noun} {i}", (self.train if part == "training" else self.test).file(i))

    @property
    def noun(self) -> str:
        """What one sample is called in sentences: "photo", "drawing", "digit", "row"."""
        return self.train.noun

    @property
    def classes(self) -> tuple[str, ...]:
        """The name of each class."""
        return self.train.classes


def _checked_rows(rows: Any, m: int) -> Any:
    """Return what chooses samples of an array; DataError for anything else."""
    with suppress(IndexError, TypeError, ValueError):
        if np.empty(m, bool)[rows].ndim == 1:
            return rows
    got = repr(rows) if isinstance(rows, str) else kind_of(rows)
    raise DataError(
        f"Dataset: expected the numbers of samples, all below {m}, a slice or a mask, got {got}. Samples are "
        "data.X, labels data.y."
    )


def _array(name: str, value: Any) -> Array:
    """Return an array, or anything that NumPy takes for one, as a array without gaps; DataError for all else."""
    if type(value) is np.ndarray and value.dtype.kind in "biu":  # which can have no gaps
        return value
    if name == "X" and isinstance(value, StoredArray):
        return value  # type: ignore[return-value]
    if hasattr(value, "__array_ufunc__") and not hasattr(value, "__array__"):
        return value  # it applies NumPy's functions itself, as the rows of a sparse matrix do
    if isinstance(value, np.ndarray | list | tuple) or (hasattr(value, "__array__") and np.ndim(value)):
        return (input_array if name == "X" else plain_array)(value, f"Dataset: {name}")
    raise DataError(
        f"Dataset: expected {name} to be an array, or a dictionary of arrays, got {kind_of(value)}. "
        f"Try np.asarray({name})."
    )
