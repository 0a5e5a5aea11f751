"""Rows of shards as factors of products, and the tasks that multiply them on the workers."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from pellucid.data.dataset import Dataset
from pellucid.data.preprocess import Preprocessing
from pellucid.data.stored.held import HeldArray, stored
from pellucid.data.stored.views import Converted
from pellucid.distributed.rows import places, unwrapped
from pellucid.distributed.shards import Shard, Shards
from pellucid.training.dual.rows import SLICE_COLUMNS
from pellucid.types import Array


@dataclass(frozen=True, eq=False)
class Recipe:
    """How a task makes rows of the network from those of a shard.

    Attributes
    ----------
    rows : slice, or Array of int, shape (n,)
        The rows of the shard.
    converters : tuple of callable
        What is done with them, one after another: see :class:`pellucid.data.stored.views.Converted`.
    dtype : str
        Of what comes out.
    """

    rows: Array | slice
    converters: tuple[Callable[[Array, slice | None], Array], ...]
    dtype: str

    def slices(self, pair: tuple[Array, Any]) -> Iterator[tuple[slice, Array]]:
        """Yield slices of columns, and these of the rows in float64, of a shard (X, y)."""
        X = stored(pair[0])
        for convert in self.converters:
            X = Converted(X, convert, self.dtype)
        n_in, numbers = math.prod(X.shape[1:]), np.arange(len(X))[self.rows]
        for start in range(0, n_in, SLICE_COLUMNS):
            stop = min(start + SLICE_COLUMNS, n_in)
            yield slice(start, stop), X.read_columns(start, stop, numbers).astype(np.float64, copy=False)


@dataclass(frozen=True, eq=False)
class Factor:
    """Rows of one shard.

    Attributes
    ----------
    shard : Shard
    at : Array of int, shape (n,)
        Where these rows are in the products.
    rows : Array of int, shape (n,), or None
        Their numbers in the shard; None: all, in order.
    converters, dtype
        As for :class:`Recipe`.
    """

    shard: Shard
    at: Array
    rows: Array | None
    converters: tuple[Callable[[Array, slice | None], Array], ...]
    dtype: str

    @property
    def middle(self) -> int:
        """The number of the row with which its second half begins."""
        return len(self.at) // 2

    def recipe(self, some: slice = slice(None)) -> Recipe:
        """Return what tasks are told of some of these rows."""
        return Recipe(some if self.rows is None else self.rows[some], self.converters, self.dtype)


def factors_of(
    X: Any, client: Any, n: int, *, dtype: str, rule: Preprocessing | None = None, first: int = 0
) -> list[Factor]:
    """Return rows as factors: those of shards where they lie, others cut into n shards.

    Parameters
    ----------
    X : Array or StoredArray, shape (m, ...)
    client : distributed.Client
    n : int
    dtype : str
        That rows have in the network.
    rule : Preprocessing, optional
        Prepares them.
    first : int, optional
        Where the first of them is in the products.
    """
    sharded, numbers, converters = unwrapped(X)
    if sharded is None:
        shards, converters = Shards.of(Dataset(X, np.zeros(len(X), np.int64)), client=client, n=n), []
        numbers = np.arange(len(X))
    else:
        shards = sharded.shards
    if rule is not None:
        converters = [*converters, rule.lazily(HeldArray(np.zeros((1, 1), np.uint8)), dtype).convert]
    of, rows = places(shards, numbers)
    factors = []
    for i, shard in enumerate(shards.parts):
        at = np.flatnonzero(of == i)
        if len(at):
            is_whole = np.array_equal(rows[at], np.arange(shard.n_rows))
            some = None if is_whole else rows[at]
            factors.append(Factor(shard, first + at, some, tuple(converters), dtype))
    return factors


def multiplied(
    pairs: list[tuple[Array, Any]],
    recipes: list[Recipe],
    columns: list[slice | None],
    other: tuple[Array, Any],
    other_recipe: Recipe,
) -> list[Array]:
    """Return rows of several shards times some rows of one other; None: the shard is that one, all of it."""
    blocks: list[Array] = []
    every = [recipe.slices(pair) for recipe, pair in zip(recipes, pairs, strict=True)]
    for (_, others), *lefts in zip(other_recipe.slices(other), *every, strict=True):
        products = [
            left @ (left if some is None else others[some]).T
            for (_, left), some in zip(lefts, columns, strict=True)
        ]
        blocks = [a + b for a, b in zip(blocks, products, strict=True)] if blocks else products
    return blocks


def projected(pairs: list[tuple[Array, Any]], recipes: list[Recipe], W_0: Array) -> list[Array]:
    """Return rows of several shards times W_0."""
    return [
        sum((some @ W_0[columns] for columns, some in recipe.slices(pair)), start=np.zeros(()))
        for recipe, pair in zip(recipes, pairs, strict=True)
    ]


def transposed(pair: tuple[Array, Any], recipe: Recipe, D: Array) -> Array:
    """Return the product of D with a shard's rows, transposed."""
    return np.concatenate([some.T @ D for _, some in recipe.slices(pair)])


def inputs_of(pair: tuple[Array, Array]) -> tuple[Array, None]:
    """Return what is lent of a shard: its own array there, on other workers a copy that ends with its use."""
    return pair[0], None


def same(array: Array) -> Array:
    """Return what was sent."""
    return array


def added(a: Array, b: Array) -> Array:
    """Return the sum of two parts."""
    return a + b
