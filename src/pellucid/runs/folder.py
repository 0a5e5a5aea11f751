"""A run's folder: filled beside its place, and moved there only when it is whole."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pellucid.errors import OutputError


def next_folder(parent: Path, stem: str) -> Path:
    """Return the first of ``parent/stem-1``, ``stem-2``, ... that is not there yet.

    Examples
    --------
    >>> next_folder(Path("/nowhere"), "cats-mlp").name
    'cats-mlp-1'
    """
    n = 1
    while (parent / f"{stem}-{n}").exists():
        n += 1
    return parent / f"{stem}-{n}"


@contextmanager
def atomic_folder(target: Path, *, force: bool = False) -> Iterator[Path]:
    """Yield an empty folder to fill; when the block ends well, its files take their place in ``target``.

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
