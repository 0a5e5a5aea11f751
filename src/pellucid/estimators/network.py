"""Estimators around any network: a preset, a TOML file, or a custom model."""

from typing import Any, final

from sklearn.utils._param_validation import StrOptions

from pellucid.estimators.any_network import AnyNetwork
from pellucid.estimators.base import Classifier, Regressor
from pellucid.estimators.parameters import (
    AUTO,
    BELOW_ONE,
    CLASSIFIER_LOSS,
    REGRESSOR_LOSS,
    estimator,
    parameter,
)


@final
@estimator
class NetworkClassifier(AnyNetwork, Classifier):
    """A classifier around any network, for images and for tables.

    Parameters
    ----------
    model : str, Path, Model or None, optional
        A preset's name such as "cnn" (``pellucid model list``), a TOML file, or a custom model, which is
        copied and never changed (one that is already trained is trained further). "auto": the preset and the
        recipe that ``pellucid.recommend`` names for these samples. None: one hidden layer of 100 relu units. The
        last layer has one output for two classes, else one each.
    loss : str or dict, optional
        As for :class:`pellucid.estimators.MLPClassifier`. Default: that of the file given as ``model``, else
        "log_loss".
    optimizer : str or Optimizer, optional
        "sgd", "adam", "adamw", "rmsprop", "adagrad", "lbfgs", or one of ``pl.optimizers``, which is copied.
        "auto", here and below: what the TOML file's [training] table, or the preset's recipe, says. Weight decay is
        the recipe's or the optimizer's own: ``lambda / 2 sum of W^2`` is added to ``L``, not divided by ``m``;
        "adamw" decouples it. "lbfgs" takes all samples as they are and chooses its steps: it rejects learning_rate,
        schedule, augment and batch_size.
    learning_rate : float, optional
        Default: the recipe's or the optimizer's own; with a schedule, its peak.
    schedule : str, Schedule or None, optional
        How the learning rate changes, as for :class:`pellucid.estimators.MLPClassifier`; None: not at all.
    augment : str, Augment or None, optional
        Random changes of each image in every batch: "photo", "photo-cutmix", "photo-strong" or an Augment:
        flips, crops, rotations, colours (Simard et al., 2003, section 2); of two photos mixed, ``L`` of their
        labels in the same fractions (Yun et al., 2019, equation 1). None: none.
    n_epochs : int, optional
        Passes over the samples; default: the recipe's.
    batch_size : int, "auto" or None, optional
        Samples per step; None: all.
    image_shape : tuple of int, optional
        (height, width, channels) of flat rows, channels last; images, (m, height, width, channels), have
        theirs already.
    early_stopping : bool or "auto", optional
        True: as for :class:`pellucid.estimators.MLPClassifier`. "auto": what the recipe holds out, and its patience
        with the loss there, as "realmlp" has them; of few samples nothing. Otherwise every epoch is run.
    shuffle, random_state, validation_fraction, scoring, tol, n_iter_no_change, warm_start : optional
        As for :class:`pellucid.estimators.MLPClassifier`; samples of three classes or more are held out stratified,
        too, where each class has two.
    dtype : {"float32", "float64"} or None, optional
        The dtype of the computation; None: that of X, and for bytes (pixels, which are divided by 255) the model's.
    label_smoothing : float or "auto", optional
        As for :class:`pellucid.estimators.MLPClassifier`; "auto": the recipe's where the loss takes
        it, else 0.
    form, kernels, callbacks, progress, verbose, class_weight : optional
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

    loss: Any = parameter(None, *CLASSIFIER_LOSS, None)
    label_smoothing: Any = parameter(AUTO, BELOW_ONE, StrOptions({AUTO}))
    image_shape: Any = parameter(None, "array-like", None)


@final
@estimator
class NetworkRegressor(AnyNetwork, Regressor):
    """A regressor around any network, for images and for tables.

    Every parameter but ``loss`` is that of :class:`NetworkClassifier`, which has also ``class_weight`` and
    ``label_smoothing``.

    Parameters
    ----------
    loss : str or dict, optional
        As for :class:`pellucid.estimators.MLPRegressor`. Default: that of the file given as ``model``, else
        "mean_squared_error", for a preset that of standardized targets, as for ``pl.train``: then any unit is
        learned, and the losses reported are fractions of the variance.

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

    loss: Any = parameter(None, *REGRESSOR_LOSS, None)
    image_shape: Any = parameter(None, "array-like", None)
