"""Numba's folder of compiled code, made to bear full disks, damaged files and several writers."""

import hashlib
import os
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from pickle import PickleError
from typing import Any

DAMAGE = (EOFError, PickleError, AttributeError, ImportError, IndexError, KeyError, TypeError, ValueError)
# Numba notices a change of the file that a kernel stands in. These are parts of many; what a file has of others
# besides, it names in BORROWED_FROM.
SHARED = ("maths.py", "rows.py")
PATIENCE = 5.0  # seconds to wait for another process that writes; then its turn is left out

_warned: list[str] = []


def careful(dispatcher: Any) -> Any:
    """Return a compiled function whose copies on disk are an aid only: whatever is wrong with them, it runs.

    Numba writes the index of a function's copies, then the copy: two processes that compile for different dtypes
    could take the same name. Here they take turns, and what is read must be for the types that were asked for.
    """
    if not hasattr(dispatcher, "_cache"):  # NUMBA_DISABLE_JIT: it is the plain function
        return dispatcher
    cache = dispatcher._cache
    read, write, index_key = cache.load_overload, cache.save_overload, cache._index_key

    def load_overload(sig: Any, target_context: Any) -> Any:
        try:
            found = read(sig, target_context)
        except (OSError, *DAMAGE):  # a file that was cut off
            return None
        wanted = getattr(sig, "args", sig)
        return found if found is None or tuple(found.signature.args) == tuple(wanted) else None

    def save_overload(sig: Any, data: Any) -> None:
        try:
            with _turn(cache.cache_path) as is_ours:
                if is_ours:
                    try:
                        write(sig, data)
                    except DAMAGE:  # of the index
                        cache.flush()
                        write(sig, data)
        except OSError as error:
            _warn(cache.cache_path, error)

    cache.load_overload, cache.save_overload = load_overload, save_overload
    borrowed = _hash_of((*SHARED, *dispatcher.py_func.__globals__.get("BORROWED_FROM", ())))
    cache._index_key = lambda sig, codegen: (*index_key(sig, codegen), borrowed)
    return dispatcher


@lru_cache
def _hash_of(names: tuple[str, ...]) -> str:
    folder = Path(__file__).parent
    return hashlib.sha256(b"".join((folder / name).read_bytes() for name in names)).hexdigest()


@contextmanager
def _turn(folder: str) -> Iterator[bool]:
    """Hold the folder's lock for this block; yield whether it could be had."""
    try:
        import fcntl
    except ImportError:  # Windows
        yield True
        return
    handle = os.open(os.path.join(folder, "pellucid.lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        end = time.monotonic() + PATIENCE
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > end:
                    yield False
                    return
                time.sleep(0.01)
        yield True
    finally:
        os.close(handle)  # which gives the lock back


def _warn(folder: str, error: Exception) -> None:
    """Say, once in a process, that compiled code is not kept."""
    if not _warned:
        _warned.append(folder)
        first = str(error).strip().partition("\n")[0]
        warnings.warn(
            f"kernels: compiled code cannot be kept in {folder} ({type(error).__name__}: {first}), so every "
            "process compiles anew. Make room there, or set NUMBA_CACHE_DIR to a folder that can be written.",
            RuntimeWarning,
            stacklevel=2,
        )
