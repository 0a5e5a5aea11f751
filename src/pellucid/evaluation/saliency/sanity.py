"""The model-randomization check: a map that an untrained network gives too does not show what was learned."""

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from pellucid.errors import OptionError
from pellucid.evaluation.saliency.attribution import Attribution
from pellucid.evaluation.saliency.scoring import Scorer
from pellucid.nn.layer import Layer
from pellucid.nn.model import Model, model_from_config
from pellucid.rng import stream
from pellucid.stats.ranks import rank_correlation
from pellucid.types import Array

SPARE_DRAWS = 10  # an untrained network may be silent at a photo: then another is drawn
LITTLE, MUCH = 0.2, 0.5


@dataclass(frozen=True, eq=False)
class SanityCheck:
    """How alike the maps of the trained and of untrained networks are.

    Attributes
    ----------
    correlations : tuple of float or None
        Spearman's rank correlation of the maps' absolute values, with each untrained network. None where a map is
        constant.
    heat : Array, shape (h, w), or None
        The map of the first untrained network.
    """

    correlations: tuple[float | None, ...]
    heat: Array | None = None

    @property
    def correlation(self) -> float | None:
        """The mean over the untrained networks."""
        known = [value for value in self.correlations if value is not None]
        return float(np.mean(known)) if known else None

    @property
    def outcome(self) -> str:
        """ "depends" (below 0.2, of either sign), "partly", "hardly" (0.5 or more), or "unknown"."""
        return outcome_of(self.correlation)


def outcome_of(correlation: float | None) -> str:
    """Return what a rank correlation means: see :attr:`SanityCheck.outcome`.

    Examples
    --------
    >>> outcome_of(-0.6), outcome_of(0.04), outcome_of(None)
    ('hardly', 'depends', 'unknown')
    """
    if correlation is None:
        return "unknown"
    return "depends" if abs(correlation) < LITTLE else "partly" if abs(correlation) < MUCH else "hardly"


@dataclass(frozen=True, eq=False)
class MapToCheck:
    """A trained model's map, and how it was made.

    Attributes
    ----------
    method : callable
        From a scorer and a prepared image to an Attribution.
    heat : Array, shape (h, w)
        What it gave for the trained model.
    n_draws : int
        With how many untrained networks it is compared.
    """

    method: Callable[[Scorer, Array], Attribution]
    heat: Array
    n_draws: int


class MapsToCheck(NamedTuple):
    """The maps of one photo: what they explain, the prepared image, (h, w, c) or (h, w), and the maps by name."""

    scorer: Scorer
    x: Array
    maps: Mapping[str, MapToCheck]


def check_maps(photos: Sequence[MapsToCheck], *, seed: int = 1) -> list[dict[str, SanityCheck]]:
    """Compare maps with those that the same methods give for networks with fresh random weights.

    Parameters
    ----------
    photos : sequence of MapsToCheck
        All of one trained model.
    seed : int, optional
        Random seed of the untrained networks, the same for all maps; each is drawn once for all photos.

    Returns
    -------
    list of dict of str to SanityCheck
        Of each photo by the name of the map.

    Notes
    -----
    Adebayo et al., 2018, "Sanity checks for saliency maps", section 3. Untrained weights are drawn as He et al.
    (2015) do, whatever the layer's own start: zeros would give no map, and the published start is not far from
    where the published training ends. Biases and normalization begin as in an untrained network. An untrained
    network that is silent at the photo is replaced by another. The thresholds, 0.2 and 0.5, are ours: the
    paper gives none.
    """
    if not photos:
        return []
    other = untrained_copy(photos[0].scorer.model)
    found: list[dict[str, list[float]]] = [{name: [] for name in photo.maps} for photo in photos]
    first: list[dict[str, Array]] = [{} for _ in photos]
    for draw in range(max((e.n_draws for p in photos for e in p.maps.values()), default=0) + SPARE_DRAWS):
        waiting = [
            (i, name, entry)
            for i, photo in enumerate(photos)
            for name, entry in photo.maps.items()
            if len(found[i][name]) < entry.n_draws and np.ptp(entry.heat) > 0
        ]
        if not waiting:
            break
        redraw(other.leaves(), stream(seed, "untrained network", draw))
        scorers = [Scorer(other, photo.scorer.weights) for photo in photos]
        for i, name, entry in waiting:
            heat = entry.method(scorers[i], photos[i].x).heat
            assert heat is not None
            value = rank_correlation(np.abs(entry.heat), np.abs(heat))
            if value is not None:
                found[i][name].append(value)
                first[i].setdefault(name, heat)
    return [
        {name: SanityCheck(tuple(values) or (None,), heats.get(name)) for name, values in of_photo.items()}
        for of_photo, heats in zip(found, first, strict=True)
    ]


def untrained_copy(model: Model) -> Model:
    """Return an untrained network of the same architecture."""
    try:
        twin = model_from_config(model.config(), dtype=model.dtype)
    except OptionError:  # a layer of the user's own that is not registered
        twin = copy.deepcopy(model)
    twin.initialize(model.input_shape)
    return twin


def redraw(leaves: Sequence[Layer], rng: np.random.Generator) -> None:
    """Draw the weights of untrained layers anew, N(0, 2 / fan_in); biases and normalization stay as they are."""
    for leaf in leaves:
        for W in leaf.params.values():
            if W.ndim > 1:
                W[...] = rng.standard_normal(W.shape, W.dtype) * np.sqrt(2 * W.shape[-1] / W.size).astype(
                    W.dtype
                )
