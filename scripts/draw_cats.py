"""Draw the built-in data set again and write its file: one PNG with every picture, and the labels in its text.

    python scripts/draw_cats.py            write src/pellucid/data/drawn-cats.png and print its sha256
    python scripts/draw_cats.py --check    only say whether today's drawings equal the shipped ones

A new file needs its new sha256 in pellucid/data/drawn.py. It changes the data set for everyone: do it only with a
new version of pellucid. Another version of Pillow may draw an edge otherwise; the shipped file stays as it is.
"""

import argparse
import hashlib
import io
import sys
from pathlib import Path

import numpy as np
from PIL import Image, PngImagePlugin

from pellucid.data.dataset import Split
from pellucid.data.drawn import COLUMNS, FILE_NAME, SIZE, draw_shipped, load_drawn_cats
from pellucid.files import write_atomically


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


def main() -> int:
    """Write the file, or check it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--check", action="store_true", help="compare with the shipped file and write nothing"
    )
    is_check = parser.parse_args().check
    cats = draw_shipped()
    if is_check:
        shipped = load_drawn_cats()
        pairs = ((cats.train, shipped.train), (cats.test, shipped.test))
        n_differ = sum(int(np.any(a.X != b.X, axis=(1, 2, 3)).sum()) for a, b in pairs)
        print(f"{n_differ} of {len(cats.train) + len(cats.test)} pictures differ from the shipped ones")
        return int(n_differ > 0)
    content = sheet_of(cats)
    target = Path(__file__).parents[1] / "src/pellucid/data" / FILE_NAME
    write_atomically(target, content)
    print(f"{target.name}: {len(content)} bytes, sha256 {hashlib.sha256(content).hexdigest()}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
