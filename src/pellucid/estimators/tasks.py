"""The tasks, classification and regression: how targets are read and weighted, and what is minimized."""

from typing import Any, final

import scipy.sparse
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.validation import _check_sample_weight, column_or_1d

from pellucid.errors import OptionError
from pellucid.estimators.objective import (
    Objective,
    classifier_objective,
    named_objective,
    regressor_objective,
    takes_label_smoothing,
)
from pellucid.estimators.targets import Labels, learn_labels, read_labels
from pellucid.types import Array


@final
class Classification:
    """Classes: one per sample, or several yes-or-no labels."""

    is_numeric = False

    def read_targets(self, e: Any, y: Any, *, is_first: bool, is_partial: bool) -> tuple[Array, Any]:
        """Return the training targets, and y as scorers take it; store the classes in the estimator."""
        y = _column(y)
        if not hasattr(e, "classes_") or (is_first and not is_partial):
            labels = learn_labels(y)
            e.classes_, e._kind = labels.classes, labels.kind
            e._has_sparse_labels = scipy.sparse.issparse(y)
        else:
            if e.warm_start and not is_partial:
                _check_same_classes(e, learn_labels(y))
            labels = read_labels(y, e.classes_, e._kind)
        e.n_outputs_ = labels.n_outputs
        return labels.codes, y

    def weights(self, e: Any, sample_weight: Any, X: Any, y: Any, *, is_partial: bool) -> Array | None:
        """Return how much each sample counts, its class's weight times its own; None: all the same."""
        weights = checked_weights(sample_weight, X)
        if e.class_weight is None:
            return weights
        if is_partial and e.class_weight == "balanced":
            raise ValueError(
                "class_weight 'balanced' is not supported for partial_fit. In order to use 'balanced' weights, "
                "use compute_class_weight('balanced', classes=classes, y=y) on all of y, and pass the resulting "
                "weights as the class_weight parameter."
            )
        by_class: Array = compute_sample_weight(e.class_weight, y)
        weights = by_class.astype(X.dtype, copy=False) * (1 if weights is None else weights)
        if not (weights >= 0).all() or not weights.any():
            raise ValueError(
                f"The 'class_weight' parameter of {type(e).__name__} must give weights of 0 or more, above 0 to "
                f"some sample. Got {e.class_weight!r} instead."
            )
        return weights

    def objective(self, e: Any) -> Objective:
        """Return what is minimized."""
        loss = e._network.loss_of(e, "log_loss")
        if loss == "log_loss" and e._kind == "multilabel":
            loss = e._network.multilabel_loss
        return _objective(loss, e._kind, _smoothing(e, loss))

    def stratifies(self, e: Any) -> bool:
        """Return whether each class is held out in its proportion."""
        return bool(e._kind == "binary" or (e._kind == "multiclass" and e._network.stratifies_many))


@final
class Regression:
    """Continuous targets, one or several per sample."""

    is_numeric = True

    def read_targets(self, e: Any, y: Any, *, is_first: bool, is_partial: bool) -> tuple[Array, Any]:
        """Return y twice: training targets are what scorers take."""
        y = _column(y)
        if y.dtype.kind in "US":
            raise ValueError(
                f"y: expected numbers as targets, got dtype {y.dtype}. A classifier takes names."
            )
        n_outputs = 1 if y.ndim == 1 else int(y.shape[1])
        if not is_first and n_outputs != e.n_outputs_:
            raise ValueError(f"y: expected {e.n_outputs_} outputs, as in the fit before, got {n_outputs}.")
        e.n_outputs_ = n_outputs
        return y, y

    def weights(self, e: Any, sample_weight: Any, X: Any, y: Any, *, is_partial: bool) -> Array | None:
        """Return how much each sample counts; None: all the same."""
        return checked_weights(sample_weight, X)

    def objective(self, e: Any) -> Objective:
        """Return what is minimized."""
        return _objective(e._network.loss_of(e, "mean_squared_error"), "regression", float(e.n_outputs_))

    def stratifies(self, e: Any) -> bool:
        """Return False: continuous targets have no classes."""
        return False


def checked_weights(weights: Any, X: Any) -> Array | None:
    """Return sample weights that scikit-learn would take, in the dtype of X; a ValueError for others."""
    if weights is None:
        return None
    dtype = X.dtype if X.dtype.kind == "f" else None
    checked: Array = _check_sample_weight(weights, X, dtype=dtype, ensure_non_negative=True)
    if not checked.any():
        raise ValueError("Sample weights must contain at least one non-zero number.")
    return checked


def _column(y: Any) -> Any:
    return column_or_1d(y, warn=True) if getattr(y, "ndim", 1) == 2 and y.shape[1] == 1 else y


def _check_same_classes(e: Any, labels: Labels) -> None:
    if set(labels.classes.tolist()) != set(e.classes_.tolist()):
        raise ValueError(
            "warm_start can only be used where `y` has the same classes as in the previous call to fit. "
            f"Previously got {e.classes_}, `y` has {labels.classes}"
        )


def _smoothing(e: Any, loss: Any) -> float:
    """Return the fraction by which targets are pulled towards the uniform distribution."""
    if e.label_smoothing != "auto":
        return float(e.label_smoothing)
    return float(e._training_table.get("label_smoothing", 0.0)) if takes_label_smoothing(loss) else 0.0


def _objective(loss: Any, kind: str, detail: float) -> Objective:
    try:
        if isinstance(loss, str):
            return named_objective(loss, kind, detail)
        if kind == "regression":
            return regressor_objective(loss, int(detail))
        return classifier_objective(loss, kind, detail)
    except OptionError as error:
        raise ValueError(str(error)) from None
