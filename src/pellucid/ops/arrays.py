"""Shape checks and output buffers, for every op."""

from typing import Any

from pellucid.errors import DataError, ShapeError
from pellucid.types import Array


def written(value: Array, buffer: Array | None, dtype: Any) -> Array:
    """Return the value written to the buffer, or without a buffer as an array of that dtype.

    Examples
    --------
    >>> written(np.array([1.0]), None, np.float32)
    array([1.], dtype=float32)
    """
    if buffer is None:
        return value.astype(dtype, copy=False)
    buffer[...] = value
    return buffer


def check_dtype(where: str, X: Array, name: str, W: Array) -> None:
    """Raise DataError unless X has the dtype of the parameters that it meets.

    Examples
    --------
    >>> check_dtype("here", np.zeros(3), "W", np.zeros(3))
    """
    if X.dtype != W.dtype:
        raise DataError(
            f"{where}: expected X of dtype {W.dtype}, as {name} is, got {X.dtype}. Try X.astype('{W.dtype}')."
        )


def check_channels(where: str, X: Array, **vectors: Array) -> None:
    """Raise ShapeError unless X is (m, ..., c) and every vector (c,), DataError for parameters of another dtype.

    Examples
    --------
    >>> check_channels("here", np.zeros((2, 3)), gamma=np.ones(3))
    """
    if X.ndim < 2 or X.shape[-1] == 0:
        raise ShapeError(f"{where}: expected X of shape (m, ..., channels), got {X.shape}.")
    for name, vector in vectors.items():
        if vector.shape != X.shape[-1:]:
            raise ShapeError(
                f"{where}: expected {name} of shape ({X.shape[-1]},), X's last axis, got {vector.shape}."
            )
        if name in ("gamma", "beta"):  # statistics may be wider
            check_dtype(where, X, name, vector)


def check_buffer(
    where: str, name: str, buffer: Array | None, shape: tuple[int, ...], *, contiguous: bool = False
) -> None:
    """Raise ShapeError unless the buffer is None or has that shape, and is contiguous where that is asked for.

    Examples
    --------
    >>> check_buffer("here", "out", np.zeros(3), (3,))
    """
    if buffer is None:
        return
    is_other = contiguous and not buffer.flags.c_contiguous
    if buffer.shape != shape or is_other:
        wanted = f"a contiguous {name}" if contiguous else name
        got = f"{buffer.shape}{', not contiguous' if is_other else ''}"
        raise ShapeError(f"{where}: expected {wanted} of shape {shape}, got {got}.")
