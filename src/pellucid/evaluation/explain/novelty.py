"""Is a photo unlike anything that the network was trained on? A test whose rate of false alarms is known."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pellucid.data.stored.base import by_blocks
from pellucid.data.stored.views import choose_rows
from pellucid.errors import DataError, ShapeError
from pellucid.evaluation.explain.neighbours import nearest
from pellucid.rng import stream
from pellucid.types import Array

LEVEL = 0.01  # the promised rate of false alarms: beyond the 99th percentile
RARE = 0.05  # up to here a photo that passes is called unusual nevertheless
N_NEEDED = 99  # training photos: with fewer, no photo can be rarer than one in a hundred
MOST_PHOTOS = 2000  # that many, drawn at random, stand for a larger training set
SIDE = 16  # pixels a side of the small pictures that are compared
MEASURES = (
    "what is where",
    "colours, contrast and sharpness",
    "the mix of colours, contrast and sharpness",
)
RIDGE = 3e-3  # of the largest variance, added to each: what hardly varies at all is not blown up
_FAINT = 1 / 255  # added before a logarithm: what is below one step of brightness counts as none


@dataclass(frozen=True, eq=False)
class Novelty:
    """How unusual a photo is among the training photos.

    Attributes
    ----------
    is_unlike : bool or None
        Whether it is rarer than one in a hundred; None where too few training photos leave that open.
    p_value : float
        The fraction of photos, among the training photos and this one, that are at least as unusual as it.
    percentile : float
        The percentage of training photos, that are less unusual.
    measures : dict of str to float
        The same percentile by each of the three ways of comparing.
    n_train : int
        The training photos that it was compared with.
    """

    is_unlike: bool | None
    p_value: float
    percentile: float
    measures: dict[str, float]
    n_train: int

    @property
    def n_as_rare(self) -> int:
        """How many training photos are at least as unusual."""
        return round(self.p_value * (self.n_train + 1)) - 1

    @property
    def is_alarm(self) -> bool:
        """Whether it comes first: unlike them, or, of too few to be certain, more unusual than every one."""
        return bool(self.is_unlike) or (
            self.is_unlike is None and not self.n_as_rare and self.p_value <= RARE
        )

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON can hold it."""
        return {
            "is_unlike": self.is_unlike,
            "p_value": self.p_value,
            "percentile": self.percentile,
            "measures": self.measures,
            "n_train": self.n_train,
        }


@dataclass(frozen=True, eq=False)
class NoveltyTest:
    """Training photos, described, with how far each is from its nearest other one.

    Attributes
    ----------
    shape : tuple of int
        Of one photo.
    spaces : list of Array, each (m, d)
        The photos in each of the three descriptions.
    mean, scale : Array, shape (d,)
        What standardizes the second.
    whiten : Array, shape (d, d)
        What makes the third of the second: directions in which photos hardly differ count as much as others.
    usual : list of Array, each (m,)
        Each photo's distance to its nearest other one.
    """

    shape: tuple[int, ...]
    spaces: list[Array]
    mean: Array
    scale: Array
    whiten: Array
    usual: list[Array]

    @classmethod
    def of(cls, train_X: Any, *, seed: int = 0) -> "NoveltyTest":
        """Return the test for these training photos.

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
        if train_X.ndim not in (3, 4):
            raise ShapeError(f"novelty: expected images, (m, h, w, c) or (m, h, w), got {train_X.shape}.")
        if len(train_X) < 2:
            raise DataError(f"novelty: expected two training photos or more, got {len(train_X)}.")
        if len(train_X) > MOST_PHOTOS:
            rows = np.sort(stream(seed, "novelty").permutation(len(train_X))[:MOST_PHOTOS])
            train_X = choose_rows(train_X, rows)
        raw = by_blocks(appearance_features, train_X)
        mean, spread = raw.mean(axis=0), raw.std(axis=0)
        scale = np.where(spread > 1e-9, spread, 1.0)
        look = (raw - mean) / scale
        variances, directions = np.linalg.eigh(np.cov(look.T))
        whiten = directions / np.sqrt(np.maximum(variances, 0) + RIDGE * max(float(variances.max()), 1e-12))
        spaces = [by_blocks(small_pictures, train_X), look, look @ whiten]
        everyone = np.arange(len(train_X))
        usual = [nearest(space, space, 1, leave_out=everyone)[1][:, 0] for space in spaces]
        return cls(train_X.shape[1:], spaces, mean, scale, whiten, usual)

    def judge(self, X: Array) -> list[Novelty]:
        """Return how unusual each photo is.

        Parameters
        ----------
        X : Array, shape (m, h, w, c) or (m, h, w)
            As the network sees them, of the training photos' shape and dtype.

        Notes
        -----
        A photo's distance in each description is that to the nearest training photo, counted in steps from the
        training photos' median (0) to their 95th percentile (1); the largest of the three is its score. Its p-value
        is the rank of that score among the training photos' own, each measured without itself: (1 + how many are
        at least as large) / (m + 1). A photo that is drawn like the training photos has one of 0.01 or less with
        probability about 0.01 (Vovk, Gammerman and Shafer, 2005, chapter 2; the nearest-neighbour score is that of
        Laxhammar and Falkman, 2010); measured: 1.5 % of held-out published photos, 1.2 % of fresh drawings. The
        network's own features are not used: it has seen the training photos, and finds others farther away whatever
        is on them.
        """
        if X.shape[1:] != self.shape:
            raise ShapeError(f"novelty: expected photos of shape {self.shape}, got {X.shape[1:]}.")
        look = (appearance_features(X) - self.mean) / self.scale
        described = [small_pictures(X), look, look @ self.whiten]
        far = [nearest(space, Q, 1)[1][:, 0] for space, Q in zip(self.spaces, described, strict=True)]
        scores, usual = self._scores(far), self._scores(self.usual)
        n = len(usual)
        found = []
        for i, score in enumerate(scores):
            p = (1 + int((usual >= score).sum())) / (n + 1)
            measures = {
                name: 100 * float((known < distance[i]).mean())
                for name, known, distance in zip(MEASURES, self.usual, far, strict=True)
            }
            is_unlike = None if n < N_NEEDED else p <= LEVEL
            found.append(Novelty(is_unlike, p, 100 * float((usual < score).mean()), measures, n))
        return found

    def _scores(self, distances: Sequence[Array]) -> Array:
        steps = []
        for known, distance in zip(self.usual, distances, strict=True):
            middle, high = np.quantile(known, (0.5, 0.95))
            steps.append((distance - middle) / max(high - middle, 1e-12))
        largest: Array = np.max(steps, axis=0)
        return largest


def small_pictures(X: Array) -> Array:
    """Return images averaged down to at most 16 x 16 pixels, each as a row, from 0 to 1.

    Examples
    --------
    >>> small_pictures(np.full((1, 64, 48, 3), 255, np.uint8)).shape
    (1, 768)
    """
    cube = _as_floats(X)
    h, w = cube.shape[1:3]
    down, across = _averaging(min(SIDE, h), h), _averaging(min(SIDE, w), w)
    small: Array = np.tensordot(np.tensordot(cube, down, (1, 1)), across, (1, 1))  # (m, c, rows, columns)
    return small.reshape(len(X), -1)


def _averaging(n_out: int, n_in: int) -> Array:
    """Return the matrix that averages n_in numbers to n_out, each over an equal part of the length."""
    edges = np.linspace(0, n_in, n_out + 1)
    left, right = edges[:-1, None], edges[1:, None]
    at = np.arange(n_in)
    cover = np.clip(np.minimum(right, at + 1) - np.maximum(left, at), 0, 1)
    averaging: Array = (cover / cover.sum(axis=1, keepdims=True)).astype(np.float32)
    return averaging


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
        difference between neighbours across, and down, the mean second difference (sharpness), the contrast of the
        small picture (coarse shapes), and how far channels differ (colourfulness).
    """
    cube = _as_floats(X)
    grey = cube.mean(axis=3)
    m = len(X)
    first = [np.abs(np.diff(grey, axis=axis)).reshape(m, -1) for axis in (2, 1)]
    second = [np.abs(np.diff(grey, 2, axis=axis)).reshape(m, -1) for axis in (2, 1)]
    coarse = small_pictures(grey)
    faint = [part.mean(axis=1) if part.shape[1] else np.zeros(m) for part in (*first, np.hstack(second))]
    faint += [coarse.std(axis=1), np.ptp(cube, axis=3).mean(axis=(1, 2))]
    parts = [
        cube.mean(axis=(1, 2)),
        np.log(cube.std(axis=(1, 2)) + _FAINT),
        np.quantile(grey.reshape(m, -1), [0.05, 0.25, 0.5, 0.75, 0.95], axis=1).T,
        np.log(np.stack(faint, axis=1) + _FAINT),
    ]
    numbers: Array = np.concatenate(parts, axis=1).astype(np.float64)
    return numbers


def _as_floats(X: Array) -> Array:
    cube = X[..., None] if X.ndim == 3 else X
    floats: Array = cube.astype(np.float32) / np.float32(255 if cube.dtype == np.uint8 else 1)
    return floats
