"""A model's structure as a TOML file that people like to read: a [[layers]] table each, what is inside in place."""

import re
from collections.abc import Mapping
from typing import Any

from pellucid.nn.graph import Graph
from pellucid.nn.model import Model


def architecture_to_toml(model: Model) -> str:
    """Return a model's structure as the text of a file that ``load_architecture`` reads.

    Parameters
    ----------
    model : Model
        Its input shape is written where it is initialized, its loss where it has been trained.

    Examples
    --------
    >>> from pellucid.nn.dense import Dense
    >>> from pellucid.nn.sequential import Sequential
    >>> from pellucid.nn.blocks import Residual
    >>> block = Residual(Sequential([Dense(3, activation="relu"), Dense(3)]))
    >>> print(architecture_to_toml(Sequential([block, Dense(1, initializer="zeros")])))
    [model]
    dtype = "float32"
    <BLANKLINE>
    [[layers]]
    type = "Residual"
    body = [
        { type = "Dense", units = 3, activation = "relu" },
        { type = "Dense", units = 3 },
    ]
    <BLANKLINE>
    [[layers]]
    type = "Dense"
    units = 1
    initializer = "zeros"
    <BLANKLINE>
    """
    about: dict[str, Any] = {"dtype": model.dtype}
    if model.is_initialized:
        about = {"input_shape": model.input_shape, **about}
    tables: list[tuple[str, Mapping[str, Any]]] = [("[model]", about)]
    config = model.config()
    if isinstance(model, Graph):
        graph = _options(config)
        tables.append(("[graph]", {"inputs": graph["inputs"], "outputs": graph["outputs"]}))
        tables += [("[[nodes]]", node) for node in graph["nodes"]]
    else:
        layers = config["layers"] if config["type"] == "Sequential" else [config]
        tables += [("[[layers]]", _options(layer)) for layer in layers]
    if model.summary_of_training:
        loss = model.loss_config if model.loss_options else model.loss
        tables.append(("[training]", {"loss": loss}))
    return "\n".join(f"{header}\n{_lines(table)}" for header, table in tables)


def _options(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return a layer's configuration as a table: without nulls, and the nodes of a graph laid flat."""
    if config.get("type") == "Graph":
        return {**config, "nodes": [_node(name, *node) for name, node in config["nodes"].items()]}
    return {key: _entry(value) for key, value in config.items() if value is not None}


def _entry(value: Any) -> Any:
    """Return an option as the file has it; a Sequential is a list of its layers."""
    if isinstance(value, list | tuple):
        return [_entry(entry) for entry in value]
    if isinstance(value, Mapping):
        return _entry(value["layers"]) if value.get("type") == "Sequential" else _options(value)
    return value


def _node(name: str, layer: str | Mapping[str, Any], sources: list[str]) -> dict[str, Any]:
    options = {"type": layer} if isinstance(layer, str) else _options(layer)
    return {"name": name, "from": sources[0] if len(sources) == 1 else sources, **options}


def _lines(table: Mapping[str, Any]) -> str:
    return "".join(f"{_key(key)} = {_value(value)}\n" for key, value in table.items())


def _value(value: Any, indent: str = "") -> str:
    """Return a value as TOML; a list of tables or lists has a line for each."""
    if isinstance(value, Mapping):
        return f"{{ {', '.join(f'{_key(key)} = {_value(inner, indent)}' for key, inner in value.items())} }}"
    if not isinstance(value, list | tuple):
        return _dumped("key", value).removeprefix("key = ")
    if not any(isinstance(entry, Mapping | list | tuple) for entry in value):
        return f"[{', '.join(map(_value, value))}]"
    inside = indent + "    "
    return "\n".join(["[", *(f"{inside}{_value(entry, inside)}," for entry in value), f"{indent}]"])


def _key(key: str) -> str:
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else _dumped(key, 0).removesuffix(" = 0")


def _dumped(key: str, value: Any) -> str:
    import tomli_w

    return tomli_w.dumps({key: value}).rstrip("\n")
