"""The model-randomization check: a map that other weights give too does not depend on this network's weights."""

import copy
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from pellucid.errors import OptionError
from pellucid.evaluation.saliency.maps import Attribution, SanityCheck
from pellucid.evaluation.saliency.scoring import Scorer
from pellucid.nn.layer import Layer
from pellucid.nn.model import Model, model_from_config
from pellucid.rng import stream
from pellucid.stats.ranks import rank_correlation
from pellucid.types import Array

SPARE_DRAWS = 10  # an untrained network may be silent at an image: then another is drawn


class MapToCheck(NamedTuple):
    """A trained model's map, how it was made, and with how many untrained networks it is compared."""

    scorer: Scorer
    x: Array  # the prepared image, (h, w, c) or (h, w)
    method: Callable[[Scorer, Array], Attribution]
    heat: Array
    n_draws: int


def check_maps(model: Model, maps: Sequence[MapToCheck], *, seed: int = 1) -> list[SanityCheck]:
    """Compare maps with those that the same methods give for networks with fresh random weights.

    Parameters
    ----------
    model : Model
        Trained; the maps are its own.
    maps : sequence of MapToCheck
        Of one image or several.
    seed : int, optional
        Random seed of the untrained networks, the same for all maps; each is drawn once for all.

    Notes
    -----
    Adebayo et al., 2018, "Sanity checks for saliency maps", section 3. Untrained weights are drawn as He et al.
    (2015) do, whatever the layer's own start: zeros would give no map, and the published start is not far from
    where the published training ends. Biases and normalization begin as in an untrained network. An untrained
    network that is silent at the image is replaced by another.
    """
    other = untrained_copy(model)
    found: list[list[float]] = [[] for _ in maps]
    first: list[Array | None] = [None] * len(maps)
    for draw in range(max((one.n_draws for one in maps), default=0) + SPARE_DRAWS):
        waiting = [i for i, one in enumerate(maps) if len(found[i]) < one.n_draws and np.ptp(one.heat) > 0]
        if not waiting:
            break
        redraw(other._leaves(), stream(seed, "untrained network", draw))
        scorers = {one.scorer: Scorer(other, one.scorer.weights) for one in maps}  # methods share gradients
        for i in waiting:
            heat = maps[i].method(scorers[maps[i].scorer], maps[i].x).heat
            assert heat is not None
            value = rank_correlation(np.abs(maps[i].heat), np.abs(heat))
            if value is not None:
                found[i].append(value)
                first[i] = heat if first[i] is None else first[i]
    return [SanityCheck(tuple(values), heat) for values, heat in zip(found, first, strict=True)]


def untrained_copy(model: Model) -> Model:
    """Return an untrained network of the same architecture."""
    try:
        twin = model_from_config(model.config(), dtype=model.dtype)
    except OptionError:  # a layer of the user's own that is not registered
        twin = copy.deepcopy(model)
    twin.initialize(model.input_shape)
    return twin


def redraw(leaves: Sequence[Layer], rng: np.random.Generator) -> None:
    """Draw the weights of untrained layers, N(0, 2 / fan_in); biases and normalization stay as they are."""
    for leaf in leaves:
        for W in leaf.params.values():
            if W.ndim > 1:
                W[...] = rng.standard_normal(W.shape, W.dtype) * np.sqrt(2 * W.shape[-1] / W.size).astype(
                    W.dtype
                )
