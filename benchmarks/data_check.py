"""The data check: which changed copies it finds, how many false alarms it raises, and what 10,000 pictures cost.

    python -m benchmarks.data_check [--seeds 5 6 7 8] [--without-large]     about two minutes, mostly drawing

2,000 drawings (and the 258 distinct published photos, where PELLUCID_DATA_DIR names their folder), of which 50 are
there again: saved as JPEG of quality 30 to 95, resized to 32 to 128 pixels and back, or brightened by 10 to 60 %
or 15 to 60 grey levels, in turn. Where imagehash is installed, its hashes are given the same pictures, each at the
largest distance that raises fewer than five false alarms.
"""

import argparse
import io
import os
import resource
import subprocess
import sys
import time

import numpy as np
from benchmarks import harness
from PIL import Image, ImageEnhance
from scripts.drawn_cats.draw import draw

from pellucid.checks.check import check_data
from pellucid.data.copies.duplicates import near_duplicates
from pellucid.data.dataset import Split
from pellucid.data.source import load_data
from pellucid.types import Array

N_DRAWN, N_COPIES, N_LARGE = 2_000, 50, 10_000


def pictures(seed: int) -> Array:
    """Return the drawings of a seed and, where they are at hand, the photos."""
    X = draw(N_DRAWN, seed).X
    if "PELLUCID_DATA_DIR" not in os.environ:
        return X
    photos = load_data("catvnoncat")
    both: Array = np.concatenate(
        [X, photos.train.X, np.delete(photos.test.X, 17, axis=0)]
    )  # 17 is there already
    return both


def changed(image: Array, i: int, rng: np.random.Generator) -> Array:
    """Return a changed copy: saved as JPEG, resized, or brightened, in turn."""
    picture = Image.fromarray(image)
    if i % 3 == 0:
        file = io.BytesIO()
        picture.save(file, "JPEG", quality=int(rng.integers(30, 96)))
        return np.asarray(Image.open(file).convert("RGB"))
    if i % 3 == 1:
        side = int(rng.choice([32, 40, 48, 80, 96, 128]))
        resample = Image.Resampling(int(rng.integers(1, 6)))
        return np.asarray(picture.resize((side, side), resample).resize(picture.size, resample))
    if rng.random() < 0.5:
        return np.array(ImageEnhance.Brightness(picture).enhance(rng.uniform(1.1, 1.6)))
    brighter: Array = np.clip(image.astype(int) + int(rng.integers(15, 61)), 0, 255).astype(np.uint8)
    return brighter


def hashed(X: Array, truth: set[tuple[int, int]]) -> dict[str, tuple[int, int]]:
    """Return for each of imagehash's hashes how many copies it finds, and its false alarms."""
    import imagehash

    kinds = {
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


def compare(seed: int) -> None:
    """Print what is found in one set."""
    X, rng = pictures(seed), np.random.default_rng(seed)
    rows = rng.choice(len(X), N_COPIES, replace=False)
    truth = {(int(row), len(X) + i) for i, row in enumerate(rows)}
    X = np.concatenate([X, [changed(X[row], i, rng) for i, row in enumerate(rows)]])
    start = time.perf_counter()
    found = {pair[:2] for pair in near_duplicates(X)}
    seconds = time.perf_counter() - start
    print(f"\nseed {seed}: {len(X):,} pictures, {N_COPIES} of them changed copies{'found':>16}{'false':>8}")
    print(f"{f'pellucid ({seconds:.1f} s)':<56}{len(found & truth):>16}{len(found - truth):>8}")
    try:
        rivals = hashed(X, truth)
    except ImportError:
        print("imagehash is not installed")
        return
    for name, (n_found, n_false) in rivals.items():
        print(f"{'imagehash, ' + name:<56}{n_found:>16}{n_false:>8}")


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
    parser.add_argument("--without-large", action="store_true")
    parser.add_argument("--large-alone", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.large_alone:
        large()
        return
    print(harness.machine("pillow"))
    for seed in options.seeds:
        compare(seed)
    if not options.without_large:
        subprocess.run([sys.executable, "-m", "benchmarks.data_check", "--large-alone"], check=True)


if __name__ == "__main__":
    main()
