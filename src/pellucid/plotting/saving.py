"""Figures as PNG files: the same bytes for the same figure, so that a picture is drawn once and used twice."""

import base64
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from pellucid.files import write_atomically
from pellucid.plotting.style import look
from pellucid.plotting.types import Figure
from pellucid.process_state import warnings_ignored

DPI = 150  # sharp on a screen of two pixels a point, and on paper
LARGE = 12_000  # bytes of a PNG file in a notebook, from which WebP takes its place
MOST_WEBP, WEBP_QUALITY = 16_383, 60  # pixels a side
MOST_PIXELS = 60_000  # a side; matplotlib and browsers end at 65,535
COMPRESSION = 3  # of a PNG file: twice as fast as 6, which makes it a twentieth smaller


def save_figure(figure: Figure, path: str | Path, *, dpi: float = DPI) -> bytes:
    """Write a figure as a PNG file and return its bytes, so that it need not be drawn again.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
    path : str or Path
        Missing folders are made; an existing file is replaced once the new one is complete.
    dpi : float, optional
        Pixels an inch; lowered for a figure that would pass 60,000 pixels.

    Returns
    -------
    bytes

    Raises
    ------
    OutputError
        If the file cannot be written.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from matplotlib.figure import Figure
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_figure(Figure(figsize=(1, 1)), pathlib.Path(folder) / "empty.png")[1:4]
    b'PNG'
    """
    png = figure_png(figure, dpi=dpi)
    write_atomically(path, png)
    return png


def save_figures(figures: Mapping[str, Figure], folder: Path) -> list[str]:
    """Write figures by name into a folder, and return the names of the files."""
    for name, figure in figures.items():
        save_figure(figure, folder / f"{name}.png")
    return [f"{name}.png" for name in figures]


def figure_png(figure: Figure, *, dpi: float = DPI) -> bytes:
    """Return a figure as the bytes of a PNG file, the same bytes for the same figure.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> figure_png(Figure(figsize=(1, 1)))[1:4]
    b'PNG'
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from PIL import Image

    buffer, canvas, own_dpi = io.BytesIO(), figure.canvas, figure.dpi
    with look(), warnings_ignored("Glyph .* missing from"):  # a box stands for that letter
        figure.dpi = fits = min(dpi, MOST_PIXELS / max(figure.get_size_inches()))
        try:  # as figure.savefig, which draws twice what has a layout
            agg: Any = FigureCanvasAgg(figure)
            agg.draw()
        finally:
            figure.set_canvas(canvas)
            figure.dpi = own_dpi
    picture = Image.fromarray(np.asarray(agg.buffer_rgba()))
    if picture.getchannel("A").getextrema() == (255, 255):
        picture = picture.convert("RGB")
    picture.save(buffer, "PNG", dpi=(fits, fits), compress_level=COMPRESSION)
    return buffer.getvalue()


def figure_html(figure: Figure) -> str:
    """Return a figure as an HTML image that loads nothing, as a notebook shows it: as WebP where PNG is large.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> figure_html(Figure(figsize=(1, 1)))[:31]
    '<img src="data:image/png;base64'
    """
    source = data_uri(*smaller(figure_png(figure, dpi=100), LARGE, quality=WEBP_QUALITY))
    return f'<img src="{source}" width="{round(100 * figure.get_figwidth())}">'


def data_uri(data: bytes, kind: str) -> str:
    """Return an address that holds a picture."""
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"


def smaller(png: bytes, least: int, **options: int) -> tuple[bytes, str]:
    """Return a PNG file of more than ``least`` bytes as WebP, where that is smaller; and which of both it is."""
    from PIL import Image, features

    buffer = io.BytesIO()
    with Image.open(io.BytesIO(png)) as picture:
        if len(png) > least and max(picture.size) <= MOST_WEBP and features.check("webp"):
            picture.convert("RGB").save(buffer, "WEBP", **options)
    webp = buffer.getvalue()
    return (webp, "webp") if 0 < len(webp) < len(png) else (png, "png")
