"""How recipes of `cnn` do where recipes may be chosen: on inner folds of the first outer training part.

    python -m benchmarks.inner_folds                                        the recipe as it is
    python -m benchmarks.inner_folds class_weight=balanced weight_ema=0.98  beside it two, with a change each
    python -m benchmarks.inner_folds augment=photo,n_epochs=60              and one with two changes
    python -m benchmarks.inner_folds augment=photo-zoom-cutmix              photos enlarged and reduced, too
    python -m benchmarks.inner_folds model=deeper.toml --seeds 1            another network, by the same recipe

`pellucid compare cnn --cv 5x3` tests on outer folds, by which nothing may be chosen. This takes the training part
of its first one (206 of the 258 published photos), cuts it into five folds from each of several seeds, and has all
recipes take turns on each fold. It prints, of all held-out photos of a seed, means over the seeds: balanced
accuracy, area under the ROC curve, which changes less from start to start, the recall of both classes, and the
first two where logits are averaged with those of the mirrored photo; then how each change differs from the recipe
as it is, fold by fold, with the standard error. A recipe takes 3 to 7 minutes on two cores.
"""

import argparse
import os
import time
from dataclasses import replace

import numpy as np
from benchmarks.harness import machine
from sklearn.metrics import balanced_accuracy_score, recall_score, roc_auc_score
from sklearn.model_selection import RepeatedStratifiedKFold, StratifiedKFold

import pellucid as pl
from pellucid.data.augmentation.augment import AUGMENT_PRESETS
from pellucid.data.augmentation.geometry import Scale
from pellucid.data.dataset import Dataset
from pellucid.evaluation.comparison.candidates import Candidate, find_candidate, train_candidate
from pellucid.evaluation.comparison.splitting import merge_parts
from pellucid.types import Array

N_FOLDS = 5
AS_IT_IS = "the recipe as it is"
AUGMENT_PRESETS["photo-zoom-cutmix"] = (Scale(0.8, 1.25), *AUGMENT_PRESETS["photo-cutmix"])  # on trial here


def recipe_of(words: str) -> Candidate:
    """Return `cnn`, or another network, with its recipe changed by `name=value,name=value`."""
    given = dict(change.split("=", 1) for change in words.split(",") if "=" in change)
    source, options = given.pop("model", "cnn"), pl.recipe("cnn")
    for name, value in given.items():
        try:
            options[name] = float(value) if "." in value else int(value)
        except ValueError:
            options[name] = value
    return find_candidate("cnn", source, data="catvnoncat", **options)


def first_outer_part(data: Dataset) -> Dataset:
    """Return the training part of the first fold of `pellucid compare --cv 5x3`."""
    outer = RepeatedStratifiedKFold(n_splits=5, n_repeats=3, random_state=0)
    return data.take(next(outer.split(data.X, data.y))[0])


def scores_of(y: Array, logits: Array, mirrored: Array) -> list[float]:
    """Return balanced accuracy, area, the recall of both classes, and the first two with mirrored photos."""
    both = logits + mirrored
    recalls = recall_score(y, logits > 0, average=None)
    return [
        balanced_accuracy_score(y, logits > 0),
        roc_auc_score(y, logits),
        *recalls,
        balanced_accuracy_score(y, both > 0),
        roc_auc_score(y, both),
    ]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("changes", nargs="*", metavar="NAME=VALUE[,NAME=VALUE]")
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    candidates = {words: recipe_of(words) for words in (AS_IT_IS, *options.changes)}
    print(f"{machine('scikit-learn')}, {os.cpu_count()} cores", flush=True)
    split = pl.load_data("catvnoncat")
    data = first_outer_part(merge_parts(split))
    of_seeds: dict[str, list[list[float]]] = {words: [] for words in candidates}
    of_folds: dict[str, list[list[float]]] = {words: [] for words in candidates}
    seconds = dict.fromkeys(candidates, 0.0)
    for seed in range(options.seeds):
        folds = StratifiedKFold(N_FOLDS, shuffle=True, random_state=seed).split(data.X, data.y)
        logits = {words: np.empty((2, len(data))) for words in candidates}
        for fold, (rows, held) in enumerate(folds):
            part = replace(split, train=data.take(rows), test=data.take(held))
            for words, candidate in candidates.items():
                started = time.perf_counter()
                model, _ = train_candidate(candidate, part, seed=10 * seed + fold)
                seconds[words] += time.perf_counter() - started
                X = data.X[held]
                ours = [model.decision_function(photos).ravel() for photos in (X, X[:, :, ::-1])]
                logits[words][:, held] = ours
                of_folds[words].append(scores_of(data.y[held], *ours))
                print(f"seed {seed}, fold {fold}, {words}: {of_folds[words][-1][0]:.4f}", flush=True)
        for words, (plain, mirrored) in logits.items():
            of_seeds[words].append(scores_of(data.y, plain, mirrored))
    header = ("balanced", "area", *data.classes, "mirrored:", "area", "s each")
    print(f"\n{'':40}" + "".join(f"{name:>11}" for name in header))
    for words, scores in of_seeds.items():
        means = np.mean(scores, axis=0)
        print(
            f"{words:40}"
            + "".join(f"{mean:11.4f}" for mean in means)
            + f"{seconds[words] / len(of_folds[words]):11.0f}"
        )
    for words in options.changes:
        gains = np.subtract(of_folds[words], of_folds[AS_IT_IS])[:, :2]
        mean, error = gains.mean(axis=0), gains.std(axis=0, ddof=1) / np.sqrt(len(gains))
        print(
            f"{words}: balanced accuracy {mean[0]:+.4f} (standard error {error[0]:.4f}), "
            f"area {mean[1]:+.4f} ({error[1]:.4f})"
        )


if __name__ == "__main__":
    main()
