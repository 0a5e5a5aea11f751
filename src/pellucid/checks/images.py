"""What is odd about single pictures, once they are arrays: empty ones, grey ones among coloured ones, outliers."""

import functools
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from pellucid.checks.pixels import Scale, blocks, pool
from pellucid.checks.records import ProgressCallback, no_progress
from pellucid.types import Array

EMPTY = 2.0  # standard deviation in grey levels of 255 up to which a picture shows nothing
_GREY = 2.0  # greatest difference between the channels of a grey pixel
_COLOURED = 0.8  # share of coloured pictures from which a grey one is odd
_FEWEST = 20  # pictures from which "the others" means something
_FAR = 6.0  # in spreads; in data that are as they should be the farthest are at 5 (drawings, photos, digits)
_NEIGHBOUR = 5  # the distance to which says how far off a picture is
_MOST_COMPARED = 2_000


class Odd(NamedTuple):
    """A picture with something odd."""

    kind: str
    row: int
    found: str  # what, to follow the picture's name


class _Measured(NamedTuple):
    brightness: Array  # mean of the pixels, 0 to 255
    contrast: Array  # their standard deviation
    detail: Array  # mean difference between neighbouring pixels
    colour: Array  # mean difference between the largest and the smallest channel
    layout: Array  # (m, 8 * 8 * c) the picture, very small


_WORDS = {
    "brightness": ("far darker", "far brighter"),
    "contrast": ("far flatter", "far richer in contrast"),
    "detail": ("far smoother", "far more detailed, as noise, text and charts are,"),
    "colour": ("far less colourful", "far more colourful"),
}


def odd_pictures(
    parts: Sequence[Array], scale: Scale, progress: ProgressCallback = no_progress
) -> Iterator[Odd]:
    """Yield the empty pictures, the grey ones among coloured ones, and the outliers.

    Parameters
    ----------
    parts : sequence of Array, each of shape (m, h, w) or (m, h, w, c)
        Looked at as one; rows are counted over all of them.
    scale : Scale
    tell : callable, optional
        Told how far it is.

    Notes
    -----
    Outliers lie more than six spreads from the median, a spread being the distance to the 10 % or 90 % quantile on
    that side over 1.28 (which makes it the standard deviation of normal data): in brightness, contrast, detail or
    colour, or in the distance to the fifth-nearest other picture at 8 x 8 pixels.
    """
    measured = _measure(parts, scale, progress)
    is_empty = measured.contrast < EMPTY
    for row in np.flatnonzero(is_empty):
        shade = f"grey level {measured.brightness[row]:.0f} of 255"
        yield Odd("constant", int(row), f"shows nothing: one colour all over ({shade}).")
    coloured = measured.colour > _GREY
    if not is_empty.all() and coloured[~is_empty].mean() >= _COLOURED:
        for row in np.flatnonzero(~coloured & ~is_empty):
            yield Odd("mode", int(row), "is grey; the others are coloured.")
    if len(is_empty) >= _FEWEST:
        grey = ~coloured if coloured.mean() >= _COLOURED else np.zeros_like(coloured)
        yield from _outliers(measured, is_empty | grey)


def _measure(parts: Sequence[Array], scale: Scale, progress: ProgressCallback) -> _Measured:
    columns = []
    done, total = 0, sum(map(len, parts))
    for block in (block for X in parts for _, block in blocks(X)):
        pixels = scale.apply(block)
        channels = pixels[..., :3]  # of four, the last is how opaque it is
        m = len(pixels)
        across, down = (_mean_step(channels, axis) for axis in (2, 1))
        planes = [channels[..., i] for i in range(channels.shape[3])]  # a reduction over three is slow
        spread = functools.reduce(np.maximum, planes) - functools.reduce(np.minimum, planes)
        colour = spread.reshape(m, -1).mean(axis=1)
        flat, layout = channels.reshape(m, -1), pool(pixels, 8).reshape(m, -1)
        done += m
        progress("measuring pictures", done, total)
        columns.append((flat.mean(axis=1), flat.std(axis=1), (across + down) / 2, colour, layout))
    return _Measured(*(np.concatenate(column) for column in zip(*columns, strict=True)))


def _mean_step(channels: Array, axis: int) -> Array:
    """Return the mean difference between neighbouring pixels along an axis, shape (m,)."""
    steps = np.diff(channels, axis=axis)
    return np.asarray(np.abs(steps, out=steps).reshape(len(steps), -1).mean(axis=1))


def _outliers(measured: _Measured, left_out: Array) -> Iterator[Odd]:
    """Yield the pictures far from all others, each once; empty and grey ones are told already."""
    told = set(np.flatnonzero(left_out).tolist())
    usual = np.flatnonzero(~left_out)
    if len(usual) < _FEWEST:
        return
    for name, (low, high) in _WORDS.items():
        values = getattr(measured, name)[usual]
        far = spreads(values)
        for place in np.flatnonzero(np.abs(far) > _FAR):
            row = int(usual[place])
            if row not in told:
                told.add(row)
                how = high if far[place] > 0 else low
                yield Odd("outlier", row, f"is {how} than the others ({name} {values[place]:.3g}, usual "
                          f"{np.median(values):.3g}).")  # fmt: skip
    distance = _neighbour_distance(measured.layout[usual])
    for place in np.flatnonzero(spreads(distance) > _FAR):
        row = int(usual[place])
        if row not in told:
            times = distance[place] / max(float(np.median(distance)), 1e-9)
            yield Odd(
                "outlier", row, f"is like no other: {times:.1f} times as far from its neighbours as is usual."
            )


def spreads(values: Array) -> Array:
    """Return how far values lie from their median, in spreads of their own side.

    Examples
    --------
    >>> spreads(np.array([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 100])).round(1)[[0, 5, -1]]
    array([-1.6,  0. , 30.4])
    """
    low, middle, high = np.quantile(values, [0.1, 0.5, 0.9])
    side = np.where(values > middle, high - middle, middle - low) / 1.2816
    return np.asarray((values - middle) / np.maximum(side, 1e-6 + 0.01 * abs(middle)))


def _neighbour_distance(layout: Array) -> Array:
    """Return the distance to the fifth-nearest picture, among at most 2,000 others."""
    others = layout[:: -(-len(layout) // _MOST_COMPARED)]
    others = others - layout.mean(axis=0)
    squares = (others**2).sum(axis=1)
    result = np.empty(len(layout))
    for start in range(0, len(layout), 512):
        rows = layout[start : start + 512] - layout.mean(axis=0)
        D = squares - 2 * rows @ others.T + (rows**2).sum(axis=1)[:, None]
        k = min(_NEIGHBOUR, D.shape[1] - 1)
        result[start : start + 512] = np.sqrt(np.maximum(np.partition(D, k, axis=1)[:, k], 0))
    return result
