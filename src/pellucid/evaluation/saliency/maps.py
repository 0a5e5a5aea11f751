"""The map of one method with its check, and the maps of one photo together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pellucid.evaluation.saliency.sanity import SanityCheck
from pellucid.text import one_line
from pellucid.types import Array

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, eq=False)
class SaliencyMap:
    """One method's map of one photo.

    Attributes
    ----------
    method : str
        A name of :data:`pellucid.evaluation.saliency.compute_maps.METHODS`.
    title : str
        The same, as a figure calls it.
    target : str
        The class that it is about.
    values : Array, shape (h, w, c), or None
        Signed, for prepared pixels: above 0 speaks for the class. c is 1 where a method does not
        distinguish colours. None where the method does not apply to this network: the note says why.
    heat : Array, shape (h, w), or None
        One number a pixel.
    is_signed : bool
        Whether ``heat`` may be below 0.
    note : str
        How to read it, and what was measured.
    sanity : SanityCheck or None
        Whether the map depends on what was learned.
    completeness_error : float or None
        Of integrated gradients, relative.
    """

    method: str
    title: str
    target: str
    values: Array | None
    heat: Array | None
    is_signed: bool
    note: str
    sanity: SanityCheck | None = None
    completeness_error: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return what was measured, without the pixels, as JSON can hold it."""
        from pellucid.evaluation.saliency.text import check_text

        check = self.sanity
        return {
            "method": self.method,
            "target": self.target,
            "applies": self.heat is not None,
            "note": self.note,
            "completeness_error": self.completeness_error,
            "sanity": None
            if check is None
            else {
                "rank_correlation": check.correlation,
                "rank_correlations": list(check.correlations),
                "outcome": check.outcome,
                "words": check_text(check),
            },
        }


@dataclass(frozen=True, eq=False, repr=False)
class SaliencyMaps(Mapping[str, SaliencyMap]):
    """The maps of one photo: a mapping from the methods' names.

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

    def __getitem__(self, name: str) -> SaliencyMap:
        return self.maps[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.maps)

    def __len__(self) -> int:
        return len(self.maps)

    def __repr__(self) -> str:
        return f"SaliencyMaps({self.target}: {', '.join(self)})"

    def __str__(self) -> str:
        from pellucid.evaluation.saliency.text import lines_of

        return "\n".join(map(one_line, lines_of(self)))

    def plot(self) -> Figure:
        """Return every map over the photo, with its check."""
        from pellucid.evaluation.saliency.plot_maps import saliency_figure

        return saliency_figure(self.image, self)

    def to_dict(self) -> dict[str, Any]:
        """Return what was measured, without the pixels, as JSON can hold it."""
        return {"target": self.target, "maps": [found.to_dict() for found in self.values()]}

    def _repr_html_(self) -> str:
        from pellucid.plotting.saving import figure_html

        return figure_html(self.plot())
