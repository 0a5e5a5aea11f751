"""From tables of a TOML file to layers, each fault told with its line."""

import re
from collections.abc import Mapping
from typing import Any

from pellucid.errors import PellucidError
from pellucid.formats.signatures import Signature, as_taken, fits, holds_layers, type_in_words
from pellucid.formats.toml.lines import KeyPath
from pellucid.formats.toml.source import TomlSource, in_words
from pellucid.nn.blocks import MERGES
from pellucid.nn.graph import Graph
from pellucid.nn.layers import Layer
from pellucid.nn.registry import LAYERS
from pellucid.nn.sequential import Sequential

_FAULTS = (PellucidError, TypeError, ValueError, ArithmeticError, LookupError, MemoryError)


class LayerReader:
    """Makes layers of a file's tables.

    Parameters
    ----------
    source : TomlSource

    Attributes
    ----------
    places : dict of int to int
        The line of each layer that was made, by its ``id``.
    """

    def __init__(self, source: TomlSource) -> None:
        self.source = source
        self.places: dict[int, int] = {}

    def layers(self, at: KeyPath, value: Any) -> list[Layer]:
        """Return the layers of a list of tables."""
        if not isinstance(value, list):
            wanted = (
                "a list of layers: a [[layers]] header above each"
                if at == ("layers",)
                else "a list of layers"
            )
            raise self.source.fault(at, f"{at[-1]}: expected {wanted}, got {in_words(value)}.")
        return [self.layer_or_list((*at, i), entry) for i, entry in enumerate(value)]

    def layer_or_list(self, at: KeyPath, value: Any) -> Layer:
        """Return the layer of a table, or the Sequential of a list of them."""
        if isinstance(value, list):
            layers = self.layers(at, value)
            return self._made(at, Sequential, {"layers": layers}, {"layers": at})
        if not isinstance(value, dict):
            raise self.source.fault(
                at,
                f'expected a layer such as {{ type = "Flatten" }} or a list of them, got {in_words(value)}.',
            )
        return self.layer(at, value)

    def layer(self, at: KeyPath, table: Mapping[str, Any]) -> Layer:
        """Return the layer of a table."""
        options = dict(table)
        kind = self._kind(at, options, LAYERS)
        if LAYERS[kind] is Graph:
            self.source.check_keys(at, options, ("inputs", "outputs", "nodes"), f"option of {kind}")
            return self.graph(at, options, (*at, "nodes"), options.get("nodes"))
        return self._layer_of(at, kind, options)

    def graph(self, at: KeyPath, table: Mapping[str, Any], nodes_at: KeyPath, nodes: Any) -> Graph:
        """Return the graph of a table with inputs and outputs, and a list of tables for its nodes."""
        source = self.source
        for key in ("inputs", "outputs"):
            if key not in table:
                raise source.fault(at, f"Graph: {key} is missing. It names the graph's {key}.")
            if not fits(table[key], str | list[str] if key == "outputs" else list[str]):
                wanted = "a list of names" if key == "inputs" else "a name or a list of names"
                raise source.fault((*at, key), f"{key}: expected {wanted}, got {in_words(table[key])}.")
        if not isinstance(nodes, list) or not nodes:
            raise source.fault(
                nodes_at, "Graph: expected nodes: a [[nodes]] table, or a list entry, for each."
            )
        made: list[dict[str, Any]] = []
        places: dict[str, KeyPath] = {"inputs?": (*at, "inputs"), "outputs?": (*at, "outputs")}
        for i, node in enumerate(nodes):
            made.append(self._node((*nodes_at, i), node))
            name = re.escape(repr(made[-1]["name"]))
            if f"node {name}" in places:
                raise source.fault(
                    (*nodes_at, i, "name"), f"Graph: two nodes are called {made[-1]['name']!r}."
                )
            places[f"node {name}"] = (*nodes_at, i)
            places[f"two nodes or inputs are called {name}"] = (*nodes_at, i, "name")
        graph = self._made(at, Graph, {**table, "nodes": made}, places)
        assert isinstance(graph, Graph)
        return graph

    def _node(self, at: KeyPath, node: Any) -> dict[str, Any]:
        options = dict(self.source.table(at, node, "a node: a table with name, from and type"))
        for key, hint in (("name", str), ("from", str | list[str])):
            if key not in options:
                raise self.source.fault(at, f"node: {key} is missing. A node has name, from and type.")
            if not fits(options[key], hint):
                raise self.source.fault(
                    (*at, key), f"{key}: expected {type_in_words(hint)}, got {in_words(options[key])}."
                )
        name, sources = options.pop("name"), options.pop("from")
        if options.get("type") in MERGES:
            self.source.check_keys(at, options, ("name", "from", "type"), "key of a node")
            return {"name": name, "from": sources, "layer": options["type"]}
        self._kind(at, dict(options), [*LAYERS, *MERGES])  # the nearest may be a merge
        return {"name": name, "from": sources, "layer": self.layer(at, options)}

    def _kind(self, at: KeyPath, options: dict[str, Any], known: Any) -> str:
        """Take the type out of a layer's table and return it."""
        if "type" not in options:
            near = f" Known types: {', '.join(sorted(known))}."
            raise self.source.fault(at, f'layer: type is missing, such as type = "Dense".{near}')
        return self.source.one_of((*at, "type"), options.pop("type"), "layer", known)

    def _layer_of(self, at: KeyPath, kind: str, options: dict[str, Any]) -> Layer:
        signature = Signature.of(LAYERS[kind])
        if signature.rest is None:
            self.source.check_keys(at, options, signature.hints, f"option of {kind}")
        for name in signature.required:
            if name not in options:
                hint = signature.hints[name]
                wanted = "layers" if holds_layers(hint) else type_in_words(hint)
                raise self.source.fault(at, f"{kind}: {name} is missing; expected {wanted}.")
        for name, value in options.items():
            hint = signature.hints.get(name, signature.rest)
            options[name] = self._option((*at, name), f"{kind}: {name}", value, hint)
        return self._made(at, LAYERS[kind], options, {re.escape(name): (*at, name) for name in options})

    def _option(self, at: KeyPath, where: str, value: Any, hint: Any) -> Any:
        if holds_layers(hint) == "one":
            return self.layer_or_list(at, value)
        if holds_layers(hint) == "many":
            return self.layers(at, value)
        if not fits(value, hint):
            raise self.source.fault(at, f"{where}: expected {type_in_words(hint)}, got {in_words(value)}.")
        return as_taken(value, hint)

    def _made(
        self, at: KeyPath, cls: type[Layer], options: dict[str, Any], places: Mapping[str, KeyPath]
    ) -> Layer:
        """Call the constructor; its complaint is put on the line of the option that it speaks of first."""
        try:
            layer = cls.from_config(options, lambda made: made)  # type: ignore[arg-type, return-value]
        except _FAULTS as error:
            text = str(error) or type(error).__name__
            message = text if isinstance(error, PellucidError) else f"{cls.__name__}: {text}."
            raise self.source.fault(_spoken_of(text, places, at), message) from None
        self.places[id(layer)] = self.source.line(at)
        return layer


def _spoken_of(message: str, places: Mapping[str, KeyPath], otherwise: KeyPath) -> KeyPath:
    """Return the place whose word (a pattern) comes first in the message."""
    found = [
        (match.start(), place)
        for word, place in places.items()
        if (match := re.search(rf"(?<!\w){word}(?!\w)", message))
    ]
    return min(found, key=lambda pair: pair[0])[1] if found else otherwise
