"""Folders that one writer at a time fills, whole or not at all.

While a folder is written it holds another, ``.writing``: the writer's lock, what is new, and what that replaces.
The operating system opens the lock of a process that has died; the next writer finishes or drops what it left.
"""

import itertools
import os
import shutil
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from pellucid.errors import OutputError
from pellucid.locks import close_locked, open_locked

WRITING = ".writing"  # in it: "new" is being filled, "ready" is to be moved, "old" is what it replaces
_LIST = "replaces"  # in "ready": what is set aside before the move, a path a line


def next_folder(parent: Path, stem: str) -> Path:
    """Return the first of ``parent/stem-1``, ``stem-2``, ... that does not exist yet.

    Examples
    --------
    >>> next_folder(Path("/nowhere"), "cats-mlp").name
    'cats-mlp-1'
    """
    folders = (parent / f"{stem}-{n}" for n in itertools.count(1))
    return next(folder for folder in folders if not folder.exists())


class FolderWriter:
    """The one that may write a folder, until :func:`open_folder`'s block ends.

    Attributes
    ----------
    target : Path
        The folder, which exists.
    new : Path
        An empty folder to fill for the next ``commit``.
    """

    def __init__(self, target: Path) -> None:
        self.target = target
        self._place = target / WRITING
        self.new = self._place / "new"

    def commit(self, replaces: Iterable[str] = ()) -> None:
        """Move all that is in ``new`` into the folder.

        Files of the same name and ``replaces`` are set aside first, so that what is new never lies among what it
        replaces. If a move fails, everything is put back; if the process is killed meanwhile, the next writer
        finishes the work.

        Parameters
        ----------
        replaces : iterable of str
            Names of further files and folders that what is new takes the place of.

        Raises
        ------
        OutputError
            If something cannot be moved. The folder is as it was before.
        """
        with output_errors(self.target):
            wanted = {name for name in replaces if os.path.lexists(self.target / name)}
            wanted |= {path for path in _files(self.new) if (self.target / path).is_file()}
            (self.new / _LIST).write_text("\n".join(sorted(wanted)), encoding="utf-8")
            self.new.rename(self._place / "ready")
            try:
                self.finish()
            finally:
                self.clear()

    def finish(self) -> None:
        """Make the moves of a ``commit`` that are left to be made; undo all if one fails."""
        ready, old = self._place / "ready", self._place / "old"
        if not ready.is_dir():
            return
        aside = filter(None, (ready / _LIST).read_text(encoding="utf-8").splitlines())
        moves = [(self.target / name, old / name) for name in aside if not os.path.lexists(old / name)]
        moves += [(ready / path, self.target / path) for path in _files(ready) if path != _LIST]
        done = []
        try:
            for source, place in moves:
                if not os.path.lexists(source):  # moved with the folder that it was in
                    continue
                place.parent.mkdir(parents=True, exist_ok=True)
                if place.is_dir():  # which os.replace would only see if it were not empty
                    raise IsADirectoryError(21, "Is a directory")
                os.replace(source, place)
                done.append((source, place))
        except OSError:
            for source, place in reversed(done):
                os.replace(place, source)
            ready.rename(self._place / "done")
            raise
        ready.rename(self._place / "done")  # at one stroke: from here on nothing is left to be made

    def clear(self) -> None:
        """Drop what was replaced or never committed, and make ``new`` an empty folder."""
        self.drop()
        self.new.mkdir()

    def drop(self) -> None:
        """Drop what was replaced or never committed; what is ready is kept for the next writer to finish."""
        is_unfinished = (self._place / "ready").exists()
        for name in ("new", "done", *(() if is_unfinished else ("old",))):
            shutil.rmtree(self._place / name, ignore_errors=True)


def _files(folder: Path) -> list[str]:
    found = (path for path in folder.rglob("*") if path.is_symlink() or not path.is_dir())
    return sorted(path.relative_to(folder).as_posix() for path in found)


@contextmanager
def open_folder(
    target: Path, *, overwrite: bool = False, advice: str = "add --overwrite"
) -> Iterator[FolderWriter]:
    """Make a folder, and be its only writer within the block.

    Parameters
    ----------
    target : Path
        Made where it is missing, and removed again if nothing is in it at the end.
    overwrite : bool, optional
        Allow a folder that is not empty.
    advice : str, optional
        What else to try, for the message where one is not empty.

    Raises
    ------
    OutputError
        Before the block if the folder is a file, is not empty, is being written by another, or cannot be written.
    """
    lock, made = None, []
    writer = FolderWriter(target)
    try:
        with output_errors(target):
            if target.exists() and not target.is_dir():
                raise OutputError(f"{target}: expected a folder, found a file. Choose another with --out.")
            made = [folder for folder in (target, *target.parents) if not folder.exists()]
            lock = _lock(target)
            writer.finish()  # what a process that was killed had begun
            writer.clear()
            if not overwrite and any(entry.name != WRITING for entry in target.iterdir()):
                raise OutputError(
                    f"{target}: the folder is not empty. Choose another with --out, or {advice}."
                )
        yield writer
    except OutputError as error:  # of a file that has not reached its place
        raise OutputError(str(error.args[0]).replace(str(writer.new), str(target))) from None
    finally:
        if lock is not None:
            writer.drop()
            _unlock(target, lock)
        for folder in made:
            with suppress(OSError):
                folder.rmdir()


@contextmanager
def atomic_folder(target: Path, *, overwrite: bool = False) -> Iterator[Path]:
    """Yield an empty folder to fill; when the block succeeds, its files are moved to ``target``.

    If the block fails, ``target`` is as it was before.

    Parameters
    ----------
    target : Path
    overwrite : bool, optional
        Allow a folder that is not empty: files of the same name are replaced, others are kept.

    Raises
    ------
    OutputError
        Before the block if the folder is a file, is not empty, is being written by another, or cannot be written;
        after it if the files cannot be moved.

    Examples
    --------
    >>> import tempfile
    >>> target = Path(tempfile.mkdtemp()) / "out"
    >>> with atomic_folder(target) as folder:
    ...     _ = (folder / "a.txt").write_text("hello")
    ...     target.joinpath("a.txt").exists()
    False
    >>> [path.name for path in target.iterdir()]
    ['a.txt']
    """
    with open_folder(target, overwrite=overwrite) as writer:
        yield writer.new
        writer.commit()


@contextmanager
def output_errors(target: Path) -> Iterator[None]:
    """Raise an OutputError that names the target instead of the operating system's errors."""
    try:
        yield
    except OutputError:
        raise
    except OSError as error:
        reason = error.strerror or str(error)
        raise OutputError(f"{target}: cannot be written: {reason}. Choose another with --out.") from None


def _lock(target: Path) -> int:
    """Return the descriptor of the folder's lock file, held by this writer alone; -1 where there are no locks."""
    path = target / WRITING / "lock"
    while True:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            lock = open_locked(path)
        except FileNotFoundError:  # another writer has just left, and removed the folder of the lock
            continue
        except BlockingIOError:
            raise OutputError(
                f"{target}: another command is writing this folder. Wait until it ends, or choose another with "
                "--out."
            ) from None
        except OSError as error:
            if error.filename is None:  # a file system without locks: the file itself could be opened
                return -1
            raise
        with suppress(OSError):
            if os.path.samestat(os.fstat(lock), path.stat()):
                return lock
        os.close(lock)  # another writer left between the two calls, and removed it


def _unlock(target: Path, lock: int) -> None:
    path = target / WRITING / "lock"
    with suppress(OSError):
        path.unlink()  # while it is held, so that it cannot be another's
    if lock >= 0:
        close_locked(lock)
    if sys.platform == "win32":  # which removes no file that is open, neither here nor another's
        with suppress(OSError):
            path.unlink()
    with suppress(OSError):
        path.parent.rmdir()
