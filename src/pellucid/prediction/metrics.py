"""The point estimates that suit predictions: quicker than scores with intervals."""

from typing import Any

from pellucid.ops.metrics import mean_absolute_error, r_squared, root_mean_squared_error
from pellucid.prediction.predict import Predictions
from pellucid.types import Array


def metrics_of(predictions: Predictions) -> dict[str, Any]:
    """Return the point estimates that suit predictions, as JSON can hold them: quicker than :func:`score`.

    Examples
    --------
    >>> y = np.array([[1.0], [3.0]])
    >>> metrics_of(Predictions("regression", y, y, np.empty((2, 0)), False, ()))["r_squared"]
    1.0
    """
    if predictions.kind == "classification":
        return predictions.confusion.to_dict()
    if predictions.kind == "regression":
        return {"n_samples": len(predictions), **regression_metrics(predictions.y_true, predictions.y_pred)}
    correct = predictions.is_correct
    return {
        "n_samples": len(predictions),
        "label_accuracy": float(correct.mean()),
        "exact_match": float(correct.all(axis=1).mean()),
        "per_label": dict(zip(predictions.classes, correct.mean(axis=0).tolist(), strict=True)),
    }


def regression_metrics(y_true: Array, y_pred: Array) -> dict[str, float | None]:
    """Return the metrics of predicted quantities: of several, the mean over them, as in scikit-learn.

    Parameters
    ----------
    y_true, y_pred : Array, shape (m, n)

    Returns
    -------
    dict
        mean_absolute_error and root_mean_squared_error, in the targets' unit; r_squared, the fraction of a target's
        variance that the predictions explain, at best 1, None where no target varies; baseline, the root mean
        squared error of always predicting the mean.

    Examples
    --------
    >>> regression_metrics(np.array([[1.0], [3.0]]), np.array([[1.0], [2.0]]))["r_squared"]
    0.5
    """
    varies = bool((y_true != y_true[0]).any())
    return {
        "mean_absolute_error": mean_absolute_error(y_true, y_pred),
        "root_mean_squared_error": root_mean_squared_error(y_true, y_pred),
        "r_squared": r_squared(y_true, y_pred) if varies else None,
        "baseline": root_mean_squared_error(y_true, y_true.mean(axis=0)) if varies else 0.0,
    }
