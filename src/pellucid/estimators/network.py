"""Estimators around any network: a preset, a TOML file, or a model of one's own."""

from typing import Any, ClassVar, final

from sklearn.utils._param_validation import StrOptions

from pellucid.estimators.kinds import NetworkClassifierBase, NetworkRegressorBase
from pellucid.estimators.model_source import choose_loss
from pellucid.estimators.network_base import BaseAnyNetwork


@final
class NetworkClassifier(NetworkClassifierBase, BaseAnyNetwork):
    """A classifier around any network, for images and for tables.

    Parameters
    ----------
    model : str, Path, Model or None, optional
        A preset's name such as "cnn", a TOML file, or a model of your own, which is copied and never changed (one
        that is trained already is trained further). None: one hidden layer of 100 relu units.
    loss : str or dict, optional
        "log_loss", "focal" or "hinge"; with options, ``{"type": "focal", "gamma": 2}``. Default: that of the file
        that ``model`` is, else "log_loss".
    optimizer : str or Optimizer, optional
        "sgd", "adam", "adamw", "rmsprop", "adagrad", "lbfgs", or one of your own, which is copied. "auto": what the
        TOML file's [training] table, or the preset's recipe, says; so for all that is "auto" here.
    learning_rate : float, optional
        Default: the optimizer's.
    schedule : str, Schedule or None, optional
        How the learning rate changes.
    augment : str, Augment or None, optional
        Changes images at random while training.
    n_epochs : int, optional
        Default: the recipe's.
    batch_size : int, "auto" or None, optional
        None: all samples.
    image_shape : tuple of int, optional
        (height, width, channels) of flat rows; images, (m, height, width, channels), tell theirs themselves.
    shuffle : bool, optional
        Whether each epoch takes the samples in a new order.
    random_state : int, RandomState or None, optional
        Of the start, the held-out part, the order of samples, augmentation and dropout.
    early_stopping : bool, optional
        Hold samples out, stop by their score, and keep the best weights.
    validation_fraction, scoring, tol, n_iter_no_change : optional
        As for :class:`pellucid.estimators.MLPClassifier`; without early stopping every epoch is made.
    warm_start : bool, optional
        Whether ``fit`` goes on from the weights that are there.
    dtype : {"float32", "float64"} or None, optional
        What is computed in; None: as X, and for bytes (pixels, which are divided by 255) as the model has it.
    label_smoothing : float or "auto", optional
        As for :class:`pellucid.estimators.MLPClassifier`; "auto": as the model's recipe has it, else 0.
    path, callbacks, progress, verbose, class_weight : optional
        As for :class:`pellucid.estimators.MLPClassifier`.

    Attributes
    ----------
    model_ : pellucid.nn.model.Model
        The trained network: ``pellucid.save(classifier.model_, path)`` writes it.
    classes_ : Array, shape (k,)
    sample_shape_ : tuple of int
        Of one sample, as the model takes it.
    loss_, loss_curve_, best_loss_, val_loss_curve_, validation_scores_, best_validation_score_, n_iter_, t_ :
    n_outputs_, n_features_in_, feature_names_in_, out_activation_, history_ :
        As for :class:`pellucid.estimators.MLPClassifier`.

    Examples
    --------
    >>> import pellucid as pl
    >>> cats = pl.load_data("drawn-cats")
    >>> classifier = NetworkClassifier("mlp-wide", n_epochs=2, random_state=1).fit(cats.train.X, cats.train.y)
    >>> classifier.predict_proba(cats.test.X).shape
    (50, 2)
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **NetworkClassifierBase._parameter_constraints,
        **BaseAnyNetwork._parameter_constraints,
        "loss": [*NetworkClassifierBase._parameter_constraints["loss"], None],
        "label_smoothing": [
            *NetworkClassifierBase._parameter_constraints["label_smoothing"],
            StrOptions({"auto"}),
        ],
    }

    def __init__(
        self,
        model: Any = None,
        *,
        loss: Any = None,
        optimizer: Any = "auto",
        learning_rate: Any = None,
        schedule: Any = "auto",
        augment: Any = "auto",
        n_epochs: Any = None,
        batch_size: Any = "auto",
        image_shape: Any = None,
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
    ) -> None:
        self.model = model
        self.loss = loss
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.schedule = schedule
        self.augment = augment
        self.n_epochs = n_epochs
        self.batch_size = batch_size
        self.image_shape = image_shape
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

    def _loss_wanted(self) -> Any:
        loss = choose_loss(self.loss, self._training_table, "log_loss")
        return "multi_label" if loss == "log_loss" and self._kind == "multilabel" else loss


@final
class NetworkRegressor(NetworkRegressorBase, BaseAnyNetwork):
    """A regressor around any network, for images and for tables.

    Parameters
    ----------
    model : str, Path, Model or None, optional
        As for :class:`NetworkClassifier`.
    loss : str or dict, optional
        "mean_squared_error", "squared_error" (half of it), "poisson", "absolute_error", "mean_absolute_error" or
        "huber"; with options, ``{"type": "huber", "delta": 2}``. Default: that of the file that ``model`` is, else
        "mean_squared_error".
    optimizer, learning_rate, schedule, ... : optional
        As for :class:`NetworkClassifier`, which has also ``class_weight`` and ``label_smoothing``.

    Attributes
    ----------
    model_, loss_, ... :
        As for :class:`NetworkClassifier`.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.linspace(0, 1, 40)[:, None]
    >>> regressor = NetworkRegressor(optimizer="lbfgs", random_state=1).fit(X, np.sin(3 * X[:, 0]))
    >>> regressor.score(X, np.sin(3 * X[:, 0])) > 0.99
    True
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **NetworkRegressorBase._parameter_constraints,
        **BaseAnyNetwork._parameter_constraints,
        "loss": [*NetworkRegressorBase._parameter_constraints["loss"], None],
    }

    def __init__(
        self,
        model: Any = None,
        *,
        loss: Any = None,
        optimizer: Any = "auto",
        learning_rate: Any = None,
        schedule: Any = "auto",
        augment: Any = "auto",
        n_epochs: Any = None,
        batch_size: Any = "auto",
        image_shape: Any = None,
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
    ) -> None:
        self.model = model
        self.loss = loss
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.schedule = schedule
        self.augment = augment
        self.n_epochs = n_epochs
        self.batch_size = batch_size
        self.image_shape = image_shape
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

    def _loss_wanted(self) -> Any:
        return choose_loss(self.loss, self._training_table, "mean_squared_error")
