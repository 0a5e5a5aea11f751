"""The network of an estimator of images: it reads them itself, and rejects anything else."""

from dataclasses import replace
from numbers import Integral
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.utils.validation import _check_y, check_consistent_length

from pellucid.data.gaps import check_gaps
from pellucid.data.input_spec import white_seen
from pellucid.data.label_encoding import warn
from pellucid.data.preprocess import Preprocessing
from pellucid.data.readers.images import check_size
from pellucid.data.readers.picture_modes import White, or_else
from pellucid.errors import DataError, OptionError
from pellucid.estimators.any_network import AnyNetwork
from pellucid.estimators.image_reading import (
    as_sources,
    choose_shape,
    fault_in_words,
    image_paths,
    named,
    read_sources,
)
from pellucid.estimators.model_source import ModelSpec, model_spec
from pellucid.estimators.validation import Samples
from pellucid.nn.model import Model
from pellucid.nn.presets import DEFAULT_BODY, PRETRAINED
from pellucid.nn.pretrained.body import body_size
from pellucid.text import by, join_some
from pellucid.threads import n_cores
from pellucid.types import Array, Shape


class Images(AnyNetwork):
    """The image model that an estimator's parameters describe."""

    image_size: Any
    image_fit: str
    on_error: str
    n_threads: Any
    body: Any
    pixels: Any
    _white: White

    def _check_parameters(self) -> None:
        """Raise OptionError for what parameter constraints cannot express."""
        super()._check_parameters()
        self._model_for(1)  # rejects a wrong name before photos are read
        self._size()

    def _model_for(self, n_outputs: int) -> ModelSpec:
        of_body = {"body": self.body, "pixels": self.pixels}
        return model_spec(self.model, n_outputs, getattr(self, "recommendation_", None), **of_body)

    def _open_validation(self, validation_data: Any) -> Any:
        """Return validation data; for a folder its paths with their labels."""
        return image_paths(validation_data) if isinstance(validation_data, str | Path) else validation_data

    def _read_X(self, X: Any) -> Array:
        """Return images in the size that the model takes; a DataError names those that cannot be read."""
        sources = as_sources(X)
        readings = read_sources(sources, self.sample_shape_, white=self._white)
        if readings.faults:
            raise DataError(fault_in_words(readings, sources))
        return readings.images

    def _read_X_y(
        self, X: Any, y: Any, sample_weight: Any, *, reset: bool, is_part: bool
    ) -> tuple[Any, Any, Any]:
        """Return the images that can be read, with their labels and weights."""
        X, y = self._labelled(X, y)
        sources = as_sources(X)
        check_gaps(sample_weight=sample_weight)
        has_weights = np.ndim(sample_weight) > 0
        check_consistent_length(sources, y, sample_weight if has_weights else None)
        if y.ndim == 1 and not is_part:
            _check_two_classes(y)
        if reset:
            self.sample_shape_, self._white = self._choose_shape(sources), White(fit=self.image_fit)
            if isinstance(self.model, Model):
                self._white = or_else(self._white, white_seen(self.model.inputs_seen))
        elif self._size() not in (None, self.sample_shape_[:2]):
            raise OptionError(
                f"image_size: the weights to continue from are for {by(self.sample_shape_[:2])} pixels, got "
                f"{self.image_size}. Set it back, or fit again with warm_start=False."
            )
        readings = read_sources(
            sources, self.sample_shape_, white=self._white, in_set=True, has_bar=bool(self.progress)
        )
        self._white = or_else(self._white, readings.white)
        if readings.faults:
            if self.on_error == "raise":
                hint = ' Repair or remove it, or pass on_error="skip" to leave such images out.'
                raise DataError(fault_in_words(readings, sources) + (hint if len(readings.rows) else ""))
            _check_not_emptied(y, readings.rows, is_part=is_part)
            names = join_some(named(sources, readings.faults), most=3)
            left_out = (
                f"left out {len(readings.faults)} of {len(sources)} images that cannot be read: {names}"
            )
            warn(left_out, UserWarning)
            y = y[readings.rows]
            sample_weight = np.asarray(sample_weight)[readings.rows] if has_weights else sample_weight
        return readings.images, y, sample_weight

    def _training_options(self, samples: Samples, *, is_partial: bool) -> dict[str, Any]:
        options = super()._training_options(samples, is_partial=is_partial)
        n_threads = n_cores() if self.n_threads == -1 else self.n_threads
        return {**options, "n_threads": None if n_threads is None else min(int(n_threads), len(samples))}

    def _keep(self, network: Model) -> None:
        """Make the trained model the estimator's, with the value of white of its training pictures."""
        super()._keep(network)
        if network.inputs_seen is not None:
            network.inputs_seen = replace(network.inputs_seen, white=self._white[:2], fit=self._white.fit)

    def _labelled(self, X: Any, y: Any) -> tuple[Any, Array]:
        """Return images with their labels: for a folder, the names of its sub-folders, unless others are given."""
        if y is None and isinstance(X, str | Path) and not Path(X).expanduser().is_file():
            X, y = image_paths(X)
        if y is None:
            raise ValueError(
                f"This {type(self).__name__} estimator requires y to be passed, but the target y is None. "
                "It may be left out for a folder with one sub-folder per class."
            )
        check_gaps(y=y)
        checked: Array = _check_y(y, multi_output=True, estimator=self)
        return X, checked

    def _size(self) -> tuple[int, int] | None:
        size = self.image_size
        if size is None:
            return None
        return check_size((size, size) if isinstance(size, Integral) else tuple(size))

    def _choose_shape(self, sources: Any) -> Shape:
        size, model = self._size(), self.model
        if model == PRETRAINED:
            size = size or body_size(str(self.body or DEFAULT_BODY), self.pixels)
        if not isinstance(model, Model) or not model._is_initialized:
            return choose_shape(sources, size)
        shape: Shape = model.input_shape
        if size not in (None, shape[:2]):
            raise OptionError(
                f"image_size: the model given is trained on images of {by(shape[:2])}, got "
                f"{self.image_size}. Leave it out."
            )
        rule = model.preprocessing or Preprocessing.for_data(np.empty(0, np.uint8))
        if rule.kind != "divide":
            raise OptionError(
                f"model: it was trained on prepared numbers ({rule.kind}), not on bytes that it divides itself. "
                'If those were pixels / 255, set model.preprocessing = Preprocessing("divide", 255.0).'
            )
        return shape

    def __sklearn_tags__(self) -> Any:
        """Return the estimator's tags: it takes lists of paths, which scikit-learn does not validate."""
        tags = super().__sklearn_tags__()  # type: ignore[misc]
        tags.no_validation = True
        tags.input_tags.sparse = tags.input_tags.two_d_array = False
        tags.input_tags.one_d_array = tags.input_tags.string = True
        return tags


def _check_two_classes(y: Array) -> None:
    found = set(y.tolist())
    if len(found) < 2:
        raise DataError(
            f"y: expected images of at least two classes, but every label is {next(iter(found))!r}. Add images of "
            "another class."
        )


def _check_not_emptied(y: Array, rows: Array, *, is_part: bool) -> None:
    """Raise if skipping images would leave a class without any; a part may lack a class."""
    gone = [] if is_part or y.ndim > 1 else sorted(set(y.tolist()) - set(y[rows].tolist()))
    if gone or len(rows) == 0:
        what = f"image of class {gone[0]!r}" if gone else "image"
        raise DataError(f"X: no {what} can be read. Save them again as JPEG or PNG.")
