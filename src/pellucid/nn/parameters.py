"""The arrays of a layer or a model to look at: by name, and in words."""

from collections.abc import Iterator, Mapping, MutableMapping
from typing import Any

import numpy as np

from pellucid.errors import OptionError, PellucidError, ShapeError, unknown_name
from pellucid.text_blocks import Table, blocks_as_html, blocks_as_text, shortened
from pellucid.types import Array, Shape

MOST_ROWS = 80  # in a notebook
MOST_NUMBERS = 24  # of an array that is shown in full


class NamedArrays(Mapping[str, "LayerArrays"]):
    """The arrays of a model's layers, by the layer's name and the array's: ``model.params["dense_1"]["W"]``.

    They are views: what is written to one is written to the model.

    Examples
    --------
    >>> from pellucid.nn.dense import Dense
    >>> from pellucid.nn.sequential import Sequential
    >>> model = Sequential([Dense(2, initializer="zeros"), Dense(1)])
    >>> model.initialize((3,))
    >>> list(model.params), list(model.params["dense_1"])
    (['dense_1', 'dense_2'], ['W', 'b'])
    >>> model.params["dense_1"]["b"][:] = 5
    >>> model.theta[6:8]
    array([5., 5.], dtype=float32)
    """

    def __init__(self, noun: str, layers: Mapping[str, dict[str, Array]]) -> None:
        self._noun = noun
        self._layers = {name: LayerArrays(name, arrays) for name, arrays in layers.items() if arrays}

    def __getitem__(self, name: str) -> "LayerArrays":
        if name in self._layers:
            return self._layers[name]
        if not self._layers:
            raise PellucidError(
                f"{self._noun}: nothing is initialized yet. Train the model, or call initialize(input_shape)."
            )
        raise OptionError(f"{self._noun}: {unknown_name('layer', name, self._layers)}")

    def __contains__(self, name: object) -> bool:
        return name in self._layers

    def get(self, name: str, default: Any = None) -> Any:
        """Return a layer's arrays, or the default where there is no such layer."""
        return self._layers.get(name, default)

    def __iter__(self) -> Iterator[str]:
        return iter(self._layers)

    def __len__(self) -> int:
        return len(self._layers)

    def _table(self) -> Table:
        rows = [(name, *_row(key, array)) for name, own in self.items() for key, array in own.items()]
        return ("layer", "array", "shape", "dtype", "mean", "std", "min", "max"), rows

    def __repr__(self) -> str:
        return blocks_as_text([self._table()]) if self else f"{self._noun}: none, nothing is initialized yet"

    def _repr_html_(self) -> str:
        """Return the table as HTML for a notebook; of a very deep network its beginning and its end."""
        if not self:
            return f"<p>{self!r}</p>"
        header, rows = self._table()
        return blocks_as_html([(header, shortened(rows, MOST_ROWS, f"print(model.{self._noun}) shows all"))])


class LayerArrays(MutableMapping[str, Array]):
    """The arrays of one layer by name; values that are assigned are copied into the model's own array.

    Examples
    --------
    >>> own = np.zeros(2)
    >>> LayerArrays("dense_1", {"b": own})["b"] = [1, 2]
    >>> own
    array([1., 2.])
    """

    def __init__(self, layer: str, arrays: dict[str, Array]) -> None:
        self._layer, self._arrays = layer, arrays

    def __getitem__(self, name: str) -> Array:
        if name not in self._arrays:
            raise OptionError(f"{self._layer}: {unknown_name('array', name, self._arrays)}")
        return self._arrays[name]

    def __setitem__(self, name: str, values: Any) -> None:
        own, given = self[name], np.asarray(values)
        if given.shape != own.shape:
            raise ShapeError(f"{self._layer}: expected {name} of shape {own.shape}, got {given.shape}.")
        own[...] = given

    def __delitem__(self, name: str) -> None:
        raise OptionError(f"{self._layer}: expected {name} to stay; a layer keeps its arrays. Set it to 0.")

    def __contains__(self, name: object) -> bool:
        return name in self._arrays

    def __iter__(self) -> Iterator[str]:
        return iter(self._arrays)

    def __len__(self) -> int:
        return len(self._arrays)

    def __repr__(self) -> str:
        return "\n".join(in_words(name, array) for name, array in self.items())


def in_words(name: str, array: Array) -> str:
    """Return an array in a line: its shape, dtype and range; of a small one every number below.

    Examples
    --------
    >>> print(in_words("b", np.array([0.5, -1.0])))
    b (2,) float64
        [ 0.5 -1. ]
    >>> print(in_words("W", np.linspace(0, 1, 101)))
    W (101,) float64: mean 0.5, std 0.2915, from 0 to 1
    """
    start = f"{name} {array.shape} {array.dtype}"
    if array.size <= MOST_NUMBERS:
        return f"{start}\n    " + numbers(array).replace("\n", "\n    ")
    mean, std, low, high = _figures(array)
    return f"{start}: mean {mean}, std {std}, from {low} to {high}"


def numbers(array: Array) -> str:
    """Return every number of an array, with four digits behind the point."""
    return np.array2string(array, precision=4, suppress_small=True, threshold=array.size + 1)


def _row(name: str, array: Array) -> tuple[str, Shape, str, str, str, str, str]:
    return (name, array.shape, str(array.dtype), *_figures(array))


def _figures(array: Array) -> tuple[str, str, str, str]:
    """Return mean, standard deviation, minimum and maximum."""
    if not array.size:
        return "", "", "", ""
    found = (array.mean(dtype=np.float64), array.std(dtype=np.float64), array.min(), array.max())
    mean, std, low, high = (f"{float(value):.4g}" for value in found)
    return mean, std, low, high
