"""Writing files so that a failure leaves what was there before."""

import os
import secrets
from contextlib import suppress
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
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> write_atomically(folder / "a.txt", "hello")
    >>> (folder / "a.txt").read_text()
    'hello'
    """
    path = Path(path)
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside.write_bytes(content.encode() if isinstance(content, str) else content)
        os.replace(beside, path)
    except OSError as error:
        reason = error.strerror or str(error)
        raise OutputError(f"{path}: could not be written: {reason}. Choose another place.") from None
    finally:
        with suppress(OSError):
            beside.unlink()
