"""Arrays, lists, frames and masked arrays as plain arrays; missing values are refused, with their samples."""

from numbers import Number
from typing import Any

import numpy as np

from pellucid.errors import DataError
from pellucid.text import join_some, plural, printable
from pellucid.types import Array

_NULLS = ("NAType", "NaTType")  # pandas' own


def plain_array(values: Any, where: str, *, with_gaps: bool = False) -> Array:
    """Return an array, a list, a frame of pandas or polars, or a masked array as a plain array.

    Parameters
    ----------
    values : array-like
    where : str
        Their name in messages: "train: X".
    with_gaps : bool, optional
        Missing numbers become NaN instead of being refused.

    Raises
    ------
    DataError
        If a value is missing (None, NaN, NA, NaT, or masked), with the samples and the column; if rows are of
        several lengths.

    Examples
    --------
    >>> plain_array(["cat", None, "dog"], "y")
    Traceback (most recent call last):
        ...
    pellucid.errors.DataError: y: 1 of 3 samples has no value: 1 (counted from 0). Fill it in, or drop that sample.
    """
    try:
        array, gaps = _apart(values)
    except ValueError:
        raise DataError(f"{where}: expected an array, got rows of several lengths.") from None
    if gaps.any() and not with_gaps:
        raise _refusal(values, gaps, where)
    if gaps.any():
        array = array.astype(np.promote_types(array.dtype, np.float32))  # which can hold NaN
        array[gaps] = np.nan
    if array.dtype.kind == "O" and array.ndim > 1:  # what the values are, not what holds them
        return np.array(array.tolist())
    return array


def input_array(values: Any, where: str, *, with_gaps: bool = False) -> Array:
    """Return inputs as :func:`plain_array` does; NaN in an array of floats is left to those who compute with it."""
    if isinstance(values, np.ndarray) and not _may_hide_gaps(values):
        return values
    return plain_array(values, where, with_gaps=with_gaps)


def check_gaps(**arrays: Any) -> None:
    """Raise DataError for missing values that scikit-learn overlooks, or refuses without saying where they are.

    Parameters
    ----------
    **arrays : array-like
        By their names in messages. NaN in an ``X`` of floats is left to scikit-learn.
    """
    for name, values in arrays.items():
        is_plain = name == "X" and isinstance(values, np.ndarray) and not _may_hide_gaps(values)
        if is_plain or hasattr(values, "sparse"):  # a frame of sparse columns, which would fill the memory
            continue
        try:
            gaps = _apart(values)[1]
        except ValueError:  # rows of several lengths: scikit-learn says so
            continue
        if gaps.any():
            raise _refusal(values, gaps, name)


def is_gap(value: Any) -> bool:
    """Return whether a value says that there is none.

    Examples
    --------
    >>> [is_gap(value) for value in (None, float("nan"), np.ma.masked, "", 0)]
    [True, True, True, False, False]
    """
    if value is None or value is np.ma.masked or type(value).__name__ in _NULLS:
        return True
    return isinstance(value, Number | np.datetime64) and bool(value != value)


def _may_hide_gaps(array: Array) -> bool:
    return isinstance(array, np.ma.MaskedArray) or array.dtype.kind == "O"


def _apart(values: Any) -> tuple[Array, Array]:
    """Return values as a plain array, and which of them are missing."""
    if isinstance(values, np.ma.MaskedArray):
        array, gaps = _apart(values.data)
        return array, gaps | np.ma.getmaskarray(values)
    array = np.asarray(values)
    if array.dtype.kind == "O" and array.ndim == 2 and hasattr(values, "columns"):
        parts = [_apart(column) for _, column in frame_columns(values)]  # each by its own dtype
        try:
            return np.stack([part for part, _ in parts], axis=1), np.stack(
                [part for _, part in parts], axis=1
            )
        except TypeError:  # dates beside numbers, for example
            pass
    looked_at = array
    if isinstance(values, list | tuple) and array.dtype.kind in "US":  # NumPy writes NaN among words as "nan"
        looked_at = np.asarray(values, object)
    if looked_at.dtype.kind in "fcmM":
        return array, looked_at != looked_at
    gaps = np.zeros(array.shape, bool)
    if looked_at.dtype.kind == "O" and array.ndim:
        gaps.reshape(-1)[:] = [is_gap(value) for value in looked_at.flat]
    return array, gaps


def frame_columns(frame: Any) -> list[tuple[Any, Any]]:
    """Return the names and columns of a frame of pandas or polars, or of a table of Arrow."""
    if hasattr(frame, "items"):
        return list(frame.items())
    columns = frame.get_columns() if hasattr(frame, "get_columns") else frame.columns
    return list(zip(frame.column_names if is_arrow(frame) else frame.columns, columns, strict=True))


def is_arrow(frame: Any) -> bool:
    """Return whether a frame is a table of Arrow."""
    return hasattr(frame, "column_names") and hasattr(frame, "schema")


def _refusal(values: Any, gaps: Array, where: str) -> DataError:
    """Return the error for missing values: the samples, and the first column of several."""
    names, column, others = list(getattr(values, "columns", ())), "", ""
    if gaps.ndim == 2 and gaps.shape[1] > 1:
        found = np.flatnonzero(gaps.any(axis=0))
        column = f" in column {repr(printable(str(names[found[0]]))) if names else found[0]}"
        others = f"; {plural(len(found) - 1, 'more column')} too" if len(found) > 1 else ""
        gaps = gaps[:, found[:1]]
    rows = np.flatnonzero(gaps.reshape(len(gaps), -1).any(axis=1))
    has, cure = "have", "them in, or drop those samples"
    if len(rows) == 1:
        has, cure = "has", "it in, or drop that sample"
    return DataError(
        f"{where}: {len(rows)} of {len(gaps)} samples {has} no value{column}: {join_some(rows)} (counted from 0)"
        f"{others}. Fill {cure}."
    )
