"""Checks of what a checkpoint holds, before anything is loaded from it."""

import math
from collections.abc import Mapping, Sequence
from numbers import Real
from typing import Any, TypeVar

import numpy as np

from pellucid.errors import FormatError
from pellucid.text import plural, shown
from pellucid.types import Array

Number = TypeVar("Number", int, float)
MOST = 2**53  # steps and epochs are counted up to here


def check_keys(where: str, state: Mapping[str, Any], wanted: Sequence[str]) -> None:
    """Raise FormatError unless the state has exactly the entries that are wanted."""
    if set(state) != set(wanted):
        raise FormatError(
            f"{where}: expected {', '.join(wanted)}, got {', '.join(state) or 'nothing'}. "
            "It was saved by another one, or with other options."
        )


def saved_number(where: str, value: Any, like: Number) -> Number:
    """Return a saved number as the kind that ``like`` is, the one that it replaces: a count, or a float.

    Raises
    ------
    FormatError
        If it is a fraction where a count belongs, below 0 there, NaN, or infinite where ``like`` is not.

    Examples
    --------
    >>> saved_number("Adam: n_steps", 12, like=0), saved_number("best", float("inf"), like=float("inf"))
    (12, inf)
    """
    kind = type(like)
    try:
        is_number = isinstance(value, Real) and not isinstance(value, bool)
        if is_number and kind is int:
            is_number = isinstance(value, int) and min(0, like) <= value < MOST
        elif is_number:
            is_number = math.isfinite(value) or value == like
    except OverflowError:  # a whole number of hundreds of digits
        is_number = False
    if not is_number:
        wanted = "a count" if kind is int else "a finite number"
        raise FormatError(f"{where}: expected {wanted}, got {shown(value)}. The saved state is damaged.")
    return kind(value)


def saved_numbers(
    where: str, state: Mapping[str, Any], names: Sequence[str], owner: object
) -> dict[str, Any]:
    """Return the saved numbers of these names, each as the kind that the owner has: see ``saved_number``."""
    return {name: saved_number(f"{where}: {name}", state[name], getattr(owner, name)) for name in names}


def saved_position(saved: Any, n_steps: int) -> list[int]:
    """Return epoch, step and step within the epoch; FormatError unless they agree, with so many steps an epoch.

    Examples
    --------
    >>> saved_position([1, 7, 2], n_steps=5)
    [1, 7, 2]
    """
    epoch, step, step_in_epoch = counts = [saved_number("position", count, 0) for count in saved]
    if step != epoch * n_steps + step_in_epoch or step_in_epoch > n_steps:
        raise FormatError(
            f"position: step {step} is not step {step_in_epoch} after {plural(epoch, 'epoch')} of {n_steps}. "
            "The saved state is damaged."
        )
    return counts


def check_array(where: str, value: Any, like: Array) -> None:
    """Raise FormatError unless an array has shape and dtype of the one that it is to fill, and finite numbers."""
    if not isinstance(value, np.ndarray) or value.shape != like.shape or value.dtype != like.dtype:
        is_array = isinstance(value, np.ndarray)
        words = f"{value.dtype} of shape {value.shape}" if is_array else type(value).__name__
        raise FormatError(
            f"{where}: expected {like.dtype} of shape {like.shape}, got {words}. "
            "It was saved with a model of another architecture or dtype."
        )
    if value.dtype.kind == "f" and not np.isfinite(value).all():
        raise FormatError(f"{where}: it holds NaN or infinity. The saved state is damaged.")
