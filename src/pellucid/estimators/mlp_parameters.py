"""The parameters of multi-layer perceptrons: what may be set, and what it means for each hidden layer."""

from numbers import Integral, Real
from typing import Any, ClassVar

from sklearn.utils._param_validation import Interval, StrOptions

from pellucid.estimators.kinds import PartialFit
from pellucid.estimators.solvers import SOLVERS
from pellucid.ops.activations import ACTIVATIONS
from pellucid.training.schedules.base import SCHEDULES, Schedule

SKLEARN_ACTIVATIONS = {"identity": "linear", "logistic": "sigmoid"}  # the others bear the same names
ACTIVATION_NAMES = sorted({*ACTIVATIONS, *SKLEARN_ACTIVATIONS})


class MLPParameters(PartialFit):
    """Reads an estimator's parameters, one value for each hidden layer."""

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "hidden_layer_sizes": ["array-like", Interval(Integral, 1, None, closed="left")],
        "activation": [StrOptions(set(ACTIVATION_NAMES)), "array-like"],
        "solver": [StrOptions(set(SOLVERS))],
        "alpha": [Interval(Real, 0, None, closed="left")],
        "batch_size": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
        "learning_rate": [StrOptions({"constant", "invscaling", "adaptive"})],
        "learning_rate_init": [Interval(Real, 0, None, closed="neither")],
        "power_t": [Interval(Real, 0, None, closed="left")],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "shuffle": ["boolean"],
        "momentum": [Interval(Real, 0, 1, closed="both")],
        "nesterovs_momentum": ["boolean"],
        "beta_1": [Interval(Real, 0, 1, closed="left")],
        "beta_2": [Interval(Real, 0, 1, closed="left")],
        "epsilon": [Interval(Real, 0, None, closed="neither")],
        "max_fun": [Interval(Integral, 1, None, closed="left")],
        "dropout": [Interval(Real, 0, 1, closed="left"), "array-like"],
        "batch_norm": ["boolean"],
        "schedule": [StrOptions(set(SCHEDULES)), Schedule, None],
    }

    def _check_parameters(self) -> None:
        super()._check_parameters()
        self._check_sizes()
        self._activations()
        if self.solver == "lbfgs" and any(self._rates()):
            raise ValueError("dropout: solver 'lbfgs' needs the same loss every time; use 'adam' or 'sgd'.")
        if self.solver == "lbfgs" and self.schedule is not None:
            raise ValueError("schedule: solver 'lbfgs' has no learning rate; leave it out.")

    def _check_sizes(self) -> None:
        sizes = self._hidden_sizes()
        if not all(isinstance(size, Integral) for size in sizes):
            raise ValueError(f"hidden_layer_sizes must be integers, got {self.hidden_layer_sizes!r}.")
        if any(int(size) <= 0 for size in sizes):
            raise ValueError(f"hidden_layer_sizes must be > 0, got {sizes}.")

    def _hidden_sizes(self) -> list[Any]:
        sizes = self.hidden_layer_sizes
        return list(sizes) if hasattr(sizes, "__iter__") else [sizes]

    def _activations(self) -> list[str]:
        """Return each hidden layer's activation, in pellucid's words."""
        names = self._one_each("activation", self.activation)
        for name in names:
            if name not in ACTIVATION_NAMES:
                known = ", ".join(map(repr, ACTIVATION_NAMES))
                raise self._not_allowed("activation", f"a str among {{{known}}}", name)
        return [SKLEARN_ACTIVATIONS.get(name, name) for name in names]

    def _rates(self) -> list[float]:
        """Return the share of each hidden layer's outputs that dropout sets to 0."""
        rates = self._one_each("dropout", self.dropout)
        for rate in rates:
            if not (isinstance(rate, Real) and 0 <= float(rate) < 1):
                raise self._not_allowed("dropout", "a float in the range [0.0, 1.0)", rate)
        return [float(rate) for rate in rates]

    def _one_each(self, name: str, value: Any) -> list[Any]:
        """Return one value for each hidden layer, from one for all or a list."""
        n_hidden = len(self._hidden_sizes())
        if isinstance(value, str) or not hasattr(value, "__iter__"):
            return [value] * n_hidden
        values = list(value)
        if len(values) != n_hidden:
            raise ValueError(
                f"The {name!r} parameter of {type(self).__name__} must have one entry for each of the {n_hidden} "
                f"hidden layers. Got {len(values)} instead."
            )
        return values

    def _not_allowed(self, name: str, wanted: str, value: Any) -> ValueError:
        return ValueError(
            f"The {name!r} parameter of {type(self).__name__} must be {wanted}, or a list of such. "
            f"Got {value!r} instead."
        )
