"""Draw the built-in data set again and write its files.

One PNG holds every picture, with the labels in its text; another the new picture that a run is shown.

    python -m scripts.drawn_cats            write both into src/pellucid/data and print their sha256
    python -m scripts.drawn_cats --check    only say whether today's drawings equal the shipped ones

New files need their new sha256 in pellucid/data/drawn.py. They change the data set for everyone: do it only with a
new version of pellucid. Another version of Pillow may draw an edge otherwise; the shipped files stay as they are.
"""

import argparse
import hashlib
import io
import sys
from pathlib import Path

import numpy as np
from PIL import Image, PngImagePlugin
from scripts.drawn_cats.draw import draw_new, draw_shipped

from pellucid.data.built_in import COLUMNS, FILE_NAME, NEW_NAME, SIZE, load_drawn_cats, load_new_picture
from pellucid.data.dataset import Split
from pellucid.files import write_atomically
from pellucid.types import Array


def sheet_of(cats: Split) -> bytes:
    """Return a PNG of all pictures in rows, training pictures first; "labels" is its text, a digit a picture."""
    X, y = np.concatenate([cats.train.X, cats.test.X]), np.concatenate([cats.train.y, cats.test.y])
    n_rows = -(-len(X) // COLUMNS)
    tiles = np.zeros((n_rows * COLUMNS, SIZE, SIZE, 3), dtype=np.uint8)
    tiles[: len(X)] = X
    rows = tiles.reshape(n_rows, COLUMNS, SIZE, SIZE, 3).swapaxes(1, 2)
    text = PngImagePlugin.PngInfo()
    text.add_text("labels", "".join(str(label) for label in y))
    file = io.BytesIO()
    sheet = Image.fromarray(rows.reshape(n_rows * SIZE, COLUMNS * SIZE, 3))
    sheet.save(file, "PNG", optimize=True, pnginfo=text)
    return file.getvalue()


def png_of(picture: Array) -> bytes:
    """Return a picture as PNG."""
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "PNG", optimize=True)
    return file.getvalue()


def n_different() -> tuple[int, int]:
    """Return how many drawings differ from the shipped ones, and how many there are."""
    drawn, shipped = draw_shipped(), load_drawn_cats()
    pairs = ((drawn.train, shipped.train), (drawn.test, shipped.test))
    n = sum(int(np.any(a.X != b.X, axis=(1, 2, 3)).sum()) for a, b in pairs)
    n += not np.array_equal(draw_new(), load_new_picture())
    return n, len(drawn.train) + len(drawn.test) + 1


def main() -> int:
    """Write the files, or check them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--check", action="store_true", help="compare with the shipped files and write nothing"
    )
    if parser.parse_args().check:
        n, total = n_different()
        print(f"{n} of {total} pictures differ from the shipped ones")
        return int(n > 0)
    for name, content in ((FILE_NAME, sheet_of(draw_shipped())), (NEW_NAME, png_of(draw_new()))):
        write_atomically(Path(__file__).parents[2] / "src/pellucid/data" / name, content)
        print(f"{name}: {len(content)} bytes, sha256 {hashlib.sha256(content).hexdigest()}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
