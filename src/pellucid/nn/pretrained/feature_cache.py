"""What a pretrained body makes of photos, kept in the user's cache folder by the photos' pixels.

The file is one SQLite database: several processes fill it at the same time, and what a pass has written before it
was interrupted stays. Where it cannot be written or read, everything goes on without it.
"""

import hashlib
import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from pellucid.progress import ProgressCallback, no_progress
from pellucid.types import Array

MOST_BYTES = 2 * 10**9  # of features; what was used longest ago goes first
PIECE = 32  # photos that are looked up, computed and kept at a time
FILE = "features.sqlite"
PATIENCE = 10.0  # seconds to wait for another process that writes
STAGE = "looking at photos"
_TABLE = "CREATE TABLE IF NOT EXISTS features (key BLOB PRIMARY KEY, value BLOB, used REAL) WITHOUT ROWID"


class CacheSize(NamedTuple):
    """How many photos' features a cache holds, and how many bytes its file has."""

    path: Path
    n_photos: int
    n_bytes: int


def cache_path() -> Path:
    """Return the file of the cache: below ``PELLUCID_CACHE_DIR``, else in the user's cache folder."""
    import pooch

    return Path(os.environ.get("PELLUCID_CACHE_DIR") or pooch.os_cache("pellucid")) / FILE


def cached_features(
    compute: Callable[[Any], Array],
    X: Any,
    body: bytes,
    *,
    progress: ProgressCallback = no_progress,
) -> Array:
    """Return what a body makes of photos, of which those that are known are not computed again.

    Parameters
    ----------
    compute : callable
        Takes some photos as they are, and returns their features, (n, d) float32.
    X : Array or StoredArray, shape (m, h, w, c), dtype uint8
        Read once, a piece at a time.
    body : bytes
        What the features depend on besides the pixels, hashed.
    progress : callable, optional

    Returns
    -------
    features : Array, shape (m, d), dtype float32
    """
    found: list[Array] = []
    with closing(_Cache()) as cache:
        for start in range(0, len(X), PIECE):
            piece = np.ascontiguousarray(X[start : start + PIECE])
            keys = [_key(body, photo) for photo in piece]
            known = cache.get(keys)
            new = [i for i, key in enumerate(keys) if key not in known]
            if new:
                values = compute(piece[new])
                made = {keys[i]: value for i, value in zip(new, values, strict=True)}
                cache.put(made)
                known |= made
            found += [known[key] for key in keys]
            progress(STAGE, min(start + PIECE, len(X)), len(X))
    return np.stack(found)


def size_of_cache() -> CacheSize | None:
    """Return what the cache holds; None where there is none."""
    path = cache_path()
    if not path.exists():
        return None
    n = 0
    with suppress(sqlite3.Error), closing(sqlite3.connect(path)) as file:
        (n,) = file.execute("SELECT count(*) FROM features").fetchone()
    return CacheSize(path, n, sum(part.stat().st_size for part in _parts(path)))


def clear_cache() -> None:
    """Remove the cache, if there is one.

    Raises
    ------
    OSError
        If it cannot be removed.
    """
    for part in _parts(cache_path()):
        part.unlink()


def _parts(path: Path) -> Iterator[Path]:
    """Yield the files of a database: itself, and what SQLite keeps next to it."""
    return (part for ending in ("", "-wal", "-shm") if (part := Path(f"{path}{ending}")).exists())


def _key(body: bytes, photo: Array) -> bytes:
    total = hashlib.blake2b(body, digest_size=20)
    total.update(str(photo.shape).encode())
    total.update(photo.data)
    return total.digest()


class _Cache:
    """The open database; after a fault of it, none: features are then computed, and not kept."""

    def __init__(self) -> None:
        self._file: sqlite3.Connection | None = None
        with suppress(sqlite3.Error, OSError):
            path = cache_path()
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = sqlite3.connect(path, timeout=PATIENCE, isolation_level=None)
            self._file.execute("PRAGMA journal_mode=WAL")
            self._file.execute("PRAGMA synchronous=OFF")  # what a power cut loses is computed again
            self._file.execute(_TABLE)

    def get(self, keys: list[bytes]) -> dict[bytes, Array]:
        """Return what is known of some keys, 64 at most."""
        rows = self._try("SELECT key, value FROM features WHERE key IN ({})", keys)
        self._try("UPDATE features SET used = ? WHERE key IN ({})", keys, time.time())
        return {key: np.frombuffer(value, np.float32) for key, value in rows}

    def put(self, made: dict[bytes, Array]) -> None:
        """Keep values, and forget the oldest where there are too many."""
        if self._file is None:
            return
        now = time.time()
        rows = [(key, value.astype(np.float32).tobytes(), now) for key, value in made.items()]
        try:
            with self._file:
                self._file.execute("BEGIN IMMEDIATE")
                self._file.executemany("INSERT OR REPLACE INTO features VALUES (?, ?, ?)", rows)
                self._forget_oldest()
        except sqlite3.Error:
            self.close()

    def _forget_oldest(self) -> None:
        assert self._file is not None
        (size,) = self._file.execute("PRAGMA page_count").fetchone()
        (page,) = self._file.execute("PRAGMA page_size").fetchone()
        (free,) = self._file.execute("PRAGMA freelist_count").fetchone()
        if (size - free) * page > MOST_BYTES:
            self._file.execute(
                "DELETE FROM features WHERE key IN (SELECT key FROM features ORDER BY used LIMIT "
                "max(64, (SELECT count(*) / 10 FROM features)))"
            )

    def _try(self, statement: str, keys: list[bytes], *before: Any) -> list[Any]:
        if self._file is None:
            return []
        places = ", ".join("?" * len(keys))
        try:
            return self._file.execute(statement.format(places), (*before, *keys)).fetchall()
        except sqlite3.Error:
            self.close()
            return []

    def close(self) -> None:
        """Close the file: from here on there is none."""
        if self._file is not None:
            with suppress(sqlite3.Error):
                self._file.close()
            self._file = None
