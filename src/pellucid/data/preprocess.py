"""What happens to raw inputs before the first layer: a rule that a model carries and its file keeps."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from pellucid.errors import DataError, FormatError, OptionError, unknown_name
from pellucid.types import Array

KINDS = ("divide", "none")  # to come: "standardize", with a mean and a deviation for each column of a table

# Pixels divided by 255 lie in 0..1, and noise added to them stays near it; bytes turned to floats do not.
_SURELY_UNDIVIDED = 16.0


@dataclass(frozen=True)
class Preprocessing:
    """How raw inputs become the floating-point numbers that layers take.

    Parameters
    ----------
    kind : {"none", "divide"}
        "none" only converts the dtype. "divide" divides whole numbers (pixels) by ``divisor``; floats pass
        through, since they count as prepared already.
    divisor : float, optional
        Above 0; 255 for photos. 1 where ``kind`` is "none".

    Raises
    ------
    OptionError
        If the kind or the divisor is not one of those.

    Examples
    --------
    >>> rule = Preprocessing.for_data(np.zeros((1, 2), np.uint8))
    >>> rule
    Preprocessing(kind='divide', divisor=255.0)
    >>> rule.apply(np.array([[0, 51]], np.uint8), np.float64)
    array([[0. , 0.2]])
    >>> Preprocessing.from_config(rule.to_config()) == rule
    True
    """

    kind: str = "none"
    divisor: float = 1.0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise OptionError(unknown_name("preprocessing", self.kind, KINDS))
        if not (math.isfinite(self.divisor) and self.divisor > 0):
            raise OptionError(f"preprocessing: expected a finite divisor above 0, got {self.divisor}.")

    @classmethod
    def for_data(cls, X: Array) -> "Preprocessing":
        """Return the rule for such data: bytes are pixels and are divided by 255, all else is left alone."""
        return cls("divide", 255.0) if X.dtype == np.uint8 else cls()

    def apply(self, X: Array, dtype: npt.DTypeLike) -> Array:
        """Return the inputs as the layers want them.

        Parameters
        ----------
        X : Array, any shape, numeric
            Not modified.
        dtype : a floating-point dtype

        Returns
        -------
        prepared : Array, shape of X
            Pixels are converted to ``dtype`` first and divided in it, so that float64 gives exactly
            ``X / 255.0``. May be X itself where nothing is to be done.

        Raises
        ------
        OptionError
            If ``dtype`` is not floating-point.
        DataError
            If X is not numeric, holds a number too large for ``dtype``, or holds floats that were clearly
            not divided, though this model's training data were.
        """
        wanted: np.dtype[Any] = np.dtype(dtype)
        if wanted.kind != "f":
            raise OptionError(f"dtype: expected a floating-point dtype such as float32, got {wanted}.")
        if X.dtype.kind not in "buif":
            raise DataError(f"X: expected an array of numbers, got dtype {X.dtype}. Convert it first.")
        if self.kind == "divide" and X.dtype.kind in "ui":
            pixels = X.astype(wanted, order="C")  # always a new array, so that dividing in place is safe
            pixels /= np.asarray(self.divisor, wanted)
            return pixels
        if self.kind == "divide" and X.size and float(X.max()) > _SURELY_UNDIVIDED:
            raise DataError(
                f"X: expected uint8 pixels, or floats from 0 to 1, got floats up to {float(X.max()):g}. "
                f"Give X.astype('uint8'), or X / {self.divisor:g}."
            )
        try:
            with np.errstate(over="raise"):
                return X.astype(wanted, order="C", copy=False)
        except FloatingPointError:
            raise DataError(
                f"X: a value is too large for {wanted}, whose largest number is {np.finfo(wanted).max:g}. "
                "Scale the column, or train in float64."
            ) from None

    def to_config(self) -> dict[str, Any]:
        """Return the rule as a dictionary that JSON can hold."""
        return {"kind": self.kind, "divisor": self.divisor}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> "Preprocessing":
        """Return the rule that `to_config` wrote.

        Raises
        ------
        FormatError
            If the dictionary is not such a rule.
        """
        try:
            if set(config) != {"kind", "divisor"}:
                raise OptionError(f"expected the keys kind and divisor, got {sorted(config)}.")
            return cls(str(config["kind"]), float(config["divisor"]))
        except (OptionError, TypeError, ValueError) as error:
            raise FormatError(
                f"preprocessing in the model file: {error} The file is damaged, or from a newer pellucid."
            ) from None


def check_finite(X: Array, where: str = "X") -> None:
    """Raise if any number is NaN or infinite.

    Parameters
    ----------
    X : Array, shape (m, ...), numeric
    where : str, optional
        What the message calls it.

    Raises
    ------
    DataError
        Saying how many there are and in which sample the first one is.

    Examples
    --------
    >>> check_finite(np.array([[0.0, 1.0], [np.nan, np.inf]]))
    Traceback (most recent call last):
        ...
    pellucid.errors.DataError: X: 2 of 4 values are NaN or infinite, the first in sample 1 (counted from 0).
    Fill them in or drop those samples.
    """
    finite = np.isfinite(X)
    if finite.all():
        return
    n_bad = finite.size - int(np.count_nonzero(finite))
    first = int(np.argmin(finite.reshape(len(X), -1).all(axis=1)))
    raise DataError(
        f"{where}: {n_bad} of {X.size} values are NaN or infinite, the first in sample {first} "
        "(counted from 0). Fill them in or drop those samples."
    )
