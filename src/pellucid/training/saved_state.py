"""Checks of what a checkpoint holds, before anything is loaded from it."""

from collections.abc import Mapping, Sequence
from numbers import Real
from typing import Any

import numpy as np

from pellucid.errors import FormatError
from pellucid.types import Array


def check_keys(where: str, state: Mapping[str, Any], wanted: Sequence[str]) -> None:
    """Raise FormatError unless the state has exactly the entries that are wanted."""
    if set(state) != set(wanted):
        raise FormatError(
            f"{where}: expected {', '.join(wanted)}, got {', '.join(state) or 'nothing'}. "
            "It was saved by another one, or with other options."
        )


def check_real(where: str, value: Any) -> None:
    """Raise FormatError unless it is a number."""
    if not isinstance(value, Real):
        raise FormatError(f"{where}: expected a number, got {value!r}. The saved state is damaged.")


def check_array(where: str, value: Any, like: Array) -> None:
    """Raise FormatError unless an array has the shape and dtype of the one that it is to fill."""
    if not isinstance(value, np.ndarray) or value.shape != like.shape or value.dtype != like.dtype:
        is_array = isinstance(value, np.ndarray)
        words = f"{value.dtype} of shape {value.shape}" if is_array else type(value).__name__
        raise FormatError(
            f"{where}: expected {like.dtype} of shape {like.shape}, got {words}. "
            "It was saved with a model of another architecture or dtype."
        )
