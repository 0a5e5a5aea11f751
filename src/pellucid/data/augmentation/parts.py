"""Augmentation of a part of a batch, by the numbers that the whole batch would draw."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from pellucid.data.augmentation.mixing import Blend
from pellucid.data.augmentation.pixels import Noise
from pellucid.data.augmentation.transform import Transform
from pellucid.types import Array, Shape, map_arrays


class Part(NamedTuple):
    """Some samples of a batch.

    Attributes
    ----------
    rows : Array of int, shape (n,)
        Their places in the batch, ascending.
    m : int
        Samples of the whole batch.
    """

    rows: Array
    m: int

    def draws(self, transform: Transform, shape: Shape, rng: np.random.Generator) -> Array:
        """Return the part's rows of what a transform draws for the batch, the rows of partners as places here.

        A partner outside the part becomes its first sample.
        """
        values = transform.draw(self.m, shape, rng)[self.rows]
        if isinstance(transform, Blend):
            places = np.zeros(self.m, np.intp)
            places[self.rows] = np.arange(len(self.rows))
            values[:, 1] = places[values[:, 1].astype(np.intp)]
        return values


class RowsOfStream:
    """Draws for a whole batch, and returns the rows of a part: as much of a Generator as transforms use."""

    def __init__(self, rng: np.random.Generator, part: Part) -> None:
        self.rng, self.part = rng, part

    def standard_normal(self, shape: Shape, dtype: npt.DTypeLike) -> Array:
        whole: Array = self.rng.standard_normal((self.part.m, *shape[1:]), dtype=dtype)  # type: ignore[arg-type]
        return whole[self.part.rows]


class Rehearsal:
    """What an Augment draws for a whole batch, without its images: it mixes targets, and knows who needs whom.

    It has as much of an Augment's interface as targets need.

    Parameters
    ----------
    transforms : sequence of Transform
        As they are applied.
    m : int
        Samples of the batch.
    shape : tuple of int
        A sample's.
    dtype : str
    """

    def __init__(self, transforms: Sequence[Transform], m: int, shape: Shape, dtype: str) -> None:
        self.transforms, self.m, self.shape, self.dtype = transforms, m, shape, dtype
        self.mixes_targets = any(isinstance(transform, Blend) for transform in transforms)
        self._partners: list[Array] = []

    def apply(self, X: Any, Y: Any, rng: np.random.Generator, *, out: Any = None) -> tuple[Any, Any]:
        """Return X as it is, and the targets as the batch's would be."""
        self._partners = []
        for transform in self.transforms:
            values = transform.draw(self.m, self.shape, rng)
            if isinstance(transform, Blend):
                self._partners.append(values[:, 1].astype(np.intp))
                mix, drawn = transform.mix_targets, values
                Y = map_arrays(lambda targets: mix(targets, drawn), Y)  # noqa: B023
            elif isinstance(transform, Noise):
                rng.standard_normal((self.m, *self.shape), dtype=self.dtype)  # type: ignore[call-overload]
        return X, Y

    def needed(self, rows: Array) -> Array:
        """Return the places of all samples that are needed for some of them, ascending."""
        for partner in reversed(self._partners):
            rows = np.union1d(rows, partner[rows])
        return rows
