"""The model-randomization check: a map that an untrained network gives too says nothing of what was learned."""

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pellucid.errors import OptionError
from pellucid.evaluation.saliency.records import Attribution
from pellucid.evaluation.saliency.scoring import Scorer
from pellucid.nn.layer import Layer
from pellucid.nn.model import Model, model_from_config
from pellucid.rng import stream
from pellucid.stats.ranks import rank_correlation
from pellucid.text import signed
from pellucid.types import Array

SPARE_DRAWS = 10  # an untrained network may be silent at a photo: then another is drawn
LITTLE, MUCH = 0.2, 0.5
WORDS = {
    "depends": "it depends on what was learned",
    "partly": "part of it comes from the photo and the architecture, not from what was learned",
    "hardly": "it hardly depends on what was learned: an untrained network gives much the same map",
    "unknown": "it cannot be checked: the map is the same everywhere",
}


@dataclass(frozen=True, eq=False)
class SanityCheck:
    """How alike the maps of the trained and of untrained networks are.

    Attributes
    ----------
    kind : {"full", "cascade"}
    correlations : tuple of float or None
        Spearman's rank correlation of the maps' absolute values. "full": with each untrained network. "cascade":
        after each further layer, from the output down, was made untrained. None where a map is constant.
    layers : tuple of str
        Of a cascade: the layer that was made untrained last, for each of them.
    heat : Array, shape (h, w), or None
        The map of the first untrained network, of a cascade the last.
    """

    kind: str
    correlations: tuple[float | None, ...]
    layers: tuple[str, ...] = ()
    heat: Array | None = None

    @property
    def correlation(self) -> float | None:
        """With a wholly untrained network: the mean over all, of a cascade the last."""
        if self.kind == "cascade":
            return self.correlations[-1]
        known = [value for value in self.correlations if value is not None]
        return float(np.mean(known)) if known else None

    @property
    def verdict(self) -> str:
        """ "depends" (below 0.2, of either sign), "partly", "hardly" (0.5 or more), or "unknown"."""
        if self.correlation is None:
            return "unknown"
        size = abs(self.correlation)
        return "depends" if size < LITTLE else "partly" if size < MUCH else "hardly"

    @property
    def words(self) -> str:
        """The check in a sentence.

        Examples
        --------
        >>> SanityCheck("full", (0.02, 0.06)).words
        'Rank correlation with the maps of 2 untrained networks: 0.04 on average (0.02 to 0.06); it depends on
        what was learned.'
        """
        if self.correlation is None:
            return f"Untrained networks: {WORDS['unknown']}."
        n = len(self.correlations) if self.kind == "full" else 1
        if n == 1:
            value = f"{signed(self.correlation)}; {WORDS[self.verdict]}"
            return f"Rank correlation with an untrained network's map: {value}."
        known = [value for value in self.correlations if value is not None]
        spread = f"{signed(self.correlation)} on average ({signed(min(known))} to {signed(max(known))})"
        return f"Rank correlation with the maps of {n} untrained networks: {spread}; {WORDS[self.verdict]}."


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


def check_maps(
    scorer: Scorer, x: Array, maps: Mapping[str, MapToCheck], *, seed: int = 0
) -> dict[str, SanityCheck]:
    """Compare maps with those that the same methods give for networks with fresh random weights.

    Parameters
    ----------
    scorer : Scorer
        Of the trained model.
    x : Array, shape (h, w, c) or (h, w)
        The prepared image.
    maps : mapping of str to MapToCheck
    seed : int, optional
        Of the untrained networks, which all maps share.

    Notes
    -----
    Adebayo et al., 2018, "Sanity checks for saliency maps", section 3. Untrained weights are drawn as He et al.
    (2015) do, whatever the layer's own start: zeros would give no map, and the published start is not far from
    where the published training ends. Biases and normalization begin as in an untrained network. An untrained
    network that is silent at the photo is replaced by another. The verdict's steps, 0.2 and 0.5, are ours: the
    paper gives none.
    """
    other = Scorer(untrained_copy(scorer.model), scorer.weights)
    found: dict[str, list[float]] = {name: [] for name in maps}
    first: dict[str, Array] = {}
    for draw in range(max((entry.n_draws for entry in maps.values()), default=0) + SPARE_DRAWS):
        waiting = [
            name
            for name, entry in maps.items()
            if len(found[name]) < entry.n_draws and np.ptp(entry.heat) > 0
        ]
        if not waiting:
            break
        redraw(other.model.leaves(), stream(seed, "untrained network", draw))
        for name in waiting:
            heat = maps[name].method(other, x).heat
            assert heat is not None
            value = rank_correlation(np.abs(maps[name].heat), np.abs(heat))
            if value is not None:
                found[name].append(value)
                first.setdefault(name, heat)
    return {name: SanityCheck("full", tuple(found[name]) or (None,), (), first.get(name)) for name in maps}


def check_cascade(scorer: Scorer, x: Array, entry: MapToCheck, *, seed: int = 0) -> SanityCheck:
    """Make the layers of a copy untrained one after another, from the output down, and compare after each.

    Parameters
    ----------
    scorer, x, seed
        As for :func:`check_maps`.
    entry : MapToCheck

    Notes
    -----
    Adebayo et al., 2018, section 3, "cascading randomization".
    """
    fresh, copied = untrained_copy(scorer.model), untrained_copy(scorer.model)
    redraw(fresh.leaves(), stream(seed, "untrained network", 0))
    _copy_into(copied.leaves(), scorer.model.leaves())
    other = Scorer(copied, scorer.weights)
    correlations: list[float | None] = []
    names, heat = [], None
    for leaf, untrained in reversed(list(zip(copied.leaves(), fresh.leaves(), strict=True))):
        if not leaf.params:
            continue
        _copy_into([leaf], [untrained])
        heat = entry.method(other, x).heat
        assert heat is not None
        correlations.append(rank_correlation(np.abs(entry.heat), np.abs(heat)))
        names.append(leaf.name)
    return SanityCheck("cascade", tuple(correlations) or (None,), tuple(names), heat)


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


def _copy_into(leaves: list[Layer], sources: list[Layer]) -> None:
    for leaf, source in zip(leaves, sources, strict=True):
        for mine, others in ((leaf.params, source.params), (leaf.state, source.state)):
            for key in mine:
                mine[key][...] = others[key]
