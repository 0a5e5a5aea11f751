"""The two kinds of estimators: those that name classes and those that give quantities."""

from collections.abc import Mapping
from numbers import Real
from typing import Any, ClassVar

import numpy as np
import scipy.sparse
import scipy.special
from sklearn.base import ClassifierMixin, RegressorMixin, _fit_context
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import _check_partial_fit_first_call
from sklearn.utils.validation import column_or_1d

from pellucid.errors import OptionError
from pellucid.estimators.base import BaseNetwork
from pellucid.estimators.objective import (
    CLASSIFIER_LOSSES,
    REGRESSOR_LOSSES,
    Objective,
    classifier_objective,
    named_objective,
    regressor_objective,
    takes_label_smoothing,
)
from pellucid.estimators.targets import Labels, is_multilabel, learn_labels, read_labels
from pellucid.ops.activations import sigmoid_forward
from pellucid.ops.losses.base import LOSSES, Loss
from pellucid.types import Array


def _column(y: Any) -> Any:
    return column_or_1d(y, warn=True) if getattr(y, "ndim", 1) == 2 and y.shape[1] == 1 else y


def _objective(loss: Any, kind: str, detail: float) -> Objective:
    try:
        if isinstance(loss, str):
            return named_objective(loss, kind, detail)
        if kind == "regression":
            return regressor_objective(loss, int(detail))
        return classifier_objective(loss, kind, detail)
    except OptionError as error:
        raise ValueError(str(error)) from None


def _gives_probabilities(estimator: Any) -> bool:
    loss = estimator.loss
    name = loss.get("type") if isinstance(loss, dict) else loss
    kind = LOSSES[str(name)] if name in LOSSES else loss
    if not getattr(kind, "gives_probabilities", True):
        raise AttributeError(f"probability estimates are not available for loss={name!r}")
    return True


def can_fit_partially(estimator: Any) -> bool:
    """Return True; an AttributeError where the solver needs the whole of the data."""
    estimator._check_stochastic()
    return True


class PartialFit(BaseNetwork):
    """Says whether an estimator can be trained an epoch at a time, and on which loss."""

    def _loss_wanted(self) -> Any:
        return self.loss

    def _check_stochastic(self) -> None:
        """Raise AttributeError where the solver needs the whole of the data."""


class NetworkClassifierBase(ClassifierMixin, PartialFit):  # type: ignore[misc]
    """What a classifier is, whatever its network."""

    _has_sparse_labels = False
    _training_table: Mapping[str, Any]  # of whose model has a recipe
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **BaseNetwork._parameter_constraints,
        "loss": [StrOptions(set(CLASSIFIER_LOSSES)), dict, Loss],
        "label_smoothing": [Interval(Real, 0, 1, closed="left")],
        "class_weight": [dict, list, StrOptions({"balanced"}), None],
    }

    @available_if(can_fit_partially)  # type: ignore[untyped-decorator]
    @_fit_context(prefer_skip_nested_validation=True)  # type: ignore[untyped-decorator]
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None, classes: Any = None) -> Any:
        """Train for one more epoch, on these samples; the optimizer's memory goes on.

        Parameters
        ----------
        X, y, sample_weight :
            As for ``fit``.
        classes : array-like, shape (k,), optional
            Every class that will ever come; needed in the first call.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If the classes are missing in the first call or others than there, or a label is none of them.
        """
        if _check_partial_fit_first_call(self, classes):
            self._kind = "binary" if len(self.classes_) <= 2 else "multiclass"
            if is_multilabel(y):
                self._kind = "multilabel"
        return self._fit(X, y, sample_weight, is_partial=True)

    def _read_targets(self, y: Any, *, is_first: bool, is_partial: bool) -> tuple[Array, Any]:
        y = _column(y)
        if not hasattr(self, "classes_") or (is_first and not is_partial):
            labels = learn_labels(y)
            self.classes_, self._kind = labels.classes, labels.kind
            self._has_sparse_labels = scipy.sparse.issparse(y)
        elif self.warm_start and not is_partial:
            self._check_same_classes(learn_labels(y))
            labels = read_labels(y, self.classes_, self._kind)
        else:
            labels = read_labels(y, self.classes_, self._kind)
        self.n_outputs_ = labels.n_outputs
        return labels.codes, y

    def _check_same_classes(self, labels: Labels) -> None:
        if set(labels.classes.tolist()) != set(self.classes_.tolist()):
            raise ValueError(
                "warm_start can only be used where `y` has the same classes as in the previous call to fit. "
                f"Previously got {self.classes_}, `y` has {labels.classes}"
            )

    def _weights(self, sample_weight: Any, X: Any, y: Any, *, is_partial: bool) -> Array | None:
        weights = super()._weights(sample_weight, X, y, is_partial=is_partial)
        if self.class_weight is None:
            return weights
        if is_partial and self.class_weight == "balanced":
            raise ValueError(
                "class_weight 'balanced' is not supported for partial_fit. In order to use 'balanced' weights, "
                "use compute_class_weight('balanced', classes=classes, y=y) on all of y, and pass the resulting "
                "weights as the class_weight parameter."
            )
        by_class: Array = compute_sample_weight(self.class_weight, y)
        weights = by_class.astype(X.dtype, copy=False) * (1 if weights is None else weights)
        if not (weights >= 0).all() or not weights.any():
            raise ValueError(
                f"The 'class_weight' parameter of {type(self).__name__} must give weights of 0 or more, above 0 to "
                f"some sample. Got {self.class_weight!r} instead."
            )
        return weights

    def _objective(self) -> Objective:
        return _objective(self._loss_wanted(), self._kind, self._smoothing())

    def _smoothing(self) -> float:
        """Return the fraction by which targets are moved towards even ones."""
        if self.label_smoothing != "auto":
            return float(self.label_smoothing)
        takes_it = takes_label_smoothing(self._loss_wanted())
        return float(self._training_table.get("label_smoothing", 0.0)) if takes_it else 0.0

    def predict(self, X: Any) -> Array:
        """Return the likeliest class of each sample, (m,); of several labels, 0 and 1, (m, k), sparse if y was."""
        Z = self._outputs(X)
        if self._kind == "multilabel":
            is_there = (Z > 0).astype(np.int64)
            return scipy.sparse.csr_matrix(is_there) if self._has_sparse_labels else is_there
        codes = (Z[:, 0] > 0).astype(np.intp) if self._kind == "binary" else Z.argmax(axis=1)
        if len(self.classes_) == 1:
            codes[:] = 0
        labels: Array = self.classes_[codes]
        return labels

    def decision_function(self, X: Any) -> Array:
        """Return the network's raw outputs: logits, (m,) for two classes, else (m, k)."""
        Z = self._outputs(X)
        return Z[:, 0] if self._kind == "binary" else Z

    @available_if(_gives_probabilities)  # type: ignore[untyped-decorator]
    def predict_proba(self, X: Any) -> Array:
        """Return the probability of each class, (m, k), in the order of ``classes_``.

        Rows add up to 1, except where a sample may have several labels.
        """
        return self._probabilities(self._outputs(X))

    @available_if(_gives_probabilities)  # type: ignore[untyped-decorator]
    def predict_log_proba(self, X: Any) -> Array:
        """Return the logarithm of ``predict_proba``; finite also where a probability is too small for floats."""
        Z = self._outputs(X)
        P = self._probabilities(Z)
        if self._kind == "multiclass":
            exact: Array = scipy.special.log_softmax(Z, axis=1)
        else:
            exact = scipy.special.log_expit(np.hstack([-Z, Z]) if self._kind == "binary" else Z)
        with np.errstate(divide="ignore"):
            return np.where(P > 0.5, np.log(P), exact[:, : P.shape[1]])  # near 1, just what P is rounded to

    def _probabilities(self, Z: Array) -> Array:
        if len(self.classes_) == 1:
            return np.ones((len(Z), 1), Z.dtype)
        if self._kind == "binary":
            both = np.empty((len(Z), 2), Z.dtype)  # sigmoids of -Z and Z: each keeps its own digits
            np.negative(Z[:, 0], out=both[:, 0])
            both[:, 1] = Z[:, 0]
            return sigmoid_forward(both, out=both)[0]
        return self._objective().loss.probabilities(Z)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        tags.input_tags.sparse = True
        return tags


class NetworkRegressorBase(RegressorMixin, PartialFit):  # type: ignore[misc]
    """What a regressor is, whatever its network."""

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **BaseNetwork._parameter_constraints,
        "loss": [StrOptions(set(REGRESSOR_LOSSES)), dict, Loss],
    }
    _kind = _kind_of_targets = "regression"

    @available_if(can_fit_partially)  # type: ignore[untyped-decorator]
    @_fit_context(prefer_skip_nested_validation=True)  # type: ignore[untyped-decorator]
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Any:
        """Train for one more epoch, on these samples; the optimizer's memory goes on.

        Parameters
        ----------
        X, y, sample_weight :
            As for ``fit``.

        Returns
        -------
        self
        """
        return self._fit(X, y, sample_weight, is_partial=True)

    def _read_targets(self, y: Any, *, is_first: bool, is_partial: bool) -> tuple[Array, Any]:
        y = _column(y)
        n_outputs = 1 if y.ndim == 1 else int(y.shape[1])
        if not is_first and n_outputs != self.n_outputs_:
            raise ValueError(f"y: expected {self.n_outputs_} outputs, as in the fit before, got {n_outputs}.")
        self.n_outputs_: int = n_outputs
        return y, y

    def _objective(self) -> Objective:
        return _objective(self._loss_wanted(), "regression", float(self.n_outputs_))

    def predict(self, X: Any) -> Array:
        """Return the expected quantities, (m,) for one output, else (m, n_outputs)."""
        Z = self._outputs(X)
        outputs = self._objective().loss.mean(Z)
        return outputs[:, 0] if outputs.shape[1] == 1 else outputs

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.target_tags.multi_output = True
        return tags
