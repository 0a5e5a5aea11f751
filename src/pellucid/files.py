"""Writing files so that a failure leaves what was there before."""

import os
import tempfile
from pathlib import Path

from pellucid.errors import OutputError


def write_atomically(path: str | Path, content: bytes | str) -> None:
    """Write a file whole or not at all: beside its target first, then renamed over it.

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
    >>> folder = Path(tempfile.mkdtemp())
    >>> write_atomically(folder / "a.txt", "hello")
    >>> (folder / "a.txt").read_text()
    'hello'
    """
    path = Path(path)
    data = content.encode() if isinstance(content, str) else content
    part: str | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, part = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        os.chmod(part, 0o666 & ~_umask())  # mkstemp keeps files to their owner; these are ordinary ones
        os.replace(part, path)
    except OSError as error:
        if part is not None:
            Path(part).unlink(missing_ok=True)
        reason = error.strerror or str(error)
        raise OutputError(f"{path}: could not be written: {reason}. Choose another place.") from None


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
