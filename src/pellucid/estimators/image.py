"""An estimator for photos on disk: it takes paths or a folder, and includes its preprocessing."""

import copy
from numbers import Integral
from pathlib import Path
from typing import Any, Self, final

import numpy as np
from sklearn.base import _fit_context
from sklearn.utils._param_validation import Options, StrOptions
from sklearn.utils.metaestimators import available_if

from pellucid.data.input_spec import white_seen
from pellucid.data.readers.picture_modes import FITS, SQUEEZE
from pellucid.errors import DataError
from pellucid.estimators.base import Classifier, can_fit_partially
from pellucid.estimators.images import Images
from pellucid.estimators.parameters import (
    AUTO,
    BELOW_ONE,
    CLASSIFIER_LOSS,
    POSITIVE_INT,
    estimator,
    parameter,
)
from pellucid.formats.safetensors import load, save
from pellucid.nn.model import Model
from pellucid.nn.pretrained.pixels import PIXELS
from pellucid.training.recipes import GENERAL


@final
@estimator
class ImageClassifier(Images, Classifier):
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

    @_fit_context(prefer_skip_nested_validation=True)  # type: ignore[untyped-decorator]
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
        return self._fit(X, y, sample_weight, validation_data=validation_data)

    def score(self, X: Any, y: Any = None, sample_weight: Any = None) -> float:
        """Return the accuracy; y may be left out for a folder, as in ``fit``."""
        return float(super().score(*self._labelled(X, y), sample_weight))

    @available_if(can_fit_partially)  # type: ignore[untyped-decorator]
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


def _loss_of(model: Model) -> Any:
    """Return the ``loss`` parameter for a model's loss."""
    plain = ("binary_cross_entropy", "categorical_cross_entropy", "multi_label")
    if model.loss in plain and len(model.loss_config) == 1:
        return None
    return model.loss_config
