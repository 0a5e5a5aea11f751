"""Explain a model's prediction for one photo: saliency maps, nearest training photos, stability, novelty."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pellucid.data.dataset import Dataset
from pellucid.evaluation.explain.image_context import N_NEAR, ImageContext, TrainingImages
from pellucid.evaluation.saliency.compute_maps import METHODS, ImageToExplain, check_methods, maps_of
from pellucid.evaluation.saliency.first_layer import FirstLayer, first_layer
from pellucid.evaluation.saliency.maps import SaliencyMaps
from pellucid.evaluation.saliency.scoring import Target, target_of
from pellucid.nn.model import Model
from pellucid.plotting.saving import figure_html
from pellucid.registry import validate_call
from pellucid.text_blocks import Block, Result
from pellucid.types import Array

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, eq=False, repr=False)
class PhotoExplanation(Result):
    """Why a model predicts what it does for one photo.

    Attributes
    ----------
    name : str
        Of the photo.
    photo : ImageContext
        The photo, its prediction, its variants, its nearest training photos and its novelty.
    maps : SaliencyMaps
    weights : FirstLayer or None
        None where the first layer's weights do not belong to pixels.
    notes : tuple of str
        What was left out, and why.
    files : tuple of Path
        What was written.
    """

    name: str
    photo: ImageContext
    maps: SaliencyMaps
    weights: FirstLayer | None
    notes: tuple[str, ...] = ()
    files: tuple[Path, ...] = field(default=(), compare=False)

    columns = ImageContext.columns

    @property
    def headline(self) -> str:
        """The prediction, and how far it can be trusted: see :class:`ImageContext`."""
        return self.photo.headline

    def to_rows(self) -> list[dict[str, Any]]:
        """Return the variants and the nearest training photos; ``maps`` and ``weights`` have rows of their own."""
        return self.photo.to_rows()

    def blocks(self) -> list[Block]:
        """Return the photo with its variants and neighbours, the maps, the first layer and the notes."""
        layer = [] if self.weights is None else self.weights.blocks()
        return [*self.photo.blocks(), *self.maps.blocks(), *layer, *self.notes]

    def plot(self) -> Figure:
        """Return the photo with its variants and neighbours; of a model without probabilities, the maps."""
        from pellucid.evaluation.explain.plot_image import image_figure

        return image_figure(self.photo) if self.photo.classes else self.maps.plot()

    def to_dict(self) -> dict[str, Any]:
        """Return it without the pixels, as JSON can hold it."""
        return {
            "image": self.name,
            "headline": self.headline,
            "prediction": self.photo.prediction,
            "photo": self.photo.to_dict(),
            "saliency": [found.to_dict() for found in self.maps.values()],
            "first_layer": None if self.weights is None else self.weights.to_rows()[0],
            "notes": list(self.notes),
            "files": [str(path) for path in self.files],
        }

    def __repr__(self) -> str:
        return f"PhotoExplanation({self.name}: {self.photo.prediction})"

    def _repr_html_(self) -> str:
        figures = [self.plot(), self.maps.plot()] if self.photo.classes else [self.maps.plot()]
        return super()._repr_html_() + "".join(map(figure_html, figures))


@validate_call("model", "target", "methods", "n_near")
def explain_photo(
    model: Model,
    image: str | Path | bytes | Array,
    train: Dataset | tuple[Any, Any] | TrainingImages | None = None,
    *,
    target: int | str | None = None,
    methods: Sequence[str] = tuple(METHODS),
    n_near: int = N_NEAR,
) -> PhotoExplanation:
    """Explain a model's prediction for one photo.

    Parameters
    ----------
    model : Model
        Trained on images.
    image : str, Path, bytes or Array
        A file of any size and kind, or its content; or an array, (H, W, 3) of uint8, or one sample of the model's
        input shape.
    train : Dataset, (X, y) or TrainingImages, optional
        The training part; without it neighbours and novelty are left out.
    target : int or str, optional
        The class that the maps explain; default: the predicted one.
    methods : sequence of str, optional
        Of :data:`pellucid.evaluation.saliency.compute_maps.METHODS`; default: all.
    n_near : int, optional
        How many neighbours of each kind.

    Raises
    ------
    DataError
        If the image cannot be read.
    ShapeError
        If the model does not take images, or the array is none.
    OptionError
        If a method or the class is not known; the nearest is named.

    Examples
    --------
    >>> from pellucid.nn.presets import preset
    >>> model = preset("mlp")
    >>> model.initialize((8, 8, 3))
    >>> why = explain_photo(model, np.full((20, 30, 3), 99, np.uint8), methods=["gradient"])
    >>> list(why.maps), len(why.photo.variants)
    (['gradient'], 15)
    """
    check_methods(methods)
    photo = ImageContext.of(model, image, train, n_near=n_near)
    name = str(image) if isinstance(image, str | Path) else "photo"
    return explanation(model, name, photo, target_of(model, photo.outputs, target), methods)


def explanation(
    model: Model, name: str, photo: ImageContext, target: Target, methods: Sequence[str], *notes: str
) -> PhotoExplanation:
    """Return why a model predicts what it does for a photo that is read and predicted already."""
    maps = maps_of(model, [ImageToExplain(photo.seen, photo.prepared, target)], methods)[0]
    return PhotoExplanation(name, photo, maps, first_layer(model), tuple(note for note in notes if note))
