"""A fitted neural network of scikit-learn as a model."""

from typing import Any

import numpy as np

from pellucid.data.preprocess import Preprocessing
from pellucid.errors import OptionError, PellucidError
from pellucid.nn.dense import Dense
from pellucid.nn.model import Model
from pellucid.nn.sequential import Sequential
from pellucid.process_state import one_at_a_time, warnings_ignored
from pellucid.registry import validate_call
from pellucid.text import join, kind_of

_TOLERANCE = {"float64": 1e-5, "float32": 1e-3}  # of probabilities; of quantities relative to the largest
_ACTIVATIONS = {"identity": None, "logistic": "sigmoid", "relu": "relu", "tanh": "tanh"}


@validate_call("estimator")
def import_sklearn(estimator: Any) -> Model:
    """Return a fitted MLPClassifier or MLPRegressor of scikit-learn as a model, which predicts the same.

    Parameters
    ----------
    estimator : MLPClassifier, MLPRegressor, or Pipeline
        A pipeline ends in one of these, and may have a StandardScaler before it, which becomes the model's
        preprocessing.

    Returns
    -------
    Model
        A Sequential of Dense layers in the dtype of the weights. Classes are predicted as their numbers; their
        names are in ``classes``.

    Raises
    ------
    OptionError
        If it is another estimator, or is not fitted.
    PellucidError
        If the model's predictions are not the estimator's, on random samples.

    Examples
    --------
    >>> from sklearn.neural_network import MLPClassifier
    >>> X = np.array([[0.0], [1.0], [2.0], [3.0]])
    >>> fitted = MLPClassifier((4,), solver="lbfgs", random_state=0).fit(X, ["low", "low", "high", "high"])
    >>> model = import_sklearn(fitted)
    >>> model.classes, bool(np.allclose(model.predict_proba(X), fitted.predict_proba(X)))
    (('high', 'low'), True)
    """
    *before, network = [step for _, step in getattr(estimator, "steps", [("", estimator)])]
    name = kind_of(network)
    if not all(hasattr(network, key) for key in ("hidden_layer_sizes", "activation", "get_params")):
        raise OptionError(
            f"import_sklearn: expected a fitted MLPClassifier or MLPRegressor of scikit-learn, got {name}."
        )
    if not hasattr(network, "coefs_"):
        raise OptionError(f"import_sklearn: expected a fitted network, got {name}. Call its fit(X, y) first.")
    if network.activation not in _ACTIVATIONS:
        raise OptionError(
            f"import_sklearn: there is no activation {network.activation!r} of scikit-learn here."
        )
    *hidden, last = network.coefs_
    layers = [*(Dense(W.shape[1], _ACTIVATIONS[network.activation]) for W in hidden), Dense(last.shape[1])]
    model = Sequential(layers, dtype="float32" if last.dtype == np.float32 else "float64")
    model.initialize((network.coefs_[0].shape[0],))
    for layer, W, b in zip(layers, network.coefs_, network.intercepts_, strict=True):
        layer.params["W"][...] = W
        layer.params["b"][...] = b
    model.preprocessing = _scaling(before, model.input_shape[0])
    model.set_loss(_loss_of(network, last.shape[1]))
    if model._loss.kind != "regression":
        model.classes = tuple(str(each) for each in network.classes_)
    difference = _difference(model, estimator, before)
    if not difference <= _TOLERANCE[model.dtype]:
        raise PellucidError(
            f"import_sklearn: the model's predictions differ from those of the {type(estimator).__name__} by "
            f"{difference:.2g}. It was not imported. Try pl.import_onnx with the file that skl2onnx makes of it."
        )
    return model


def _loss_of(network: Any, n_out: int) -> str:
    """Return the loss that makes of raw outputs what the estimator does."""
    several = "binary_cross_entropy" if n_out == 1 else "multi_label"
    known = {"identity": "mean_squared_error", "exp": "poisson", "softmax": "categorical_cross_entropy"}
    return known.get(network.out_activation_, several)


def _scaling(before: list[Any], n: int) -> Preprocessing | None:
    """Return the preprocessing of a pipeline; OptionError for other steps than one StandardScaler."""
    steps = [step for step in before if step is not None and step != "passthrough"]
    if not steps:
        return None
    scaler = steps[0]
    if len(steps) > 1 or not all(
        hasattr(scaler, key) for key in ("mean_", "scale_", "with_mean", "with_std")
    ):
        raise OptionError(
            "import_sklearn: expected one fitted StandardScaler before the network, got "
            f"{join([kind_of(step) for step in steps])}."
        )
    mean = scaler.mean_ if scaler.with_mean else np.zeros(n)  # mean_ is there without with_mean, too
    scale = scaler.scale_ if scaler.with_std else np.ones(n)
    return Preprocessing("standardize", mean=tuple(map(float, mean)), scale=tuple(map(float, scale)))


def _difference(model: Model, estimator: Any, before: list[Any]) -> float:
    """Return how far predictions are from the estimator's at most, on samples like those of its training."""
    X = np.random.default_rng(1).standard_normal((100, *model.input_shape))
    for step in before:
        scale, mean = getattr(step, "scale_", None), getattr(step, "mean_", None)
        X = X * (1.0 if scale is None else scale) + (0.0 if mean is None else mean)
    with warnings_ignored():  # of columns without the names that they had
        if model._loss.kind == "regression":
            theirs, ours = one_at_a_time(estimator.predict)(X), model.predict(X)
        else:
            theirs, ours = one_at_a_time(estimator.predict_proba)(X), model.predict_proba(X)
    return float(np.abs(ours.reshape(theirs.shape) - theirs).max()) / max(1.0, float(np.abs(theirs).max()))
