"""Array aliases, the letters of shapes, and the records that data travels in.

Letters: ``m`` samples, ``n_in`` and ``n_out`` widths, ``k`` classes, ``h`` and ``w`` pixels, ``c`` channels,
``p`` parameters. Rows are samples everywhere except in :mod:`pellucid.textbook`.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[Any]
Shape: TypeAlias = tuple[int, ...]


def n_rows(arrays: Any) -> int:
    """Return the number of samples of an array, or of several by name.

    Examples
    --------
    >>> n_rows({"photo": np.zeros((5, 8)), "facts": np.zeros((5, 2))})
    5
    """
    return len(next(iter(arrays.values()))) if isinstance(arrays, dict) else len(arrays)


def take_rows(arrays: Any, rows: Any) -> Any:
    """Return the chosen samples of an array, or of several by name.

    Examples
    --------
    >>> take_rows({"a": np.arange(4)}, slice(1, 3))
    {'a': array([1, 2])}
    """
    return map_arrays(lambda array: array[rows], arrays)


def map_arrays(function: Callable[[Array], Any], arrays: Any) -> Any:
    """Return the function of an array, or a dictionary of it for several by name."""
    if isinstance(arrays, dict):
        return {name: function(array) for name, array in arrays.items()}
    return function(arrays)


@dataclass(frozen=True, eq=False)
class Dataset:
    """Samples with their labels.

    Attributes
    ----------
    X : Array, shape (m, ...)
        Inputs; images are ``(m, height, width, channels)`` and stay uint8 until a model prepares them.
    y : Array, shape (m,)
        Integer labels, indices into ``classes``. Of several yes-or-no questions: 0 and 1, shape (m, k), a column
        a class. Of quantities: floats, and no classes.
    classes : tuple of str
        The name of each class; empty where the data has none.
    """

    X: Array
    y: Array
    classes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return n_rows(self.X)

    def take(self, rows: Array | slice) -> "Dataset":
        """Return the chosen samples as a new Dataset."""
        return replace(self, X=take_rows(self.X, rows), y=take_rows(self.y, rows))

    @property
    def counts(self) -> Array:
        """The number of samples of each class, shape (k,); of quantities none."""
        if self.y.dtype.kind == "f":
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
        As the user would write it on the command line.
    notes : tuple of str
        What was done to the data on the way in, in words: a held-out part, files skipped.
    schema : TableSchema or None
        Of a table: how its columns became numbers. A model keeps it, to read other tables likewise.
    """

    train: Dataset
    test: Dataset
    name: str = ""
    notes: tuple[str, ...] = field(default=())
    schema: Any = None  # a pellucid.data.readers.table_schema.TableSchema, of a floor above this one

    @property
    def classes(self) -> tuple[str, ...]:
        """The name of each class."""
        return self.train.classes


class LayerRow(NamedTuple):
    """One line of a model's summary: what a figure or table needs to know of a layer."""

    name: str  # unique in the model, "dense_1"
    kind: str  # class name, "Dense"
    activation: str  # "relu", or "" where there is none
    output_shape: Shape  # without the samples axis
    n_params: int
    n_operations: int  # of one sample's forward pass, multiplications and additions counted apart
