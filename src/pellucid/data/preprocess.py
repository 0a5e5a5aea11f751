"""Preprocessing of raw inputs before the first layer: a rule that is part of a model and its file."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from pellucid.data.stored.base import Converted, StoredArray
from pellucid.errors import DataError, FormatError, OptionError
from pellucid.registry import Configurable, Limits, option, plain
from pellucid.types import Array

KINDS = ("divide", "none", "robust", "standardize")
_KEYS = {"standardize": ("kind", "mean", "scale"), "robust": ("kind", "centre", "scale", "clip")}
_OTHER_KEYS = ("kind", "divisor")

# Pixels divided by 255 are in 0..1, with added noise near it; bytes converted to floats are not.
_SURELY_UNDIVIDED = 16.0


@dataclass(frozen=True)
class Preprocessing(Configurable):
    """The conversion of raw inputs to the floating-point numbers that layers take.

    Parameters
    ----------
    kind : {"none", "divide", "standardize", "robust"}
        "none" only converts the dtype. "divide" divides whole numbers (pixels) by ``divisor``; floats pass
        through, since they count as already prepared. "standardize" subtracts ``mean`` from each column of a table
        and divides by ``scale``: see :meth:`standardize`. "robust" subtracts ``centre``, divides by ``scale`` and
        clips smoothly: see :meth:`robust`.
    divisor : float, optional
        Above 0; 255 for photos. 1 where ``kind`` is not "divide".
    mean, centre, scale : sequence of float, optional
        One mean (of "standardize") or centre (of "robust") and one scale per column; kept as tuples. Scales are
        above 0.
    clip : float, optional
        What no number of "robust" exceeds; 3 where it is left out.

    Raises
    ------
    OptionError
        If the kind is not one of those, or a number does not apply to it.

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

    _registered_as: ClassVar[str] = "preprocessing"

    kind: str = option("none", choices=lambda: KINDS)
    divisor: float = option(1.0, at_least=1e-30, at_most=1e30)  # what float32 can divide by
    mean: tuple[float, ...] = field(default=(), repr=False)
    scale: tuple[float, ...] = field(default=(), repr=False, metadata={"limits": Limits(above=0)})
    centre: tuple[float, ...] = field(default=(), repr=False)
    clip: float = option(3.0, at_least=1e-3, at_most=1e30)

    def __post_init__(self) -> None:
        self._check_options()
        n_given = len(self.mean), len(self.centre), len(self.scale)
        n = len(self.scale)
        wanted = {"standardize": (n, 0, n), "robust": (0, n, n)}.get(self.kind, (0, 0, 0))
        if n_given != wanted or (self.kind in _KEYS) != (n > 0):
            raise OptionError(
                "preprocessing: expected one scale per column and one mean for 'standardize', one centre for "
                "'robust', and none for other kinds, got {} means, {} centres and {} scales for {!r}.".format(
                    *n_given, self.kind
                )
            )

    @property
    def middle(self) -> tuple[float, ...]:
        """What is subtracted from each column: the means or the centres; nothing of other kinds."""
        return self.mean or self.centre

    @classmethod
    def for_data(cls, X: Array) -> "Preprocessing":
        """Return the rule for such data: bytes are pixels and are divided by 255, all else is unchanged."""
        return cls("divide", 255.0) if X.dtype == np.uint8 else cls()

    @classmethod
    def standardize(cls, X: Array, numeric: Sequence[bool] | None = None) -> "Preprocessing":
        """Return the rule that gives each column of these data the mean 0 and the standard deviation 1.

        Parameters
        ----------
        X : Array, shape (m, n), numeric
            The training part; means must not come from a test part.
        numeric : sequence of n bool, optional
            Which columns to change; default: all. The others (one-hot ones) get the mean 0 and the scale 1.

        Returns
        -------
        Preprocessing
            Its scales are population standard deviations (the sum of squares is divided by m); a column of one
            value gets 1, also where rounding has moved it by up to 10 times the dtype's precision.

        Raises
        ------
        DataError
            If X is not a table of finite numbers.
        OptionError
            If ``numeric`` has another length.

        Examples
        --------
        >>> X = np.array([[1.0, 0.0], [3.0, 1.0]])
        >>> rule = Preprocessing.standardize(X, [True, False])
        >>> rule.mean, rule.scale
        ((2.0, 0.0), (1.0, 1.0))
        >>> rule.apply(np.array([[4.0, 1.0]]), np.float64)
        array([[2., 1.]])
        """
        _check_table(X, "standardize")
        chosen = np.ones(X.shape[1], bool) if numeric is None else np.asarray(numeric, bool)
        if chosen.shape != X.shape[1:]:
            raise OptionError(
                f"standardize: expected {X.shape[1]} flags, one per column, got shape {chosen.shape}."
            )
        mean, scale = _moments(X.astype(np.float64), _least_deviation(X))
        return cls(
            "standardize", mean=tuple(np.where(chosen, mean, 0.0)), scale=tuple(np.where(chosen, scale, 1.0))
        )

    @classmethod
    def robust(cls, X: Array, clip: float = 3.0) -> "Preprocessing":
        """Return the rule that centres each column at its median, scales it by its quartiles, and clips smoothly.

        Parameters
        ----------
        X : Array, shape (m, n), numeric
            The training part. Columns of 0 and 1 are treated like the others.
        clip : float, optional
            What no prepared number exceeds, whatever comes later.

        Raises
        ------
        DataError
            If X is not a table of finite numbers.

        Notes
        -----
        Holzmueller et al. (2024), section 3 and appendix A.2: z = (x - median) / (third quartile - first), then
        z / sqrt(1 + (z / clip)^2). Where the quartiles are equal the scale is half of the column's range; of a
        column of one value it is 1.

        Examples
        --------
        >>> rule = Preprocessing.robust(np.array([[0.0], [1.0], [2.0], [3.0], [900.0]]))
        >>> rule.centre, rule.scale
        ((2.0,), (2.0,))
        >>> rule.apply(np.array([[2.0], [4.0], [900.0]]), np.float64).round(3)
        array([[0.   ],
               [0.949],
               [3.   ]])
        """
        _check_table(X, "robust")
        lowest, first, centre, third, highest = np.quantile(
            X.astype(np.float64), (0, 0.25, 0.5, 0.75, 1), axis=0
        )
        spread, span, least = third - first, highest / 2 - lowest / 2, _least_deviation(X)
        scale = np.where(spread > least, spread, np.where(span > least, span, 1.0))
        return cls("robust", centre=tuple(centre), scale=tuple(scale), clip=clip)

    def apply(
        self,
        X: Array,
        dtype: npt.DTypeLike,
        *,
        rows: Array | slice | None = None,
        out: Array | None = None,
    ) -> Array:
        """Return the inputs as the layers take them.

        Parameters
        ----------
        X : Array, any shape, numeric
            Not modified.
        dtype : a floating-point dtype
        rows : Array of indices or slice, optional
            The samples that are wanted; default: all.
        out : Array, the result's shape and dtype, optional
            Written and returned.

        Returns
        -------
        prepared : Array, shape of X, or of the samples that are wanted
            Pixels are converted to ``dtype`` first and divided in it, so that float64 gives exactly
            ``X / 255.0``. Columns are prepared in float64, then converted. May be X itself where nothing
            is to be done.

        Raises
        ------
        OptionError
            If ``dtype`` is not floating-point.
        DataError
            If X is not numeric, has another number of columns, holds a number too large for ``dtype``, or
            holds floats that were clearly not divided, though this model's training data were.
        """
        wanted: np.dtype[Any] = np.dtype(dtype)
        if wanted.kind != "f":
            raise OptionError(f"dtype: expected a floating-point dtype such as float32, got {wanted}.")
        if X.dtype.kind not in "buif":
            raise DataError(f"X: expected an array of numbers, got dtype {X.dtype}. Convert it first.")
        X = X if rows is None else X[rows]
        if self.kind == "divide" and X.dtype.kind in "ui":  # converted first, and divided in that dtype
            out = np.empty(X.shape, wanted) if out is None else out
            np.divide(X, wanted.type(self.divisor), out=out, dtype=wanted, casting="unsafe")
            return out
        if self.kind == "divide" and X.size and float(X.max()) > _SURELY_UNDIVIDED:
            raise DataError(
                f"X: expected uint8 pixels, or floats from 0 to 1, got floats up to {float(X.max()):g}. "
                f"Give X.astype('uint8'), or X / {self.divisor:g}."
            )
        n = len(self.scale)
        if n and X.shape[1:] != (n,):
            raise DataError(
                f"X: expected {n} columns, shape (m, {n}), as the model was trained, "
                f"got {X.shape}. Read tables by the model's own schema."
            )
        try:
            with np.errstate(over="raise"):
                if n:
                    X = (X.astype(np.float64) - np.asarray(self.middle)) / np.asarray(self.scale)
                if self.kind == "robust":
                    X = X / np.hypot(1.0, X / self.clip)
                if out is None:
                    return X.astype(wanted, order="C", copy=False)
                out[...] = X
                return out
        except FloatingPointError:
            most = np.finfo(wanted).max
            bad = np.argwhere(~(np.abs(X.astype(np.float64)) < most))
            where = f" (sample {bad[0][0]}, column {bad[0][-1]}, both counted from 0)" if len(bad) else ""
            raise DataError(
                f"X: a value{where} is too large for {wanted}, whose largest number is {np.finfo(wanted).max:g}. "
                "Scale the column, or train in float64."
            ) from None

    def lazily(self, X: StoredArray, dtype: npt.DTypeLike) -> StoredArray:
        """Return a stored array whose rows are prepared as they are read: the numbers that ``apply`` gives."""
        return Converted(X, partial(_apply_to_read, self, np.dtype(dtype)), dtype)

    def to_config(self) -> dict[str, Any]:
        """Return the rule as a JSON-serializable dictionary."""
        return plain({key: getattr(self, key) for key in _KEYS.get(self.kind, _OTHER_KEYS)})

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> "Preprocessing":
        """Return the rule that `to_config` wrote.

        Raises
        ------
        FormatError
            If the dictionary is not a valid rule.
        """
        try:
            keys = _KEYS.get(str(config.get("kind")), _OTHER_KEYS)
            if set(config) != set(keys):
                raise OptionError(
                    f"preprocessing: expected the keys {', '.join(keys)}, got {sorted(config)}."
                )
            return cls(**config)
        except (OptionError, TypeError, ValueError, AttributeError) as error:
            raise FormatError(f"model file: {error} The file is damaged, or from a newer pellucid.") from None


def _apply_to_read(rule: Preprocessing, dtype: np.dtype[Any], X: Array, columns: slice | None) -> Array:
    """Return prepared samples, or these columns of them."""
    if columns is not None and rule.scale:
        mean, centre, scale = (each[columns] for each in (rule.mean, rule.centre, rule.scale))
        rule = replace(rule, mean=mean, centre=centre, scale=scale)
    return rule.apply(X, dtype)


def _check_table(X: Array, where: str) -> None:
    if X.ndim != 2 or X.size == 0 or X.dtype.kind not in "buif":
        raise DataError(
            f"{where}: expected a table of numbers of shape (m, n), got {X.shape}, {X.dtype}. "
            "Try X.reshape(m, -1)."
        )
    check_finite(X, where)


def _least_deviation(X: Array) -> Array:
    """Return how far the numbers of each column must be apart to count as several.

    Numbers within 10 times the precision are one value, as in scikit-learn's scalers, but whole numbers are exact.
    """
    precision = np.finfo(X.dtype).eps if X.dtype.kind == "f" else 0.0
    is_whole = (np.rint(X) == X).all(axis=0)
    return np.where(is_whole, 0.0, 10 * precision * np.abs(X.astype(np.float64)).max(axis=0))


def _moments(X: Array, least: Array) -> tuple[Array, Array]:
    """Return the mean and the population standard deviation of each column, 1 for a column of one value.

    Columns are scaled by powers of two, which is exact, so that no square overflows; and they are measured from
    their first row, so that a large common offset costs no digits.
    """
    exponents = np.frexp(np.abs(X).max(axis=0))[1]
    U = np.ldexp(X, -exponents)
    first = U[0].copy()
    U -= first
    mean, deviation = np.ldexp(first + U.mean(axis=0), exponents), np.ldexp(U.std(axis=0), exponents)
    return mean, np.where(deviation > least, deviation, 1.0)


def check_finite(X: Any, where: str = "X") -> None:
    """Raise if any number is NaN or infinite.

    Parameters
    ----------
    X : Array or StoredArray, shape (m, ...), numeric
    where : str, optional
        Its name in the message.

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
    if X.dtype.kind in "bui":
        return
    if isinstance(X, StoredArray):
        of_row = X.survey.n_bad
        if not of_row.any():
            return
        n_bad, first = int(of_row.sum()), int(np.argmax(of_row > 0))
    else:
        finite = np.isfinite(X)
        if finite.all():
            return
        n_bad = finite.size - int(np.count_nonzero(finite))
        first = int(np.argmin(finite.reshape(len(X), -1).all(axis=1)))
    raise DataError(
        f"{where}: {n_bad} of {X.size} values are NaN or infinite, the first in sample {first} "
        "(counted from 0). Fill them in or drop those samples."
    )
