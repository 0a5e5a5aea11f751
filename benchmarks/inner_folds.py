"""How recipes of `cnn` do where recipes may be chosen: on inner folds of the first outer training part.

    python -m benchmarks.inner_folds                                        the recipe as it is
    python -m benchmarks.inner_folds class_weight=balanced weight_ema=0.98  beside it two, with a change each
    python -m benchmarks.inner_folds augment=photo,n_epochs=60              and one with two changes
    python -m benchmarks.inner_folds augment=photo-zoom-cutmix              photos enlarged and reduced, too
    python -m benchmarks.inner_folds model=deeper.toml --seeds 1            another network, by the same recipe
    python -m benchmarks.inner_folds seed=101 seed=201                      from other starts: see the last line
    python -m benchmarks.inner_folds start=drawn/model.safetensors          beginning from a trained model
    python -m benchmarks.inner_folds batch_size=16 --save kept.jsonl --at-most 4   four trainings, kept; the
                                                                            same again goes on with the next four

`pellucid compare cnn --cv 5x3` tests on outer folds, by which nothing may be chosen. This takes the training part
of its first one (206 of the 258 published photos), cuts it into five folds from each of several seeds, and has all
recipes take turns on each fold. It prints, of all held-out photos of a seed, means over the seeds: balanced
accuracy, area under the ROC curve, which changes less from start to start, the recall of both classes, and the
first two where logits are averaged with those of the mirrored photo; then how each change differs from the recipe
as it is, fold by fold, with the standard error; last, both figures where the logits of all recipes are averaged. A
recipe takes 3 to 7 minutes on two cores. What `--save` kept is read, not trained again, as long as the recipe's
options and the network's file are the same.
"""

import argparse
import json
import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
from benchmarks.harness import machine
from sklearn.metrics import balanced_accuracy_score, recall_score, roc_auc_score
from sklearn.model_selection import RepeatedStratifiedKFold, StratifiedKFold

import pellucid as pl
from pellucid.data.augmentation.augment import AUGMENT_PRESETS
from pellucid.data.augmentation.geometry import Crop, HorizontalFlip, Scale
from pellucid.data.augmentation.mixing import CutMix, Mixup
from pellucid.data.augmentation.pixels import Cutout
from pellucid.data.dataset import Dataset
from pellucid.evaluation.comparison.splitting import merge_parts
from pellucid.runs.candidates import Candidate, find_candidate, train_candidate
from pellucid.types import Array

N_FOLDS = 5
AS_IT_IS = "the recipe as it is"
_FLIPS, _SHIFTS, *_COLOURS = AUGMENT_PRESETS["photo"]
AUGMENT_PRESETS |= {  # on trial here
    "photo-zoom-cutmix": (Scale(0.8, 1.25), *AUGMENT_PRESETS["photo-cutmix"]),
    "photo-far-cutmix": (HorizontalFlip(0.5), Crop(8), *_COLOURS, CutMix()),
    "photo-plain-cutmix": (_FLIPS, _SHIFTS, CutMix()),
    "photo-cutout-cutmix": (*AUGMENT_PRESETS["photo"], Cutout(), CutMix()),
    "photo-mixup-cutmix": (*AUGMENT_PRESETS["photo"], Mixup(0.2), CutMix()),
}


class Kept:
    """The logits of trainings, by recipe, seed and fold; in a file, if one is given, a line of JSON each."""

    def __init__(self, path: Path | None, recipes: Mapping[str, dict[str, Any]]) -> None:
        self._path, self._recipes = path, recipes
        self._records: dict[tuple[str, int, int], dict[str, Any]] = {}
        if path is not None and path.exists():
            for line in path.read_text().splitlines():
                record = json.loads(line)
                if recipes.get(record["words"]) == record["recipe"]:
                    self._put(record)

    def _put(self, record: dict[str, Any]) -> None:
        self._records[record["words"], record["seed"], record["fold"]] = record

    def __contains__(self, key: tuple[str, int, int]) -> bool:
        return key in self._records

    def add(self, words: str, seed: int, fold: int, seconds: float, logits: Array) -> None:
        """Keep the logits (2, n) of the held-out photos of a fold, as they are and mirrored."""
        key = {"words": words, "seed": seed, "fold": fold}
        record = {**key, "recipe": self._recipes[words], "seconds": seconds, "logits": logits.tolist()}
        self._put(record)
        if self._path is not None:
            with self._path.open("a") as file:
                file.write(json.dumps(record) + "\n")

    def logits(self, words: str, seed: int, fold: int) -> Array:
        """Return what ``add`` was given."""
        return np.array(self._records[words, seed, fold]["logits"])

    def seconds(self, words: str) -> float:
        """Return the mean time of a training."""
        return float(np.mean([one["seconds"] for key, one in self._records.items() if key[0] == words]))


def recipe_of(words: str) -> Candidate:
    """Return `cnn`, or another network, with its recipe changed by `name=value,name=value`."""
    given = dict(change.split("=", 1) for change in words.split(",") if "=" in change)
    source, options = given.pop("model", "cnn"), pl.recipe("cnn")
    if "start" in given:
        options["start"] = Path(given.pop("start"))
    for name, value in given.items():
        try:
            options[name] = float(value) if "." in value else int(value)
        except ValueError:
            options[name] = value
    return find_candidate("cnn", source, data="catvnoncat", **options)


def description(candidate: Candidate) -> dict[str, Any]:
    """Return what a recipe and its network are, as JSON has it."""
    assert candidate.config is not None
    network = Path(candidate.source).read_text() if candidate.architecture else candidate.source
    table: dict[str, Any] = json.loads(json.dumps(asdict(candidate.config.options)))
    return {**table, "network": network}


def first_outer_part(data: Dataset) -> Dataset:
    """Return the training part of the first fold of `pellucid compare --cv 5x3`."""
    outer = RepeatedStratifiedKFold(n_splits=5, n_repeats=3, random_state=0)
    return data.take(next(outer.split(data.X, data.y))[0])


def folds_of(data: Dataset, seed: int) -> Iterator[tuple[int, tuple[Array, Array]]]:
    """Return the number of each fold with the rows trained on and held out."""
    return enumerate(StratifiedKFold(N_FOLDS, shuffle=True, random_state=seed).split(data.X, data.y))


def scores_of(y: Array, logits: Array) -> list[float]:
    """Return balanced accuracy, area, the recall of both classes, and the first two with mirrored photos."""
    plain, both = logits[0], logits.sum(axis=0)
    recalls = recall_score(y, plain > 0, average=None)
    return [
        balanced_accuracy_score(y, plain > 0),
        roc_auc_score(y, plain),
        *recalls,
        balanced_accuracy_score(y, both > 0),
        roc_auc_score(y, both),
    ]


def of_seed(data: Dataset, seed: int, kept: Kept, *recipes: str) -> list[float]:
    """Return the scores of all held-out photos of a seed, by the mean logits of one recipe or several."""
    logits = np.empty((2, len(data)))
    for fold, (_, held) in folds_of(data, seed):
        logits[:, held] = np.mean([kept.logits(words, seed, fold) for words in recipes], axis=0)
    return scores_of(data.y, logits)


def train(
    kept: Kept,
    candidates: Mapping[str, Candidate],
    n_seeds: int,
    at_most: int | None = None,
    n_threads: int | None = None,
) -> bool:
    """Train what is not kept yet, ``at_most`` so many; return whether all is there."""
    split = pl.load_data("catvnoncat")
    data, n_left = first_outer_part(merge_parts(split)), at_most
    for seed in range(n_seeds):
        for fold, (rows, held) in folds_of(data, seed):
            part = replace(split, train=data.take(rows), test=data.take(held))
            for words, candidate in candidates.items():
                if (words, seed, fold) in kept:
                    continue
                if n_left is not None and (n_left := n_left - 1) < 0:
                    return False
                assert candidate.config is not None
                start = candidate.config.options.seed - 1 + 10 * seed + fold
                started = time.perf_counter()
                model, _ = train_candidate(candidate, part, seed=start, n_threads=n_threads)
                seconds, X = time.perf_counter() - started, part.test.X
                logits = np.stack([model.decision_function(x).ravel() for x in (X, X[:, :, ::-1])])
                kept.add(words, seed, fold, seconds, logits)
                score = scores_of(part.test.y, logits)[0]
                print(f"seed {seed}, fold {fold}, {words}: {score:.4f}, {seconds:.0f} s", flush=True)
    return True


def report(kept: Kept, recipes: list[str], n_seeds: int) -> None:
    """Print the tables."""
    data = first_outer_part(merge_parts(pl.load_data("catvnoncat")))
    header = ("balanced", "area", *data.classes, "mirrored:", "area", "s each")
    print(f"\n{'':40}" + "".join(f"{name:>11}" for name in header))
    for words in recipes:
        means = np.mean([of_seed(data, seed, kept, words) for seed in range(n_seeds)], axis=0)
        print(f"{words:40}" + "".join(f"{mean:11.4f}" for mean in means) + f"{kept.seconds(words):11.0f}")
    of_folds = {
        words: [
            scores_of(data.y[held], kept.logits(words, seed, fold))[:2]
            for seed in range(n_seeds)
            for fold, (_, held) in folds_of(data, seed)
        ]
        for words in recipes
    }
    for words in recipes[1:]:
        gains = np.subtract(of_folds[words], of_folds[AS_IT_IS])
        mean, error = gains.mean(axis=0), gains.std(axis=0, ddof=1) / np.sqrt(len(gains))
        print(
            f"{words}: balanced accuracy {mean[0]:+.4f} (standard error {error[0]:.4f}), "
            f"area {mean[1]:+.4f} ({error[1]:.4f})"
        )
    if len(recipes) > 1:
        means = np.mean([of_seed(data, seed, kept, *recipes) for seed in range(n_seeds)], axis=0)
        print(f"logits of all averaged: balanced accuracy {means[0]:.4f}, area {means[1]:.4f}")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("changes", nargs="*", metavar="NAME=VALUE[,NAME=VALUE]")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--save", type=Path, metavar="FILE", help="Keep trainings here, and read those kept.")
    parser.add_argument("--at-most", type=int, metavar="N", help="Stop after so many trainings.")
    parser.add_argument("--threads", type=int, metavar="N", help="Cores of a training.")
    options = parser.parse_args()
    candidates = {words: recipe_of(words) for words in (AS_IT_IS, *options.changes)}
    print(f"{machine('scikit-learn')}, {os.cpu_count()} cores", flush=True)
    kept = Kept(options.save, {words: description(one) for words, one in candidates.items()})
    if train(kept, candidates, options.seeds, options.at_most, options.threads):
        report(kept, list(candidates), options.seeds)
    else:
        print("not all trained yet: the same command with the same --save goes on")


if __name__ == "__main__":
    main()
