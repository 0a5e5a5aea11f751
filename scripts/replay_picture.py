"""Make docs/images/replay.png, a view of the lesson's replay (examples/backprop_on_a_photo.ipynb), in Chromium.

python scripts/replay_picture.py
"""

import io
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

import pellucid as pl
from pellucid.formats.html.browser import find_browser

SIZE = 1360, 860  # pixels of the page that are seen


def main() -> None:
    data = pl.load_data("drawn-cats")
    layers = [pl.Flatten(), *(pl.Dense(units, "relu") for units in (20, 7, 5)), pl.Dense(1)]
    model = pl.Sequential(layers)
    pl.train(model, data.train, optimizer="adam", learning_rate=0.001, n_epochs=20, batch_size=32, seed=3)
    page = pl.replay(model, data.test[:1], learning_rate=0.0075, title="Back-propagation on one drawing")
    step = next(i for i, each in enumerate(page.replay.header["steps"]) if each["name"] == "dense_3")
    unit = int(pl.trace(model, data.test[:1])["dense_3"].Z[0].argmax())
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        path = Path(folder) / "replay.html"
        page.save(path)
        browser = playwright.chromium.launch(executable_path=find_browser(), args=["--no-sandbox"])
        window = browser.new_page(viewport=dict(zip(("width", "height"), SIZE, strict=True)))
        window.goto(f"{path.as_uri()}#forward/{step}/Z/{unit}")
        window.wait_for_timeout(3000)  # until the central difference is there
        picture = Image.open(io.BytesIO(window.screenshot())).convert("RGB")
        browser.close()
    picture.quantize(256, dither=Image.Dither.NONE).save(
        Path(__file__).parent.parent / "docs/images/replay.png", optimize=True
    )


if __name__ == "__main__":
    main()
