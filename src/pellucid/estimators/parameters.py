"""An estimator's parameters, each declared once: a field with its default and scikit-learn's constraints."""

import dataclasses
from numbers import Integral, Real
from pathlib import Path
from typing import Any, TypeVar, dataclass_transform

import numpy as np
from sklearn.metrics import get_scorer_names
from sklearn.utils._param_validation import Interval, Options, StrOptions

from pellucid.data.augmentation.augment import AUGMENT_PRESETS, Augment
from pellucid.dispatch import CHOICES
from pellucid.estimators.objective import classifier_losses, regressor_losses
from pellucid.estimators.solvers import SOLVERS
from pellucid.nn.model import Model
from pellucid.ops.activations import ACTIVATIONS
from pellucid.ops.losses.base import Loss
from pellucid.registry import explain_calls
from pellucid.training.optimizers import OPTIMIZERS, Optimizer
from pellucid.training.schedules import SCHEDULES, Schedule

T = TypeVar("T")

AUTO = "auto"
SKLEARN_ACTIVATIONS = {"identity": "linear", "logistic": "sigmoid"}  # the others have the same names
ACTIVATION_NAMES = sorted({*ACTIVATIONS, *SKLEARN_ACTIVATIONS})

POSITIVE_INT = Interval(Integral, 1, None, closed="left")
NOT_NEGATIVE = Interval(Real, 0, None, closed="left")
POSITIVE = Interval(Real, 0, None, closed="neither")
BELOW_ONE = Interval(Real, 0, 1, closed="left")
CLASSIFIER_LOSS = (StrOptions(set(classifier_losses())), dict, Loss)
REGRESSOR_LOSS = (StrOptions(set(regressor_losses())), dict, Loss)


def parameter(default: Any, *allowed: Any, kw_only: bool = True) -> Any:
    """Return a field that is a parameter: its default, and the constraints, of which one must hold."""
    return dataclasses.field(default=default, metadata={"allowed": list(allowed)}, kw_only=kw_only)


@dataclass_transform(field_specifiers=(parameter,), eq_default=False)
def estimator(cls: type[T]) -> type[T]:
    """Make a class whose fields are its parameters: a constructor that only stores them, and their constraints.

    scikit-learn reads the signature of the constructor (``get_params``, ``clone``) and checks parameters against
    ``_parameter_constraints`` when ``fit`` is called.
    """
    made: type[T] = explain_calls(dataclasses.dataclass(eq=False, repr=False)(cls))
    constraints = {field.name: field.metadata["allowed"] for field in dataclasses.fields(made)}  # type: ignore[arg-type]
    made._parameter_constraints = constraints  # type: ignore[attr-defined]
    return made


@estimator
class CommonParameters:
    """The parameters of all estimators."""

    shuffle: bool = parameter(True, "boolean")
    random_state: Any = parameter(None, "random_state")
    tol: float = parameter(1e-4, NOT_NEGATIVE)
    verbose: Any = parameter(False, "verbose")
    warm_start: bool = parameter(False, "boolean")
    early_stopping: Any = parameter(False, "boolean")
    validation_fraction: float = parameter(0.1, BELOW_ONE)
    n_iter_no_change: float = parameter(10, POSITIVE_INT, Options(Real, {np.inf}))
    scoring: Any = parameter(None, StrOptions(set(get_scorer_names())), callable, None)
    callbacks: Any = parameter(None, list, tuple, None)
    progress: bool | None = parameter(None, "boolean", None)
    dtype: Any = parameter(
        None,
        StrOptions({"float32", "float64"}),
        Options(type, {np.float32, np.float64}),
        Options(np.dtype, {np.dtype("float32"), np.dtype("float64")}),
        None,
    )
    form: str = parameter(AUTO, StrOptions({AUTO, "direct", "dual"}))
    kernels: Any = parameter(None, StrOptions(set(CHOICES)), None)


@estimator
class MLPParameters:
    """The further parameters of both multi-layer perceptrons: scikit-learn's, then pellucid's own."""

    hidden_layer_sizes: Any = parameter((100,), "array-like", POSITIVE_INT, kw_only=False)
    activation: Any = parameter("relu", StrOptions(set(ACTIVATION_NAMES)), "array-like", kw_only=False)
    solver: str = parameter("adam", StrOptions(set(SOLVERS)))
    alpha: float = parameter(0.0001, NOT_NEGATIVE)
    batch_size: Any = parameter(AUTO, StrOptions({AUTO}), POSITIVE_INT)
    learning_rate: str = parameter("constant", StrOptions({"constant", "invscaling", "adaptive"}))
    learning_rate_init: float = parameter(0.001, POSITIVE)
    power_t: float = parameter(0.5, NOT_NEGATIVE)
    max_iter: int = parameter(200, POSITIVE_INT)
    momentum: float = parameter(0.9, Interval(Real, 0, 1, closed="both"))
    nesterovs_momentum: bool = parameter(True, "boolean")
    beta_1: float = parameter(0.9, BELOW_ONE)
    beta_2: float = parameter(0.999, BELOW_ONE)
    epsilon: float = parameter(1e-8, POSITIVE)
    max_fun: int = parameter(15000, POSITIVE_INT)
    dropout: Any = parameter(0.0, BELOW_ONE, "array-like")
    batch_norm: bool = parameter(False, "boolean")
    schedule: Any = parameter(None, StrOptions(set(SCHEDULES)), Schedule, None)


@estimator
class NetworkParameters(CommonParameters):
    """The further parameters of the estimators around any network."""

    model: Any = parameter(None, str, Path, Model, None, kw_only=False)
    optimizer: Any = parameter(AUTO, StrOptions({AUTO, *OPTIMIZERS}), Optimizer)
    learning_rate: Any = parameter(None, POSITIVE, None)
    schedule: Any = parameter(AUTO, StrOptions({AUTO, *SCHEDULES}), Schedule, None)
    augment: Any = parameter(AUTO, StrOptions({AUTO, *AUGMENT_PRESETS}), Augment, None)
    n_epochs: Any = parameter(None, POSITIVE_INT, None)
    early_stopping: Any = parameter(AUTO, "boolean", StrOptions({AUTO}))
    batch_size: Any = parameter(AUTO, StrOptions({AUTO}), POSITIVE_INT, None)
