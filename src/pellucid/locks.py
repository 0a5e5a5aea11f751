"""Locks on files, which the operating system opens when the process that holds one dies."""

import os
import sys
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from pellucid.errors import OutputError

PAUSE = 0.005  # seconds between two attempts


class FileLock:
    """A lock file that one process or thread holds at a time; ``with`` waits for it.

    Parameters
    ----------
    path : Path
        Made where it is missing, in a folder that exists; it stays when the lock is released.

    Raises
    ------
    OutputError
        When it is acquired, if the file cannot be made, or its file system has no locks.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "lock"
    >>> with FileLock(path):
    ...     FileLock(path).try_acquire()
    False
    """

    def __init__(self, path: Path) -> None:
        self.path, self._file = path, -1

    def try_acquire(self) -> bool:
        """Take the lock unless another holds it, and return whether it was taken."""
        try:
            self._file = open_locked(self.path)
        except BlockingIOError:
            return False
        except OSError as error:
            reason = error.strerror or error
            raise OutputError(f"{self.path}: cannot be locked: {reason}. Choose another place.") from None
        return True

    def acquire(self) -> bool:
        """Wait for the lock, and take it."""
        while not self.try_acquire():
            time.sleep(PAUSE)
        return True

    def release(self) -> None:
        """Open the lock for others, where it is held."""
        if self._file >= 0:
            close_locked(self._file)
            self._file = -1

    def __enter__(self) -> "FileLock":
        self.acquire()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


def open_locked(path: Path) -> int:
    """Return the descriptor of a file, made where it is missing, and locked; BlockingIOError: another holds it."""
    file = os.open(path, os.O_CREAT | os.O_RDWR, 0o644)
    try:
        take(file)
    except OSError:
        os.close(file)
        raise
    return file


def close_locked(file: int) -> None:
    """Unlock a file, and close it."""
    give_back(file)
    os.close(file)


if sys.platform == "win32":
    import msvcrt

    def take(lock: int) -> None:
        """Lock a file by its descriptor, or raise BlockingIOError: another holds it."""
        try:
            msvcrt.locking(lock, msvcrt.LK_NBLCK, 1)
        except OSError:
            raise BlockingIOError from None

    def give_back(lock: int) -> None:
        """Unlock a file."""
        with suppress(OSError):
            msvcrt.locking(lock, msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def take(lock: int) -> None:
        """Lock a file by its descriptor, or raise BlockingIOError: another holds it."""
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def give_back(lock: int) -> None:
        """Unlock a file."""
        fcntl.flock(lock, fcntl.LOCK_UN)  # also for a forked child, which holds it too
