"""Mirrored, cropped, moved and recoloured copies: where one picture lies in another.

Grey pictures, the mean of their colours, are compared, so that other colours change little. The central 75 % of
each picture, and of its mirror image, is looked for among the windows of all others: squares of 75 to 49 % of the
side, an eighth of their side apart, described by their edges at 8 x 8, projected onto 48 principal components.
Windows are sorted into cells around means (an inverted file: Sivic and Zisserman, 2003), and only the cells nearest
to a picture are searched. Each picture found is then placed: Lucas and Kanade's (1981) iteration fits position,
width, height, brightness and contrast by least squares, at 8, 12, 16 and 24 pixels. What lies on one another must
agree at 24 x 24 (of small pictures at half their side), in its edges and in its pixels.

Not found: rotations, other parts of one scene that share less than 40 %, a frame or text laid over, negatives, and
copies of what shows next to nothing, or one flat shape (`near.are_shapes`). Of pictures below 32 pixels a side,
crops are not looked for.

Measured (`benchmarks/data_check.py`), 50 copies each among 258 photos and, in brackets, among 200 drawings, with
seeds other than those that set the limits: mirrored 50 (50), recoloured 50 (49), cropped to 60 to 90 % of the side
49 or 50 (48), moved by up to 20 % 49 (47), cropped and recoloured 45 (42), all three 46 (43), and no false alarm.
2,000 drawings as they are, of seven seeds: one in all, a near one. One core: 0.6 s for 308 photos, 5.4 s for 2,050
drawings, half a minute for 10,000.
"""

from typing import NamedTuple

import numpy as np

from pellucid.data.copies.near import FINEST, Pair, Signatures, cosine_threshold, grey_pixels, pixels_of
from pellucid.data.copies.pixels import area_weights, cosines, pool
from pellucid.progress import ProgressCallback, no_progress
from pellucid.text import join
from pellucid.types import Array

_CENTRE = 0.75  # of the side: what of a picture is looked for
_SCALES = _CENTRE / 1.15 ** np.arange(4)  # of windows: what a copy cropped to 60 % shows is 0.45 of the side
_CELLS, _COMPONENTS = 8, 48
SMALLEST = 32  # pixels a side: smaller pictures are compared as a whole
_FLAT_EDGES = 2.0  # grey levels from pixel to pixel below which a window shows nothing
_LIKENESS = 0.6
_N_NEAREST, _N_OF_MANY, _MANY = 16, 8, 4000  # pictures that each is compared with; of more than 4,000 fewer
_MOST_MEANS, _N_PROBED, _PER_MEAN = 512, 24, 1000
_TENTH, _ASKED = 10, 100
_STEPS = ((8, 3, 0.5), (12, 3, 0.65), (16, 3, 0.75))  # pixels a side, iterations, agreement required
_FINE, _FINE_STEPS = 24, 3
_EDGES, _PIXELS, _COLOURS = 0.95, 0.95, 0.92  # of edges: copies 0.96 and more, 6,000 drawings 0.94 at most
_WHOLE_EDGES, _WHOLE_PIXELS = 0.88, 0.6  # of pictures that were not moved; drawings 0.82 at most
_TYPICAL = 0.42  # a placement is free, so that likeness by chance begins earlier than in near.py
_BELOW_ONE = 0.9999  # the likeness of what is not exactly the same
_LEAST_OVERLAP = 0.4
_WHOLE = 0.05  # of the side: a picture that is moved by less is not called cropped
_BLOCK = 1024


class _Found(NamedTuple):
    """Where pictures lie in others."""

    one: Array  # (k,)
    other: Array  # (k,)
    is_mirrored: Array  # (k,)
    box: Array  # (k, 4): top, left, height and width of one, in sides of the other


def placed(X: Array, box: Array, n: int) -> tuple[Array, Array]:
    """Return what each box shows of its picture at n x n, (k, n, n), and which pixels lie inside, bool.

    Parameters
    ----------
    X : Array, shape (k, h, w)
    box : Array, shape (k, 4)
        Top, left, height, width in sides of the picture.
    """
    down, inside_down = area_weights(box[:, 0], box[:, 2], n, X.shape[1])
    across, inside_across = area_weights(box[:, 1], box[:, 3], n, X.shape[2])
    shown = down @ X @ across.transpose(0, 2, 1)
    return shown, (inside_down > 0.95)[:, :, None] & (inside_across > 0.95)[:, None, :]


def changed_pairs(marks: Signatures, typical: float, progress: ProgressCallback = no_progress) -> list[Pair]:
    """Return the pairs of pictures of which one is the other mirrored, cropped, moved or recoloured.

    Parameters
    ----------
    marks : Signatures
        Of distinct pictures.
    typical : float
        From :func:`pellucid.data.copies.near.typical_likeness`: where all are alike, more agreement is required.
    progress : callable, optional

    Returns
    -------
    list of Pair
        ``first < second``; kinds are "mirrored", "cropped", "recoloured", several of them ("mirrored and cropped"),
        or "near".
    """
    found = _candidates(marks.grey, marks.is_flat | marks.is_shape, progress)
    if min(marks.grey.shape[1:]) >= SMALLEST:
        found = _refined(marks.grey, found, progress)
    return _decided(marks, found, typical)


def _patches(grey: Array, places: Array, side: float) -> Array:
    """Return the windows of one size at 8 x 8: (m, windows, 64)."""
    m, n = len(grey), len(places)
    down = area_weights(places, np.full(n, side), _CELLS, grey.shape[1])[0].reshape(-1, grey.shape[1])
    across = area_weights(places, np.full(n, side), _CELLS, grey.shape[2])[0].reshape(-1, grey.shape[2])
    shown = down @ grey @ across.T
    shown = shown.reshape(m, n, _CELLS, n, _CELLS).transpose(0, 1, 3, 2, 4)
    return shown.reshape(m, n * n, _CELLS * _CELLS)


def _edge_matrix() -> Array:
    """Return the matrix that turns 64 pixels into their edges, each direction centred: no plane has any."""
    unit = np.eye(_CELLS * _CELLS, dtype=np.float64).reshape(-1, _CELLS, _CELLS)
    both = [np.diff(unit, axis=axis).reshape(len(unit), -1) for axis in (2, 1)]
    return np.concatenate([some - some.mean(axis=1, keepdims=True) for some in both], axis=1)


def _described(patches: Array, basis: Array) -> Array:
    """Return the windows' components, of unit length; 0 where they show nothing."""
    F = patches @ basis
    norms = np.linalg.norm(F, axis=-1, keepdims=True)
    return np.where(norms > _FLAT_EDGES * _CELLS, F / np.maximum(norms, 1e-6), 0)


def _candidates(grey: Array, is_flat: Array, progress: ProgressCallback) -> _Found:
    m, is_whole = len(grey), min(grey.shape[1:]) < SMALLEST
    scales, centre = [(np.zeros(1), 1.0)], 1.0  # of windows: the places along one axis, and their side
    if not is_whole:
        scales = [(np.linspace(0, 1 - s, 2 * int(np.ceil((1 - s) / s * 4)) + 1), s) for s in _SCALES]
        centre = _CENTRE
    asked = np.stack([grey, grey[:, :, ::-1]]).reshape(2 * m, *grey.shape[1:])
    queries = _patches(asked, np.array([(1 - centre) / 2]), centre)[:, 0]
    D = _edge_matrix()
    E = queries[:: -(-len(queries) // 20_000)] @ D
    basis = (D @ np.linalg.eigh(E.T @ E)[1][:, ::-1][:, :_COMPONENTS]).astype(np.float32)
    Q = _described(queries, basis)
    Q[np.concatenate([is_flat, is_flat])] = 0
    boxes = np.array([(y, x, s) for places, s in scales for y in places for x in places])
    W = np.empty((m, len(boxes), _COMPONENTS), np.float16)
    for start in range(0, m, 64):
        part = grey[start : start + 64]
        W[start : start + 64] = np.concatenate(
            [_described(_patches(part, places, s), basis) for places, s in scales], axis=1
        )
        progress("describing windows", min(start + 64, m), m)
    W[is_flat] = 0
    least = max(_LIKENESS, _typical(W, Q, m))
    asks, window = _nearest(W.reshape(-1, _COMPONENTS), Q, len(boxes), least, progress)
    other, at = np.divmod(window, len(boxes))
    y, x, s = boxes[at].T
    side = s / centre
    margin = side * (1 - centre) / 2
    box = np.stack([y - margin, x - margin, side, side], axis=1)
    return _Found(asks % m, other, asks >= m, box)


def _typical(W: Array, Q: Array, m: int) -> float:
    """Return the median likeness of a picture to its tenth neighbour, over at most 100."""
    if m <= _TENTH:
        return 0.0
    rows = np.arange(0, len(Q), -(-len(Q) // _ASKED))
    best = np.concatenate(
        [
            (W[start : start + 256].reshape(-1, _COMPONENTS).astype(np.float32) @ Q[rows].T)
            .reshape(-1, W.shape[1], len(rows))
            .max(axis=1)
            for start in range(0, m, 256)
        ]
    )
    return float(np.median(np.partition(best, -_TENTH - 1, axis=0)[-_TENTH - 1]))


def _nearest(
    W: Array, Q: Array, n_boxes: int, least: float, progress: ProgressCallback
) -> tuple[Array, Array]:
    """Return queries and the windows nearest to them, the best one of each picture, for at most 16 others."""
    m, rng = len(W) // n_boxes, np.random.default_rng(0)
    means = _means(W, rng)
    cell = np.concatenate(
        [np.argmax(W[i : i + 8192].astype(np.float32) @ means.T, axis=1) for i in range(0, len(W), 8192)]
    )
    order = np.argsort(cell, kind="stable")
    ends = np.searchsorted(cell[order], np.arange(len(means) + 1))
    n_probed = min(_N_PROBED, len(means))
    probed = np.argpartition(Q @ means.T, len(means) - n_probed, axis=1)[:, -n_probed:]
    by_cell = np.argsort(probed, axis=None, kind="stable")
    starts = np.searchsorted(probed.ravel()[by_cell], np.arange(len(means) + 1))
    hits = []
    for c in range(len(means)):
        rows, windows = by_cell[starts[c] : starts[c + 1]] // n_probed, order[ends[c] : ends[c + 1]]
        among = W[windows].astype(np.float32).T
        for start in range(0, len(rows), _BLOCK):
            some = rows[start : start + _BLOCK]
            S = Q[some] @ among
            at = np.flatnonzero(least <= S)
            i, j = np.divmod(at, len(windows) or 1)
            hits.append((some[i], windows[j], S.ravel()[at]))
        progress("searching windows", c + 1, len(means))
    asks, window, likeness = (np.concatenate(some) for some in zip(*hits, strict=True))
    other = window // n_boxes
    keep = asks % m != other
    asks, window, likeness, other = asks[keep], window[keep], likeness[keep], other[keep]
    order = np.lexsort((-likeness, other, asks))  # the best window of each picture
    order = order[np.unique(asks[order] * m + other[order], return_index=True)[1]]
    order = order[np.lexsort((-likeness[order], asks[order]))]  # and the best pictures of each query
    first = np.searchsorted(asks[order], asks[order])
    order = order[np.arange(len(order)) - first < (_N_NEAREST if m <= _MANY else _N_OF_MANY)]
    return asks[order], window[order]


def _means(W: Array, rng: np.random.Generator) -> Array:
    """Return the means of cells, one for about 1,000 windows, by spherical k-means on some of them."""
    n = max(1, min(_MOST_MEANS, len(W) // _PER_MEAN))
    some = W[rng.choice(len(W), min(len(W), 40 * n), replace=False)].astype(np.float32)
    means = some[:n]
    for _ in range(4):
        cell = np.argmax(some @ means.T, axis=1)
        sums = np.zeros_like(means)
        np.add.at(sums, cell, some)
        means = sums / np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-6)
    return means


def _take(found: _Found, keep: Array) -> _Found:
    return _Found(*(field[keep] for field in found))


def _mirrored(X: Array, is_mirrored: Array) -> Array:
    return np.where(is_mirrored.reshape(-1, *[1] * (X.ndim - 1)), X[:, :, ::-1], X)


def _refined(grey: Array, found: _Found, progress: ProgressCallback) -> _Found:
    """Return the placements after Lucas and Kanade's iteration, without those that fail."""
    for number, (n, times, least) in enumerate(_STEPS, start=1):
        kept, boxes = [], []
        for start in range(0, len(found.one), _BLOCK):
            one, other, is_mirrored, box = _take(found, slice(start, start + _BLOCK))  # type: ignore[arg-type]
            T = pool(_mirrored(grey[one], is_mirrored), n)
            X = grey[other]
            for _ in range(times):
                box = _moved(X, T, box)
            pixels, lines, overlap = _agreement(*placed(X, box, n), T)
            sides = box[:, 2:]
            is_sound = ((sides > 0.4) & (sides < 1.3)).all(axis=1) & (overlap > _LEAST_OVERLAP)
            kept.append(is_sound & (lines > least) & (pixels > _WHOLE_PIXELS))
            boxes.append(box)
            progress(f"placing pictures, {number} of {len(_STEPS)}", start + len(one), len(found.one))
        if kept:
            found = _take(found._replace(box=np.concatenate(boxes)), np.concatenate(kept))
    return found


def _moved(X: Array, T: Array, box: Array) -> Array:
    """Return the boxes after a step: T is fitted by a X + b and by X moved and stretched, to the first order."""
    n, k = T.shape[1], len(T)
    P, inside = placed(X, box, n)
    down, across = np.gradient(P, axis=(1, 2))
    u = np.linspace(-1, 1, n, dtype=np.float32)
    Z = np.stack([P, np.ones_like(P), down, across, u[:, None] * down, u * across], axis=-1).reshape(k, -1, 6)
    weighted = (Z * inside.reshape(k, -1, 1)).transpose(0, 2, 1)
    fit = np.linalg.solve(weighted @ Z + 0.01 * n * n * np.eye(6), weighted @ T.reshape(k, -1, 1))[..., 0]
    contrast = np.where(np.abs(fit[:, :1]) > 0.2, fit[:, :1], 0.2)
    step = np.clip(fit[:, 2:] / contrast, -1.5, 1.5)
    step[:, 2:] = np.clip(step[:, 2:], -0.05 * n, 0.05 * n)
    side = box[:, 2:]
    grown = side * (1 + 2 * step[:, 2:] / n)
    return np.concatenate([box[:, :2] + step[:, :2] * side / n - (grown - side) / 2, grown], axis=1)


def _agreement(P: Array, inside: Array, T: Array) -> tuple[Array, Array, Array]:
    """Return the cosines of pixels and of edges, both centred, where pictures overlap, and the overlap's share."""
    across, down = inside[:, :, 1:] & inside[:, :, :-1], inside[:, 1:] & inside[:, :-1]
    pixels = [_centred(X, inside) for X in (P, T)]
    lines = [
        np.hstack([_centred(np.diff(X, axis=2), across), _centred(np.diff(X, axis=1), down)]) for X in (P, T)
    ]
    return cosines(*pixels), cosines(*lines), inside.mean(axis=(1, 2))


def _centred(X: Array, mask: Array) -> Array:
    """Return the pixels under a mask less their mean, a row each; 0 elsewhere."""
    X, mask = X.reshape(len(X), -1), mask.reshape(len(X), -1)
    mean = (X * mask).sum(axis=1, keepdims=True) / np.maximum(mask.sum(axis=1, keepdims=True), 1)
    return np.asarray((X - mean) * mask)


def _decided(marks: Signatures, found: _Found, typical: float) -> list[Pair]:
    """Return the pairs that agree at a fine resolution, each with the words for how they differ."""
    wanted, wanted_whole = (cosine_threshold(typical, least, _TYPICAL) for least in (_EDGES, _WHOLE_EDGES))
    best, whole = dict[tuple[int, int], Pair](), np.array([[0.0, 0.0, 1.0, 1.0]])
    for start in range(0, len(found.one), _BLOCK // 4):
        one, other, is_mirrored, box = _take(found, slice(start, start + _BLOCK // 4))  # type: ignore[arg-type]
        X, Y = pixels_of(marks, other, FINEST), _mirrored(pixels_of(marks, one, FINEST), is_mirrored)
        side = min(X.shape[1:3])
        n = min(_FINE, side // 2 if side >= SMALLEST else side)
        T = pool(grey_pixels(Y), n)
        grey, is_whole = grey_pixels(X), np.repeat(whole, len(one), axis=0)
        for _ in range(_FINE_STEPS if side >= SMALLEST else 0):
            box = _moved(grey, T, box)
        likeness, is_copy = np.zeros(len(one)), np.zeros(len(one), bool)
        for way, most, least in ((box, wanted, _PIXELS), (is_whole, wanted_whole, _WHOLE_PIXELS)):
            pixels, lines, overlap = _agreement(*placed(grey, way, n), T)
            agrees = (lines >= most) & (pixels >= least) & (overlap > _LEAST_OVERLAP)
            box = np.where(agrees[:, None], way, box)
            likeness, is_copy = np.where(agrees, lines, likeness), is_copy | agrees
        for k in np.flatnonzero(is_copy):
            pair = sorted([int(one[k]), int(other[k])])
            is_cropped = np.abs(box[k] - whole[0]).max() > _WHOLE
            is_recoloured = not _same_colours(X[k], Y[k], box[k : k + 1])
            changes = {"mirrored": is_mirrored[k], "cropped": is_cropped, "recoloured": is_recoloured}
            kind = join([word for word, is_so in changes.items() if is_so]) or "near"
            new = Pair(pair[0], pair[1], kind, min(float(likeness[k]), _BELOW_ONE))
            if (old := best.get(new[:2])) is None or old.similarity < new.similarity:
                best[new[:2]] = new
    return sorted(best.values())


def _same_colours(X: Array, Y: Array, box: Array) -> bool:
    """Return whether two pictures agree in colour, brightness and contrast aside."""
    if X.shape[2] < 3:
        return True
    n = min(16, *X.shape[:2])
    shown, inside = placed(X[..., :3].transpose(2, 0, 1), np.repeat(box, 3, axis=0), n)
    other = pool(Y[None, ..., :3], n)[0].transpose(2, 0, 1)
    a, b = shown[inside] - shown[inside].mean(), other[inside] - other[inside].mean()
    return bool(a @ b >= _COLOURS * np.linalg.norm(a) * np.linalg.norm(b))
