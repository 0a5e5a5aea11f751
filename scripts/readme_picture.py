"""Make docs/images/run.png, the README's picture, from the figures of a run on drawn-cats.

pellucid run --out runs/readme && python scripts/readme_picture.py runs/readme
"""

import io
import sys
from pathlib import Path

from PIL import Image

from pellucid.data.source import load_data
from pellucid.plotting.data import sample_grid
from pellucid.plotting.saving import figure_png

HEIGHT, GAP = 640, 16


def main(run: Path) -> None:
    figures = {
        name: Image.open(run / "figures" / f"{name}.png").convert("RGB") for name in ("cost", "new-photo")
    }
    samples = sample_grid(load_data("drawn-cats").train, "Training drawings")
    left = _to_height(Image.open(io.BytesIO(figure_png(samples))).convert("RGB"), HEIGHT)
    half = (HEIGHT - GAP) // 2
    right = [_to_height(figures["cost"], half), _to_height(figures["new-photo"], half)]
    width = max(image.width for image in right)
    sheet = Image.new("RGB", (left.width + GAP + width, HEIGHT), "white")
    sheet.paste(left, (0, 0))
    for i, image in enumerate(right):
        sheet.paste(image, (left.width + GAP + (width - image.width) // 2, i * (half + GAP)))
    sheet.quantize(256, dither=Image.Dither.NONE).save(
        Path(__file__).parent.parent / "docs/images/run.png", optimize=True
    )


def _to_height(image: Image.Image, height: int) -> Image.Image:
    return image.resize((round(image.width * height / image.height), height), Image.Resampling.LANCZOS)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
