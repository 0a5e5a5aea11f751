"""Files written whole or not at all: a failure leaves what was there before."""

import itertools
import os
from contextlib import suppress
from pathlib import Path

from pellucid.errors import OptionError, OutputError


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
    if not path.name:  # "" or "/"
        raise OutputError(f"{path}: is a folder. Name a file.")
    partial = path.with_name(f".{os.urandom(8).hex()}.part")
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


def next_file(path: Path) -> Path:
    """Return a path, or the first with a number behind its name, that is not there yet.

    Examples
    --------
    >>> next_file(Path(__file__)).name
    'files-2.py'
    """
    names = itertools.chain([path], (path.with_stem(f"{path.stem}-{n}") for n in itertools.count(2)))
    return next(name for name in names if not name.exists())


def check_png(path: Path) -> None:
    """Raise OptionError unless a picture's name ends as what is written: PNG."""
    if path.suffix.lower() != ".png":
        raise OptionError(
            f"--out: a PNG picture is written, got {str(path)!r}. Try {path.with_suffix('.png')}."
        )


def check_free(path: Path, *, overwrite: bool = False) -> None:
    """Raise OutputError, before any work, if a path is a folder, or a file there that may not be replaced."""
    try:
        is_there, is_folder = path.is_file(), path.is_dir()
    except OSError as error:  # a name that is too long, for example
        raise OutputError(
            f"{path}: cannot be written: {error.strerror}. Choose another with --out."
        ) from None
    if is_folder:
        raise OutputError(f"{path}: is a folder. Name a file in it with --out.")
    if is_there and not overwrite:
        raise OutputError(
            f"{path}: the file is there already. Choose another with --out, or add --overwrite."
        )
