"""Array aliases, the letters of shapes, and how samples are counted and selected.

Letters: ``m`` samples, ``n_in`` and ``n_out`` widths, ``k`` classes, ``h`` and ``w`` pixels, ``c`` channels,
``p`` parameters. Rows are samples everywhere except in :mod:`pellucid.textbook`.
"""

from collections.abc import Callable, Mapping
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


def is_image_shape(shape: Any, smallest: int = 1) -> bool:
    """Return whether a sample of this shape is an image: (h, w), or (h, w, c) of 1, 3 or 4 channels.

    Examples
    --------
    >>> is_image_shape((8, 8, 3)), is_image_shape((8, 8)), is_image_shape((8, 8, 2)), is_image_shape({"a": (8, 8)})
    (True, True, False, False)
    """
    if not isinstance(shape, tuple) or len(shape) not in (2, 3):
        return False
    return min(shape[:2]) >= smallest and shape[2:] in ((), (1,), (3,), (4,))


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


def with_prefix(prefix: str, arrays: Mapping[str, Array]) -> dict[str, Array]:
    """Return the arrays whose names begin so, by the rest of their names.

    Examples
    --------
    >>> [*with_prefix("state/", {"state/mean": np.zeros(1), "theta": np.zeros(2)})]
    ['mean']
    """
    return {key.removeprefix(prefix): array for key, array in arrays.items() if key.startswith(prefix)}


class LayerRow(NamedTuple):
    """One line of a model's summary: a layer, or a structure above those inside it."""

    name: str  # unique in the model, "dense_1"; for a node of a graph, the node's name
    kind: str  # class name, "Dense", or how a node joins its sources
    activation: str  # "relu", or "" where there is none
    output_shape: Any  # of one sample; of a graph with several outputs, by name
    n_params: int  # its own, without those inside it
    n_operations: int  # its own, of one sample's forward pass: multiplications and additions
    depth: int = 0  # how many structures it is inside of, the model itself not counted
    label: str = ""  # its name, with its role in the structure around it: "shortcut: conv2d_3"
    activation_bytes: int = 0  # of one sample's output; 0 where it is the output of another layer
    parameter_bytes: int = 0
    is_structure: bool = False
    is_frozen: bool = False
