"""How long the page of a replay takes to make, to open and to walk through, and how large it is, beside its goals.

::

    python -m benchmarks.replay [--runs 5] [--browser /usr/bin/chromium]

Making: ``pl.replay`` on one photo, the file not written; the first, and the median of the others. In the browser,
by Playwright: from the start of the navigation to the page's numbers; stops of the scrubber a second, each drawn
before the next; 20 pictures of 64 x 64 drawn again; a derivation of 12,288 products.
"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

import pellucid as pl

START = "openPage(document);\n"
HOOK = START + "window.bench = { paint, layOut, derive, opened: performance.now() };\n"
SCRUB = """async () => {
  const page = document.querySelector("pellucid-replay"), n = page.stops.length, frames = Math.max(n, 60);
  const next = () => new Promise((done) => requestAnimationFrame(done));
  await next();
  const start = performance.now();
  for (let i = 0; i < frames; i++) { page.scrubber.move((i + 1) % n); await next(); }
  return (1000 * frames) / (performance.now() - start);
}"""
REDRAW = """() => {
  const data = Float32Array.from({ length: 64 * 64 }, (_, i) => Math.sin(i));
  const tiles = window.bench.layOut(data, [64, 64]);
  const canvases = Array.from({ length: 20 }, () => document.createElement("canvas"));
  for (const canvas of canvases) window.bench.paint(canvas, tiles, 1);
  const start = performance.now();
  for (const canvas of canvases) window.bench.paint(canvas, tiles, 1);
  return performance.now() - start;
}"""
DERIVE = """(step) => {
  const { replay } = document.querySelector("pellucid-replay"), start = performance.now();
  const found = window.bench.derive(replay, { step, name: "Z", index: 0 });
  if (!found.isEqual || found.terms.n < 12288) throw new Error("not the derivation that is meant");
  return performance.now() - start;
}"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--browser", default="/usr/bin/chromium", help="Chromium or Chrome.")
    options = parser.parse_args()
    rows: list[tuple[str, str, str]] = []
    with tempfile.TemporaryDirectory() as folder:
        photo, pages = Path(folder) / "photo.png", dict[str, Path]()
        pixels = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
        Image.fromarray(pixels).save(photo)
        cases = {
            "4 layers, float32": ("mlp", "float32", 3.0, 1.0),
            "4 layers, float64": ("mlp", "float64", 5.0, 1.0),
            "cnn": ("cnn", None, 10.0, 3.0),
        }
        for name, (preset, dtype, most_mb, most_seconds) in cases.items():
            model = trained(preset, dtype)
            seconds = []
            for _ in range(options.runs):
                start = time.perf_counter()
                page = pl.replay(model, photo, label="1", progress=False)
                seconds.append(time.perf_counter() - start)
            rows.append((f"{name}: page", f"{len(page.html) / 1e6:.2f} MB", f"< {most_mb:g} MB"))
            rows.append((f"{name}: made in, at first", f"{seconds[0]:.2f} s", f"< {most_seconds:g} s"))
            rows.append((f"{name}: made in, then", f"{statistics.median(seconds[1:]):.2f} s", ""))
            pages[name] = Path(folder) / f"{len(pages)}.html"
            assert page.html.count(START) == 1
            pages[name].write_text(page.html.replace(START, HOOK), encoding="utf-8")
        for name, path in pages.items():
            rows += in_browser(name, path, options)
    width = max(len(row[0]) for row in rows)
    print(f"pellucid {pl.__version__}")
    for what, found, goal in rows:
        print(f"{what:{width}}  {found:>12}   {goal}")


def trained(preset: str, dtype: str | None) -> pl.Model:
    """Return a preset trained for an epoch on a few drawn cats."""
    model = pl.preset(preset)
    data = pl.load_data("drawn-cats").train.take(slice(0, 32))
    pl.train(model, pl.Dataset(data.X, data.y), n_epochs=1, dtype=dtype, progress=False)
    return model


def in_browser(name: str, path: Path, options: Any) -> list[tuple[str, str, str]]:
    """Return what a browser takes for a page."""
    from playwright.sync_api import sync_playwright

    opened, frames, redrawn, derived = [], [], [], []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=options.browser, args=["--no-sandbox"])
        for _ in range(options.runs):
            page = browser.new_page(viewport={"width": 1600, "height": 1000})
            page.goto(path.as_uri())
            opened.append(page.evaluate("window.bench.opened"))
            frames.append(page.evaluate(SCRUB))
            redrawn.append(page.evaluate(REDRAW))
            if "layers" in name:
                derived.append(page.evaluate(DERIVE, 1))
            page.close()
        browser.close()
    rows = [
        (f"{name}: open", f"{statistics.median(opened):.0f} ms", "< 500 ms" if "layers" in name else ""),
        (f"{name}: stops a second", f"{statistics.median(frames):.0f}", ">= 30"),
        (f"{name}: 20 pictures redrawn", f"{statistics.median(redrawn):.1f} ms", "< 10 ms"),
    ]
    if derived:
        rows.append((f"{name}: 12,288 products", f"{statistics.median(derived):.1f} ms", "< 50 ms"))
    return rows


if __name__ == "__main__":
    main()
