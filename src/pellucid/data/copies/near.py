"""Near copies: the same picture, resized, saved again as JPEG, brightened or darkened.

A cheap signature proposes pairs: the edges of each picture at 8 x 8 (differences of neighbouring pixels, of unit
length), whose dot product is their cosine; each picture keeps its eight nearest neighbours. A slower comparison
decides: the brightness and contrast of one picture are fitted to the other's, clipped where a screen clips; then
their pixels must agree at 16 x 16 (cosine 0.92 or more), and so have their edges, at 16 x 16 (0.87) and at
32 x 32. Edges, because drawings and portraits share their composition; pixels too, because the same shape may be
filled with another colour.

Measured (`benchmarks/data_check.py`) on 2,000 drawings and 258 photos, 50 of them repeated as changed copies. On
the four seeds that the limits were set with (5 to 8): 50 found each time, and one false alarm in all. On six
others (101 to 106): 49 or 50, and none. imagehash 4.3, each hash at the largest distance with fewer than
five false alarms on each set, chosen knowing the true copies: pHash of 64 bits finds 43 to 49, with up to 2; pHash
of 256 bits 49 or 50, with 2 to 4; on the first four sets, dHash of 256 bits 0 to 41, and dHash and wHash of 64 bits
none: they confuse drawings even at distance 0.

Where pictures are inherently similar (handwritten digits, frames of one scene), similarity proves nothing. The
median similarity of a picture to its tenth neighbour measures that, and above 0.5 it raises the cosine required of
a pair, to 0.997 for the 8 x 8 digits, whose 1,797 pictures then raise no false alarm.

A flat shape before a flat ground, such as a disc on white, agrees with any other that lies where it does: there
only pixels that are the same prove a copy (cosine 0.99 at 32 x 32), and other copies are not looked for.

Mirrored, cropped, moved and recoloured copies are found by `crops.py`. Not found: rotations, negatives, a frame or
text laid over; and copies that lost nearly all their detail, because they were overexposed to white or show next to
nothing (a clear sky).
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from pellucid.data.copies.pixels import PixelScale, blocks, cosines, edges, pool
from pellucid.progress import ProgressCallback, no_progress
from pellucid.types import Array

COARSE, MIDDLE, FINE, FINEST = 8, 16, 32, 64  # sides in pixels
N_NEAREST = 8
_COARSE_COSINE = 0.6  # measured on copies: 0.79 and more
_MIDDLE_COSINE, _FINE_COSINE, _PIXEL_COSINE = 0.87, 0.5, 0.92
_INSIDE_COSINE = 0.8  # of pixels between bars; of different bands 0.71 and less in 999 of 1,000 pairs
_STRICTEST = 0.999  # so that copies are found even where all pictures are the same
_SHAPE_COSINE = 0.99  # of pixels of flat shapes
_SHAPE_LEVEL = 0.08  # of its contrast, from which on a pixel belongs to neither shape nor ground
_SHAPE_REST = 0.05  # of all pixels: those, but for edges
_SHAPE_OUTLINE = 1.25  # of the sides of the box around it: 1 where it is convex
_TYPICAL = 0.5  # similarity to the tenth neighbour; drawings 0.39, photos 0.2, digits 0.8
_TENTH, _ASKED = 10, 1000
FLAT = 2.0  # standard deviation in grey levels of 255 below which a picture shows nothing to compare
_BLACK, _WHITE = 6, 249  # beyond these values a pixel may have been clipped
_BLOCK = 512


class Pair(NamedTuple):
    """Two pictures that are the same."""

    first: int
    second: int
    kind: str  # "exact", "near", or how it was changed: "mirrored", "cropped", "recoloured", or several of these
    similarity: float  # 1 for the same bytes; otherwise the agreement of their edges, below 1


class Signatures(NamedTuple):
    """The features by which the pictures of one or more parts of a data set are compared."""

    coarse: Array  # (m, d) float32, edges at 8 x 8, of unit length
    middle: Array  # (m, 16, 16, c) float32, pixels from 0 to 255
    grey: Array  # (m, 32, 32) float32, the mean of the colours
    is_flat: Array  # (m,) bool: shows nothing
    is_shape: Array  # (m,) bool: shows one flat shape before a flat ground
    parts: Sequence[Any]  # the pictures themselves, for the final comparison
    part: Array  # (m,) the part of each
    rows: Array  # (m,) their indices in it
    scale: PixelScale


def signatures(
    parts: Sequence[Any], rows: Sequence[Array], progress: ProgressCallback = no_progress
) -> Signatures:
    """Return the features by which pictures are compared, numbered through all parts.

    Parameters
    ----------
    parts : sequence of Array, shape (n, h, w) or (n, h, w, c)
        Pictures of one size.
    rows : sequence of Array, shape (m,)
        Which of each part.
    progress : callable, optional
    """
    scale, found = PixelScale(*parts), []
    for X, chosen in zip(parts, rows, strict=True):
        for here, block in blocks(X, chosen):
            pixels = scale.apply(block)
            middle, grey = pool(pixels, MIDDLE), pool(grey_pixels(pixels), FINE)
            rough = edges(pool(middle, COARSE))
            coarse = rough / np.maximum(np.linalg.norm(rough, axis=1, keepdims=True), 1e-6)
            is_flat = middle.reshape(len(block), -1).std(axis=1) < FLAT
            found.append((coarse, middle, grey, is_flat, are_shapes(grey)))
            progress("looking at pictures", here.stop, len(chosen))
    coarse, middle, grey, is_flat, is_shape = (np.concatenate(some) for some in zip(*found, strict=True))
    part = np.repeat(np.arange(len(parts)), [len(chosen) for chosen in rows])
    return Signatures(coarse, middle, grey, is_flat, is_shape, parts, part, np.concatenate(rows), scale)


def are_shapes(grey: Array) -> Array:
    """Return which pictures show one flat shape before a flat ground, a convex one or nearly so, (m,) bool.

    Parameters
    ----------
    grey : Array, shape (m, h, w)

    Examples
    --------
    >>> pictures = np.full((2, 32, 32), 255.0)
    >>> pictures[:, 4:24, 6:26], pictures[1, 8:20, 10:22] = 90, 30
    >>> are_shapes(pictures), are_shapes(pictures[:, :8, :8])  # so few pixels do not tell
    (array([ True, False]), array([False, False]))
    """
    if min(grey.shape[1:]) < MIDDLE:
        return np.zeros(len(grey), bool)
    border = np.concatenate([grey[:, 0], grey[:, -1], grey[:, :, 0], grey[:, :, -1]], axis=1)
    off = np.abs(grey - np.median(border, axis=1)[:, None, None])
    contrast = off.max(axis=(1, 2), keepdims=True)
    inside = off > contrast / 2
    level = np.array(
        [np.median(picture[its]) if its.any() else 0 for picture, its in zip(grey, inside, strict=True)]
    )
    is_ground = off <= _SHAPE_LEVEL * contrast
    is_shape = np.abs(grey - level[:, None, None]) <= _SHAPE_LEVEL * contrast
    rest = 1 - (is_ground | is_shape | (_grown(is_ground) & _grown(is_shape))).mean(axis=(1, 2))
    outline = sum(np.diff(inside, axis=axis).sum(axis=(1, 2)) for axis in (1, 2))
    sides = sum(inside.any(axis=axis).sum(axis=1) for axis in (1, 2))
    return np.asarray((rest <= _SHAPE_REST) & (outline <= 2 * _SHAPE_OUTLINE * sides))


def _grown(mask: Array) -> Array:
    """Return masks with the pixels up to two away, where the edge of a shape may be blurred."""
    for axis in (1, 2):
        edge = [(0, 0)] * 3
        edge[axis] = (2, 2)
        wide, n = np.pad(mask, edge), mask.shape[axis]
        mask = np.any([wide.take(range(i, i + n), axis=axis) for i in range(5)], axis=0)
    return mask


def grey_pixels(pixels: Array) -> Array:
    """Return the mean of the colours of pictures, (m, h, w); a fourth channel is left out."""
    return np.asarray(pixels[..., :3].mean(axis=3))


def typical_likeness(marks: Signatures) -> float:
    """Return how similar a picture and its tenth neighbour usually are: the median cosine, over at most 1,000."""
    F = marks.coarse[~marks.is_flat]
    if len(F) <= _TENTH:
        return 0.0
    asked = F[:: -(-len(F) // _ASKED)]
    tenth = np.empty(len(asked))
    for start in range(0, len(asked), _BLOCK):
        S = asked[start : start + _BLOCK] @ F.T
        nearest = np.partition(S, -_TENTH - 1, axis=1)  # itself is the last
        tenth[start : start + _BLOCK] = nearest[:, -_TENTH - 1]
    return float(np.median(tenth))


def cosine_threshold(typical: float, least: float = _MIDDLE_COSINE, usual: float = _TYPICAL) -> float:
    """Return the agreement required of edges, given how similar pictures of this set usually are.

    It is ``least`` where they are no more similar than is ``usual``.

    Examples
    --------
    >>> [round(cosine_threshold(typical), 3) for typical in (0.2, 0.5, 0.6, 0.8, 1.0)]
    [0.87, 0.87, 0.947, 0.997, 0.999]
    """
    room = min(1.0, (1.0 - typical) / (1.0 - usual))
    return min(_STRICTEST, 1.0 - (1.0 - least) * room**4)


def near_pairs(
    marks: Signatures, wanted: float, progress: ProgressCallback = no_progress, *, within: bool = True
) -> list[Pair]:
    """Return the pairs of pictures that are the same, within parts and across them.

    Parameters
    ----------
    marks : Signatures
        Of distinct pictures.
    wanted : float
        From :func:`cosine_threshold`.
    progress : callable, optional
    within : bool, optional
        False: only the pairs across parts.

    Returns
    -------
    list of Pair
        Of kind "near", ``first < second``, in order.

    Notes
    -----
    2 m^2 d operations for the first search, d = 112 c; then at most 8 m comparisons for each two parts.
    """
    shown = [np.flatnonzero(~marks.is_flat & (marks.part == k)) for k in range(len(marks.parts))]
    proposed = [
        _proposed(marks.coarse, asked, known, progress)
        for k, asked in enumerate(shown)
        for known in shown[: k + 1 if within else k]
    ]
    left, right = np.unique(np.concatenate(proposed), axis=0).T
    found: list[Pair] = []
    for start in range(0, len(left), _BLOCK):
        i, j = left[start : start + _BLOCK], right[start : start + _BLOCK]
        pixels, cosine = _agreement(marks.middle[i], marks.middle[j])
        keep = (cosine >= wanted) & (pixels >= _PIXEL_COSINE)
        i, j, cosine = i[keep], j[keep], cosine[keep]
        if len(i):
            pixels, fine = _agreement(pixels_of(marks, i), pixels_of(marks, j))
            keep = ~(marks.is_shape[i] | marks.is_shape[j]) | (pixels >= _SHAPE_COSINE)
            if max(marks.parts[0].shape[1:3]) > MIDDLE:
                keep &= fine >= _FINE_COSINE
            i, j, cosine = i[keep], j[keep], cosine[keep]
        found += [Pair(int(a), int(b), "near", float(c)) for a, b, c in zip(i, j, cosine, strict=True)]
        progress("comparing pairs", min(start + _BLOCK, len(left)), len(left))
    return found


def are_alike_between_bars(marks: Signatures, pair: tuple[int, int]) -> bool:
    """Return whether two pictures agree between the black bars that both have at opposite sides; True without bars.

    Bars of one size, as ``--fit pad`` makes them of wide photos, are most of what their edges show. Black all
    around is a background, on which the same thing may be moved.
    """
    x, y = grey_pixels(pixels_of(marks, np.array(pair), FINEST))
    shows = np.maximum(x, y) >= 1
    if not shows.any():
        return True
    ends = [np.flatnonzero(shows.any(axis=axis))[[0, -1]] for axis in (1, 0)]
    is_barred = [first > 0 and last < n - 1 for (first, last), n in zip(ends, shows.shape, strict=True)]
    if all(is_barred) or not any(is_barred):
        return True
    inside = tuple(slice(first, last + 1) for first, last in ends)
    a, b = (some[inside] - some[inside].mean() for some in (x, y))
    agreement = max((a * b).sum(), (a * b[:, ::-1]).sum())  # either way round: one may be mirrored
    return bool(agreement >= _INSIDE_COSINE * np.linalg.norm(a) * np.linalg.norm(b))


def _proposed(F: Array, asked: Array, known: Array, progress: ProgressCallback) -> Array:
    """Return the pairs whose coarse edges agree, (k, 2): at most eight of each picture asked, the smaller first."""
    pairs, of_known = [np.zeros((0, 2), np.int64)], F[known].T
    n = min(N_NEAREST, len(known))
    for start in range(0, len(asked) if n else 0, _BLOCK):
        rows = asked[start : start + _BLOCK]
        S = F[rows] @ of_known
        if asked is known:
            S[
                np.arange(len(rows)), np.arange(start, start + len(rows))
            ] = -1.0  # a picture is no copy of itself
        nearest = np.argpartition(S, len(known) - n, axis=1)[:, -n:]
        row, place = np.nonzero(np.take_along_axis(S, nearest, axis=1) >= _COARSE_COSINE)
        pairs.append(np.stack([rows[row], known[nearest[row, place]]], axis=1))
        progress("searching neighbours", start + len(rows), len(asked))
    return np.sort(np.concatenate(pairs), axis=1)


def pixels_of(marks: Signatures, rows: Array, side: int = FINE) -> Array:
    """Return pictures in colour, of at most so many pixels a side."""
    height, width = (min(side, n) for n in marks.parts[0].shape[1:3])
    pixels = np.empty((len(rows), height, width, marks.middle.shape[3]), np.float32)
    for k, X in enumerate(marks.parts):
        places = np.flatnonzero(marks.part[rows] == k)
        for here, block in blocks(X, marks.rows[rows[places]]):
            pixels[places[here]] = pool(marks.scale.apply(block), side)
    return pixels


def _agreement(x: Array, y: Array) -> tuple[Array, Array]:
    """Return the agreement of the pixels and of the edges of pictures, each (m,), after undoing brightness.

    Either may be the one that was brightened and clipped: the better of both ways counts.
    """
    found = []
    for a, b in ((x, y), (y, x)):
        a = _brightened_like(a, b)
        u, v = ((some - some.mean((1, 2, 3), keepdims=True)).reshape(len(some), -1) for some in (a, b))
        found += [cosines(u, v), cosines(edges(a), edges(b))]
    pixels, lines, other_pixels, other_lines = found
    is_better = lines >= other_lines
    return np.where(is_better, pixels, other_pixels), np.where(is_better, lines, other_lines)


def _brightened_like(x: Array, y: Array) -> Array:
    """Return clip(a x + b), with a and b of each picture fitted to y where neither is clipped."""
    axes = (1, 2, 3)
    open_ = ((x > _BLACK) & (x < _WHITE) & (y > _BLACK) & (y < _WHITE)).astype(np.float32)
    n = np.maximum(open_.sum(axes, keepdims=True), 1)
    mean_x, mean_y = (x * open_).sum(axes, keepdims=True) / n, (y * open_).sum(axes, keepdims=True) / n
    dx, dy = (x - mean_x) * open_, (y - mean_y) * open_
    a = (dx * dy).sum(axes, keepdims=True) / np.maximum((dx * dx).sum(axes, keepdims=True), 1e-6)
    a = np.where(n < 0.02 * x[0].size, 1, np.clip(a, 0.3, 3))
    return np.asarray(np.clip(a * (x - mean_x) + mean_y, 0, 255))
