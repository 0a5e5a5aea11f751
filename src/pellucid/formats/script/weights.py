"""Weights inside a script, as text, or beside it, as a .npz file; a script gets a copy of one reader."""

import base64
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pellucid.types import Array


def unpacked(
    text: bytes, shapes: Mapping[str, tuple[int, ...]], half: Sequence[str] = ()
) -> dict[str, Array]:
    """Return the arrays that lie one after another in a text: float32, or float16, lowest byte first, in base64."""
    content, start, found = base64.b64decode(text), 0, {}
    for name, shape in shapes.items():
        kept = np.frombuffer(content, "<f2" if name in half else "<f4", int(np.prod(shape)), start)
        found[name] = kept.reshape(shape).astype(np.float32)
        start += kept.nbytes
    return found


def loaded(path: Any, shapes: Mapping[str, tuple[int, ...]], stamp: str) -> dict[str, Array]:
    """Return the arrays of the .npz file that was written with this script."""
    try:
        with np.load(path, allow_pickle=False) as file:
            found = {name: file[name].astype(np.float32) for name in shapes}
            written_with = str(file["stamp"])
    except OSError as error:
        raise SystemExit(
            f"{path}: cannot read the weights ({error.strerror or error}). It belongs in the folder of the script."
        ) from None
    except Exception:
        raise SystemExit(f"{path}: these are not the weights of this script.") from None
    if written_with != stamp:
        raise SystemExit(f"{path}: these weights were written with another script. Copy both again.")
    return found
