"""Numba's folder of compiled code, made to survive full disks, damaged files and several writers."""

import hashlib
import pickle
import warnings
from functools import lru_cache
from pathlib import Path
from typing import Any

from numba.core.caching import IndexDataCacheFile

# Numba notices a change of the file that a kernel stands in. These are parts of many; what a file has of others
# besides, it names in BORROWED_FROM.
SHARED = ("maths.py", "rows.py")
DIGEST = 32  # bytes

_warned: list[str] = []


def careful(dispatcher: Any) -> Any:
    """Return a compiled function whose copies on disk are an aid only: whatever is wrong with them, it runs."""
    if not hasattr(dispatcher, "_cache"):  # NUMBA_DISABLE_JIT: it is the plain function
        return dispatcher
    cache = dispatcher._cache
    read, write, index_key = cache.load_overload, cache.save_overload, cache._index_key

    def load_overload(sig: Any, target_context: Any) -> Any:
        try:
            return read(sig, target_context)
        except Exception:  # whole, and yet of no use, as after an update of what it imports
            return None

    def save_overload(sig: Any, data: Any) -> None:
        try:
            write(sig, data)
        except OSError as error:
            _warn(cache.cache_path, error)

    cache.load_overload, cache.save_overload = load_overload, save_overload
    borrowed = _hash_of((*SHARED, *dispatcher.py_func.__globals__.get("BORROWED_FROM", ())))
    cache._index_key = lambda sig, codegen: (*index_key(sig, codegen), borrowed)
    cache._cache_file = _Entries(cache._cache_file)
    return dispatcher


class _Entries(IndexDataCacheFile):
    """A file for each entry instead of Numba's index and numbered files: writers need not wait for each other.

    It begins with a checksum of the code and of all that it was compiled from, without which nothing is unpickled:
    damaged code ends the process. BLAKE2b takes 1 to 2 ms a megabyte, and misses nothing, unlike a CRC of 32 bits.
    """

    def __init__(self, numbas: IndexDataCacheFile) -> None:
        base = numbas._index_name.removesuffix(".nbi")
        super().__init__(numbas._cache_path, base, numbas._source_stamp)
        self._base = base

    def load(self, key: Any) -> Any:
        """Return an entry; None where it is not there, damaged, or of other code."""
        try:
            stored = self._path(key).read_bytes()
        except OSError:
            return None
        content = memoryview(stored)[DIGEST:]
        return pickle.loads(content) if stored[:DIGEST] == self._digest(key, content) else None

    def save(self, key: Any, data: Any) -> None:
        """Write an entry, whole or not at all."""
        content = self._dump(data)
        with self._open_for_write(self._path(key)) as file:
            file.write(self._digest(key, content))
            file.write(content)

    def flush(self) -> None:
        """Keep all entries: each is checked when it is read."""

    def _path(self, key: Any) -> Path:
        """Return the file of an entry, which one of changed code replaces."""
        *types, _ = key
        return Path(self._cache_path, f"{self._base}.{_digest_of(repr(types).encode()).hex()[:16]}.nbc")

    def _digest(self, key: Any, content: Any) -> bytes:
        source = repr((self._version, self._source_stamp, key)).encode()
        return hashlib.blake2b(content, digest_size=DIGEST, key=_digest_of(source)).digest()


def _digest_of(data: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=DIGEST).digest()


@lru_cache
def _hash_of(names: tuple[str, ...]) -> str:
    folder = Path(__file__).parent
    return hashlib.sha256(b"".join((folder / name).read_bytes() for name in names)).hexdigest()


def _warn(folder: str, error: Exception) -> None:
    """Say, once in a process, that compiled code is not kept."""
    if not _warned:
        _warned.append(folder)
        first = str(error).strip().partition("\n")[0]
        warnings.warn(
            f"kernels: compiled code cannot be kept in {folder} ({type(error).__name__}: {first}), so every "
            "process compiles again. Make room there, or set NUMBA_CACHE_DIR to a folder that can be written.",
            RuntimeWarning,
            stacklevel=2,
        )
