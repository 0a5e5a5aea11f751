"""What decoding a JPEG at reduced size changes of a model's 64x64 input, against decoding the whole picture.

    python -m benchmarks.reduced_jpegs [--photos 10]      some seconds

The first published test photos, enlarged, with grain, as JPEG of quality 90; and a mosaic of black and white
rectangles, which is no photo. They need PELLUCID_DATA_DIR or a network.
"""

import io
from collections.abc import Iterator
from typing import Any

import numpy as np
from benchmarks import harness
from PIL import Image

from pellucid.data.readers.images import read_sample
from pellucid.data.source import load_data
from pellucid.types import Array

SIZES = ((3072, 2304), (800, 600), (1024, 1024), (512, 512))  # width and height
SHAPE = (64, 64, 3)  # of the input


def jpeg(pixels: Array) -> bytes:
    """Return a picture as a file."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=90)
    return file.getvalue()


def enlarged(width: int, height: int, n: int) -> Iterator[bytes]:
    """Yield the first test photos at a size."""
    rng = np.random.default_rng(1)
    for photo in load_data("catvnoncat").test.X[:n]:
        soft = np.asarray(Image.fromarray(photo).resize((width, height), Image.Resampling.BICUBIC)).astype(
            np.int16
        )
        yield jpeg(np.clip(soft + rng.integers(-8, 9, (height, width, 1)), 0, 255).astype(np.uint8))


def mosaic() -> bytes:
    """Return 257x257 pixels of rectangles of 5x7, black or white."""
    rng = np.random.default_rng(1)
    dark = rng.integers(0, 2, (257 // 5 + 1, 257 // 7 + 1), dtype=np.uint8)
    grey = 255 * dark.repeat(5, axis=0).repeat(7, axis=1)[:257, :257]
    return jpeg(np.repeat(grey[..., None], 3, axis=2))


def differences(file: bytes) -> Array:
    """Return by how much each value of the input differs."""
    with Image.open(io.BytesIO(file)) as image:
        whole = np.asarray(image.convert("RGB").resize(SHAPE[1::-1])).astype(int)
    found: Array = np.abs(read_sample(file, SHAPE).astype(int) - whole)
    return found


def print_row(name: str, found: Array) -> None:
    """Print a row of the table of docs/limits.md."""
    print(f"{name:>16}{(found > 0).mean():20.0%}{found.mean():12.2f}{found.max():9}", flush=True)


def main() -> None:
    """Measure and print."""
    parser = harness.arguments(__doc__ or "")
    parser.add_argument("--photos", type=int, default=10)
    options: Any = parser.parse_args()
    print(
        f"{harness.machine('pillow')}\n{'photo':>16}{'values that differ':>20}{'on average':>12}{'at most':>9}"
    )
    for width, height in SIZES:
        n = 3 if options.quick else options.photos
        print_row(f"{width}x{height}", np.stack([differences(file) for file in enlarged(width, height, n)]))
    print_row("mosaic, 257x257", differences(mosaic()))


if __name__ == "__main__":
    main()
