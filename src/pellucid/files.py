"""Files and folders written whole or not at all: a failure leaves what was there before."""

import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from pellucid.errors import OutputError


def write_atomically(path: str | Path, content: bytes | str) -> None:
    """Write a file whole or not at all: next to its target first, then renamed over it.

    Parameters
    ----------
    path : str or Path
        Folders above it are made.
    content : bytes or str
        Text is written as UTF-8.

    Raises
    ------
    OutputError
        If the file cannot be written; what was there before is kept.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> write_atomically(folder / "a.txt", "hello")
    >>> (folder / "a.txt").read_text()
    'hello'
    """
    path = Path(path)
    partial = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.write_bytes(content.encode() if isinstance(content, str) else content)
        os.replace(partial, path)
    except OSError as error:
        reason = error.strerror or str(error)
        raise OutputError(f"{path}: could not be written: {reason}. Choose another place.") from None
    finally:
        with suppress(OSError):
            partial.unlink()


def next_folder(parent: Path, stem: str) -> Path:
    """Return the first of ``parent/stem-1``, ``stem-2``, ... that does not exist yet.

    Examples
    --------
    >>> next_folder(Path("/nowhere"), "cats-mlp").name
    'cats-mlp-1'
    """
    n = 1
    while (parent / f"{stem}-{n}").exists():
        n += 1
    return parent / f"{stem}-{n}"


def check_free(path: Path, *, force: bool = False) -> None:
    """Raise OutputError, before any work, if a file is there already and may not be replaced."""
    if path.is_file() and not force:
        raise OutputError(f"{path}: the file is there already. Choose another with --out, or add --force.")


@contextmanager
def atomic_folder(target: Path, *, force: bool = False) -> Iterator[Path]:
    """Yield an empty folder to fill; when the block succeeds, its files are moved to ``target``.

    If the block fails, ``target`` is as it was before.

    Parameters
    ----------
    target : Path
    force : bool, optional
        Allow a folder that is not empty: files of the same name are replaced, others are kept.

    Raises
    ------
    OutputError
        Before the block if the folder is a file, is not empty or cannot be written.
    """
    if target.exists() and not target.is_dir():
        raise OutputError(f"{target}: expected a folder, found a file. Choose another with --out.")
    if not force and target.is_dir() and any(target.iterdir()):
        raise OutputError(f"{target}: the folder is not empty. Choose another with --out, or add --force.")
    made_parent = not target.parent.exists()
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.is_dir() and not os.access(target, os.W_OK):
            raise PermissionError(13, "Permission denied")
        staging = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
        staging.chmod(0o755)
    except OSError as error:
        raise OutputError(
            f"{target}: cannot be written: {error.strerror}. Choose another with --out."
        ) from None
    try:
        yield staging
        _move(staging, target)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
        if made_parent and not any(target.parent.iterdir()):
            target.parent.rmdir()


def _move(staging: Path, target: Path) -> None:
    try:
        if not target.exists():
            os.rename(staging, target)
            return
        for source in sorted(path for path in staging.rglob("*") if path.is_file()):
            place = target / source.relative_to(staging)
            place.parent.mkdir(parents=True, exist_ok=True)
            os.replace(source, place)
    except OSError as error:
        raise OutputError(
            f"{target}: could not be written: {error.strerror}. Choose another with --out."
        ) from None
