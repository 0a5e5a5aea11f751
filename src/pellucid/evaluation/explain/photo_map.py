"""All photos of a data set on a plane, as the pretrained body sees them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pellucid.data.dataset import Split
from pellucid.data.novelty import of_length_one
from pellucid.data.stored.base import choose_rows
from pellucid.nn.model import Model
from pellucid.plotting.curves import COLORS
from pellucid.plotting.style import INK, MUTED, PAPER, RED, class_name, look, new_figure
from pellucid.plotting.types import Figure
from pellucid.rng import stream
from pellucid.text import percent
from pellucid.text_blocks import Result
from pellucid.types import Array

MOST_PHOTOS = 2000  # of each part, drawn at random
MOST_NUMBERED = 25  # mistakes with their numbers: more would cover one another
PARTS = ("train", "test")


@dataclass(frozen=True, eq=False, repr=False)
class PhotoMap(Result):
    """Photos as points: the first two principal components of a pretrained body's features.

    Attributes
    ----------
    points : Array, shape (m, 2)
    part : Array, shape (m,), of str
        "train" or "test".
    index : Array, shape (m,)
        Of each photo in its part.
    y : Array, shape (m,)
        Its class.
    is_wrong : Array, shape (m,), bool
        Test photos that are predicted as another class.
    is_doubtful : Array, shape (m,), bool
        Photos whose label is contradicted.
    classes : tuple of str
    explained : float
        The share of the features' variance that the plane shows.
    agreement : float
        The share of photos whose nearest other photo, by all features, is of their class.
    """

    points: Array
    part: Array
    index: Array
    y: Array
    is_wrong: Array
    is_doubtful: Array
    classes: tuple[str, ...]
    explained: float
    agreement: float

    columns = ("photo", "class", "x", "y", "mark")

    @property
    def headline(self) -> str:
        """How much the plane shows, and whether neighbours are of one class."""
        return (
            f"{percent(self.agreement)} of the photos have a nearest neighbour of their own class. The plane holds "
            f"{percent(self.explained)} of the variance of the body's features (PCA)."
        )

    def to_rows(self) -> list[dict[str, Any]]:
        """Return a row for each photo."""
        marks = np.where(self.is_wrong, "mistake", np.where(self.is_doubtful, "doubtful label", ""))
        return [
            {
                "part": part,
                "index": int(i),
                "class": self.classes[k],
                "x": float(x),
                "y": float(y),
                "mark": mark,
            }
            for part, i, k, (x, y), mark in zip(
                self.part, self.index, self.y, self.points, marks.tolist(), strict=True
            )
        ]

    def cells(self, row: dict[str, Any]) -> tuple[str, ...]:
        """Return a row as it is printed."""
        place = f"{row['part']} {row['index']}"
        return place, row["class"], f"{row['x']:.2f}", f"{row['y']:.2f}", row["mark"]

    def plot(self) -> Figure:
        """Draw the photos, a colour a class; test photos larger, mistakes ringed, doubtful labels crossed."""
        with look():
            figure = new_figure(5.6)
            axes = figure.subplots()
            for k, name in enumerate(self.classes):
                for part, size in zip(PARTS, (10, 34), strict=True):
                    here = (self.y == k) & (self.part == part)
                    label = class_name(self.classes, k, 24) if part == "train" else None
                    dots: Any = {"edgecolors": PAPER, "linewidths": 0.5, "label": label}
                    x, y = self.points[here].T
                    axes.scatter(x, y, size, color=COLORS[k % len(COLORS)], **dots)
                    if name and here.any() and len(self.classes) > len(COLORS):  # colours come again
                        at = np.median(self.points[here], axis=0)
                        axes.annotate(class_name(self.classes, k, 16), at, color=INK, fontsize=8)
            wrong, doubtful = self.points[self.is_wrong], self.points[self.is_doubtful]
            ring: Any = {"facecolors": "none", "edgecolors": RED, "linewidths": 1.4, "label": "mistake"}
            cross: Any = {"color": INK, "marker": "x", "linewidths": 1.2, "label": "doubtful label"}
            for points, size, how in ((wrong, 90, ring), (doubtful, 50, cross)):
                axes.scatter(points[:, 0], points[:, 1], size, **how)
            for at, i in list(zip(wrong, self.index[self.is_wrong], strict=True))[:MOST_NUMBERED]:
                axes.annotate(f"test {i}", at, (5, 5), textcoords="offset points", fontsize=8, color=RED)
            axes.set(xlabel="first component", ylabel="second component", xticks=[], yticks=[])
            if len(self.classes) <= len(COLORS):
                axes.legend(loc="upper center", bbox_to_anchor=(0.5, 1.12), ncols=len(self.classes) + 2)
            axes.text(
                1, -0.03, "small: training, large: test", transform=axes.transAxes, ha="right", color=MUTED
            )
            return figure


def photo_map(
    model: Model, split: Split, is_wrong: Array, doubtful: Sequence[tuple[str, int]] = ()
) -> PhotoMap:
    """Return the map of the photos of a data set, by the features of a model's pretrained body.

    Parameters
    ----------
    model : Model
        With a pretrained body.
    split : Split
        Of photos of classes.
    is_wrong : Array, shape (m_test,), bool
        Which test photos are predicted as another class.
    doubtful : sequence of (part, index), optional
        Photos whose label is contradicted.

    Notes
    -----
    Features are scaled to length 1 and centred; the plane is that of their two largest singular values. 2,000
    photos of each part at most.
    """
    rows = {}
    for name in PARTS:
        m = len(getattr(split, name))
        rows[name] = np.sort(stream(0, f"photo map: {name}").permutation(m)[:MOST_PHOTOS])
    found = [
        model._outputs_and_features(choose_rows(getattr(split, name).X, its))[1] for name, its in rows.items()
    ]
    F = of_length_one(np.concatenate([each for each in found if each is not None]))
    y = np.concatenate([getattr(split, name).y[its] for name, its in rows.items()])
    cosines = F @ F.T
    np.fill_diagonal(cosines, -np.inf)
    centred = F - F.mean(axis=0)
    U, S, _ = np.linalg.svd(centred, full_matrices=False)
    index = np.concatenate(list(rows.values()))
    part = np.repeat(PARTS, [len(its) for its in rows.values()])
    wrong = np.zeros(len(y), bool)
    wrong[part == "test"] = is_wrong[rows["test"]]
    known = set(doubtful)
    return PhotoMap(
        U[:, :2] * S[:2],
        part,
        index,
        y,
        wrong,
        np.array([place in known for place in zip(part.tolist(), index.tolist(), strict=True)]),
        split.classes,
        float((S[:2] ** 2).sum() / max(float((S**2).sum()), 1e-12)),
        float((y[cosines.argmax(axis=1)] == y).mean()),
    )
