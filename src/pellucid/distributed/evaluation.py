"""Scores of a model whose outputs a Dask cluster computes: numbers and records are those of one process."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from pellucid.data.stored.base import StoredArray, choose_rows
from pellucid.dispatch import use_for
from pellucid.distributed.cluster import open_cluster
from pellucid.distributed.map_unordered import kept, kept_by_workers, map_unordered
from pellucid.errors import DataError
from pellucid.evaluation.scores.evaluate import evaluate as evaluate_by
from pellucid.evaluation.scores.scores import Scores
from pellucid.nn.model import Model
from pellucid.prediction.predict import PIECE, Compute, compute_here
from pellucid.progress import CountCallback
from pellucid.threads import side_by_side
from pellucid.types import Array, n_rows, take_rows

MOST_BYTES = 2**24  # of samples that are sent at once


def evaluate(model: Model, data: Any, train: Any = None, *, client: Any, **options: Any) -> Scores:
    """Return a model's scores on data, as :func:`pellucid.evaluate`; the workers of a cluster compute its outputs.

    Parameters
    ----------
    model : Model
        Sent to each worker once.
    data : Dataset or (X, y)
        Inputs that stay in their file (``on_disk``) are read by the workers, under the same absolute path; others
        are sent from here, each once.
    train : Dataset or (X, y), optional
    client : distributed.Client
        See :func:`pellucid.distributed.open_cluster`.
    **options
        Of :func:`pellucid.evaluate`.

    Raises
    ------
    PellucidError
        As :func:`pellucid.evaluate`.
    ClusterError
        If the scheduler is lost, or no worker answers: see :func:`.map_unordered`.

    Examples
    --------
    >>> from pellucid.data.dataset import Dataset
    >>> from pellucid.distributed import open_cluster
    >>> from pellucid.nn.presets import preset
    >>> model = preset("logistic")
    >>> model.initialize((2,))
    >>> data = Dataset(np.eye(2).repeat(5, axis=0), np.arange(2).repeat(5))
    >>> with open_cluster(n_workers=1) as client:
    ...     evaluate(model, data, client=client).accuracy
    0.5
    """
    return evaluate_by(model, data, train, compute=partial(compute_on, client), **options)


@contextmanager
def computing_on(address: str | None, n_workers: int | None) -> Iterator[Compute]:
    """Yield what computes a model's outputs: this process, or a cluster (see :func:`.cluster.open_cluster`)."""
    if address is None and n_workers is None:
        yield compute_here
        return
    with open_cluster(address, n_workers) as client:
        yield partial(compute_on, client)


class _Work(NamedTuple):
    """What workers keep."""

    model: Model
    X: Any  # where it stays in its file, else None
    n_operations: float


class Piece(NamedTuple):
    """Samples that follow one another."""

    rows: slice
    X: Any  # the samples themselves, where they are sent


def compute_on(client: Any, model: Model, X: Any, progress: CountCallback) -> Array:
    """Return a model's outputs for samples, (m, ...), computed by workers: :func:`.predict.compute_here`."""
    is_stored, m = isinstance(X, StoredArray), n_rows(X)
    arrays = X.values() if isinstance(X, dict) else [X]
    row_bytes = sum(array.dtype.itemsize * math.prod(array.shape[1:]) for array in arrays)
    step = PIECE if is_stored else max(1, min(PIECE, MOST_BYTES // max(1, row_bytes)))
    slices = [slice(start, min(start + step, m)) for start in range(0, m, step)]
    work = _Work(model, X if is_stored else None, float(m) * model._n_operations)
    parts = []
    with kept_by_workers(client, work) as key:
        pieces = (Piece(rows, None if is_stored else take_rows(X, rows)) for rows in slices)
        compute = partial(compute_piece, key)
        for piece, outputs in map_unordered(client, compute, pieces, is_ordered=True, named=_range):
            progress(piece.rows.stop, m)
            parts.append(outputs)
    return np.concatenate(parts)


def compute_piece(key: str, piece: Piece) -> Array:
    """Return the outputs of the model that this worker keeps, in one thread."""
    from distributed import get_worker

    with side_by_side(), kept(key) as work, use_for(work.n_operations):
        X = choose_rows(work.X, piece.rows) if piece.X is None else piece.X
        try:
            return compute_here(work.model, X, lambda done, total: None)
        except DataError as error:
            raise DataError(f"worker {get_worker().address}: {error}") from None


def _range(piece: Piece) -> str:
    return f"samples {piece.rows.start} to {piece.rows.stop - 1}"
