"""How data of each kind are cut into shards: a future of (X, y) on the cluster for each, with its name."""

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from pellucid.data.dataset import Dataset, Split
from pellucid.data.pairs import as_dataset
from pellucid.data.readers.folder import Photos, open_folder
from pellucid.data.source import DataSource
from pellucid.data.stored.base import StoredArray
from pellucid.data.stored.views import alone
from pellucid.distributed.waiting import on_each, results, workers_of
from pellucid.errors import DataError
from pellucid.progress import ProgressBar
from pellucid.text import join_some, kind_of, plural
from pellucid.threads import cut as divided
from pellucid.types import Array, map_arrays, take_rows

MOST_OF_MEMORY = 1 / 8  # of a worker, for its part of the samples; in floats it may take 4 times as much
MOST_SENT = 2 * 10**9  # bytes of samples in a file that workers do not see


class Piece(NamedTuple):
    """One shard before it is checked."""

    name: str
    future: Any  # distributed.Future of (X, y) or a Dataset


def cut(data: Any, client: Any, n: int) -> tuple[list[Piece], tuple[str, ...]]:
    """Return the pieces of data of any kind, and the names of its classes where they are known at this point.

    Parameters
    ----------
    data
        As for :meth:`pellucid.distributed.shards.Shards.of`.
    client : distributed.Client
    n : int
        Pieces that data are cut into which do not come in pieces.
    """
    if isinstance(data, str | Path):
        data = DataSource(str(data))
    if isinstance(data, DataSource):
        if data.kind == "folder":
            return _of_folder(data, client, n)
        data = data.load_in_place().train
    if isinstance(data, tuple) and len(data) == 2 and _is_dask_array(data[0]):
        return _of_blocks(*data, client), ()
    if isinstance(data, list):
        return _of_list(data, client), ()
    if isinstance(data, Dataset | Split | tuple):
        return _of_dataset(as_dataset(data, "shards"), client, n)
    raise DataError(
        "shards: expected a Dataset, (X, y) of arrays or Dask arrays, a list of delayed or futures of (X, y), or "
        f"the name of a data set, got {kind_of(data)}."
    )


def _of_dataset(data: Dataset, client: Any, n: int) -> tuple[list[Piece], tuple[str, ...]]:
    """Send each worker its rows, once; those of one array in a file it reads there itself.

    The scheduler keeps a copy of what is sent, from which a lost shard is sent again.
    """
    if isinstance(data.y, dict):
        raise DataError("shards: expected one array of labels, got several by name.")
    X: Any = data.X
    is_read_there = isinstance(X, StoredArray) and _is_readable_there(X, client)
    stays = is_read_there and _is_too_large(X, client)
    pieces = []
    with large_arguments():
        for rows in divided(len(data), max(1, min(n, len(data)))):
            start, stop = rows.start, rows.stop
            name, y = f"rows {start} to {stop - 1}", np.ascontiguousarray(data.y[rows])
            if is_read_there:
                some = alone(X, rows)
                future = client.submit(_read_stored, some, y, name, stays, pure=False, key=_key())
            else:
                future = client.submit(
                    _as_pair, map_arrays(np.ascontiguousarray, take_rows(X, rows)), y, pure=False, key=_key()
                )
            pieces.append(Piece(name, future))
    return pieces, data.classes


@contextmanager
def large_arguments() -> Iterator[None]:
    """Let arrays be sent as arguments of tasks, without Dask's warning: the scheduler is to keep them."""
    import dask

    with dask.config.set({"distributed.admin.large-graph-warning-threshold": "1 TB"}):
        yield


def _of_folder(source: DataSource, client: Any, n: int) -> tuple[list[Piece], tuple[str, ...]]:
    """Cut the list of a folder's training photos; each worker reads its own, from the same path."""
    source.check_applies()
    root = source.resolved().path
    with ProgressBar() as progress:
        photos = open_folder(root, image_size=source.image_size, progress=progress)
    listing, pieces = photos.listings[0], []
    for rows in divided(len(listing.files), max(1, min(n, len(listing.files)))):
        start, stop = rows.start, rows.stop
        some = listing._replace(files=listing.files[rows], y=listing.y[rows], groups=listing.groups[rows])
        part = Photos(root, [some], photos.size, ())
        name = f"{source.name}, photos {start} to {stop - 1}"
        future = client.submit(_read_photos, part, name, source.skip_bad, pure=False, key=_key())
        pieces.append(Piece(name, future))
    return pieces, listing.classes


def _of_list(data: list[Any], client: Any) -> list[Piece]:
    from dask.delayed import Delayed

    from distributed import Future

    if not data:
        raise DataError("shards: expected at least one, got an empty list.")
    pieces = []
    for i, each in enumerate(data):
        if not isinstance(each, Delayed | Future):
            raise DataError(f"shard {i}: expected a delayed or a future of (X, y), got {kind_of(each)}.")
        pieces.append(Piece(f"shard {i}", client.compute(each) if isinstance(each, Delayed) else each))
    return pieces


def _of_blocks(X: Any, y: Any, client: Any) -> list[Piece]:
    """Take the blocks of rows of a Dask array as they lie; the labels follow them."""
    X = (
        X.rechunk(dict.fromkeys(range(1, X.ndim), -1))
        if X.ndim and max(X.numblocks[1:], default=1) > 1
        else X
    )
    blocks = client.compute(list(X.to_delayed().reshape(-1)))
    if _is_dask_array(y):
        is_known = not np.isnan(X.chunks[0] + y.chunks[0]).any()
        if is_known and X.shape[0] != y.shape[0]:
            raise DataError(f"shards: X has {X.shape[0]} samples and y has {y.shape[0]} labels.")
        rest = dict.fromkeys(range(1, y.ndim), -1)
        y = y.rechunk({0: X.chunks[0], **rest} if is_known else rest) if is_known or rest else y
        labels = client.compute(list(y.to_delayed().reshape(-1)))
        if len(labels) != len(blocks):
            raise DataError(
                f"shards: X has {len(blocks)} blocks of rows and y has {len(labels)}, of unknown lengths. Give "
                "both the same blocks."
            )
    else:
        sizes = results(client, [client.submit(len, block) for block in blocks])
        y, stops = np.asarray(y), np.cumsum([0, *sizes])
        if not y.ndim or len(y) != stops[-1]:
            raise DataError(f"shards: X has {stops[-1]} samples and y has {len(y) if y.ndim else 1} labels.")
        labels = [y[start:stop] for start, stop in itertools.pairwise(stops)]
    return [
        Piece(f"block {i} of rows", client.submit(_as_pair, block, its, pure=False, key=_key()))
        for i, (block, its) in enumerate(zip(blocks, labels, strict=True))
    ]


def _as_pair(X: Array, y: Array) -> tuple[Array, Array]:
    return X, y


def _is_readable_there(X: StoredArray, client: Any) -> bool:
    """Return whether all workers can read an array's file; False: it is small enough to be sent.

    Raises
    ------
    DataError
        If some cannot, and it is too large to be sent.
    """
    row = alone(X, slice(1))

    def fault() -> str:  # inside a function, it is sent itself
        try:
            row[:]
        except DataError as error:
            return str(error)
        return ""

    faults = {worker: found for worker, found in on_each(client, fault).items() if found}
    if faults and X.nbytes > MOST_SENT:
        worker, found = next(iter(faults.items()))
        raise DataError(f"worker {worker}, which needs the same path as this machine: {found}")
    return not faults


def _is_too_large(X: StoredArray, client: Any) -> bool:
    """Return whether the parts of an array are too large for the workers' memory, so that they stay in the file."""
    workers = workers_of(client) or {}
    least = min((each.memory_limit for each in workers.values() if each.memory_limit), default=0)
    return bool(least) and X.nbytes / len(workers) > MOST_OF_MEMORY * least


def _read_stored(X: StoredArray, y: Array, name: str, stays: bool) -> tuple[Any, Array]:
    try:
        return X if stays else X[:], y
    except DataError as error:
        raise DataError(f"{name}, on a worker, which needs the same path: {error}") from None


def _read_photos(photos: Photos, name: str, skip_bad: bool) -> tuple[Array, Array]:
    if not photos.root.is_dir():
        raise DataError(
            f"{name}: the worker finds no folder {photos.root}. Every worker needs the same path."
        )
    X, good, bad = photos.read()
    if bad and not skip_bad:
        names = join_some([photo.path.relative_to(photos.root) for photo in bad], most=3)
        raise DataError(
            f"{name}: {plural(len(bad), 'image')} cannot be read: {names}. Repair or remove them, or pass "
            f"skip_bad=True (--skip-bad) to leave them out. The first: {bad[0].fault}"
        )
    if 255 in photos.white(good):
        raise DataError(
            f"{name}: floating-point and 32-bit grey pictures of 0 to 255 are not read on workers, which see a "
            "part of the set each. Save them again as PNG."
        )
    return X, np.array([photo.label for photo in good], np.int64)


def _is_dask_array(value: Any) -> bool:
    return hasattr(value, "to_delayed") and hasattr(value, "numblocks")


def _key() -> str:
    """Return a name for a task that no other has."""
    import uuid

    return f"pellucid-shard-{uuid.uuid4().hex}"
