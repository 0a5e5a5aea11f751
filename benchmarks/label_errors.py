"""How many flipped labels are found, and how many of those found were flipped; beside cleanlab's.

    python -m benchmarks.label_errors [--seeds 1 2 3] [--fraction 0.05] [--sets digits drawn-cats]     some minutes

Labels of digits, of drawn-cats and of a table (scikit-learn's breast cancer) are flipped at random by a seed, to
another class each. Where cleanlab is installed, it gets the same probabilities.
"""

import argparse
from dataclasses import replace

import numpy as np
from benchmarks.harness import machine

from pellucid.data.dataset import Dataset, Split
from pellucid.data.source import load_data
from pellucid.data.validate import hold_out
from pellucid.evaluation.label_errors.label_errors import LabelErrors
from pellucid.types import Array
from pellucid.workflows.label_errors import find_label_errors

SETS = ("digits", "drawn-cats", "breast cancer")


def load(name: str) -> Split:
    """Return a data set by name."""
    if name != "breast cancer":
        return load_data(name)
    from sklearn.datasets import load_breast_cancer

    table = load_breast_cancer()
    X = (table.data - table.data.mean(axis=0)) / table.data.std(axis=0)
    data = Dataset(X, table.target, tuple(map(str, table.target_names)))
    return hold_out(data, name=name, seed=1, test_fraction=0.2)


def flipped(split: Split, fraction: float, seed: int) -> tuple[Split, Array]:
    """Return the data with some labels flipped, and which, of the training part first."""
    n, k = len(split.train) + len(split.test), len(split.classes)
    rng = np.random.default_rng(seed)
    rows = rng.choice(n, round(fraction * n), replace=False)
    y = np.concatenate([split.train.y, split.test.y])
    y[rows] = (y[rows] + rng.integers(1, k, len(rows))) % k
    n_train = len(split.train)
    train, test = replace(split.train, y=y[:n_train]), replace(split.test, y=y[n_train:])
    return replace(split, train=train, test=test), rows


def rows_of(found: LabelErrors) -> set[int]:
    """Return the numbers of the samples found, of the training part first."""
    n_train = len(found.split.train)
    return {one.index + (n_train if one.part == "test" else 0) for one in found.errors}


def of_cleanlab(found: LabelErrors) -> dict[str, set[int]]:
    """Return what cleanlab finds, by its default and by the rule that is ours."""
    from cleanlab.filter import find_label_issues

    y = np.concatenate([found.split.train.y, found.split.test.y])
    return {
        f"cleanlab, {rule}": set(
            np.flatnonzero(find_label_issues(y, found.probabilities, filter_by=rule, n_jobs=1)).tolist()
        )
        for rule in ("prune_by_noise_rate", "confident_learning", "both")
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, nargs="*", default=[1, 2, 3])
    parser.add_argument("--fraction", type=float, default=0.05)
    parser.add_argument("--sets", nargs="*", default=list(SETS), choices=SETS)
    parser.add_argument("--model", default="auto")
    options = parser.parse_args()
    print(machine("cleanlab"))
    for name in options.sets:
        for seed in options.seeds:
            split, rows = flipped(load(name), options.fraction, seed)
            found = find_label_errors(options.model, split, seed=seed)
            contestants = {"pellucid": rows_of(found)}
            try:
                contestants.update(of_cleanlab(found))
            except ImportError:
                print("cleanlab is not installed")
            print(
                f"\n{name}, seed {seed}: {len(rows)} of {found.n_samples} labels flipped; {found.model}, "
                f"{found.accuracy:.3f} of the given labels predicted{'found':>10}{'precision':>11}{'recall':>8}"
            )
            for who, its in contestants.items():
                right = len(its & set(rows.tolist()))
                precision, recall = right / max(1, len(its)), right / len(rows)
                print(f"{who:>34}{len(its):10}{precision:11.3f}{recall:8.3f}", flush=True)


if __name__ == "__main__":
    main()
