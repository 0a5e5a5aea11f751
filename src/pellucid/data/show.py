"""What a notebook shows of data: a contact sheet of the pictures, the classes with their counts, the first rows."""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from pellucid.data.copies.pixels import are_pictures
from pellucid.text import by, join, plural, shorten
from pellucid.text_blocks import blocks_as_html
from pellucid.types import Array

if TYPE_CHECKING:
    from pellucid.data.dataset import Dataset, Split

SHOWN = 12  # pictures, or classes, in a notebook
SIDE = 56  # pixels of each picture
MOST_BYTES = 6800  # of a sheet
N_ROWS, N_COLUMNS = 5, 8  # of a table's beginning
GAP = 2  # pixels between pictures


def in_words(data: Dataset, *, has_counts: bool = True) -> str:
    """Return how many samples there are, of what shape and dtype, and how many of each class."""
    inputs = data.X if isinstance(data.X, dict) else {"": data.X}
    shapes = join(
        [f"{name} {by(X.shape[1:]) or 'one number'}, {X.dtype}".strip() for name, X in inputs.items()]
    )
    counts = [f"{n} {shorten(name, 30)}" for n, name in zip(data.counts.tolist(), data.classes, strict=False)]
    more = f" and {len(counts) - SHOWN} more classes" if len(counts) > SHOWN else ""
    return f"{plural(len(data), 'sample')} of {shapes}" + (
        f": {', '.join(counts[:SHOWN])}{more}" if counts and has_counts else ""
    )


def dataset_html(data: Dataset, *, has_counts: bool = True) -> str:
    """Return the first samples and a description of the data, for a notebook."""
    words = f"<p>{html.escape(in_words(data, has_counts=has_counts))}</p>"
    return words + (_sheet_html(data) if is_of_pictures(data) else _rows_html(data))


def split_html(split: Split) -> str:
    """Return the first samples of each part, the classes with their counts, and notes, for a notebook."""
    parts = (("Training part", split.train), ("Test part", split.test))
    shown = "".join(f"<h4>{title}</h4>{dataset_html(data, has_counts=False)}" for title, data in parts)
    notes = "".join(f"<li>{html.escape(note)}</li>" for note in split.notes)
    return f"{_counts_html(split)}{shown}" + (f"<ul>{notes}</ul>" if notes else "")


def _counts_html(split: Split) -> str:
    """Return a table of the classes: how many samples each has in both parts."""
    if not split.classes:
        return ""
    counts = (part.counts.tolist() for part in (split.train, split.test))
    rows: list[Sequence[Any]] = list(
        zip((shorten(name, 30) for name in split.classes), *counts, strict=False)
    )
    more = [f"and {len(rows) - SHOWN} more classes"] if len(rows) > SHOWN else []
    return blocks_as_html([(("class", "training", "test"), rows[:SHOWN]), *more])


def _rows_html(data: Dataset) -> str:
    """Return the first rows of a table; "" where samples are not rows."""
    X, y = data.X, data.y
    if isinstance(X, dict) or isinstance(y, dict) or X.ndim != 2 or not len(X):
        return ""
    n = X.shape[1]
    header = [*(f"x{j + 1}" for j in range(min(n, N_COLUMNS))), *(["…"] if n > N_COLUMNS else []), "y"]
    rows = [
        [*(f"{value:.4g}" for value in row[:N_COLUMNS]), *(["…"] if n > N_COLUMNS else []), label_of(data, i)]
        for i, row in enumerate(np.asarray(X[:N_ROWS]))
    ]
    return blocks_as_html([(header, rows), *(["…"] if len(X) > N_ROWS else [])])


def label_of(data: Dataset, i: int) -> str:
    """Return what a sample is: the name of its class, its labels, or its quantity."""
    y = data.y[i]
    if y.ndim:
        if not data.classes:
            return " ".join(f"{value:.4g}" for value in y.tolist()[:N_COLUMNS])
        named = [name for name, is_on in zip(data.classes, y.tolist(), strict=False) if is_on]
        return shorten(", ".join(named) or "none", 24)
    if y.dtype.kind == "f":
        return f"{float(y):.4g}"
    return shorten(data.classes[int(y)], 24) if int(y) < len(data.classes) else str(int(y))


def is_of_pictures(data: Dataset) -> bool:
    """Return whether the samples can be shown as pictures."""
    X: Any = data.X
    return isinstance(X, np.ndarray) and are_pictures(X) and len(X) > 0 and not isinstance(data.y, dict)


def _sheet_html(data: Dataset) -> str:
    """Return the first pictures side by side as one HTML image, with their labels."""
    n = min(len(data), SHOWN)
    labels = ", ".join(label_of(data, i) for i in range(n))
    source = base64.b64encode(_compressed(pixels(data.X[:n]))).decode()
    words = html.escape(f"the first {plural(n, 'sample')}: {labels}")
    return f'<img alt="{words}" src="data:image/webp;base64,{source}"><p>{words}</p>'


def _compressed(X: Array) -> bytes:
    """Return pictures in one row as the bytes of a small file."""
    from PIL import Image

    how = Image.Resampling.NEAREST if max(X.shape[1:3]) <= SIDE else Image.Resampling.BOX
    tiles = [np.asarray(Image.fromarray(np.ascontiguousarray(x)).resize((SIDE, SIDE), how)) for x in X]
    sheet = np.hstack([np.pad(tile, ((0, 0), (0, GAP), (0, 0)), constant_values=255) for tile in tiles])
    for quality in (80, 60, 40, 20, 1):
        file = io.BytesIO()
        Image.fromarray(sheet).save(file, "webp", quality=quality)
        if file.tell() <= MOST_BYTES:
            break
    return file.getvalue()


def pixels(X: Array) -> Array:
    """Return pictures of any dtype as colours: uint8 of shape (m, h, w, 3).

    Examples
    --------
    >>> pixels(np.array([[[0.0, 1.0]]])).ravel()
    array([  0,   0,   0, 255, 255, 255], dtype=uint8)
    """
    if X.dtype != np.uint8:
        values = np.nan_to_num(X.astype(np.float64), posinf=0.0, neginf=0.0)
        values -= values.min()
        X = (values / (values.max() or 1.0) * 255).astype(np.uint8)
    return np.broadcast_to(X.reshape(*X.shape[:3], -1)[..., :3], (*X.shape[:3], 3))
