"""Weights inside a script, as text, or beside it, as a .npz file; a script gets a copy of one reader."""

import base64
from collections.abc import Mapping
from typing import Any

import numpy as np

from pellucid.types import Array


def unpacked(text: bytes, shapes: Mapping[str, tuple[int, ...]]) -> dict[str, Array]:
    """Return the arrays that lie one after another in a text: float32, lowest byte first, in base64."""
    flat, start, found = np.frombuffer(base64.b64decode(text), "<f4"), 0, {}
    for name, shape in shapes.items():
        n = int(np.prod(shape))
        found[name] = flat[start : start + n].reshape(shape)
        start += n
    return found


def loaded(path: Any, shapes: Mapping[str, tuple[int, ...]], stamp: str) -> dict[str, Array]:
    """Return the arrays of the .npz file that was written with this script."""
    try:
        with np.load(path, allow_pickle=False) as file:
            found = {name: file[name] for name in (*shapes, "stamp")}
    except OSError as error:
        raise SystemExit(f"{path}: cannot read the weights ({error.strerror or error}).") from None
    except Exception:
        raise SystemExit(f"{path}: these are not the weights of this script.") from None
    if str(found.pop("stamp")) != stamp:
        raise SystemExit(f"{path}: these weights were written with another script. Copy both again.")
    return found
