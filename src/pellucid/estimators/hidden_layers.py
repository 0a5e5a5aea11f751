"""What an MLP estimator's parameters say of each hidden layer: units, activation, dropout."""

from numbers import Integral, Real
from typing import Any

from pellucid.estimators.parameters import ACTIVATION_NAMES, SKLEARN_ACTIVATIONS


def check_hidden_layers(e: Any) -> None:
    """Raise ValueError where a parameter of the hidden layers cannot be used."""
    sizes = hidden_sizes(e)
    if not all(isinstance(size, Integral) for size in sizes):
        raise ValueError(f"hidden_layer_sizes must be integers, got {e.hidden_layer_sizes!r}.")
    if any(int(size) <= 0 for size in sizes):
        raise ValueError(f"hidden_layer_sizes must be > 0, got {sizes}.")
    activations(e)


def hidden_sizes(e: Any) -> list[Any]:
    """Return the number of units of each hidden layer."""
    sizes = e.hidden_layer_sizes
    return list(sizes) if hasattr(sizes, "__iter__") else [sizes]


def activations(e: Any) -> list[str]:
    """Return each hidden layer's activation, by pellucid's names."""
    names = _one_each(e, "activation", e.activation)
    for name in names:
        if name not in ACTIVATION_NAMES:
            raise _not_allowed(
                e, "activation", f"a str among {{{', '.join(map(repr, ACTIVATION_NAMES))}}}", name
            )
    return [SKLEARN_ACTIVATIONS.get(name, name) for name in names]


def dropout_rates(e: Any) -> list[float]:
    """Return the fraction of each hidden layer's outputs that dropout sets to 0."""
    rates = _one_each(e, "dropout", e.dropout)
    for rate in rates:
        if not (isinstance(rate, Real) and 0 <= float(rate) < 1):
            raise _not_allowed(e, "dropout", "a float in the range [0.0, 1.0)", rate)
    return [float(rate) for rate in rates]


def _one_each(e: Any, name: str, value: Any) -> list[Any]:
    """Return one value for each hidden layer, from one for all or a list."""
    n_hidden = len(hidden_sizes(e))
    if isinstance(value, str) or not hasattr(value, "__iter__"):
        return [value] * n_hidden
    values = list(value)
    if len(values) != n_hidden:
        raise ValueError(
            f"The {name!r} parameter of {type(e).__name__} must have one entry for each of the {n_hidden} "
            f"hidden layers. Got {len(values)} instead."
        )
    return values


def _not_allowed(e: Any, name: str, wanted: str, value: Any) -> ValueError:
    return ValueError(
        f"The {name!r} parameter of {type(e).__name__} must be {wanted}, or a list of such. "
        f"Got {value!r} instead."
    )
