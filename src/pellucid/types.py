"""Array aliases, the letters of shapes, and how samples are counted and taken.

Letters: ``m`` samples, ``n_in`` and ``n_out`` widths, ``k`` classes, ``h`` and ``w`` pixels, ``c`` channels,
``p`` parameters. Rows are samples everywhere except in :mod:`pellucid.textbook`.
"""

from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

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


class LayerRow(NamedTuple):
    """One line of a model's summary: what a figure or table needs to know of a layer."""

    name: str  # unique in the model, "dense_1"
    kind: str  # class name, "Dense"
    activation: str  # "relu", or "" where there is none
    output_shape: Shape  # without the samples axis
    n_params: int
    n_operations: int  # of one sample's forward pass, multiplications and additions counted apart
