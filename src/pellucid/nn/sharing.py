"""One layer in several places of a model: parameters once, and for each place a cache and a gradient of its own.

The layer itself runs in its first place. In every further one runs a copy of it, a "use", whose ``params`` and
``state`` hold the same arrays; its gradients are added to the first one's when a backward pass ends.
"""

import copy
from typing import Any

import numpy as np

from pellucid.errors import OptionError, ShapeError
from pellucid.nn.initializers import NoStart, StartRandom
from pellucid.nn.layer import Layer
from pellucid.types import Shape
from pellucid.workspace import Workspace


def assign_places(structure: Any, seen: dict[int, Layer] | None = None) -> None:
    """Set the ``_places`` of a structure and of those inside it: what runs there.

    Parameters
    ----------
    structure : Container
        The outermost one, but in its own calls, which give the layers seen so far.

    Raises
    ------
    OptionError
        If a layer stands in several places of a structure that cannot run it so: see ``Container._shares_layers``.
    """
    is_outermost, seen = seen is None, {} if seen is None else seen
    structure._places, structure._flows = [], []
    for child in structure.children():
        if id(child) in seen:
            if not structure._shares_layers:
                raise _refusal(structure, child)
            structure._places.append(_use_of(child))
            continue
        seen[id(child)] = child
        child._first_use, child._further_uses = None, []
        if child.children():
            assign_places(child, seen)
        structure._places.append(child)
    shared = next((layer for layer in seen.values() if layer._further_uses), None)
    if is_outermost and shared is not None and not structure._shares_layers:
        raise _refusal(structure, shared)


def refresh_places(structure: Any) -> None:
    """Set the ``_places`` of structures whose children have been exchanged since ``assign_places``.

    Raises
    ------
    OptionError
        If one stands in several places now: its further uses are not built.
    """
    children = structure.children()
    if [id(place._first_use or place) for place in structure._places] != [id(child) for child in children]:
        structure._places = children
    for place in structure._places:
        if place._places:
            refresh_places(place)
    uses = structure._uses()
    if len({id(use) for use in uses}) < len(uses):
        raise OptionError(
            f"{structure._label}: a layer stands in several places since its layers were exchanged. "
            "Call initialize."
        )


def _use_of(layer: Any) -> Layer:
    """Return a copy for a further place of a layer, with nothing built yet."""
    first: Layer = layer._first_use or layer
    use: Layer = object.__new__(type(layer))
    if layer._places:  # a structure: what it runs is copied; its options stay those of the file and the repr
        if not layer._shares_layers:
            raise _refusal(layer, layer)
        use.__dict__.update(layer.__dict__, _workspace=Workspace(), theta=np.empty(0), grad=np.empty(0))
        use._places = [_use_of(place) for place in layer._places]
    else:
        own: dict[int, Any] = {id(kept): {} for kept in (layer.params, layer.grads, layer.state)}
        left_out: dict[int, Any] = {id(layer._first_use): layer._first_use, id(layer._further_uses): []}
        use = copy.deepcopy(layer, own | left_out)
    use._first_use, use._further_uses = first, []
    first._further_uses.append(use)
    return use


def _refusal(structure: Any, layer: Layer) -> OptionError:
    return OptionError(
        f"{structure._label}: the same {layer._label} stands in several places, which a {type(structure).__name__} "
        "cannot run. Give each place a layer of its own, or let the structure run its `_places` and say so by "
        "_shares_layers = True."
    )


def build_place(place: Layer, input_shape: Shape, rng: StartRandom) -> None:
    """Build what stands in a place for samples of that shape; a further use draws nothing.

    Raises
    ------
    ShapeError
        If a further use would need parameters of other shapes than the first.
    """
    first = place._first_use
    if first is None:
        place.build(input_shape, rng)
        return
    place.build(input_shape, NoStart())
    if not place._places and (wanted := _shapes(place)) != (given := _shapes(first)):
        key = next(key for key in wanted if wanted[key] != given.get(key))
        raise ShapeError(
            f"{place._label}: its first use takes samples of shape {first.input_shape} and has {key} of shape "
            f"{given.get(key)}; samples of shape {input_shape} need one of shape {wanted[key]}. Give this place a "
            "layer of its own."
        )


def _shapes(layer: Layer) -> dict[str, Shape]:
    return {key: array.shape for key, array in (*layer.params.items(), *layer.state.items())}


def shared_names(structure: Any) -> dict[int, str]:
    """Return a name, "shared_1", for each layer that stands in several places, by its ``id``.

    Examples
    --------
    >>> from pellucid.nn.dense import Dense
    >>> from pellucid.nn.sequential import Sequential
    >>> layer = Dense(3)
    >>> list(shared_names(Sequential([layer, Dense(3), layer])).values())
    ['shared_1']
    """
    n_places: dict[int, int] = {}

    def count(layer: Any) -> None:
        for child in layer.children():
            n_places[id(child)] = n_places.get(id(child), 0) + 1
            if n_places[id(child)] == 1:
                count(child)

    count(structure)
    shared = [key for key, n in n_places.items() if n > 1]
    return {key: f"shared_{i}" for i, key in enumerate(shared, 1)}
