"""From tables of a TOML file to layers; every error names its line."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Literal, get_args

from pellucid.errors import PellucidError, unknown_name
from pellucid.formats.toml.lines import KeyPath
from pellucid.formats.toml.source import TomlSource, in_words
from pellucid.nn.blocks import MERGES
from pellucid.nn.graph import Graph, Node
from pellucid.nn.layer import LAYERS, Layer
from pellucid.nn.sequential import Sequential
from pellucid.registry import (
    NO_LIMITS,
    options_of,
    parts_of,
    required_options,
    takes_others,
    type_in_words,
)

_FAULTS = (PellucidError, TypeError, ValueError, ArithmeticError, LookupError, MemoryError)


class LayerReader:
    """Builds layers from a file's tables.

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
        self.shared: dict[str, Layer] = {}

    def layers(self, at: KeyPath, value: Any) -> list[Layer]:
        """Return the layers of a list of tables."""
        if not isinstance(value, list):
            each = ": a [[layers]] header above each" if at == ("layers",) else ""
            raise self.source.fault(at, f"{at[-1]}: expected a list of layers{each}, got {in_words(value)}.")
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
        """Return the layer of a table; a name as ``shared`` without a type is that of one before it."""
        if "shared" not in table:
            return self._new_layer(at, table)
        options, here, known = dict(table), (*at, "shared"), self.shared
        name = self.source.checked(here, "layer", "shared", options.pop("shared"), str)
        if options:
            if name in known:
                raise self.source.fault(
                    here,
                    f"shared: {name!r} is described twice. In other places write shared = {name!r} alone.",
                )
            known[name] = self._new_layer(at, options)
        elif name not in known:
            hint = unknown_name("shared layer", name, known) if known else f"unknown shared layer {name!r}."
            raise self.source.fault(
                here, f"{hint} Its first place has its type, options and shared = {name!r}."
            )
        return known[name]

    def _new_layer(self, at: KeyPath, table: Mapping[str, Any]) -> Layer:
        options = dict(table)
        kind = self._kind(at, options, LAYERS)
        cls = LAYERS[kind]
        if cls is Graph:
            self.source.check_keys(at, options, ("inputs", "outputs", "nodes"), f"option of {kind}")
            return self.graph(at, options, (*at, "nodes"), options.get("nodes"))
        known = options_of(cls)
        if not takes_others(cls):
            self.source.check_keys(at, options, known, f"option of {kind}")
        for name in required_options(cls):
            if name not in options:
                hint, limits = known[name]
                wanted = "layers" if _holds_layers(hint) else type_in_words(hint, limits)
                raise self.source.fault(at, f"{kind}: {name} is missing; expected {wanted}.")
        for name, value in options.items():
            hint, limits = known.get(name, (Any, NO_LIMITS))
            here, holds = (*at, name), _holds_layers(hint)
            if holds:
                options[name] = (self.layer_or_list if holds == "one" else self.layers)(here, value)
            else:
                options[name] = self.source.checked(here, kind, name, value, hint, limits)
        return self._made(at, cls, options, {re.escape(name): (*at, name) for name in options})

    def graph(self, at: KeyPath, table: Mapping[str, Any], nodes_at: KeyPath, nodes: Any) -> Graph:
        """Return the graph of a table with inputs and outputs, and a list of tables for its nodes."""
        source = self.source
        for key in ("inputs", "outputs"):
            if key not in table:
                raise source.fault(at, f"Graph: {key} is missing. It names the graph's {key}.")
            self.source.checked((*at, key), "Graph", key, table[key], *options_of(Graph)[key])
        if not isinstance(nodes, list) or not nodes:
            raise source.fault(
                nodes_at, "Graph: expected nodes: a [[nodes]] table, or a list entry, for each."
            )
        made: dict[str, Node] = {}
        places: dict[str, KeyPath] = {"inputs?": (*at, "inputs"), "outputs?": (*at, "outputs")}
        for i, entry in enumerate(nodes):
            name, node = self._node((*nodes_at, i), entry)
            if name in made:
                raise source.fault((*nodes_at, i, "name"), f"Graph: two nodes are called {name!r}.")
            made[name] = node
            word = re.escape(repr(name))
            places[f"node {word}"] = (*nodes_at, i)
            places[f"two nodes or inputs are called {word}"] = (*nodes_at, i, "name")
        graph = self._made(at, Graph, {**table, "nodes": made}, places)
        assert isinstance(graph, Graph)
        return graph

    def _node(self, at: KeyPath, entry: Any) -> tuple[str, Node]:
        """Return the name of a node, its kind and its sources."""
        options = dict(self.source.table(at, entry, "a node: a table with name, from and type"))
        for key, hint in (("name", str), ("from", str | list[str])):
            if key not in options:
                raise self.source.fault(at, f"node: {key} is missing. A node has name, from and type.")
            self.source.checked((*at, key), "node", key, options[key], hint)
        name, sources = options.pop("name"), options.pop("from")
        if options.get("type") in MERGES:
            self.source.check_keys(at, options, ("name", "from", "type"), "key of a node")
            return name, (options["type"], sources)
        if options.keys() != {"shared"}:
            self._kind(at, dict(options), [*LAYERS, *MERGES])  # the nearest name may be a merge
        return name, (self.layer(at, options), sources)

    def _kind(self, at: KeyPath, options: dict[str, Any], known: Any) -> str:
        """Take the type out of a layer's table and return it."""
        if "type" not in options:
            near = f" Known types: {', '.join(sorted(known))}."
            raise self.source.fault(at, f'layer: type is missing, such as type = "Dense".{near}')
        return self.source.one_of((*at, "type"), options.pop("type"), "layer", known)

    def _made(
        self, at: KeyPath, cls: type[Layer], options: dict[str, Any], places: Mapping[str, KeyPath]
    ) -> Layer:
        """Call the constructor; its error gets the line of the option that it names first."""
        with naming_options(self.source, at, places, f"{cls.__name__}: "):
            layer = cls(**options)
        self.places[id(layer)] = self.source.line(at)
        return layer


@contextmanager
def naming_options(
    source: TomlSource, at: KeyPath, places: Mapping[str, KeyPath], where: str = ""
) -> Iterator[None]:
    """Give an error of the block the line of the option (a pattern) that it names first, else that of ``at``."""
    try:
        yield
    except _FAULTS as error:
        text = str(error) or type(error).__name__
        message = text if isinstance(error, PellucidError) or not where else f"{where}{text}."
        raise source.fault(_named_in(text, places, at), message) from None


def _named_in(message: str, places: Mapping[str, KeyPath], otherwise: KeyPath) -> KeyPath:
    """Return the place whose word (a pattern) comes first in the message."""
    found = [
        (match.start(), place)
        for word, place in places.items()
        if (match := re.search(rf"(?<!\w){word}(?!\w)", message))
    ]
    return min(found, key=lambda pair: pair[0])[1] if found else otherwise


def _holds_layers(hint: Any) -> Literal["", "one", "many"]:
    """Return whether an option of that type is a layer, or a list of them."""
    for part in parts_of(hint):
        if isinstance(part, type) and issubclass(part, Layer):
            return "one"
        if any(_holds_layers(inner) == "one" for inner in get_args(part)):
            return "many"
    return ""
