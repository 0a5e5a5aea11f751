"""Is an image unlike anything that the network was trained on? A test whose rate of false alarms is known."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from pellucid.data.copies.pixels import pool
from pellucid.data.stored.base import choose_rows
from pellucid.errors import DataError, ShapeError
from pellucid.rng import stream
from pellucid.text import p_in_words
from pellucid.types import Array, Shape, is_image_shape

FALSE_ALARMS = 0.01  # the promised rate of false alarms: beyond the 99th percentile
RARE = 0.05  # up to here an image that passes is called rare nevertheless
N_NEEDED = 99, 199  # training images, by one distance and by two, for none to be rarer than one in a hundred
MOST_IMAGES = 2000  # that many, drawn at random, stand for a larger training set
MOST_KEPT = 500  # of them in the file of a model with a pretrained body
SIDE = 16  # pixels a side of the small picture whose contrast is measured
RIDGE = 3e-3  # of the largest variance, added to each: what hardly varies at all is not blown up
PIECE = 2**22  # numbers of images that are looked at at a time
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
    n_needed : int
        How many a test of one in a hundred takes.
    """

    is_unlike: bool | None
    p_value: float
    percentile: float
    n_train: int
    n_needed: int = N_NEEDED[0]

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
            return (
                f"More unusual than all {self.n_train} training {noun}s; {self.n_needed} needed to be sure."
            )
        if self.is_unlike is None:
            return f"Novelty not tested: {self.n_train} training {noun}s, {self.n_needed} needed."
        how = "Rare among" if self.p_value <= RARE else "Not unlike"
        return f"{how} the training {noun}s: more unusual than {int(self.percentile)} % of them."


@dataclass(frozen=True, eq=False)
class NoveltyTest:
    """A conformal nearest-neighbour test.

    Attributes
    ----------
    shape : tuple of int
        Of one image.
    looks : Array, shape (n, d), float64
        What training images look like, by :func:`appearance_features`.
    features : Array or None, shape (n, d), float16
        What a pretrained body makes of the same images, each of length 1.
    """

    shape: Shape
    looks: Array
    features: Array | None = None

    @classmethod
    def of(
        cls, train_X: Any, features: Array | None = None, *, most: int = MOST_IMAGES, seed: int = 0
    ) -> NoveltyTest:
        """Return the test for these training images.

        Parameters
        ----------
        train_X : Array, shape (m, h, w, c) or (m, h, w)
            uint8, or floats from 0 to 1; 2 at least.
        features : Array, optional, shape (m, d)
            What a pretrained body makes of them. It has not seen them: of what was trained on the images it would
            find others farther away, whatever is on them.
        most : int, optional
            Of more images, that many are drawn.
        seed : int, optional
            Of that draw.

        Raises
        ------
        ShapeError, DataError
            If they are no images, or fewer than two.
        """
        if not is_image_shape(train_X.shape[1:]):
            raise ShapeError(f"novelty: expected images, (m, h, w, c) or (m, h, w), got {train_X.shape}.")
        if len(train_X) < 2:
            raise DataError(f"novelty: expected two training images or more, got {len(train_X)}.")
        shape = train_X.shape[1:]
        if len(train_X) > most:
            rows = np.sort(stream(seed, "novelty").permutation(len(train_X))[:most])
            train_X, features = choose_rows(train_X, rows), None if features is None else features[rows]
        kept = None if features is None else of_length_one(features).astype(np.float16)
        step = max(1, PIECE // math.prod(shape))
        starts = range(0, len(train_X), step)
        looks = [appearance_features(np.asarray(train_X[start : start + step])) for start in starts]
        return cls(shape, np.concatenate(looks), kept)

    @cached_property
    def _whitening(self) -> tuple[Array, Array]:
        """The mean of looks, and what gives directions in which images hardly differ the weight of others."""
        mean, spread = self.looks.mean(axis=0), self.looks.std(axis=0)
        scale = np.where(spread > 1e-9, spread, 1.0)
        variances, directions = np.linalg.eigh(np.cov(((self.looks - mean) / scale).T))
        ridge = RIDGE * max(float(variances.max()), 1e-12)
        return mean, directions / scale[:, None] / np.sqrt(np.maximum(variances, 0) + ridge)

    @cached_property
    def usual(self) -> list[Array]:
        """Each training image's distance to its nearest other one, (n,): by looks, and by features."""
        return [self._by_looks(self.looks, is_own=True)] + (
            [] if self.features is None else [self._by_features(self.features, is_own=True)]
        )

    def _by_looks(self, looks: Array, *, is_own: bool = False) -> Array:
        mean, whiten = self._whitening
        known, asked = (self.looks - mean) @ whiten, (looks - mean) @ whiten
        squares = (asked**2).sum(axis=1)[:, None] + (known**2).sum(axis=1) - 2 * asked @ known.T
        if is_own:
            np.fill_diagonal(squares, np.inf)
        return np.asarray(np.linalg.norm(asked - known[squares.argmin(axis=1)], axis=1))

    def _by_features(self, features: Array, *, is_own: bool = False) -> Array:
        assert self.features is not None
        cosines = of_length_one(features.astype(np.float32)) @ self.features.astype(np.float32).T
        if is_own:
            np.fill_diagonal(cosines, -1)
        return np.asarray(1 - cosines.max(axis=1))

    def judge(self, X: Array, features: Array | None = None) -> list[Novelty]:
        """Return how unusual each image is.

        Parameters
        ----------
        X : Array, shape (m, h, w, c) or (m, h, w)
            As the network sees them, of the training images' shape and dtype.
        features : Array, optional, shape (m, d)
            What the body makes of them, where the test has features.

        Notes
        -----
        An image is as unusual as its distance to the nearest training image is, in the whitened numbers of
        :func:`appearance_features`; where there is a pretrained body, also by the angle between its features: the
        larger of the two ranks among training images counts. Its p-value is the share of images, among the training
        images and this one, that are at least as unusual, each measured without itself. An image that is drawn like
        the training images has one of 0.01 or less with probability about 0.01 (Vovk, Gammerman and Shafer, 2005,
        chapter 2; the nearest-neighbour score is that of Laxhammar and Falkman, 2010); measured by looks: 1.7 % of
        held-out published photos, 1.0 % of fresh drawings. By looks another animal, or an image upside down, passes
        in the usual colours.
        """
        if X.shape[1:] != self.shape:
            raise ShapeError(f"novelty: expected images of shape {self.shape}, got {X.shape[1:]}.")
        far = [self._by_looks(appearance_features(X))]
        if self.features is not None and features is not None:
            far.append(self._by_features(features))
        usual = self.usual[: len(far)]
        n, needed = len(self.looks), N_NEEDED[len(far) - 1]
        ranks = np.stack([np.searchsorted(np.sort(each), each) for each in usual])  # 0 to n - 1
        found = []
        for distances in np.stack(far, axis=1):
            own = max(int((each < d).sum()) for each, d in zip(usual, distances, strict=True))
            others = ranks + np.stack([d < each for each, d in zip(usual, distances, strict=True)])
            p = (1 + int((others.max(axis=0) >= own).sum())) / (n + 1)
            found.append(Novelty(None if n < needed else p <= FALSE_ALARMS, p, 100 * own / n, n, needed))
        return found


def n_looks(n_channels: int) -> int:
    """Return how many numbers :func:`appearance_features` gives for an image.

    Examples
    --------
    >>> n_looks(3) == appearance_features(np.zeros((1, 4, 4, 3))).shape[1]
    True
    """
    return 2 * n_channels + 10


def of_length_one(features: Array) -> Array:
    """Return rows divided by their length; a row of zeros stays."""
    return np.asarray(features / np.maximum(np.linalg.norm(features, axis=1, keepdims=True), 1e-12))


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
    coarse = pool(grey, SIDE).reshape(m, -1).std(axis=1)
    faint = np.stack([np.abs(dx), np.abs(dy), bends, np.ptp(cube, axis=3)]).mean(axis=(2, 3)).T
    parts = [
        cube.mean(axis=(1, 2)),
        np.log(cube.std(axis=(1, 2)) + _FAINT),
        np.quantile(grey.reshape(m, -1), [0.05, 0.25, 0.5, 0.75, 0.95], axis=1).T,
        np.log(np.column_stack([faint, coarse]) + _FAINT),
    ]
    return np.concatenate(parts, axis=1).astype(np.float64)
