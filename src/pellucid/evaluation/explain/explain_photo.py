"""Explain a model's prediction for one photo: saliency maps, nearest training photos, stability, novelty."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from pellucid import dispatch
from pellucid.data.dataset import Dataset
from pellucid.evaluation.explain.image_context import ImageContext
from pellucid.evaluation.saliency.compute_maps import METHODS, ImageToExplain, affordable, maps_of
from pellucid.evaluation.saliency.first_layer import FirstLayer, first_layer
from pellucid.evaluation.saliency.maps import SaliencyMaps
from pellucid.evaluation.saliency.scoring import Target
from pellucid.nn.model import Model
from pellucid.plotting.saving import figure_html
from pellucid.plotting.types import Figure
from pellucid.prediction.predict import predict
from pellucid.text import join
from pellucid.text_blocks import Block, Result

N_PASSES = 1000  # about: forward and backward, by which kernels are chosen
MOST_ASKED = 500  # training photos that are predicted to see whether anything was learned


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
    doubt : str
        That the network classifies its own training photos no better than the baseline; empty where it does better
        or that is not known.
    notes : tuple of str
        What was left out, and why.
    files : tuple of Path
        What was written.
    """

    name: str
    photo: ImageContext
    maps: SaliencyMaps
    weights: FirstLayer | None
    doubt: str = ""
    notes: tuple[str, ...] = ()
    files: tuple[Path, ...] = field(default=(), compare=False)

    columns = ImageContext.columns
    in_json = "image=name headline prediction=photo.prediction photo doubt notes files"

    @property
    def headline(self) -> str:
        """The doubt, then the prediction, and how far it can be trusted: see :class:`ImageContext`."""
        return f"{self.doubt} {self.photo.headline}".lstrip()

    def to_rows(self) -> list[dict[str, Any]]:
        """Return the variants and the nearest training photos; ``maps`` and ``weights`` have rows of their own."""
        return self.photo.to_rows()

    def blocks(self) -> list[Block]:
        """Return the photo with its variants and neighbours, the maps and the notes."""
        doubt = [self.doubt] if self.doubt else []
        return [*doubt, *self.photo.blocks(), *self.maps.blocks(), *self.notes]

    def plot(self) -> Figure:
        """Return the photo with its variants and neighbours; of a model without probabilities, the maps."""
        from pellucid.evaluation.explain.plot_image import image_figure

        return image_figure(self.photo) if self.photo.classes else self.maps.plot()

    def to_dict(self) -> dict[str, Any]:
        """Return it without the pixels, as JSON can hold it."""
        first = None if self.weights is None else self.weights.to_rows()[0]
        maps = [found.to_dict() for found in self.maps.values()]
        return super().to_dict() | {"saliency": maps, "first_layer": first}

    def __repr__(self) -> str:
        return f"PhotoExplanation({self.name}: {self.photo.prediction})"

    def _repr_html_(self) -> str:
        figures = [self.plot(), self.maps.plot()] if self.photo.classes else [self.maps.plot()]
        return super()._repr_html_() + "".join(map(figure_html, figures))


def explanation(
    model: Model,
    name: str,
    photo: ImageContext,
    target: Target,
    methods: Sequence[str],
    note: str,
    doubt: str,
) -> PhotoExplanation:
    """Return why a model predicts what it does for a photo that is read and predicted already."""
    checked, notes = affordable(model, methods), [note] if note else []
    if left_out := [METHODS[name].title for name in methods if name not in checked]:
        names = join(left_out)
        notes.append(f"{names}: not compared with untrained networks, which would take too long.")
    with dispatch.use(dispatch.resolve(None, N_PASSES * model._n_operations)):
        image = ImageToExplain(photo.seen, photo.prepared, target)
        maps = maps_of(model, [image], methods, checked=checked)[0]
    return PhotoExplanation(name, photo, maps, first_layer(model), doubt, tuple(notes))


def doubt_of(model: Model, train: Dataset) -> str:
    """Return that a model classifies its training photos, or some of many, no better than the baseline; else ""."""
    found = predict(model, train.take(np.unique(np.linspace(0, len(train) - 1, MOST_ASKED).astype(int))))
    if found.kind != "classification":
        return ""
    matrix = found.confusion
    if matrix.accuracy_interval[0] > matrix.baseline or matrix.n_correct == matrix.n_samples:
        return ""
    usual = f"always '{matrix.majority_class}' ({round(matrix.baseline * matrix.n_samples)})"
    return (
        f"{matrix.n_correct} of {matrix.n_samples} training {train.noun}s are classified correctly, not shown to "
        f"be better than {usual}: what follows shows what the weights do, not what was learned."
    )
