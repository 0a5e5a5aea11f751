"""What a notebook shows of data: a contact sheet of the pictures, the classes with their counts, the first rows."""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from pellucid.text import by, join, plural, shorten
from pellucid.text_blocks import blocks_as_html
from pellucid.types import Array, is_image_shape

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
    return (
        isinstance(X, np.ndarray)
        and not isinstance(data.y, dict)
        and is_image_shape(X.shape[1:], 4)
        and X.dtype.kind in "buif"
        and len(X) > 0
    )


def _sheet_html(data: Dataset) -> str:
    """Return the first pictures side by side as one HTML image, with their labels."""
    n = min(len(data), SHOWN)
    labels = ", ".join(label_of(data, i) for i in range(n))
    picture, kind = _compressed(pixels(data.X[:n]))
    source = base64.b64encode(picture).decode()
    words = html.escape(f"the first {plural(n, 'sample')}: {labels}")
    return f'<img alt="{words}" src="data:image/{kind};base64,{source}"><p>{words}</p>'


def _compressed(X: Array) -> tuple[bytes, str]:
    """Return pictures in one row as the bytes of a small file, and its type."""
    from PIL import Image

    for side, quality in ((SIDE, 0), (SIDE, 75), (SIDE, 55), (SIDE, 40), (SIDE, 30), (SIDE // 2, 30)):
        sheet = Image.new("RGB", (len(X) * (side + GAP) - GAP, side), "white")
        is_small = max(X.shape[1:3]) <= side
        for i, picture in enumerate(X):
            how = Image.Resampling.NEAREST if is_small else Image.Resampling.BOX
            sheet.paste(
                Image.fromarray(np.ascontiguousarray(picture)).resize((side, side), how),
                (i * (side + GAP), 0),
            )
        file, kind = io.BytesIO(), "jpeg" if quality else "png"
        sheet.save(file, kind, **({"quality": quality} if quality else {"optimize": True}))
        if file.tell() <= MOST_BYTES:
            break
    return file.getvalue(), kind


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
