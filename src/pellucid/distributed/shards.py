"""Shards: a data set in parts that lie on the workers of a Dask cluster, checked, with their labels at hand."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from pellucid.data.dataset import Dataset
from pellucid.data.labels import numbered, renumbered
from pellucid.data.preprocess import check_finite
from pellucid.data.stored.base import StoredArray
from pellucid.distributed.cutting import Piece, cut
from pellucid.distributed.waiting import ClusterError, Tasks, fetched, n_workers
from pellucid.errors import DataError, MissingExtraError, OptionError, PellucidError
from pellucid.progress import ProgressBar
from pellucid.text import first_line, join_some, kind_of, plural
from pellucid.types import Array, map_arrays


@dataclass(frozen=True, eq=False)
class Shard:
    """A part of the samples, in the memory of a worker.

    Attributes
    ----------
    name : str
        For messages: "photos, photos 0 to 99", "block 3 of rows".
    n_rows : int
    future : distributed.Future
        Of (X, y), arrays of n_rows rows each, not to be written to; X is a StoredArray where it is too large for a
        worker's memory. A task that takes it runs where they lie, or Dask moves them, or makes them anew after the
        death of a worker.
    """

    name: str
    n_rows: int
    future: Any


@dataclass(frozen=True, eq=False)
class Shards:
    """A data set in shards. Its inputs stay on the workers; its labels are here.

    Attributes
    ----------
    parts : tuple of Shard
        In the order of the samples; none is empty.
    sample_shape : tuple of int, or dict of them
        Of several inputs one each, by name.
    dtype : numpy.dtype, or dict of them
        Of the inputs.
    y : Array, shape (m, ...)
        All labels: class numbers, or quantities.
    classes : tuple of str
        Empty where they have no names.
    """

    parts: tuple[Shard, ...]
    sample_shape: Any
    dtype: Any
    y: Array
    classes: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.y)

    @property
    def offsets(self) -> Array:
        """The number of each shard's first sample, and behind them m; shape (n + 1,), int64."""
        return np.cumsum([0, *(part.n_rows for part in self.parts)])

    @classmethod
    def of(cls, data: Any, *, client: Any = None, n: int | None = None) -> "Shards":
        """Return data as shards, which are loaded and checked on the workers.

        Parameters
        ----------
        data
            One of:

            - ``(X, y)`` where X is a Dask array, shape (m, ...): each block of rows is a shard (blocks that do not
              hold whole rows are joined first); y is a Dask array or an ndarray;
            - a list of ``dask.delayed`` or futures, each of ``(X, y)`` or a Dataset: each is a shard;
            - a :class:`~pellucid.data.source.DataSource` or the name of one. A folder's training photos (all, where
              it has no train/ and test/) are divided, and each worker reads its own from the same path; of
              anything else the training part is taken;
            - a Dataset, or ``(X, y)`` of arrays: rows are cut and sent, once. Of an array in a file (``on_disk``),
              each worker reads its own from the same path; where they would fill an eighth of its memory, it reads
              at each step what it needs.
        client : distributed.Client, optional
            Default: Dask's current one.
        n : int, optional
            How many shards, of data that do not come in parts. Default: one a worker.

        Raises
        ------
        DataError
            If a shard cannot be loaded, its labels are missing, its numbers are not finite, or shards differ in the
            shape or dtype of samples, in the kind of labels or in the names of classes. The message names the
            shard, and the file where one is at fault.
        OptionError
            If there is no client.

        Notes
        -----
        After the death of a worker, shards are computed or read again, and what was sent from memory, of which the
        scheduler keeps a copy, is sent again.
        """
        client = client or current_client()
        pieces, classes = cut(data, client, n_workers(client) if n is None else n)
        futures = [client.submit(_checked, piece.future, piece.name, pure=False) for piece in pieces]
        facts = [
            client.submit(_facts, piece.future, future, pure=False)
            for piece, future in zip(pieces, futures, strict=True)
        ]
        found = _gather(client, pieces, facts)
        kept = [i for i, facts in enumerate(found) if len(facts.y)]
        if not kept:
            raise DataError(f"shards: no samples in {plural(len(pieces), 'shard')}.")
        _check_alike([pieces[i] for i in kept], [found[i] for i in kept])
        classes = classes or found[kept[0]].classes
        y = np.concatenate([found[i].y for i in kept])
        if y.dtype.kind == "U":
            y, classes = numbered(y, classes, "shards: y")
            futures = [client.submit(_with_numbers, future, classes, pure=False) for future in futures]
        parts = tuple(Shard(pieces[i].name, len(found[i].y), futures[i]) for i in kept)
        first = found[kept[0]]
        return cls(parts, first.sample_shape, map_arrays(np.dtype, first.dtype), y, classes)


class _Facts(NamedTuple):
    """What is known here of a shard."""

    sample_shape: Any  # a shape, or one for each input by name; so is dtype
    dtype: Any
    y: Array
    classes: tuple[str, ...]


def _checked(pair: Any, name: str) -> tuple[Any, Array]:
    """Return inputs and labels of a loaded shard as they are used, on its worker; DataError if it is none."""
    if isinstance(pair, Dataset):
        pair = pair.X, pair.y
    if not isinstance(pair, tuple | list) or len(pair) != 2:
        raise DataError(f"{name}: expected a pair (X, y), got {kind_of(pair)}.")
    if pair[1] is None:
        raise DataError(f"{name}: the labels are missing. Expected a pair (X, y).")
    if isinstance(pair[0], dict):
        named = {key: _checked((X, pair[1]), f"{name}, {key}") for key, X in pair[0].items()}
        return {key: found[0] for key, found in named.items()}, next(iter(named.values()))[1]
    X, y = pair[0] if isinstance(pair[0], StoredArray) else np.asarray(pair[0]), np.asarray(pair[1])
    if X.dtype.kind not in "buif" or X.ndim < 2:
        raise DataError(f"{name}: expected X of numbers, shape (m, ...), got shape {X.shape}, {X.dtype}.")
    if not y.ndim or len(X) != len(y):
        raise DataError(f"{name}: X has {len(X)} samples and y has {len(y) if y.ndim else 1} labels.")
    check_finite(X, name)
    if not isinstance(X, StoredArray):
        X = X.astype(X.dtype.newbyteorder("="), copy=False)
    return X, _checked_labels(y, name)


def _checked_labels(y: Array, name: str) -> Array:
    """Return numbers as int64 or as they are, words as str."""
    if y.dtype.kind in "bui":
        return y.astype(np.int64, copy=False)
    if y.dtype.kind == "f":
        check_finite(y, f"{name}, labels")
        return y
    if y.dtype.kind == "O":
        wrong = [i for i, label in enumerate(y.tolist()) if not isinstance(label, str)]
        if wrong:
            raise DataError(
                f"{name}: the label of sample {wrong[0]} (counted from 0) is missing, or no word."
            )
    elif y.dtype.kind not in "US":
        raise DataError(f"{name}: expected labels that are numbers or words, got dtype {y.dtype}.")
    return y.astype(str)


def _facts(pair: Any, checked: tuple[Any, Array]) -> _Facts:
    X, y = checked
    classes = pair.classes if isinstance(pair, Dataset) else ()
    shape, dtype = map_arrays(lambda array: array.shape[1:], X), map_arrays(lambda array: str(array.dtype), X)
    return _Facts(shape, dtype, y, classes)


def _with_numbers(pair: tuple[Array, Array], classes: tuple[str, ...]) -> tuple[Array, Array]:
    y, found = numbered(pair[1], (), "shards: y")
    return pair[0], renumbered(y, found, classes, "shards: y")


def _gather(client: Any, pieces: list[Piece], futures: list[Any]) -> list[_Facts]:
    """Return the facts of all shards, or raise the fault of the first that has one."""
    tasks = Tasks(client, futures)
    with ProgressBar() as progress:
        for done in range(1, len(futures) + 1):
            tasks.next()
            progress("loading shards", done, len(futures))
    faults = {
        i: _fault(pieces[i].name, future)
        for i, future in enumerate(futures)
        if future.status in ("error", "cancelled")
    }
    if not faults:
        return [fetched(future) for future in futures]
    first, *others = faults.values()
    if others and isinstance(first, DataError):
        raise DataError(f"{first} So it is with {plural(len(others), 'other shard')}.")
    raise first


def result_of(future: Any, name: str) -> Any:
    """Return the result of a task on a shard, made anew where it was lost; raise what can be said of its fault."""
    from concurrent.futures import CancelledError

    if future.status not in ("error", "cancelled"):
        try:
            return fetched(future)
        except CancelledError:
            pass
        except Exception:
            if future.status != "error":
                raise
    raise _fault(name, future)


def _fault(name: str, future: Any) -> PellucidError:
    if future.status != "error":
        return ClusterError(
            f"{name}: the cluster has dropped it ({future.status}). Was the scheduler stopped?"
        )
    error = future.exception()
    if isinstance(error, DataError):
        return error
    if type(error).__name__ == "KilledWorker":
        return ClusterError(
            f"{name}: the workers that loaded it died, one after another. Cut the data into more shards, or give "
            "workers more memory."
        )
    return DataError(f"{name}: cannot be loaded ({first_line(error)}). Try to compute it alone.")


def _check_alike(pieces: list[Piece], found: list[_Facts]) -> None:
    """Raise DataError where a shard differs from the first."""
    first, name = found[0], pieces[0].name
    for piece, facts in zip(pieces[1:], found[1:], strict=True):
        for what, ours, wanted in (
            ("samples of shape", facts.sample_shape, first.sample_shape),
            ("inputs of dtype", facts.dtype, first.dtype),
            ("labels that are", _kind_of_labels(facts.y), _kind_of_labels(first.y)),
            ("the classes", join_some(facts.classes), join_some(first.classes)),
        ):
            if ours != wanted:
                raise DataError(
                    f"{piece.name}: expected {what} {wanted}, as in {name}, got {ours}. Shards are parts of one "
                    "data set: convert them alike."
                )


def _kind_of_labels(y: Array) -> str:
    words = {"i": "whole numbers", "f": "floats"}.get(y.dtype.kind, "words")
    return f"{words} of shape (m, {y.shape[1:]})" if y.ndim > 1 else words


def current_client() -> Any:
    """Return Dask's current client.

    Raises
    ------
    MissingExtraError, OptionError
        If Dask is not installed, or there is none.
    """
    try:
        from distributed import default_client
    except ImportError:
        raise MissingExtraError("Clusters take an extra: pip install 'pellucid[dask]'") from None
    try:
        return default_client()
    except ValueError:
        raise OptionError(
            "client: there is no current Dask client. Pass client=distributed.Client(address)."
        ) from None
