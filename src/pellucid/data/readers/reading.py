"""Reading files of other programs, many of them in threads: every failure becomes a DataError that explains it."""

import logging
import os
import stat
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Generic, NamedTuple, TypeVar

from pellucid.errors import DataError, PellucidError
from pellucid.job_threads import jobs_on_threads
from pellucid.process_state import warnings_ignored
from pellucid.progress import CountCallback
from pellucid.text import first_line
from pellucid.threads import allowed_threads
from pellucid.types import Array

_GROUP_LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))
Result = TypeVar("Result")
MOST_THREADS = 8  # more wait for the interpreter's lock, and for the disk
MOST_PIXELS = 2**25  # decoded at the same time, in all threads: some 130 MB


def check_file(path: Path, what: str) -> None:
    """Raise unless the path is a regular, non-empty file.

    Parameters
    ----------
    path : Path
    what : str
        What the file should be, with its article: "an image".

    Raises
    ------
    DataError
        If it is missing, a folder, a device, empty, or inaccessible.

    Examples
    --------
    >>> check_file(Path("no-such.jpg"), "an image")
    Traceback (most recent call last):
        ...
    pellucid.errors.DataError: no-such.jpg: expected an image, found no such file. Check the path.
    """
    wanted = f"{path}: expected {what}"
    try:
        status = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        raise DataError(f"{wanted}, found no such file. Check the path.") from None
    except (OSError, ValueError) as error:  # ValueError: a null byte in the name
        raise DataError(f"{wanted}, but cannot access it ({first_line(error)}). Check the path.") from None
    if stat.S_ISDIR(status.st_mode):
        raise DataError(f"{wanted}, found a folder. Name a file in it.")
    if not stat.S_ISREG(status.st_mode):
        raise DataError(f"{wanted}, found a device or a pipe. Copy its content into a file first.")
    if status.st_size == 0:
        raise DataError(f"{wanted}, found an empty file. Copy or download it again.")


def check_fits(where: object, n_bytes: int) -> None:
    """Raise DataError if so many bytes of samples are more than the memory of this machine.

    The system hands out memory that it does not have, and ends a program that fills it.
    """
    there = memory_bytes()
    if there is not None and n_bytes > there:
        raise DataError(
            f"{where}: {n_bytes / 1e9:,.1f} GB of samples do not fit in memory, {there / 1e9:,.1f} GB. Leave them "
            "in their file: --on-disk (on_disk=True in Python)."
        )


def memory_bytes() -> int | None:
    """Return the memory of this machine, or the part of it that this process's group may use; None: not known.

    Examples
    --------
    >>> memory_bytes() is None or memory_bytes() > 10_000_000
    True
    """
    found = []
    with suppress(ValueError, OSError, AttributeError):  # Windows has no sysconf
        found.append(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    for limit in _GROUP_LIMITS:
        with suppress(ValueError, OSError):  # no such file, or "max"
            found.append(int(limit.read_text()))
    return min(found, default=None)


@contextmanager
def quiet_logs(*logs: logging.Logger) -> Iterator[None]:
    """Silence the logs of other libraries in this block: what they would say is said by an error of ours."""
    before = [log.level for log in logs]
    for log in logs:
        log.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for log, level in zip(logs, before, strict=True):
            log.setLevel(level)


@contextmanager
def reading(where: object, what: str, advice: str) -> Iterator[None]:
    """Turn every failure of the body into a DataError, and silence its warnings.

    The body should do no more than call the parser of a file format. Parsers raise whatever the
    damage leads to (Pillow: SyntaxError, struct.error, OverflowError ...), so that no list of
    exceptions would be complete.

    Parameters
    ----------
    where : object
        What is read, as named in the message.
    what : str
        What it should be, with its article: "an image".
    advice : str
        A full sentence: what to try.

    Examples
    --------
    >>> with reading("a.npz", "an .npz file", "Save it again."):
    ...     raise EOFError("no data left")
    Traceback (most recent call last):
        ...
    pellucid.errors.DataError: a.npz: expected an .npz file, but cannot read it (no data left). Save it again.
    """
    with warnings_ignored():
        try:
            yield
        except PellucidError:
            raise
        except PermissionError:
            raise DataError(
                f"{where}: expected {what}, but may not read it. Change its permissions, or copy it."
            ) from None
        except MemoryError:
            raise DataError(
                f"{where}: does not fit in memory. Leave the inputs in their file (on_disk, --on-disk), use a "
                "shortened copy, or check that the file is not damaged."
            ) from None
        except Exception as error:
            raise DataError(
                f"{where}: expected {what}, but cannot read it ({first_line(error)}). {advice}"
            ) from error


class Rows(NamedTuple, Generic[Result]):
    """What was read into an array, and what could not be read."""

    found: dict[int, Result]  # by the number of the source, in order; its place here is its row
    faults: dict[int, DataError]  # in order


def fill_rows(X: Array, read: Callable[[int], tuple[Array, Result]], progress: CountCallback) -> Rows[Result]:
    """Fill an array with samples that are read from their sources.

    Parameters
    ----------
    X : Array, shape (n, ...)
        The first rows take the samples that can be read, without gaps.
    read : callable
        ``read(i)`` returns sample i and what else is to be known of it, or raises DataError. It is called in
        several threads: Pillow decodes and resizes without the interpreter's lock.
    progress : callable
        ``progress(done, total)`` is called after each.

    Returns
    -------
    Rows
        The same however many threads there are.

    Examples
    --------
    >>> import numpy as np
    >>> def read(i):
    ...     if i == 1:
    ...         raise DataError("b.jpg: damaged")
    ...     return np.full(2, i), f"size of {i}"
    >>> X = np.zeros((3, 2), int)
    >>> fill_rows(X, read, lambda done, total: None)
    Rows(found={0: 'size of 0', 2: 'size of 2'}, faults={1: DataError('b.jpg: damaged')})
    >>> X[:2].tolist()
    [[0, 0], [2, 2]]
    """

    def fill(i: int) -> Result:
        X[i], result = read(i)
        return result

    rows = read_each(len(X), fill, progress)
    for place, i in enumerate(rows.found):
        if place < i:
            X[place] = X[i]
    return rows


def read_each(
    n: int, read: Callable[[int], Result], progress: CountCallback = lambda done, total: None
) -> Rows[Result]:
    """Return what ``read(i)`` returns for each of n sources, and what it raises; called in several threads."""
    done: dict[int, Result | DataError] = {}

    def attempt(i: int) -> Result | DataError:
        try:
            return read(i)
        except DataError as error:
            return error

    n_threads = min(allowed_threads(), MOST_THREADS, n)
    results = jobs_on_threads(attempt, range(n), n_threads) if n > 1 else ((i, attempt(i)) for i in range(n))
    with warnings_ignored(), closing(results):
        for i, result in results:
            done[i] = result
            progress(len(done), n)
    ordered = sorted(done.items())
    faults = {i: result for i, result in ordered if isinstance(result, DataError)}
    return Rows({i: result for i, result in ordered if not isinstance(result, DataError)}, faults)


class Room:
    """A number of pixels that may be decoded at the same time; a picture that is larger is decoded alone.

    Parameters
    ----------
    size : int

    Examples
    --------
    >>> room = Room(100)
    >>> with room.taken(60), room.taken(40):
    ...     room.used
    100
    """

    def __init__(self, size: int) -> None:
        self.size, self.used = size, 0
        self._left = threading.Condition()

    @contextmanager
    def taken(self, n: int) -> Iterator[None]:
        """Wait until there is room for n pixels, and keep it in this block."""
        with self._left:
            self._left.wait_for(lambda: not self.used or self.used + n <= self.size)
            self.used += n
        try:
            yield
        finally:
            with self._left:
                self.used -= n
                self._left.notify_all()


ROOM = Room(MOST_PIXELS)
