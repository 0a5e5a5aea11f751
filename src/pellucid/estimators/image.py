"""An estimator for photos on disk: it takes paths or a folder, and includes its preprocessing."""

import copy
from dataclasses import replace
from numbers import Integral
from pathlib import Path
from typing import Any, Self, final

import numpy as np
from sklearn.base import _fit_context
from sklearn.utils._param_validation import Options, StrOptions
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_consistent_length

from pellucid.data.gaps import check_gaps
from pellucid.data.input_spec import white_seen
from pellucid.data.label_encoding import warn
from pellucid.data.preprocess import Preprocessing
from pellucid.data.readers.images import check_size
from pellucid.data.readers.picture_modes import FITS, SQUEEZE, White, or_else
from pellucid.errors import DataError, OptionError
from pellucid.estimators.any_network import AnyNetwork
from pellucid.estimators.base import Classifier, can_fit_partially
from pellucid.estimators.checks import check_y
from pellucid.estimators.image_reading import (
    as_sources,
    choose_shape,
    fault_in_words,
    image_paths,
    named,
    read_sources,
)
from pellucid.estimators.parameters import (
    AUTO,
    BELOW_ONE,
    CLASSIFIER_LOSS,
    POSITIVE_INT,
    estimator,
    parameter,
)
from pellucid.estimators.validation import Samples
from pellucid.formats.safetensors import load, save
from pellucid.nn.model import Model
from pellucid.nn.presets import DEFAULT_BODY, PRETRAINED
from pellucid.nn.pretrained.body import body_size
from pellucid.nn.pretrained.pixels import PIXELS
from pellucid.text import by, join_some
from pellucid.threads import n_cores
from pellucid.training.recipes import GENERAL
from pellucid.types import Array, Shape


@final
@estimator
class ImageClassifier(AnyNetwork, Classifier):
    """A classifier of photos: paths, a folder, bytes or arrays go in, and it reads and resizes them itself.

    Images are turned upright (EXIF), composited over white where they are transparent, converted to RGB, resized to
    ``image_size`` and divided by 255, one by one, so that photos from a camera need little memory.
    The model includes this rule, and so does its file.

    Parameters
    ----------
    model : str, Path, Model or None, optional
        A preset's name, a TOML file, or a model of your own, as for
        :class:`pellucid.estimators.NetworkClassifier`. "auto": the preset and the recipe that
        ``pellucid.recommend`` names for these images.
    image_size : int, (int, int) or None, optional
        (height, width) in pixels; one number for a square. None: that of a model that is trained already; else the
        size that all images share, if it is at most 256 pixels a side; else 64 x 64. Resized by cubic convolution
        (Keys, 1981, a = -0.5, widened where the photo is made smaller), as in Pillow.
    image_fit : {"squeeze", "crop", "pad"}, optional
        How images of another shape get that of ``image_size``: squeezed, their middle cut out, or the whole of them
        with black bars; the model keeps it. A model given as ``model`` has its own, unless another is chosen here.
    on_error : {"raise", "skip"}, optional
        What ``fit`` does where an image cannot be read: raise, or leave it out and warn. ``predict`` always raises.
    n_threads : int or None, optional
        Cores that each batch is split over while training, ``g = (g_1 + ... + g_k) / m``; -1: all; None: all
        where a step is large enough to gain from it, else one. Another number sums in another order, which
        changes the last digits.
    body, pixels : optional
        Of the model "pretrained": the network that it begins with, and what that takes of a photo's bytes, as for
        :func:`pellucid.pretrained`. Photos are read at its size unless ``image_size`` says another.
    loss, optimizer, learning_rate, schedule, augment, n_epochs, batch_size, shuffle, random_state : optional
        As for :class:`pellucid.estimators.NetworkClassifier`.
    early_stopping, validation_fraction, scoring, tol, n_iter_no_change, warm_start, dtype, form, kernels :
    optional
        As for :class:`pellucid.estimators.NetworkClassifier`.
    label_smoothing : float or "auto", optional
        As for :class:`pellucid.estimators.NetworkClassifier`.
    callbacks, progress, verbose, class_weight : optional
        As for :class:`pellucid.estimators.NetworkClassifier`; ``progress`` also shows how many photos are read.

    Attributes
    ----------
    model_ : pellucid.nn.model.Model
        The trained network, with its preprocessing and class names: :meth:`save` writes it.
    classes_ : Array, shape (k,)
        Sorted, as everywhere in scikit-learn; for a folder, the names of its sub-folders.
    sample_shape_ : tuple of int
        (height, width, 3) of an image as the model takes it. There is no ``n_features_in_``: photos come in any
        size.
    recommendation_ : Recommendation
        Which preset was chosen, how it is trained, and why, where ``model`` is "auto".
    loss_, loss_curve_, best_loss_, val_loss_curve_, validation_scores_, best_validation_score_, n_iter_, t_ :
    n_outputs_, out_activation_, history_ :
        As for :class:`pellucid.estimators.NetworkClassifier`.

    Notes
    -----
    What X may be, for every method: a folder with one sub-folder per class (then y may be left out); a list, an
    array or a column of paths or of bytes; one path or bytes, which count as a list of one; an array of images,
    (m, height, width, 3), or a list of arrays of any size, grey ones (height, width) too: whole numbers from 0 to
    255, or floats from 0 to 1.

    Each ``fit`` reads the photos again. To search over parameters, give arrays of paths,
    ``paths, labels = image_paths(folder)``, or read them once with ``pellucid.load_data(folder)`` and give X.

    Examples
    --------
    >>> import pellucid as pl
    >>> cats = pl.load_data("drawn-cats")
    >>> labels = ["cat" if y else "other" for y in cats.train.y]
    >>> classifier = ImageClassifier("mlp-wide", image_size=16, n_epochs=2, random_state=1)
    >>> classifier.fit(cats.train.X, labels).sample_shape_
    (16, 16, 3)
    >>> classifier.predict(cats.test.X[:1]).shape
    (1,)
    """

    model: Any = parameter(AUTO, str, Path, Model, None, kw_only=False)
    image_size: Any = parameter(None, "array-like", POSITIVE_INT, None)
    image_fit: str = parameter(SQUEEZE, StrOptions(set(FITS)))
    loss: Any = parameter(None, *CLASSIFIER_LOSS, None)
    label_smoothing: Any = parameter(AUTO, BELOW_ONE, StrOptions({AUTO}))
    on_error: str = parameter("raise", StrOptions({"raise", "skip"}))
    n_threads: Any = parameter(None, POSITIVE_INT, Options(Integral, {-1}), None)
    body: Any = parameter(None, str, Path, None)
    pixels: Any = parameter(None, StrOptions(set(PIXELS)), None)

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any = None, sample_weight: Any = None, validation_data: Any = None) -> Any:
        """Train the network on images.

        Parameters
        ----------
        X : folder, list of paths or bytes, or array of images
            See the notes on the class.
        y : array-like, shape (m,) or (m, k), optional
            Labels of any kind; for a folder with one sub-folder per class, their names by default. 0 and 1 in
            k columns where an image may have several labels.
        sample_weight : array-like, shape (m,), optional
            How much each image counts, 0 or more.
        validation_data : folder, or tuple (X, y) or (X, y, sample_weight), optional
            Images whose loss is recorded after each epoch in ``val_loss_curve_``; with ``early_stopping`` their
            score decides when to stop, and nothing is held out of X.

        Returns
        -------
        self

        Raises
        ------
        DataError
            If an image cannot be read, naming it (see ``on_error``); if there are no images, or one class only.
        ValueError
            In scikit-learn's words, if a parameter or a label does not fit, or there are more labels than images.
        """
        if isinstance(validation_data, str | Path):
            validation_data = image_paths(validation_data)
        return self._fit(X, y, sample_weight, validation_data=validation_data)

    def score(self, X: Any, y: Any = None, sample_weight: Any = None) -> float:
        """Return the accuracy; y may be left out for a folder, as in ``fit``."""
        return float(super().score(*self._labelled(X, y), sample_weight))

    @available_if(can_fit_partially)
    def partial_fit(self, X: Any, y: Any = None, sample_weight: Any = None, classes: Any = None) -> Any:
        """Train for one more epoch, on these images; the optimizer's state is kept.

        Parameters
        ----------
        X, y, sample_weight :
            As for ``fit``.
        classes : array-like, shape (k,), optional
            Every class that will ever occur; needed in the first call.

        Returns
        -------
        self
        """
        return super().partial_fit(*self._labelled(X, y), sample_weight, classes)

    def save(self, path: str | Path) -> None:
        """Write the trained model to a file that :func:`pellucid.load` and ``pellucid predict`` read.

        Parameters
        ----------
        path : str or Path
            Usually ending in ``.safetensors``.

        Raises
        ------
        OutputError
            If it cannot be written; what was there before is kept.
        """
        self._check_is_fitted()
        save(self.model_, path)

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Return a fitted estimator around the image classifier of a model file, however it was trained.

        Its labels are those of the file: words; with several labels per image, numbers. ``partial_fit`` and
        ``warm_start`` train it further.

        Raises
        ------
        FormatError
            If there is no such file, or it is not a file of pellucid.
        DataError
            If the model is not a classifier of images.
        """
        model = load(path)
        shape = model.input_shape
        is_of_images = len(shape) in (2, 3) and shape[2:] in ((), (1,), (3,))
        if model._loss.kind not in ("classification", "multi_label") or not is_of_images:
            raise DataError(
                f"{path}: expected a classifier of images, got a model of {shape} on {model.loss}."
            )
        n_outputs = model.output_shape[-1]
        made = cls(model, loss=_loss_of(model), warm_start=True)
        made.sample_shape_, made.n_outputs_, made._white = shape, n_outputs, white_seen(model.inputs_seen)
        if model._loss.kind == "multi_label":
            made._kind, made.classes_ = "multilabel", np.arange(n_outputs)
        else:
            made._kind = "binary" if n_outputs == 1 else "multiclass"
            made.classes_ = np.array(model.classes or tuple(map(str, range(max(2, n_outputs)))))
        made._training_table = GENERAL
        made.out_activation_ = made._objective().out_activation
        made._keep(copy.deepcopy(model))
        return made

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "model_")

    def _check_parameters(self) -> None:
        """Raise OptionError for what parameter constraints cannot express."""
        super()._check_parameters()
        self._model_for(1)  # rejects a wrong name before photos are read
        self._size()

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
        if y.ndim == 1 and not is_part and len(found := set(y.tolist())) < 2:
            raise DataError(
                f"y: expected images of at least two classes, but every label is {next(iter(found))!r}. Add "
                "images of another class."
            )
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
            gone = [] if is_part or y.ndim > 1 else sorted({*y.tolist()} - {*y[readings.rows].tolist()})
            if gone or not len(readings.rows):
                what = f"image of class {gone[0]!r}" if gone else "image"
                raise DataError(f"X: no {what} can be read. Save them again as JPEG or PNG.")
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
        checked: Array = check_y(y, multi_output=True, estimator=self)
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
        tags = super().__sklearn_tags__()
        tags.no_validation = True
        tags.input_tags.sparse = tags.input_tags.two_d_array = False
        tags.input_tags.one_d_array = tags.input_tags.string = True
        return tags


def _loss_of(model: Model) -> Any:
    """Return the ``loss`` parameter for a model's loss."""
    plain = ("binary_cross_entropy", "categorical_cross_entropy", "multi_label")
    if model.loss in plain and len(model.loss_config) == 1:
        return None
    return model.loss_config
