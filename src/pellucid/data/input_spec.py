"""What the inputs of a training looked like, so that inputs in another dtype or range are converted or refused."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from pellucid.data.preprocess import Preprocessing
from pellucid.data.readers.picture_modes import FITS, SQUEEZE, UNKNOWN, White, or_else, white_notes
from pellucid.data.stored.base import BYTE, N_TRIED, Converted, StoredArray, ends
from pellucid.errors import DataError
from pellucid.registry import Configurable, checked_names, option
from pellucid.types import Array

MANY_VALUES = 64  # of one sample: pictures and their like, of one range; a table may be extrapolated
OTHER_SCALE, OTHER_RANGE = 4, 8  # times the largest number of the training


@dataclass(frozen=True)
class InputsSeen(Configurable):
    """Dtype and range of the inputs that a model was trained on.

    Parameters
    ----------
    dtype : str
    low, high : float
        The least and the largest number.
    is_whole : bool
        Whether all are whole numbers.
    is_divided : bool
        Whether all are whole numbers divided by 255, from 0 to 1: pixels.
    n_values : int
        Numbers in a sample.
    white : (float, float)
        The value of white of floating-point and of 32-bit grey pictures, 0 where there were none: a
        :class:`pellucid.data.readers.picture_modes.White`.
    fit : {"squeeze", "crop", "pad"}
        How photos were brought to the shape of a sample.

    Examples
    --------
    >>> pixels = np.array([[0, 51, 255]], np.uint8)
    >>> seen = InputsSeen.of(pixels / 255)
    >>> seen.is_divided
    True
    >>> seen.converted(pixels, Preprocessing(), "predict")  # as the model was trained
    array([[0. , 0.2, 1. ]])
    """

    _registered_as: ClassVar[str] = "inputs"

    dtype: str = option()
    low: float = option()
    high: float = option()
    is_whole: bool = option()
    is_divided: bool = option()
    n_values: int = option(at_least=0)
    white: tuple[float, float] = option(UNKNOWN[:2], at_least=0)
    fit: str = option(SQUEEZE, choices=lambda: FITS)

    @classmethod
    def of(cls, X: Any, white: White = UNKNOWN) -> "InputsSeen | None":
        """Return what inputs look like, shape (m, ...); None for none, for sparse rows, and with NaN among them."""
        if not isinstance(X, np.ndarray | StoredArray) or not X.size or X.dtype.kind not in "buif":
            return None
        low, high = ends(X)
        if not np.isfinite([low, high]).all():
            return None
        is_whole = X.dtype.kind != "f" or _are_whole(X)
        is_divided = not is_whole and low >= 0 and high <= 1 and _are_whole(X, BYTE)
        return cls(str(X.dtype), low, high, is_whole, is_divided, X.size // len(X), white[:2], white.fit)

    def and_then(self, later: "InputsSeen | None") -> "InputsSeen":
        """Return what both saw: a training that goes on with other samples; DataError if they differ in white."""
        if later is None or later.is_bytes != self.is_bytes:
            return self
        before, now = white_seen(self), white_seen(later)
        if or_else(before, now) != or_else(now, before):
            raise DataError(
                f"train: the model was trained with {_in_words(before)}, these samples are {_in_words(now)}. Bring "
                "them to one scale, or set model.inputs_seen = None."
            )
        return replace(
            self,
            low=min(self.low, later.low),
            high=max(self.high, later.high),
            is_whole=self.is_whole and later.is_whole,
            is_divided=self.is_divided and later.is_divided,
            white=or_else(before, now)[:2],
            fit=or_else(before, now).fit,
        )

    @property
    def is_bytes(self) -> bool:
        """Whether they were pixels from 0 to 255, which a model divides by 255 itself."""
        return self.dtype == "uint8"

    def converted(self, X: Any, rule: Preprocessing, where: str) -> Any:
        """Return inputs as the rule takes them; DataError where they are clearly of another range.

        Bytes are always right for a model of bytes. Whole floats up to 255 become bytes for it, and are divided by
        255 for a model of pixels divided by 255. Beyond the range seen, tables and small differences are let pass.
        """
        if not X.size or self.is_bytes != (rule.kind == "divide"):  # another rule was set since
            return X
        if self.is_bytes and X.dtype == np.uint8:
            return X
        low, high = ends(X)
        if self.is_bytes or self.is_divided:
            return self._as_pixels(X, low, high, where)
        if not self._is_in_range(X, low, high):
            raise self._refused(X, low, high, where)
        return X

    def _as_pixels(self, X: Any, low: float, high: float, where: str) -> Any:
        """Return what a model of pixels takes: bytes, or pixels divided by 255 a little beyond the range seen."""
        has_bytes = low >= 0 and high <= BYTE and (X.dtype.kind in "ui" or (high > 1 and _are_whole(X)))
        if has_bytes and self.is_bytes:
            return X if X.dtype.kind in "ui" else X.astype(np.uint8)
        if has_bytes and high > 1:
            dtype = (np.zeros(0, X.dtype) / BYTE).dtype
            return Converted(X, _divided, dtype) if isinstance(X, StoredArray) else X / BYTE
        unit = BYTE if self.is_bytes else 1
        slack = max(self.high - self.low, 1) / unit
        is_near = self.low / unit - slack <= low and high <= self.high / unit + slack
        if not is_near or (self.is_bytes and X.dtype.kind in "ui"):
            raise self._refused(X, low, high, where)
        return X

    def _is_in_range(self, X: Any, low: float, high: float) -> bool:
        """Return whether inputs may be of the scale seen."""
        largest, given = max(abs(self.low), abs(self.high)), max(abs(low), abs(high))
        if X.ndim < 3 and self.n_values < MANY_VALUES:
            return X.dtype != np.uint8 or self.is_whole or given <= OTHER_SCALE * largest
        if self.is_whole == _are_whole(X):
            return given <= OTHER_RANGE * largest
        if self.is_whole:
            is_other = largest >= 2 * OTHER_RANGE and (high <= 1 or low < self.low)
            return not is_other and given <= OTHER_RANGE * largest
        return given <= OTHER_SCALE * largest

    def _refused(self, X: Any, low: float, high: float, where: str) -> DataError:
        seen = f"{self.dtype} from {self.low:.4g} to {self.high:.4g}"
        advice = "Prepare them as the training samples were; if they are right, set model.inputs_seen = None."
        if self.is_bytes:
            advice = "Give X.astype('uint8') where they are pixels from 0 to 255, else prepare them as then."
        given = f"{X.dtype} from {low:.4g} to {high:.4g}"
        return DataError(f"{where}: the model was trained on {seen}, X is {given}. {advice}")


def inputs_seen(X: Any, before: Any = None, white: White = UNKNOWN) -> Any:
    """Return what inputs look like, for several a dictionary by name; with what was seen before."""
    if isinstance(X, Mapping):
        earlier = before if isinstance(before, Mapping) else {}
        return {name: inputs_seen(array, earlier.get(name)) for name, array in X.items()}
    found = InputsSeen.of(X, white)
    return found if before is None else before.and_then(found)


def white_seen(seen: Any) -> White:
    """Return the value of white of the grey pictures that a model was trained on, and how photos were fitted."""
    return White(*seen.white, seen.fit) if isinstance(seen, InputsSeen) else UNKNOWN


def as_seen(X: Any, seen: Any, rule: Preprocessing | None, where: str) -> Any:
    """Return inputs as a model was trained on them, see :meth:`InputsSeen.converted`; None lets all pass."""
    if isinstance(X, Mapping):
        known = seen if isinstance(seen, Mapping) else {}
        return {name: as_seen(array, known.get(name), rule, where) for name, array in X.items()}
    is_known = isinstance(seen, InputsSeen) and isinstance(X, np.ndarray | StoredArray)  # and not sparse rows
    return seen.converted(X, rule or Preprocessing(), where) if is_known else X


def _in_words(white: White) -> str:
    fit = () if white.fit == SQUEEZE else (f"photos fitted by '{white.fit}'",)
    return " and ".join((*white_notes(white), *fit))


def seen_to_config(seen: Any) -> Any:
    """Return what was seen as JSON can hold it."""
    if isinstance(seen, Mapping):
        return {"by_name": {name: seen_to_config(one) for name, one in seen.items()}}
    return None if seen is None else seen._option_values()


def seen_from_config(config: Any) -> Any:
    """Return what a ``seen_to_config`` describes."""
    if isinstance(config, Mapping) and "by_name" in config:
        return {str(name): seen_from_config(one) for name, one in config["by_name"].items()}
    return None if config is None else InputsSeen(**checked_names(InputsSeen, config))


def _divided(X: Array, columns: slice | None) -> Array:
    return X / BYTE


def _are_whole(X: Any, times: int = 1) -> bool:
    """Return whether the numbers, times 1 or 255, are whole but for rounding; of many, some are looked at."""
    if X.dtype.kind != "f":
        return True
    if isinstance(X, StoredArray):
        return bool((X.survey.is_whole if times == 1 else X.survey.is_divided).all())
    flat = X.reshape(-1)
    some = flat[:: max(1, flat.size // N_TRIED)].astype(np.float64) * times
    return bool((np.abs(some - np.rint(some)) <= 1e-3 * (times > 1)).all())
