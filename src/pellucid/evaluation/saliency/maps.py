"""What a method computes for each pixel, its check against untrained networks, and the maps of one image."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pellucid.plotting.types import Figure
from pellucid.text_blocks import InJson, Result
from pellucid.types import Array

LITTLE, MUCH = 0.2, 0.5  # of a rank correlation; ours: Adebayo et al. (2018) give none
OUTCOMES = {
    "depends": "depends on the weights",
    "partly": "depends in part",
    "hardly": "hardly depends on them",
    "unknown": "the same everywhere",
    "not checked": "not checked",
    "absent": "does not apply",
}


@dataclass(frozen=True, eq=False)
class Attribution:
    """What one method computes for each pixel.

    Attributes
    ----------
    values : Array, shape (h, w, c), or None
        Signed, for prepared pixels: above 0 speaks for the class, below 0 against it. c is 1 where a method does
        not distinguish colours. None where the method does not apply to the network: the note says why.
    heat : Array, shape (h, w), or None
        One number a pixel, for a picture.
    is_signed : bool
        Whether ``heat`` may be below 0.
    note : str
        How to read the map, and what was measured while it was made.
    completeness_error : float or None
        Of integrated gradients: how far the sum of the values is from what it must be, relative to that.
    """

    values: Array | None
    heat: Array | None
    is_signed: bool
    note: str
    completeness_error: float | None = None


def as_cube(values: Array) -> Array:
    """Return (h, w) or (h, w, c) as (h, w, c)."""
    return values[..., None] if values.ndim == 2 else values


@dataclass(frozen=True, eq=False)
class SanityCheck(InJson):
    """How alike the maps of the trained and of untrained networks are.

    Attributes
    ----------
    correlations : tuple of float
        Spearman's rank correlation of the maps' absolute values, with each untrained network; empty where a map
        is constant.
    heat : Array, shape (h, w), or None
        The map of the first untrained network.
    """

    correlations: tuple[float, ...]
    heat: Array | None = None

    in_json = "rank_correlation=correlation rank_correlations=correlations outcome"

    @property
    def correlation(self) -> float | None:
        """The mean over the untrained networks, each without its sign: it tells as much of either sign."""
        return float(np.mean(np.abs(self.correlations))) if self.correlations else None

    @property
    def outcome(self) -> str:
        """ "depends" (below 0.2), "partly", "hardly" (0.5 or more), or "unknown"."""
        return outcome_of(self.correlation)


def outcome_of(correlation: float | None) -> str:
    """Return what a rank correlation means: see :attr:`SanityCheck.outcome`.

    Examples
    --------
    >>> outcome_of(0.6), outcome_of(0.04), outcome_of(None)
    ('hardly', 'depends', 'unknown')
    """
    if correlation is None:
        return "unknown"
    return "depends" if correlation < LITTLE else "partly" if correlation < MUCH else "hardly"


@dataclass(frozen=True, eq=False, kw_only=True)
class SaliencyMap(InJson, Attribution):
    """One method's map of one image.

    Attributes
    ----------
    method : str
        A name of :data:`pellucid.evaluation.saliency.compute_maps.METHODS`.
    title : str
        The same, as a figure calls it.
    target : str
        The class that it is about.
    sanity : SanityCheck or None
        Whether the map depends on the network's weights, trained or not: untrained ones give another.
    """

    method: str
    title: str
    target: str
    sanity: SanityCheck | None = None

    in_json = "method target note completeness_error applies sanity"  # its numbers are in the picture

    @property
    def applies(self) -> bool:
        """Whether there is a map."""
        return self.heat is not None


@dataclass(frozen=True, eq=False, repr=False)
class SaliencyMaps(Result, Mapping[str, SaliencyMap]):
    """The maps of one image: a mapping from the methods' names.

    Attributes
    ----------
    image : Array, shape (h, w, c) or (h, w)
        As the network sees it.
    target : str
        The class that the maps are about.
    maps : dict of str to SaliencyMap
    """

    image: Array
    target: str
    maps: dict[str, SaliencyMap]

    columns = ("map", "sanity check", "|r| with untrained networks", "lowest to highest")

    def __getitem__(self, name: str) -> SaliencyMap:
        return self.maps[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.maps)

    def __len__(self) -> int:
        return len(self.maps)

    def __repr__(self) -> str:
        return f"SaliencyMaps({self.target}: {', '.join(self)})"

    @property
    def headline(self) -> str:
        """How many maps depend on the weights.

        Examples
        --------
        >>> passed = SaliencyMap(None, None, False, "", method="occlusion", title="Occlusion", target="cat",
        ...                      sanity=SanityCheck((0.02, 0.06)))
        >>> SaliencyMaps(np.zeros((2, 2)), "cat", {"occlusion": passed}).headline
        "Maps for 'cat': 1 of 1 depends on the network's weights (sanity check)."
        """
        outcomes = [found.sanity.outcome for found in self.values() if found.sanity is not None]
        n = outcomes.count("depends")
        passed = f"{n} of {len(outcomes)} depend{'s' * (n == 1)} on the network's weights (sanity check)"
        return f"Maps for '{self.target}': {passed if outcomes else 'not checked'}."

    @property
    def notes(self) -> tuple[str, ...]:
        """Why a method does not apply."""
        return tuple(found.note for found in self.values() if found.heat is None)

    def to_rows(self) -> list[dict[str, Any]]:
        """Return a row for each method: see :func:`check_rows`."""
        return check_rows([self])

    def cells(self, row: dict[str, Any]) -> tuple[str, ...]:
        """Return a row as it is printed."""
        r, outcome = row["rank_correlation"], OUTCOMES[row["outcome"]]
        if r is None:
            return row["title"], outcome, "", ""
        return row["title"], outcome, f"{r:.2f}", f"{row['lowest']:.2f} to {row['highest']:.2f}"

    def plot(self) -> Figure:
        """Return every map over the image, with its check."""
        from pellucid.evaluation.saliency.plot_maps import saliency_figure

        return saliency_figure(self.image, self)

    def to_dict(self) -> dict[str, Any]:
        """Return what was measured, without the pixels, as JSON can hold it."""
        maps = [found.to_dict() for found in self.values()]
        return {"target": self.target, "headline": self.headline, "maps": maps}

    def _repr_html_(self) -> str:
        from pellucid.plotting.saving import figure_html

        return super()._repr_html_() + figure_html(self.plot())


def check_rows(images: Sequence[SaliencyMaps]) -> list[dict[str, Any]]:
    """Return a row for each method: how alike its maps of some images and those of untrained networks are.

    ``rank_correlation`` is the mean of |r| over all images and untrained networks, ``outcome`` what it means: see
    :attr:`SanityCheck.outcome`; or "not checked", or "absent" where the method does not apply.
    """
    rows = []
    for name, first in images[0].items():
        checks = [maps[name].sanity for maps in images]
        known = [abs(value) for check in checks if check is not None for value in check.correlations]
        mean = float(np.mean(known)) if known else None
        outcome = (
            "absent" if first.heat is None else "not checked" if first.sanity is None else outcome_of(mean)
        )
        rows.append(
            {
                "method": name,
                "title": first.title,
                "rank_correlation": mean,
                "lowest": min(known, default=None),
                "highest": max(known, default=None),
                "n_comparisons": len(known),
                "outcome": outcome,
            }
        )
    return rows
