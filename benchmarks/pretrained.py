"""Photos by the preset ``pretrained``: balanced accuracy by folds and from few photos, and how long a fit takes.

    PELLUCID_DATA_DIR=... python -m benchmarks.pretrained [--seeds 5] [--draws 20]

The 258 distinct published photos, drawn-cats, and the digits as pictures: 5x3 folds for each seed, ours next to
scikit-learn's ``LogisticRegressionCV`` on the same features and folds. Then the published photos from 5, 10, 20, 50
and 100 of each class, tested on all others. A fit is that of ``pl.train("pretrained", ...)`` with its features: the
first one of the process, one with an empty cache of features, and one with a full cache.
"""

import argparse
import os
import statistics
import tempfile
import time
import warnings
from typing import Any

import numpy as np
from benchmarks.harness import machine

import pellucid as pl
from pellucid.nn.presets import n_outputs_for
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
    options = recipe("pretrained")
    optimizer = {"type": options.pop("optimizer"), **options.pop("optimizer_options")}
    pl.train(head, (F, y), optimizer=optimizer, progress=False, **options)
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
    with tempfile.TemporaryDirectory() as folder:
        os.environ["PELLUCID_CACHE_DIR"] = folder
        for kernels in ("numpy", "numba"):
            for state in ("first", "features computed", "features known"):
                if state != "features known":
                    for file in os.listdir(folder):
                        os.unlink(os.path.join(folder, file))
                start = time.perf_counter()
                pl.train("pretrained", data, kernels=kernels, progress=False)
                print(
                    f"fit of {len(data)} photos, {kernels}, {state}: {time.perf_counter() - start:.1f} s",
                    flush=True,
                )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--draws", type=int, default=20)
    options = parser.parse_args()
    print(machine("numba", "scikit-learn"))
    for name in ("catvnoncat", "drawn-cats", "digits"):
        by_folds(name, options.seeds if name == "catvnoncat" else 1)
    from_few("catvnoncat", options.draws)
    fits("catvnoncat")


if __name__ == "__main__":
    main()
