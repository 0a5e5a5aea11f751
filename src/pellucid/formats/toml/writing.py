"""A model's structure as a readable TOML file: one [[layers]] table per layer, nested layers inline."""

import re
from collections.abc import Mapping
from typing import Any

from pellucid.nn.description import Description
from pellucid.nn.graph import Graph
from pellucid.nn.model import Model
from pellucid.nn.sequential import Sequential


def architecture_to_toml(model: Model) -> str:
    """Return a model's structure as the text of a file that ``load_architecture`` reads.

    Options at their defaults are left out.

    Parameters
    ----------
    model : Model
        Its input shape is written if it is initialized, its loss if it has been trained.

    Examples
    --------
    >>> from pellucid.nn.dense import Dense
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
    described = Description(model, only_changed=True).config(model)
    shape = {"input_shape": model.input_shape} if model._is_initialized else {}
    tables: list[tuple[str, Mapping[str, Any]]] = [("[model]", {**shape, "dtype": model.dtype})]
    if isinstance(model, Graph):
        graph = _table(described)
        tables.append(("[graph]", {"inputs": graph["inputs"], "outputs": graph["outputs"]}))
        tables += [("[[nodes]]", node) for node in graph["nodes"]]
    else:
        layers = described["layers"] if isinstance(model, Sequential) else [described]
        tables += [("[[layers]]", _table(layer)) for layer in layers]
    if model._summary_of_training:
        loss = model.loss_config if len(model.loss_config) > 1 else model.loss
        tables.append(("[training]", {"loss": loss}))
    return "\n".join(f"{header}\n{_lines(table)}" for header, table in tables)


def _table(described: Mapping[str, Any]) -> dict[str, Any]:
    """Return a layer's config as a table; the nodes of a graph are a list of tables."""
    table = {key: _entry(value) for key, value in described.items() if key not in ("dtype", "nodes")}
    if "nodes" in described:
        table["nodes"] = [_node(name, *node) for name, node in described["nodes"].items()]
    return table


def _entry(value: Any) -> Any:
    """Return an option as it is written in the file; a Sequential is a list of its layers."""
    if isinstance(value, list):
        return [_entry(entry) for entry in value]
    if not isinstance(value, Mapping):
        return value
    is_list = value.get("type") == "Sequential" and "shared" not in value
    return [_table(layer) for layer in value["layers"]] if is_list else _table(value)


def _node(name: str, layer: Any, sources: list[str]) -> dict[str, Any]:
    options = {"type": layer} if isinstance(layer, str) else _table(layer)
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
