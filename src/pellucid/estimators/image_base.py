"""What an estimator of images does before and around the training: reading them, and refusing what is none."""

import warnings
from numbers import Integral
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from sklearn.utils._param_validation import Interval, Options, StrOptions
from sklearn.utils.validation import _check_y, check_consistent_length

from pellucid.data.preprocess import Preprocessing
from pellucid.data.readers.images import check_size
from pellucid.errors import DataError, OptionError
from pellucid.estimators.image_reading import (
    as_sources,
    choose_shape,
    fault_in_words,
    image_paths,
    named,
    read_sources,
)
from pellucid.estimators.model_source import sketch
from pellucid.estimators.network_base import BaseAnyNetwork
from pellucid.nn.model import Model
from pellucid.text import join_some
from pellucid.training.executor.executor import n_cores
from pellucid.types import Array, Shape


class BaseImages(BaseAnyNetwork):
    """An estimator around any model that reads its images itself; see :class:`ImageClassifier`."""

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **{
            name: allowed
            for name, allowed in BaseAnyNetwork._parameter_constraints.items()
            if name != "image_shape"  # images tell theirs themselves
        },
        "image_size": ["array-like", Interval(Integral, 1, None, closed="left"), None],
        "on_error": [StrOptions({"raise", "skip"})],
        "n_jobs": [Interval(Integral, 1, None, closed="left"), Options(Integral, {-1}), None],
    }

    def _check_parameters(self) -> None:
        super()._check_parameters()
        sketch(self.model, 1)  # refuses a wrong name before photos are read
        self._size_wanted()

    def _size_wanted(self) -> tuple[int, int] | None:
        size = self.image_size
        if size is None:
            return None
        return check_size((size, size) if isinstance(size, Integral) else tuple(size))

    def _fit(
        self, X: Any, y: Any, sample_weight: Any, *, validation_data: Any = None, is_partial: bool = False
    ) -> Any:
        self._check_parameters()
        is_first = not hasattr(self, "model_") or not (self.warm_start or is_partial)
        X, y, weights = self._gather(X, y, sample_weight, reset=is_first, is_part=is_partial)
        if isinstance(validation_data, str | Path):
            validation_data = image_paths(validation_data)
        if isinstance(validation_data, tuple | list) and len(validation_data) in (2, 3):
            Xv, yv, *wv = validation_data
            gathered = self._gather(Xv, yv, wv[0] if wv else None, reset=False, is_part=True)
            validation_data = gathered if wv else gathered[:2]
        return super()._fit(X, y, weights, validation_data=validation_data, is_partial=is_partial)

    def _gather(
        self, X: Any, y: Any, sample_weight: Any, *, reset: bool, is_part: bool
    ) -> tuple[Array, Array, Any]:
        """Return the images that can be read, with their labels and weights."""
        X, y = self._labelled(X, y)
        sources = as_sources(X)
        has_weights = np.ndim(sample_weight) > 0
        check_consistent_length(sources, y, sample_weight if has_weights else None)
        if y.ndim == 1 and not is_part:
            _check_two_classes(y)
        if reset:
            self.sample_shape_ = self._choose_shape(sources)
        elif self._size_wanted() not in (None, self.sample_shape_[:2]):
            raise OptionError(
                f"image_size: the weights to go on from are of {self.sample_shape_[0]} x {self.sample_shape_[1]} "
                f"pixels, got {self.image_size}. Set it back, or fit anew with warm_start=False."
            )
        readings = read_sources(sources, self.sample_shape_, has_bar=self.progress)
        if readings.faults:
            if self.on_error == "raise":
                hint = ' Repair or remove it, or pass on_error="skip" to leave such images out.'
                raise DataError(fault_in_words(readings, sources) + (hint if len(readings.rows) else ""))
            _check_not_emptied(y, readings.rows, is_part=is_part)
            names = join_some(named(sources, readings.faults), most=3)
            warnings.warn(
                f"left out {len(readings.faults)} of {len(sources)} images that cannot be read: {names}",
                UserWarning,
                stacklevel=5,
            )
            y = y[readings.rows]
            sample_weight = np.asarray(sample_weight)[readings.rows] if has_weights else sample_weight
        return readings.images, y, sample_weight

    def _labelled(self, X: Any, y: Any) -> tuple[Any, Array]:
        """Return images with their labels: of a folder, the names of its sub-folders, unless others are given."""
        if y is None and isinstance(X, str | Path) and not Path(X).expanduser().is_file():
            X, y = image_paths(X)
        if y is None:
            raise ValueError(
                f"This {type(self).__name__} estimator requires y to be passed, but the target y is None. "
                "It may be left out for a folder with one sub-folder a class."
            )
        checked: Array = _check_y(y, multi_output=True, estimator=self)
        return X, checked

    def _choose_shape(self, sources: Any) -> Shape:
        size = self._size_wanted()
        if not isinstance(self.model, Model) or not self.model.is_initialized:
            return choose_shape(sources, size)
        shape: Shape = self.model.input_shape
        if size not in (None, shape[:2]):
            raise OptionError(
                f"image_size: the model given is trained on images of {shape[0]} x {shape[1]}, got "
                f"{self.image_size}. Leave it out."
            )
        rule = self.model.preprocessing or Preprocessing.for_data(np.empty(0, np.uint8))
        if rule.kind != "divide":
            raise OptionError(
                f"model: it was trained on prepared numbers ({rule.kind}), not on bytes that it divides itself. "
                'If those were pixels / 255, set model.preprocessing = Preprocessing("divide", 255.0).'
            )
        return shape

    def _read_X(self, X: Any, *, reset: bool) -> Array:
        sources = as_sources(X)
        readings = read_sources(sources, self.sample_shape_)
        if readings.faults:
            raise DataError(fault_in_words(readings, sources))
        return readings.images

    def _read_X_y(self, X: Any, y: Any, *, reset: bool) -> tuple[Any, Any]:
        return X, y  # gathered before

    def _recipe(self, samples: Any, network: Model, *, is_partial: bool) -> dict[str, Any]:
        recipe = super()._recipe(samples, network, is_partial=is_partial)
        n_threads = n_cores() if self.n_jobs == -1 else self.n_jobs
        return {**recipe, "n_threads": None if n_threads is None else min(int(n_threads), len(samples))}


def _check_two_classes(y: Array) -> None:
    found = set(y.tolist())
    if len(found) < 2:
        raise DataError(
            f"y: expected images of at least two classes, but every label is {next(iter(found))!r}. Add images of "
            "another class."
        )


def _check_not_emptied(y: Array, rows: Array, *, is_part: bool) -> None:
    """Raise where leaving images out would leave a class without any; a part may lack a class."""
    gone = [] if is_part or y.ndim > 1 else sorted(set(y.tolist()) - set(y[rows].tolist()))
    if gone or len(rows) == 0:
        what = f"image of class {gone[0]!r}" if gone else "image"
        raise DataError(f"X: not one {what} can be read. Save them again as JPEG or PNG.")
