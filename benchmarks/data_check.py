"""The data check: which changed copies it finds, how many false alarms it raises, and what 10,000 pictures cost.

    python -m benchmarks.data_check [--seeds 5 6 7 8] [--kinds near mirrored] [--without-large]

2,000 drawings, and the 258 distinct published photos where PELLUCID_DATA_DIR names their folder, each with 50
copies changed in one of the ways of ``KINDS``; all but the near ones are then saved as JPEG of quality 40 to 95,
brightened or darkened by up to 40 %, or left as they are, in turn. False alarms: pairs that were not planted, those
of the sets as they are, of scikit-learn's digits, and of 300 things before one plain background. Where imagehash is
installed, its hashes are given the near copies, each at the largest distance with fewer than five false alarms.
"""

import argparse
import io
import os
import resource
import subprocess
import sys
import time
from typing import Any

import numpy as np
from benchmarks import harness
from PIL import Image, ImageDraw, ImageEnhance
from scripts.drawn_cats.draw import draw

from pellucid.checks.check import check_data
from pellucid.data.copies.duplicates import near_duplicates
from pellucid.data.dataset import Split
from pellucid.data.source import load_data
from pellucid.types import Array

N_DRAWN, N_COPIES, N_LARGE = 2_000, 50, 10_000


KINDS = (
    "near",
    "mirrored",
    "recoloured",
    "cropped to 80 to 90 %",
    "cropped to 70 to 80 %",
    "cropped to 60 to 70 %",
    "moved by up to 20 %",
    "mirrored, cropped to 70 to 90 %",
    "cropped to 70 to 90 %, recoloured",
    "mirrored, cropped to 70 to 90 %, recoloured",
)
_SEPIA = np.array([[0.393, 0.769, 0.189], [0.349, 0.686, 0.168], [0.272, 0.534, 0.131]])


def photos() -> Array:
    """Return the published photos without the known copy, or none where they are not at hand."""
    if "PELLUCID_DATA_DIR" not in os.environ:
        return np.zeros((0, 64, 64, 3), np.uint8)
    data = load_data("catvnoncat")
    distinct: Array = np.concatenate([data.train.X, np.delete(data.test.X, 17, axis=0)])
    return distinct


def plain_background(seed: int, n: int = 300) -> Array:
    """Return drawings cut to ovals, as things before one plain background, lit from above, with noise."""
    rng, things = np.random.default_rng(seed), draw(n, seed + 1000).X
    light = np.linspace(225, 200, 64)[:, None, None] + np.zeros((64, 64, 3))
    made = np.empty_like(things)
    for i, thing in enumerate(things):
        side, mask = int(rng.integers(20, 41)), Image.new("L", (64, 64))
        x, y = (int(v) for v in rng.integers(26 - side // 2, 39 - side // 2, 2))
        ImageDraw.Draw(mask).ellipse((x, y, x + side, y + side), fill=255)
        picture = Image.fromarray(light.astype(np.uint8))
        small = Image.new("RGB", (64, 64))
        small.paste(Image.fromarray(thing).resize((side, side)), (x, y))
        picture.paste(small, mask=mask)
        made[i] = np.clip(np.asarray(picture) + rng.normal(0, 2, (64, 64, 1)), 0, 255)
    return made


def near(picture: Image.Image, i: int, rng: np.random.Generator) -> Image.Image:
    """Return a picture saved as JPEG, resized, or brightened, in turn."""
    if i % 3 == 0:
        return as_jpeg(picture, int(rng.integers(30, 96)))
    if i % 3 == 1:
        side = int(rng.choice([32, 40, 48, 80, 96, 128]))
        resample = Image.Resampling(int(rng.integers(1, 6)))
        return picture.resize((side, side), resample).resize(picture.size, resample)
    if rng.random() < 0.5:
        return ImageEnhance.Brightness(picture).enhance(rng.uniform(1.1, 1.6))
    brighter = np.asarray(picture).astype(int) + int(rng.integers(15, 61))
    return Image.fromarray(np.clip(brighter, 0, 255).astype(np.uint8))


def as_jpeg(picture: Image.Image, quality: int) -> Image.Image:
    """Return a picture after it was saved as JPEG."""
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=quality)
    return Image.open(file).convert("RGB")


def view(picture: Image.Image, left: float, top: float, width: float, height: float) -> Image.Image:
    """Return a part of a picture, in its sides, at the size of the whole."""
    w, h = picture.size
    box = (left * w, top * h, min(w, (left + width) * w), min(h, (top + height) * h))
    return picture.resize(picture.size, Image.Resampling.BICUBIC, box=box)


def recoloured(picture: Image.Image, i: int, rng: np.random.Generator) -> Image.Image:
    """Return a picture in grey, in sepia, with another hue, saturation or white balance, or tinted, in turn."""
    pixels = np.asarray(picture, np.float64)
    if i % 6 == 0:
        return picture.convert("L").convert("RGB")
    if i % 6 == 1:
        pixels = pixels @ _SEPIA.T
    elif i % 6 == 2:
        hue, *others = picture.convert("HSV").split()
        turned = (np.asarray(hue).astype(int) + int(rng.integers(15, 241))) % 256
        return Image.merge("HSV", (Image.fromarray(turned.astype(np.uint8)), *others)).convert("RGB")
    elif i % 6 == 3:
        return ImageEnhance.Color(picture).enhance(rng.choice([rng.uniform(0.1, 0.6), rng.uniform(1.5, 2.5)]))
    elif i % 6 == 4:
        warmth = np.array([rng.uniform(1.1, 1.4), 1, rng.uniform(0.6, 0.9)])
        pixels = pixels * (warmth if rng.random() < 0.5 else warmth[::-1])
    else:
        share = rng.uniform(0.15, 0.4)
        pixels = (1 - share) * pixels + share * rng.integers(0, 256, 3)
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def changed(image: Array, kind: str, i: int, rng: np.random.Generator) -> tuple[Array, Array]:
    """Return an original and its copy; of a picture that moved, both are parts of the image."""
    original = picture = Image.fromarray(image)
    if kind == "near":
        return image, np.asarray(near(picture, i, rng))
    if "moved" in kind:
        side, (dx, dy), zoom = 0.8, rng.uniform(-0.16, 0.16, 2), rng.uniform(0.85, 1)
        x, y = (rng.uniform(max(0, -d), min(1 - side, 1 - side - d)) for d in (dx, dy))
        original = view(picture, x, y, side, side)
        x, y = (v + d + (1 - zoom) * side * rng.random() for v, d in ((x, dx), (y, dy)))
        picture = view(picture, x, y, side * zoom, side * zoom)
    if "mirrored" in kind:
        picture = picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    if "cropped" in kind:
        low, high = (int(word) / 100 for word in kind.split("cropped to ")[1].split(" %")[0].split(" to "))
        side, stretch = rng.uniform(low, high), rng.uniform(0.93, 1.07)
        width, height = min(1, side * stretch), min(1, side / stretch)
        picture = view(picture, rng.uniform(0, 1 - width), rng.uniform(0, 1 - height), width, height)
    if "recoloured" in kind:
        picture = recoloured(picture, i, rng)
    after = i // 6 if "recoloured" in kind else i
    if after % 3 == 0:
        picture = as_jpeg(picture, int(rng.integers(40, 96)))
    elif after % 3 == 1:
        picture = ImageEnhance.Brightness(picture).enhance(rng.uniform(0.7, 1.4))
    return np.asarray(original), np.asarray(picture)


def planted(X: Array, kind: str, seed: int) -> tuple[Array, set[tuple[int, int]]]:
    """Return pictures with changed copies of 50 of them at their end, and which pairs are copies."""
    rng = np.random.default_rng(seed)
    rows, X = rng.choice(len(X), N_COPIES, replace=False), X.copy()
    copies = []
    for i, row in enumerate(rows):
        X[row], copy = changed(X[row], kind, i, rng)
        copies.append(copy)
    return np.concatenate([X, copies]), {(int(row), len(X) + i) for i, row in enumerate(rows)}


def hashed(X: Array, truth: set[tuple[int, int]]) -> dict[str, tuple[int, int]]:
    """Return for each of imagehash's hashes how many copies it finds, and its false alarms."""
    import imagehash

    kinds: dict[str, Any] = {
        "pHash, 64 bits": imagehash.phash,
        "pHash, 256 bits": lambda image: imagehash.phash(image, 16),
        "dHash, 64 bits": imagehash.dhash,
        "dHash, 256 bits": lambda image: imagehash.dhash(image, 16),
        "wHash, 64 bits": imagehash.whash,
    }
    is_copy = np.zeros((len(X), len(X)), bool)
    is_copy[tuple(np.array(sorted(truth)).T)] = True
    upper = np.triu(np.ones_like(is_copy), 1)
    results = {}
    for name, function in kinds.items():
        bits = np.stack([function(Image.fromarray(image)).hash.ravel() for image in X]).astype(np.float32)
        distance = bits.sum(1)[:, None] + bits.sum(1) - 2 * bits @ bits.T
        results[name] = (0, int(((distance < 0.5) & upper & ~is_copy).sum()))
        for most in range(bits.shape[1] // 4):
            near = (distance < most + 0.5) & upper
            n_false = int((near & ~is_copy).sum())
            if n_false >= 5:
                break
            results[name] = (int((near & is_copy).sum()), n_false)
    return results


def compare(name: str, X: Array, seed: int, kinds: list[str]) -> None:
    """Print what is found in one set: as it is, and with copies of each kind."""
    start = time.perf_counter()
    clean = {pair[:2] for pair in near_duplicates(X, progress=False)}
    print(f"\n{name}, {len(X):,} pictures{'found':>{45 - len(name)}}{'false':>8}{'seconds':>9}")
    print(f"  {'as they are':<54}{'':>4}{len(clean):>8}{time.perf_counter() - start:>9.1f}", flush=True)
    for kind in kinds:
        pictures, truth = planted(X, kind, seed)
        start = time.perf_counter()
        found = {pair[:2] for pair in near_duplicates(pictures, progress=False)}
        seconds = time.perf_counter() - start
        print(
            f"  {kind:<54}{len(found & truth):>4}{len(found - truth - clean):>8}{seconds:>9.1f}", flush=True
        )
    if "near" not in kinds:
        return
    try:
        rivals = hashed(*planted(X, "near", seed))
    except ImportError:
        print("  imagehash is not installed")
        return
    for rival, (n_found, n_false) in rivals.items():
        print(f"  {'near: imagehash, ' + rival:<54}{n_found:>4}{n_false:>8}")


def large() -> None:
    """Print time and memory of a check of 10,000 drawings; runs in a process of its own."""
    drawn = draw(N_LARGE, 77)
    split = Split(drawn.take(slice(0, 8_000)), drawn.take(slice(8_000, None)), "drawings")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start, busy = time.perf_counter(), time.process_time()
    report = check_data(split)
    seconds, busy = time.perf_counter() - start, time.process_time() - busy
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(
        f"\n{N_LARGE:,} drawings of 64 x 64, whole check: {seconds:.1f} s ({busy:.1f} s of one core), "
        f"{peak / 1024:.0f} MB at most ({before / 1024:.0f} MB of it before, the data included); "
        f"{len(report.findings)} findings: "
        f"{'; '.join(finding.found for finding in report.findings[:5]) or 'none'}"
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, nargs="*", default=[5, 6, 7, 8])
    parser.add_argument("--kinds", nargs="*", default=list(KINDS), choices=KINDS)
    parser.add_argument("--without-large", action="store_true")
    parser.add_argument("--large-alone", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.large_alone:
        large()
        return
    print(harness.machine("pillow"))
    both = load_data("digits")
    digits = np.concatenate([both.train.X, both.test.X])
    print(f"digits: {len(near_duplicates(digits, progress=False))} false alarms")
    for seed in options.seeds:
        n_false = len(near_duplicates(plain_background(seed), progress=False))
        print(f"before a plain background, seed {seed}: {n_false} false alarms")
        if len(some := photos()):
            compare(f"photos, seed {seed}", some, seed, options.kinds)
        compare(f"drawings, seed {seed}", draw(N_DRAWN, seed).X, seed, options.kinds)
    if not options.without_large:
        subprocess.run([sys.executable, "-m", "benchmarks.data_check", "--large-alone"], check=True)


if __name__ == "__main__":
    main()
