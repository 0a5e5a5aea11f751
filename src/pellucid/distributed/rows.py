"""The samples of shards as one array that stays on the workers: what is looked at here is fetched."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any, final

import numpy as np

from pellucid.data.stored.base import StoredArray
from pellucid.data.stored.held import stored
from pellucid.data.stored.survey import Survey
from pellucid.data.stored.views import Chosen, Converted
from pellucid.distributed.shards import Shards
from pellucid.distributed.waiting import results
from pellucid.types import Array, n_rows


@final
class ShardedRows(StoredArray):
    """All inputs of shards.

    Held-out samples, those of a report and the hash in a checkpoint are fetched, some tens of megabytes at a time.

    Parameters
    ----------
    shards : Shards
    client : distributed.Client
    """

    def __init__(self, shards: Shards, client: Any) -> None:
        super().__init__("shards", (len(shards), *shards.sample_shape), shards.dtype)
        self.shards, self.client = shards, client

    def read_rows(self, rows: Array) -> Array:
        """Return rows by their numbers, taken where they are."""
        out = np.empty((len(rows), *self.shape[1:]), self.dtype)
        shard_of, row_of = places(self.shards, rows)
        wanted = {int(shard): np.flatnonzero(shard_of == shard) for shard in np.unique(shard_of)}
        futures = [
            self.client.submit(_rows_of, self.shards.parts[shard].future, row_of[here], pure=False)
            for shard, here in wanted.items()
        ]
        for here, samples in zip(wanted.values(), results(self.client, futures), strict=True):
            out[here] = samples
        return out

    @cached_property
    def survey(self) -> Survey:
        """What each row looks like, found by the workers."""
        futures = [self.client.submit(_survey, part.future, pure=False) for part in self.shards.parts]
        found = [vars(survey).values() for survey in results(self.client, futures)]
        return Survey(*(np.concatenate(column) for column in zip(*found, strict=True)))


def places(shards: Shards, rows: Array) -> tuple[Array, Array]:
    """Return the shard of each sample, and its row there."""
    shard_of = np.searchsorted(shards.offsets, rows, side="right") - 1
    return shard_of, rows - shards.offsets[shard_of]


def unwrapped(X: Any) -> tuple[ShardedRows | None, Array, list[Callable[..., Any]]]:
    """Return the sharded rows that an array is made of, if any, its rows' numbers there, and what converts them."""
    rows, converters = np.arange(n_rows(X)), list[Callable[..., Any]]()
    while isinstance(X, Chosen | Converted):
        if isinstance(X, Chosen):
            rows = X.rows[rows]
        else:
            converters.insert(0, X.convert)
        X = X.base
    return (X if isinstance(X, ShardedRows) else None), rows, converters


def _rows_of(pair: tuple[Array, Array], rows: Array) -> Array:
    return pair[0][rows]


def _survey(pair: tuple[Any, Array]) -> Survey:
    return stored(pair[0]).survey
