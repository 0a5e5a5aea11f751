"""Reading files of other programs: every failure becomes a DataError that explains it."""

import os
import stat
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from pellucid.errors import DataError, PellucidError
from pellucid.text import first_line

_GROUP_LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))


class _Quiet:
    """Silences warnings from the first who enters until the last has left.

    The warning filters are the process's, and images are read in several threads: where each set and restored
    them, they would have to wait for one another.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._n_inside = 0

    def __enter__(self) -> None:
        with self._lock:
            self._n_inside += 1
            if self._n_inside == 1:
                self._filters = warnings.catch_warnings()
                self._filters.__enter__()
                warnings.simplefilter("ignore")

    def __exit__(self, *error: object) -> None:
        with self._lock:
            self._n_inside -= 1
            if self._n_inside == 0:
                self._filters.__exit__(None, None, None)


quiet = _Quiet()


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
            "in their file: on_disk=True (--on-disk)."
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
    with quiet:
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
