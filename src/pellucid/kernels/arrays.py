"""Which arrays kernels take, and the buffers that they write."""

import numpy as np

from pellucid.errors import ShapeError
from pellucid.types import Array, Shape
from pellucid.workspace import Workspace

# A bias of 0
NOTHING = {dtype.char: np.zeros(1, dtype) for dtype in (np.dtype("float32"), np.dtype("float64"))}


def are_served(X: Array, *others: Array | None) -> bool:
    """Return whether all are C-contiguous and of one dtype, float32 or float64; else the plain op runs."""
    char = X.dtype.char
    return (
        char in NOTHING
        and X.flags.c_contiguous
        and all(a is None or (a.dtype.char == char and a.flags.c_contiguous) for a in others)
    )


def are_alike(X: Array, *others: Array | None) -> bool:
    """Return whether all have one shape: loops over flat arrays read others as far as the first goes."""
    return all(a is None or a.shape == X.shape for a in others)


def check_gradient(where: str, dZ: Array, shape: Shape) -> None:
    """Raise ShapeError where the gradient for an output has not the output's shape."""
    if dZ.shape != shape:
        raise ShapeError(f"{where}: expected the gradient for an output of shape {shape}, got {dZ.shape}.")


def by_rows(images: Array) -> Array:
    """Return images (n, h, w, c) as (n, h, w c)."""
    n, h, w, c = images.shape
    return images.reshape(n, h, w * c)


def buffer(workspace: Workspace | None, name: str, like: Array) -> Array:
    """Return an array like that one: from the workspace, or without one a new one."""
    return np.empty_like(like) if workspace is None else workspace.take(name, like.shape, like.dtype)


def written_over(X: Array, out: Array | None) -> Array:
    """Return ``out``, or a new array, that holds X, for a kernel that works in place."""
    if out is None:
        return X.copy()
    if out is not X:
        np.copyto(out, X)
    return out
