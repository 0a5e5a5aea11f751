"""Photos by the preset ``pretrained``: balanced accuracy by folds and from few photos, and how long a fit takes.

    PELLUCID_DATA_DIR=... python -m benchmarks.pretrained [--seeds 5] [--draws 20] [--photos 2000] [--only PART]

The 258 distinct published photos, drawn-cats, and the digits as pictures: 5x3 folds for each seed, ours next to
scikit-learn's ``LogisticRegressionCV`` on the same features and folds. Then the published photos from 5, 10, 20, 50
and 100 of each class, tested on all others. A fit is that of ``pl.train("pretrained", ...)`` with its features: the
first one of the process, one with an empty cache of features, and one with a full cache.

Parts of their own: ``digits``, grey 8 x 8, against networks from scratch; ``compile``, the body's first run after
an installation; ``many``, drawn photos as small JPEGs in a folder, read and computed, with the peak of memory;
``unfreeze``, the last blocks trained on, by folds.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from typing import Any

import numpy as np
from benchmarks.harness import machine

import pellucid as pl
from pellucid.nn.presets import n_outputs_for
from pellucid.nn.pretrained.feature_memory import MEMORY
from pellucid.nn.pretrained.features import body_features
from pellucid.training.recipes import recipe

SIZES = (5, 10, 20, 50, 100)  # photos of each class


def distinct(name: str) -> pl.Dataset:
    """Return all samples of a built-in set, each once."""
    split = pl.load_data(name)
    X, y = (
        np.concatenate([getattr(part, field) for part in (split.train, split.test)]) for field in ("X", "y")
    )
    rows = np.sort(np.unique(X.reshape(len(X), -1), axis=0, return_index=True)[1])
    return pl.Dataset(X[rows], y[rows], split.classes)


def features(data: pl.Dataset) -> Any:
    """Return what the body makes of the photos."""
    model = pl.preset("pretrained")
    model.initialize(data.X.shape[1:])
    return body_features(model, data.X, pl.Preprocessing("divide", 255.0))


def ours(F: Any, y: Any, tested: Any) -> Any:
    """Return what the recipe's last layer predicts."""
    head = pl.Sequential([pl.Dense(n_outputs_for(pl.Dataset(F, y)))])
    pl.train(head, (F, y), progress=False, **recipe("pretrained"))
    return head.predict(tested)


def theirs(F: Any, y: Any, tested: Any) -> Any:
    """Return what scikit-learn's logistic regression with its penalty chosen on folds predicts."""
    from sklearn.linear_model import LogisticRegressionCV

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return LogisticRegressionCV(max_iter=1000).fit(F, y).predict(tested)


def by_folds(name: str, n_seeds: int) -> None:
    """Print the balanced accuracy of each seed."""
    from sklearn.metrics import balanced_accuracy_score
    from sklearn.model_selection import RepeatedStratifiedKFold

    data = distinct(name)
    F, y, found = features(data), data.y, []
    for seed in range(n_seeds):
        folds = RepeatedStratifiedKFold(n_splits=5, n_repeats=3, random_state=seed)
        scores = [
            [balanced_accuracy_score(y[held], fit(F[rows], y[rows], F[held])) for fit in (ours, theirs)]
            for rows, held in folds.split(F, y)
        ]
        found.append(np.mean(scores, axis=0))
        print(f"  {name}, seed {seed}: {found[-1][0]:.4f}, scikit-learn {found[-1][1]:.4f}", flush=True)
    mean = np.mean(found, axis=0)
    print(f"{name}, {len(data)} pictures, 5x3 folds: {mean[0]:.4f}, scikit-learn {mean[1]:.4f}\n", flush=True)


def from_few(name: str, n_draws: int) -> None:
    """Print the balanced accuracy from some photos of each class, over draws."""
    from sklearn.metrics import balanced_accuracy_score

    data = distinct(name)
    F, y = features(data), data.y
    for n in SIZES:
        scores = []
        for draw in range(n_draws):
            rng = np.random.default_rng(draw)
            rows = np.concatenate(
                [
                    rng.choice(np.flatnonzero(y == k), min(n, (y == k).sum() - 5), replace=False)
                    for k in np.unique(y)
                ]
            )
            held = np.setdiff1d(np.arange(len(y)), rows)
            scores.append(balanced_accuracy_score(y[held], ours(F[rows], y[rows], F[held])))
        low, high = min(scores), max(scores)
        print(
            f"{name}, {n} of each class, {n_draws} draws: {statistics.mean(scores):.4f} ({low:.3f}-{high:.3f})",
            flush=True,
        )


def fits(name: str) -> None:
    """Print how long a fit takes, features included."""
    data = distinct(name)
    for kernels in ("numpy", "numba"):
        for state in ("first", "features computed", "features known"):
            if state != "features known":
                MEMORY.clear()
            start = time.perf_counter()
            pl.train("pretrained", data, kernels=kernels, progress=False)
            print(
                f"fit of {len(data)} photos, {kernels}, {state}: {time.perf_counter() - start:.1f} s",
                flush=True,
            )


def digits() -> None:
    """Print what the body is worth for the smallest grey pictures, by 3 folds, next to networks from scratch."""
    data = distinct("digits").take(np.random.default_rng(0).permutation(1797)[:500])
    for name in ("pretrained", "cnn-small", "logistic"):
        start = time.perf_counter()
        split = pl.Split(data.take(slice(0, 250)), data.take(slice(250, None)), "digits")
        found = pl.compare(name, data=split, cv=3, progress=False)
        print(f"{found.headline} {name}, {len(data)} digits, {time.perf_counter() - start:.0f} s", flush=True)


COMPILE = """
import time, numpy as np, pellucid as pl
from pellucid import dispatch
model = pl.preset("pretrained")
model.initialize((224, 224, 3))
X = np.random.default_rng(0).integers(0, 256, (32, 224, 224, 3), dtype=np.uint8)
with dispatch.use("numba"):
    for _ in range(2):
        start = time.perf_counter()
        model.decision_function(X)
        print(f"{time.perf_counter() - start:.1f} s", end=" ")
"""


def compiling() -> None:
    """Print how long 32 photos take with nothing compiled, and in a second process."""
    with tempfile.TemporaryDirectory() as folder:
        own = {**os.environ, "NUMBA_CACHE_DIR": folder}
        for state in ("nothing compiled", "compiled before"):
            print(f"32 photos, {state}: first and second time {printed_by([COMPILE], own)}", flush=True)


def printed_by(command: list[str], environment: dict[str, str]) -> str:
    """Return what a program prints in a process of its own."""
    command = [sys.executable, "-c", *command]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout


MANY = """
import resource, sys, time, pellucid as pl
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
start = time.perf_counter()
split = pl.load_data(sys.argv[1], image_size=(224, 224), on_disk=True)
read, before = time.perf_counter() - start, peak()
start = time.perf_counter()
for i in range(0, len(split.train.X), 32):
    split.train.X[i : i + 32]
again = time.perf_counter() - start
start = time.perf_counter()
pl.train("pretrained", split, kernels="numba", progress=False)
fit = time.perf_counter() - start
n, m = len(split.train), len(split.test)
print(f"{n + m} photos on disk, looked through in {read:.0f} s; the training part of {n} read in {again:.0f} s, "
      f"fitted in {fit:.0f} s; peak of memory {before:.0f} MB before and {peak():.0f} MB after the fit")
"""


def draw_photos(folder: str, n: int) -> None:
    """Write n drawn photos of 224 x 224 as small JPEGs, of two classes: round or square shapes on a gradient."""
    from PIL import Image

    rng = np.random.default_rng(0)
    y, x = np.mgrid[:224, :224].astype(np.float32)
    for k in range(n):
        name = ("round", "square")[k % 2]
        os.makedirs(f"{folder}/{name}", exist_ok=True)
        (cy, cx), side, colours = rng.uniform(60, 160, 2), rng.uniform(20, 50), rng.integers(0, 256, (3, 3))
        dy, dx = abs(y - cy), abs(x - cx)
        inside = (np.hypot(dy, dx) if k % 2 == 0 else np.maximum(dy, dx)) < side
        ground = colours[0] + (colours[1] - colours[0]) * (x / 223)[..., None]
        noise = rng.integers(-12, 13, (28, 28, 1)).repeat(8, axis=0).repeat(8, axis=1)
        pixels = np.where(inside[..., None], colours[2], ground) + noise
        Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).save(f"{folder}/{name}/{k}.jpg", quality=80)


def many(n: int) -> None:
    """Print how long many photos take to read and to compute, and how much memory at most."""
    with tempfile.TemporaryDirectory() as folder:
        draw_photos(f"{folder}/photos", n)
        print(printed_by([MANY, f"{folder}/photos"], dict(os.environ)), end="", flush=True)


def unfreezing(name: str, n_blocks: int) -> None:
    """Print what the last blocks, trained on, are worth by folds."""
    from pellucid.evaluation.comparison.unfreezing import compare_unfreezing
    from pellucid.runs.build import plan

    data = distinct(name)
    config = plan("auto", name, unfreeze=n_blocks).config
    start = time.perf_counter()
    found = compare_unfreezing(pl.Split(data, data, name), config)
    print(f"{name}: {found.headline} {time.perf_counter() - start:.0f} s for six trainings", flush=True)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--draws", type=int, default=20)
    parser.add_argument("--photos", type=int, default=2000)
    parser.add_argument("--blocks", type=int, default=2)
    parts = ("folds", "few", "fits", "digits", "compile", "many", "unfreeze")
    parser.add_argument("--only", choices=parts)
    options = parser.parse_args()
    print(machine("scikit-learn"))
    for part in [options.only] if options.only else parts:
        if part == "folds":
            by_folds("catvnoncat", options.seeds)
            by_folds("drawn-cats", 1)
        elif part == "few":
            from_few("catvnoncat", options.draws)
        elif part == "fits":
            fits("catvnoncat")
        elif part == "digits":
            digits()
        elif part == "compile":
            compiling()
        elif part == "many":
            many(options.photos)
        else:
            unfreezing("catvnoncat", options.blocks)
            unfreezing("drawn-cats", options.blocks)


if __name__ == "__main__":
    main()
