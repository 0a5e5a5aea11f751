"""What scikit-learn sees of every estimator: a classifier or a regressor around a network.

An estimator has two bases: one knows inputs and layers (:mod:`pellucid.estimators.dense_stack`, ``any_network``,
``images``), one targets, ``Classifier`` or ``Regressor``. :mod:`pellucid.estimators.fitting` has the way of a fit.
"""

from typing import Any

import numpy as np
import scipy.sparse
import scipy.special
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin, TransformerMixin, _fit_context
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.metaestimators import available_if

from pellucid.data.gaps import check_gaps
from pellucid.estimators.checks import (
    accuracy_score,
    check_partial_fit_first_call,
    compute_sample_weight,
    r2_score,
)
from pellucid.estimators.dense_stack import DenseStack
from pellucid.estimators.hidden import HiddenFeatures
from pellucid.estimators.objective import Objective, objective_of, takes_label_smoothing
from pellucid.estimators.parameters import BELOW_ONE, CLASSIFIER_LOSS, estimator, parameter
from pellucid.estimators.sparse import as_rows
from pellucid.estimators.targets import checked_weights, column_of, is_multilabel, learn_labels, read_labels
from pellucid.nn.model import Model
from pellucid.ops.activations import sigmoid_forward
from pellucid.ops.losses import LOSSES
from pellucid.types import Array


def can_fit_partially(self: Any) -> bool:
    """Return True; an AttributeError where the solver needs the whole of the data."""
    why_not = self._why_not_partial()
    if why_not:
        raise AttributeError(why_not)
    return True


def _gives_probabilities(self: Any) -> bool:
    loss = self.loss
    name = loss.get("type") if isinstance(loss, dict) else loss
    kind = LOSSES[str(name)] if name in LOSSES else loss
    if not getattr(kind, "gives_probabilities", True):
        raise AttributeError(f"probability estimates are not available for loss={name!r}")
    return True


def _gives_outputs(self: Any) -> bool:
    if isinstance(self, DenseStack):
        try:
            _gives_probabilities(self)
        except AttributeError:  # scikit-learn has no such loss, and helpers need one of the two
            return True
        raise AttributeError(
            f"{type(self).__name__} has no decision_function, as scikit-learn's has none: calibration and the like "
            "take predict_proba. For logits take predict_log_proba; of two classes, the difference of its columns."
        )
    return True


@estimator
class Estimator(HiddenFeatures, TransformerMixin, BaseEstimator):
    """A network that is fitted to samples, and transforms them to its hidden layers."""

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any, sample_weight: Any = None, validation_data: Any = None) -> Any:
        """Train the network on samples.

        Parameters
        ----------
        X : array-like, frame or sparse matrix, shape (m, n)
        y : array-like, shape (m,) or (m, n_outputs)
            Labels of any kind (classifier), or continuous targets (regressor).
        sample_weight : array-like, shape (m,), optional
            How much each sample counts, 0 or more.
        validation_data : tuple (X, y) or (X, y, sample_weight), optional
            Samples whose loss is recorded after each epoch in ``val_loss_curve_``; with ``early_stopping`` their
            score decides when to stop, and nothing is held out of X.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            In scikit-learn's words, if a parameter, an array or a label does not fit, or the weights become
            infinite.
        """
        return self._fit(X, y, sample_weight, validation_data=validation_data)

    def _outputs(self, X: Any) -> Array:
        """Return the network's raw outputs for samples as they were given, shape (m, n_outputs)."""
        lent: Model | None = self.__dict__.get("_lent_network")
        if lent is not None:  # a twin that scores the network during its training
            assert lent.preprocessing is not None
            X = as_rows(self._read_X(X))
            return lent._raw_outputs(lent.preprocessing.apply(X, lent.dtype))
        self._check_is_fitted()
        return self._network_outputs(self._read_X(X))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags


@estimator
class Classifier(ClassifierMixin, Estimator):
    """An estimator that predicts classes."""

    loss: Any = parameter("log_loss", *CLASSIFIER_LOSS)
    class_weight: Any = parameter(None, dict, list, StrOptions({"balanced"}), None)
    label_smoothing: Any = parameter(0.0, BELOW_ONE)

    _is_numeric = False
    _has_sparse_labels = False

    def _read_targets(self, y: Any, *, is_first: bool, is_partial: bool) -> tuple[Array, Any]:
        """Return codes of the labels, and y as scorers take it; store the classes."""
        y = column_of(y)
        if not hasattr(self, "classes_") or (is_first and not is_partial):
            codes, self.classes_, self._kind = learn_labels(y)
            self._has_sparse_labels = scipy.sparse.issparse(y)
        else:
            if self.warm_start and not is_partial:
                _, found, _ = learn_labels(y)
                if set(found.tolist()) != set(self.classes_.tolist()):
                    raise ValueError(
                        "warm_start can only be used where `y` has the same classes as in the previous call to "
                        f"fit. Previously got {self.classes_}, `y` has {found}"
                    )
            codes = read_labels(y, self.classes_, self._kind)
        self.n_outputs_ = 1 if self._kind == "binary" else len(self.classes_)  # one logit for two classes
        return codes, y

    def _weights(self, weights: Any, X: Any, y: Any, *, is_partial: bool) -> Array | None:
        """Return how much each sample counts, its class's weight times its own; None: all the same."""
        own = checked_weights(weights, X)
        if self.class_weight is None:
            return own
        if is_partial and self.class_weight == "balanced":
            raise ValueError(
                "class_weight 'balanced' is not supported for partial_fit. In order to use 'balanced' weights, "
                "use compute_class_weight('balanced', classes=classes, y=y) on all of y, and pass the resulting "
                "weights as the class_weight parameter."
            )
        if isinstance(self.class_weight, list) and self._kind != "multilabel":
            raise ValueError(
                f"The 'class_weight' parameter of {type(self).__name__} may be a list, a dict for each output, of "
                f"several labels alone. Got {self.class_weight!r} instead; try {{class: weight}}."
            )
        by_class: Array = compute_sample_weight(self.class_weight, y)
        weights = by_class.astype(X.dtype, copy=False) * (1 if own is None else own)
        if not (weights >= 0).all() or not weights.any():
            raise ValueError(
                f"The 'class_weight' parameter of {type(self).__name__} must give weights of 0 or more, above 0 to "
                f"some sample. Got {self.class_weight!r} instead."
            )
        return weights

    def _objective(self) -> Objective:
        loss = self._loss_of("log_loss")
        if loss == "log_loss" and self._kind == "multilabel":
            loss = self._multilabel_loss
        smoothing = self.label_smoothing
        if smoothing == "auto":
            smoothing = (
                self._training_table.get("label_smoothing", 0.0) if takes_label_smoothing(loss) else 0.0
            )
        return objective_of(loss, self._kind, float(smoothing))

    @available_if(can_fit_partially)
    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None, classes: Any = None) -> Any:
        """Train for one more epoch, on these samples; the optimizer's state is kept.

        Parameters
        ----------
        X, y, sample_weight :
            As for ``fit``.
        classes : array-like, shape (k,), optional
            Every class that will ever occur; needed in the first call.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If the classes are missing in the first call, differ from it later, or a label is none of them.
        """
        if check_partial_fit_first_call(self, classes):
            self._kind = "binary" if len(self.classes_) <= 2 else "multiclass"
            if is_multilabel(y):
                self._kind = "multilabel"
        return self._fit(X, y, sample_weight, is_partial=True)

    def predict(self, X: Any) -> Array:
        """Return the most probable class of each sample, (m,); for several labels 0 and 1, (m, k)."""
        Z = self._outputs(X)
        if self._kind == "multilabel":
            is_there = (Z > 0).astype(np.int64)
            return scipy.sparse.csr_matrix(is_there) if self._has_sparse_labels else is_there
        codes = (Z[:, 0] > 0).astype(np.intp) if self._kind == "binary" else Z.argmax(axis=1)
        if len(self.classes_) == 1:
            codes[:] = 0
        return self.classes_[codes]

    @available_if(_gives_outputs)
    def decision_function(self, X: Any) -> Array:
        """Return the network's raw outputs: logits, (m,) for two classes, else (m, k).

        Of an MLPClassifier only with a loss without probabilities: scikit-learn's has no such method, and its
        helpers would choose another one than there.
        """
        Z = self._outputs(X)
        return Z[:, 0] if self._kind == "binary" else Z

    @available_if(_gives_probabilities)
    def predict_proba(self, X: Any) -> Array:
        """Return the probability of each class, (m, k), in the order of ``classes_``.

        Rows sum to 1, except where a sample may have several labels.
        """
        return self._probabilities(self._outputs(X))

    @available_if(_gives_probabilities)
    def predict_log_proba(self, X: Any) -> Array:
        """Return the logarithm of ``predict_proba``; finite also where a probability is too small for floats."""
        Z = self._outputs(X)
        P = self._probabilities(Z)
        if self._kind == "multiclass":
            exact: Array = scipy.special.log_softmax(Z, axis=1)
        else:
            exact = scipy.special.log_expit(np.hstack([-Z, Z]) if self._kind == "binary" else Z)
        with np.errstate(divide="ignore"):
            return np.where(P > 0.5, np.log(P), exact[:, : P.shape[1]])  # near 1, exactly the rounded P

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Return the accuracy of ``predict(X)``: the fraction of samples all of whose labels are right."""
        check_gaps(y=y, sample_weight=sample_weight)
        return float(accuracy_score(y, self.predict(X), sample_weight=sample_weight))

    def _probabilities(self, Z: Array) -> Array:
        if len(self.classes_) == 1:
            return np.ones((len(Z), 1), Z.dtype)
        if self._kind == "binary":
            both = np.empty((len(Z), 2), Z.dtype)  # sigmoids of -Z and Z: neither loses digits
            np.negative(Z[:, 0], out=both[:, 0])
            both[:, 1] = Z[:, 0]
            return sigmoid_forward(both, out=both)[0]
        return self._objective().loss.probabilities(Z)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags


@estimator
class Regressor(RegressorMixin, Estimator):
    """An estimator that predicts continuous targets."""

    _is_numeric = True
    _kind = "regression"

    def _read_targets(self, y: Any, *, is_first: bool, is_partial: bool) -> tuple[Array, Any]:
        """Return y twice: training targets are what scorers take."""
        y = column_of(y)
        if y.dtype.kind in "US":
            raise ValueError(
                f"y: expected numbers as targets, got dtype {y.dtype}. A classifier takes names."
            )
        n_outputs = 1 if y.ndim == 1 else int(y.shape[1])
        if not is_first and n_outputs != self.n_outputs_:
            raise ValueError(f"y: expected {self.n_outputs_} outputs, as in the fit before, got {n_outputs}.")
        self.n_outputs_ = n_outputs
        return y, y

    def _objective(self) -> Objective:
        return objective_of(self._loss_of("mean_squared_error"), "regression", float(self.n_outputs_))

    @available_if(can_fit_partially)
    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Any:
        """Train for one more epoch, on these samples; the optimizer's state is kept.

        Parameters
        ----------
        X, y, sample_weight :
            As for ``fit``.

        Returns
        -------
        self
        """
        return self._fit(X, y, sample_weight, is_partial=True)

    def predict(self, X: Any) -> Array:
        """Return the predicted targets, (m,) for one output, else (m, n_outputs)."""
        Z = self._outputs(X)
        outputs = self._objective().loss.mean(Z)
        return outputs[:, 0] if outputs.shape[1] == 1 else outputs

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Return R squared of ``predict(X)``; of several targets the mean of theirs."""
        check_gaps(y=y, sample_weight=sample_weight)
        return float(r2_score(y, self.predict(X), sample_weight=sample_weight))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
