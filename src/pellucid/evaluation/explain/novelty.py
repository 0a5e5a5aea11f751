"""Is an image unlike anything that the network was trained on? A test whose rate of false alarms is known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pellucid.data.copies.pixels import pool
from pellucid.data.stored.base import by_blocks
from pellucid.data.stored.views import choose_rows
from pellucid.errors import DataError, ShapeError
from pellucid.rng import stream
from pellucid.text import p_in_words
from pellucid.types import Array, Shape, is_image_shape

if TYPE_CHECKING:
    from sklearn.neighbors import NearestNeighbors

LEVEL = 0.01  # the promised rate of false alarms: beyond the 99th percentile
RARE = 0.05  # up to here an image that passes is called rare nevertheless
N_NEEDED = 99  # training images: with fewer, no image can be rarer than one in a hundred
MOST_IMAGES = 2000  # that many, drawn at random, stand for a larger training set
SIDE = 16  # pixels a side of the small picture whose contrast is measured
RIDGE = 3e-3  # of the largest variance, added to each: what hardly varies at all is not blown up
_FAINT = 1 / 255  # added before a logarithm: what is below one step of brightness counts as none


@dataclass(frozen=True)
class Novelty:
    """How unusual an image is among the training images.

    Attributes
    ----------
    is_unlike : bool or None
        Whether it is rarer than one in a hundred; None where too few training images leave that open.
    p_value : float
        The fraction of images, among the training images and this one, that are at least as unusual as it.
    percentile : float
        The percentage of training images that are less unusual.
    n_train : int
        The training images that it was compared with.
    """

    is_unlike: bool | None
    p_value: float
    percentile: float
    n_train: int

    @property
    def is_alarm(self) -> bool:
        """Whether it comes first: unlike them, or, of too few to be certain, more unusual than every one."""
        return bool(self.is_unlike) or (
            self.is_unlike is None and self.percentile == 100 and self.p_value <= RARE
        )

    def headline(self, noun: str = "photo") -> str:
        """Return how unusual it is among training images, which have a noun.

        Examples
        --------
        >>> print(Novelty(False, 0.9, 9.6, 209).headline())
        Not unlike the training photos: more unusual than 9 % of them.
        """
        if self.is_unlike:
            return f"Unlike the training {noun}s ({p_in_words(self.p_value)})."
        if self.is_alarm:
            return f"More unusual than all {self.n_train} training {noun}s; {N_NEEDED} needed to be sure."
        if self.is_unlike is None:
            return f"Novelty not tested: {self.n_train} training {noun}s, {N_NEEDED} needed."
        how = "Rare among" if self.p_value <= RARE else "Not unlike"
        return f"{how} the training {noun}s: more unusual than {int(self.percentile)} % of them."


@dataclass(frozen=True, eq=False)
class NoveltyTest:
    """A conformal nearest-neighbour test.

    Attributes
    ----------
    shape : tuple of int
        Of one image.
    mean : Array, shape (d,)
    whiten : Array, shape (d, d)
        Directions in which images hardly differ count as much as others.
    search : NearestNeighbors
        Over the training images' whitened features.
    usual : Array, shape (m,)
        Each training image's distance to its nearest other one, ascending.
    """

    shape: Shape
    mean: Array
    whiten: Array
    search: NearestNeighbors
    usual: Array

    @classmethod
    def of(cls, train_X: Any, *, seed: int = 0) -> NoveltyTest:
        """Return the test for these training images.

        Parameters
        ----------
        train_X : Array, shape (m, h, w, c) or (m, h, w)
            uint8, or floats from 0 to 1; 2 at least. Of more than 2,000, 2,000 are drawn.
        seed : int, optional
            Of that draw.

        Raises
        ------
        ShapeError, DataError
            If they are no images, or fewer than two.
        """
        from sklearn.neighbors import NearestNeighbors

        if not is_image_shape(train_X.shape[1:]):
            raise ShapeError(f"novelty: expected images, (m, h, w, c) or (m, h, w), got {train_X.shape}.")
        if len(train_X) < 2:
            raise DataError(f"novelty: expected two training images or more, got {len(train_X)}.")
        if len(train_X) > MOST_IMAGES:
            rows = np.sort(stream(seed, "novelty").permutation(len(train_X))[:MOST_IMAGES])
            train_X = choose_rows(train_X, rows)
        raw = by_blocks(appearance_features, train_X)
        mean, spread = raw.mean(axis=0), raw.std(axis=0)
        scale = np.where(spread > 1e-9, spread, 1.0)
        variances, directions = np.linalg.eigh(np.cov(((raw - mean) / scale).T))
        ridge = RIDGE * max(float(variances.max()), 1e-12)
        whiten = directions / scale[:, None] / np.sqrt(np.maximum(variances, 0) + ridge)
        search = NearestNeighbors(n_neighbors=1, algorithm="kd_tree").fit((raw - mean) @ whiten)
        return cls(train_X.shape[1:], mean, whiten, search, np.sort(search.kneighbors()[0][:, 0]))

    def judge(self, X: Array) -> list[Novelty]:
        """Return how unusual each image is.

        Parameters
        ----------
        X : Array, shape (m, h, w, c) or (m, h, w)
            As the network sees them, of the training images' shape and dtype.

        Notes
        -----
        An image's score is its distance to the nearest training image, in the whitened features of
        :func:`appearance_features`. Its p-value is the rank of that among the training images' own, each measured
        without itself: (1 + how many are at least as large) / (m + 1). An image that is drawn like the training
        images has one of 0.01 or less with probability about 0.01 (Vovk, Gammerman and Shafer, 2005, chapter 2;
        the nearest-neighbour score is that of Laxhammar and Falkman, 2010); measured: 1.7 % of held-out published
        photos, 1.0 % of fresh drawings. The network's own features are not used: it has seen the training images,
        and finds others farther away whatever is on them. What images mean is not seen: another animal, or an
        image upside down, passes in the usual colours.
        """
        if X.shape[1:] != self.shape:
            raise ShapeError(f"novelty: expected images of shape {self.shape}, got {X.shape[1:]}.")
        far = self.search.kneighbors((appearance_features(X) - self.mean) @ self.whiten)[0][:, 0]
        n, below = len(self.usual), np.searchsorted(self.usual, far)
        return [
            Novelty(None if n < N_NEEDED else p <= LEVEL, p, 100 * k / n, n)
            for k, p in zip(below.tolist(), ((n + 1 - below) / (n + 1)).tolist(), strict=True)
        ]


def appearance_features(X: Array) -> Array:
    """Return what images look like in numbers, whatever they show, shape (m, d).

    Parameters
    ----------
    X : Array, shape (m, h, w, c) or (m, h, w)
        uint8, or floats from 0 to 1.

    Returns
    -------
    numbers : Array, shape (m, d), dtype float64
        Each channel's mean and (logarithm of) contrast; brightness at five quantiles; logarithms of: the mean
        difference between neighbours across, and down, the mean second difference (sharpness), the contrast of
        16 x 16 means (coarse shapes), and how far channels differ (colourfulness).
    """
    cube = X[..., None] if X.ndim == 3 else X
    cube = cube.astype(np.float32) / np.float32(255 if cube.dtype == np.uint8 else 1)
    grey = cube.mean(axis=3)
    m = len(X)
    dx, dy = np.diff(grey, axis=2, append=grey[:, :, -1:]), np.diff(grey, axis=1, append=grey[:, -1:])
    bends = np.abs(np.diff(dx, axis=2, append=dx[:, :, -1:])) + np.abs(np.diff(dy, axis=1, append=dy[:, -1:]))
    coarse = pool(grey[..., None], SIDE).reshape(m, -1).std(axis=1)
    faint = np.stack([np.abs(dx), np.abs(dy), bends, np.ptp(cube, axis=3)]).mean(axis=(2, 3)).T
    parts = [
        cube.mean(axis=(1, 2)),
        np.log(cube.std(axis=(1, 2)) + _FAINT),
        np.quantile(grey.reshape(m, -1), [0.05, 0.25, 0.5, 0.75, 0.95], axis=1).T,
        np.log(np.column_stack([faint, coarse]) + _FAINT),
    ]
    return np.concatenate(parts, axis=1).astype(np.float64)
