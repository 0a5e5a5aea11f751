"""An estimator for photos as they lie on a disk: it takes paths or a folder, and carries its preprocessing."""

import copy
from pathlib import Path
from typing import Any, ClassVar, Self, final

import numpy as np
from sklearn.base import _fit_context
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.metaestimators import available_if

from pellucid.errors import DataError
from pellucid.estimators.image_base import BaseImages
from pellucid.estimators.kinds import NetworkClassifierBase, can_fit_partially
from pellucid.estimators.model_source import choose_loss
from pellucid.formats.safetensors import load, save
from pellucid.nn.model import Model
from pellucid.training.recipes import GENERAL


@final
class ImageClassifier(NetworkClassifierBase, BaseImages):
    """A classifier of photos: paths, a folder, bytes or arrays go in, and it reads and resizes them itself.

    Images are turned upright (EXIF), laid over white where they are transparent, made RGB, resized to
    ``image_size`` and divided by 255, one after another, so that photos from a camera need no memory to speak of.
    The model carries the rule, and so does its file.

    Parameters
    ----------
    model : str, Path, Model or None, optional
        A preset's name, a TOML file, or a model of your own, as for
        :class:`pellucid.estimators.NetworkClassifier`. Default: the preset "cnn" with its recipe.
    image_size : int, (int, int) or None, optional
        (height, width) in pixels; one number for a square. None: that of a model that is trained already; else the
        size that all images share, if it is at most 256 pixels a side; else 64 x 64.
    on_error : {"raise", "skip"}, optional
        What ``fit`` does where an image cannot be read: raise, or leave it out and warn. ``predict`` always raises.
    n_jobs : int or None, optional
        Cores that each batch is split over while training; -1: all; None: all where a step is large enough to gain
        by it, else one.
    loss, optimizer, learning_rate, schedule, augment, n_epochs, batch_size, shuffle, random_state : optional
        As for :class:`pellucid.estimators.NetworkClassifier`.
    early_stopping, validation_fraction, scoring, tol, n_iter_no_change, warm_start, dtype, path : optional
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
        Sorted, as everywhere in scikit-learn: of a folder, the names of its sub-folders.
    sample_shape_ : tuple of int
        (height, width, 3) of an image as the model takes it. There is no ``n_features_in_``: photos come in any
        size.
    loss_, loss_curve_, best_loss_, val_loss_curve_, validation_scores_, best_validation_score_, n_iter_, t_ :
    n_outputs_, out_activation_, history_ :
        As for :class:`pellucid.estimators.NetworkClassifier`.

    Notes
    -----
    What X may be, for every method: a folder with one sub-folder a class (then y may be left out); a list, an
    array or a column of paths or of bytes; one path or bytes, which count as a list of one; an array of images,
    (m, height, width, 3), or a list of arrays of any size, grey ones (height, width) too: whole numbers from 0 to
    255, or floats from 0 to 1.

    Each ``fit`` reads the photos anew. To search over parameters, give arrays of paths,
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

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **NetworkClassifierBase._parameter_constraints,
        **BaseImages._parameter_constraints,
        "loss": [*NetworkClassifierBase._parameter_constraints["loss"], None],
        "label_smoothing": [
            *NetworkClassifierBase._parameter_constraints["label_smoothing"],
            StrOptions({"auto"}),
        ],
    }

    def __init__(
        self,
        model: Any = "cnn",
        *,
        image_size: Any = None,
        loss: Any = None,
        optimizer: Any = "auto",
        learning_rate: Any = None,
        schedule: Any = "auto",
        augment: Any = "auto",
        n_epochs: Any = None,
        batch_size: Any = "auto",
        shuffle: bool = True,
        random_state: Any = None,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        scoring: Any = None,
        tol: float = 1e-4,
        n_iter_no_change: float = 10,
        warm_start: bool = False,
        dtype: Any = None,
        path: str = "auto",
        callbacks: Any = None,
        progress: bool = False,
        verbose: Any = False,
        class_weight: Any = None,
        label_smoothing: Any = "auto",
        on_error: str = "raise",
        n_jobs: Any = None,
    ) -> None:
        self.model = model
        self.image_size = image_size
        self.loss = loss
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.schedule = schedule
        self.augment = augment
        self.n_epochs = n_epochs
        self.batch_size = batch_size
        self.shuffle = shuffle
        self.random_state = random_state
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.scoring = scoring
        self.tol = tol
        self.n_iter_no_change = n_iter_no_change
        self.warm_start = warm_start
        self.dtype = dtype
        self.path = path
        self.callbacks = callbacks
        self.progress = progress
        self.verbose = verbose
        self.class_weight = class_weight
        self.label_smoothing = label_smoothing
        self.on_error = on_error
        self.n_jobs = n_jobs

    @_fit_context(prefer_skip_nested_validation=True)  # type: ignore[untyped-decorator]
    def fit(self, X: Any, y: Any = None, sample_weight: Any = None, validation_data: Any = None) -> Any:
        """Train the network on images.

        Parameters
        ----------
        X : folder, list of paths or bytes, or array of images
            See the notes on the class.
        y : array-like, shape (m,) or (m, k), optional
            Labels of any kind; of a folder with one sub-folder a class, their names, unless given here. 0 and 1 in
            k columns where an image may have several labels.
        sample_weight : array-like, shape (m,), optional
            How much each image counts, 0 or more.
        validation_data : folder, or tuple (X, y) or (X, y, sample_weight), optional
            Images whose loss is noted after each epoch in ``val_loss_curve_``; with ``early_stopping`` their score
            decides when to stop, and nothing is held out of X.

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
        """Return the share of images whose class is found; y may be left out for a folder, as in ``fit``."""
        return float(super().score(*self._labelled(X, y), sample_weight))

    @available_if(can_fit_partially)  # type: ignore[untyped-decorator]
    def partial_fit(self, X: Any, y: Any = None, sample_weight: Any = None, classes: Any = None) -> Any:
        """Train for one more epoch, on these images; the optimizer's memory goes on.

        Parameters
        ----------
        X, y, sample_weight :
            As for ``fit``.
        classes : array-like, shape (k,), optional
            Every class that will ever come; needed in the first call.

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
            ``.safetensors`` by custom.

        Raises
        ------
        OutputError
            If it cannot be written; what was there before is kept.
        """
        self._check_is_fitted()
        save(self.model_, path)

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Return a fitted estimator around the image classifier of a model file, whoever trained it.

        Its labels are the file's: words; of several labels an image, numbers. ``partial_fit`` and ``warm_start``
        train it further.

        Raises
        ------
        FormatError
            If there is no such file, or it is none of pellucid's.
        DataError
            If the model is not one that tells classes of images apart.
        """
        model = load(path)
        shape = model.input_shape
        is_of_images = len(shape) in (2, 3) and shape[2:] in ((), (1,), (3,))
        if model.loss_kind not in ("classification", "multi_label") or not is_of_images:
            raise DataError(
                f"{path}: expected a classifier of images, got a model of {shape} on {model.loss}."
            )
        n_outputs = model.output_shape[-1]
        estimator = cls(model, loss=_loss_of(model), warm_start=True)
        estimator.sample_shape_, estimator.n_outputs_ = shape, n_outputs
        if model.loss_kind == "multi_label":
            estimator._kind, estimator.classes_ = "multilabel", np.arange(n_outputs)
        else:
            estimator._kind = "binary" if n_outputs == 1 else "multiclass"
            estimator.classes_ = np.array(model.classes or tuple(map(str, range(max(2, n_outputs)))))
        estimator._training_table = GENERAL
        estimator.out_activation_ = estimator._objective().out_activation
        estimator._keep(copy.deepcopy(model))
        return estimator

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "model_")

    def _loss_wanted(self) -> Any:
        loss = choose_loss(self.loss, self._training_table, "log_loss")
        return "multi_label" if loss == "log_loss" and self._kind == "multilabel" else loss

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.no_validation = True
        tags.input_tags.sparse = tags.input_tags.two_d_array = False
        tags.input_tags.one_d_array = tags.input_tags.string = True
        return tags


def _loss_of(model: Model) -> Any:
    """Return the ``loss`` parameter for a model's loss."""
    plain = ("binary_cross_entropy", "categorical_cross_entropy", "multi_label")
    if model.loss in plain and not model.loss_options:
        return None
    return {"type": model.loss, **model.loss_options}
