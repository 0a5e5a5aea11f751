"""Named arrays with a JSON header in one safetensors file: the format of models, checkpoints and recorded steps."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from pellucid.errors import FormatError
from pellucid.files import write_atomically
from pellucid.types import Array


def write_tensors(path: str | Path, key: str, header: Mapping[str, Any], arrays: Mapping[str, Array]) -> None:
    """Write arrays and their header to a file, whole or not at all.

    Parameters
    ----------
    path : str or Path
    key : str
        The entry of the file's metadata that holds the header: one for each kind of file.
    header : mapping
        Whatever JSON can hold.
    arrays : mapping of str to Array

    Raises
    ------
    OutputError
        If the file cannot be written; what was there before is kept.
    """
    from safetensors.numpy import save

    whole = {name: np.asarray(array, order="C") for name, array in arrays.items()}
    write_atomically(path, save(whole, {key: json.dumps(header)}))


def read_tensors(
    path: str | Path, key: str, *, kind: str, advice: str
) -> tuple[dict[str, Any], dict[str, Array]]:
    """Return the header and the arrays of a file that :func:`write_tensors` wrote.

    Parameters
    ----------
    path : str or Path
    key : str
    kind : str
        What is expected, for messages: "checkpoint".
    advice : str
        What to do if the file cannot be used: "Resume from an earlier one."

    Raises
    ------
    FormatError
        If there is no such file, it is cut off, not a safetensors file, or of another kind. Every size in it is
        compared with the file's own before anything is allocated.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "step.safetensors"
    >>> write_tensors(path, "step", {"n": 3}, {"x": np.arange(3)})
    >>> read_tensors(path, "step", kind="step", advice="")
    ({'n': 3}, {'x': array([0, 1, 2])})
    """
    text, arrays = _open(path, key, kind=kind, advice=advice)
    return _header(path, text, key, kind=kind, advice=advice), arrays


def read_header(path: str | Path, key: str, *, kind: str, advice: str) -> dict[str, Any]:
    """Return the header of a file that :func:`write_tensors` wrote, without its arrays.

    Parameters and exceptions are those of :func:`read_tensors`.
    """
    text, _ = _open(path, key, kind=kind, advice=advice, with_arrays=False)
    return _header(path, text, key, kind=kind, advice=advice)


def _open(
    path: str | Path, key: str, *, kind: str, advice: str, with_arrays: bool = True
) -> tuple[str | None, dict[str, Array]]:
    """Return an entry of a file's metadata, and its arrays."""
    from safetensors import SafetensorError, safe_open

    path = Path(path)
    if not path.is_file():
        raise FormatError(f"{path}: there is no such {kind}. {advice}".rstrip())
    try:
        with safe_open(path, framework="numpy") as file:  # which maps the file, and checks sizes
            text = (file.metadata() or {}).get(key)
            names = file.keys() if with_arrays else ()
            return text, {name: file.get_tensor(name) for name in names}
    except (SafetensorError, OSError, ValueError, MemoryError) as error:
        raise FormatError(
            f"{path}: not a whole {kind} ({error}). It is cut off or of another kind. {advice}".rstrip()
        ) from None


def _header(path: str | Path, text: str | None, key: str, *, kind: str, advice: str) -> dict[str, Any]:
    if text is None:
        raise FormatError(
            f"{path}: a safetensors file, but not a {kind} of pellucid: no {key!r} in its header."
        )
    try:
        header = json.loads(text)
    except (ValueError, RecursionError):
        header = None
    if not isinstance(header, dict):
        raise FormatError(f"{path}: its header is not JSON; the {kind} is damaged. {advice}".rstrip())
    return header
