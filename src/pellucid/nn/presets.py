"""Networks by name."""

from pellucid.errors import OptionError, unknown_name
from pellucid.nn.layers import Dense, Flatten
from pellucid.nn.model import Sequential

PRESETS: dict[str, str] = {
    "logistic": "one sigmoid unit, no hidden layer: [n, 1], from zeros",
    "two-layer": "the tutorial's two-layer network: [n, 7, 1], relu, from normal * 0.01",
    "mlp": "the tutorial's four-layer network: [n, 20, 7, 5, 1], relu, from its published start",
}


def preset(name: str) -> Sequential:
    """Return a new network of that name, not yet initialized; the published ones are of float64.

    Parameters
    ----------
    name : {"logistic", "two-layer", "mlp"}

    Raises
    ------
    OptionError
        If there is none; the nearest is named.

    Examples
    --------
    >>> [type(layer).__name__ for layer in preset("two-layer").layers]
    ['Flatten', 'Dense', 'Dense']
    """
    if name == "logistic":
        return _dense_network([], "zeros")
    if name == "two-layer":
        return _dense_network([7], "published_two_layer")
    if name == "mlp":
        return _dense_network([20, 7, 5], "published")
    raise OptionError(unknown_name("preset", name, PRESETS))


def _dense_network(hidden: list[int], initializer: str) -> Sequential:
    layers = [Dense(units, activation="relu", initializer=initializer) for units in hidden]
    return Sequential([Flatten(), *layers, Dense(1, initializer=initializer)], dtype="float64")
