"""How far can influence be trusted? Estimates against exact trainings, on the published run.

    PELLUCID_DATA_DIR=... python benchmarks/influence.py            about three minutes on two idle cores
    PELLUCID_DATA_DIR=... python benchmarks/influence.py --quick    one minute: every fifth test photo

Prints how long things take, how sensitive the training is, how the estimates' order agrees with exact
leave-one-out, and, what matters more, whether leaving out the photos that they name changes a prediction more often
than chance does.
"""

import argparse
import time
from collections.abc import Sequence
from functools import partial

import numpy as np
from benchmarks import harness

from pellucid.data.dataset import Dataset
from pellucid.data.preprocess import Preprocessing
from pellucid.data.source import load_data
from pellucid.evaluation.influence.find_influence import agreement
from pellucid.evaluation.influence.logits import logit
from pellucid.evaluation.influence.retraining import Retraining, Runner
from pellucid.evaluation.influence.tracin import trace_influence
from pellucid.nn.model import Model
from pellucid.nn.presets import preset
from pellucid.runs.train_many import train_many
from pellucid.threads import n_cores
from pellucid.training.events import Callback
from pellucid.training.fit import train
from pellucid.training.optimizers.sgd import SGD
from pellucid.types import Array

N_EPOCHS, RATE = 2500, 0.0075
SIZES = (3, 5, 8, 12, 20)


def fit(model: Model, data: Dataset, callbacks: Sequence[Callback], weights: Array | None = None) -> None:
    """Train as the tutorial does."""
    train(model, data, optimizer=SGD(RATE), n_epochs=N_EPOCHS, callbacks=callbacks, sample_weight=weights)


def published(query: Array) -> tuple[Retraining, Dataset]:
    """Return the published training, and the query photos."""
    split = load_data("catvnoncat")
    start = preset("mlp")
    start.initialize(split.train.X.shape[1:])
    start.set_loss("binary_cross_entropy")
    start.preprocessing = Preprocessing.for_data(split.train.X)
    again = Retraining(start, split.train, split.test.X[query], fit)
    return again, Dataset(again.query_X, split.test.y[query], split.classes)


def sensitivity(again: Retraining, full: Array) -> None:
    """Print how far the scores move when one photo counts a little less."""
    print("\nhow far the log-odds move, on average over three training photos, when one counts less by")
    for less in (1e-9, 1e-6, 1e-3, 1e-1, 1.0):
        moved = []
        for row in (10, 90, 170):
            weights = np.ones(len(again.train))
            weights[row] -= less
            weighted = Retraining(again.start, again.train, again.query_X, partial(fit, weights=weights))
            moved.append(np.abs(weighted.without() - full).mean())
        print(f"  {less:8.0e}   {np.mean(moved):.2e}")


def estimates(again: Retraining, query: Dataset, run: Runner) -> tuple[dict[str, Array], Array]:
    """Print how each estimate's order agrees with exact leave-one-out; return the scores of each method."""
    kept: dict[str, Array] = {}
    print("\nsnapshots seconds   rank correlation with leave-one-out")
    left = None
    for n in (1, 5, 10, 20, 50):
        started = time.perf_counter()
        traced = again.traced(n)
        middle = time.perf_counter()
        found = trace_influence(traced.model, traced.snapshots, again.train, query)
        seconds = time.perf_counter() - middle
        if left is None:
            started_all = time.perf_counter()
            left = run(again.without, [(i,) for i in range(len(again.train))])
            outputs = [traced.outputs, *(left[i,] for i in range(len(left)))]
            before, *after = (logit(Z, found.predicted_labels) for Z in outputs)
            changes = before - np.stack(after)
            all_seconds = time.perf_counter() - started_all
        rho = agreement(found, changes)
        print(
            f"{n:7}   {seconds:7.3f}   renormalized {rho['tracin']:.3f}, plain {rho['tracin-plain']:.3f}"
            f"   (its training {middle - started:.2f} s)"
        )
        kept = {"renormalized TracIn": found.renormalized, "plain TracIn": found.tracin}
    print(f"all {len(again.train)} trainings without one photo: {all_seconds:.1f} s")
    print(f"one photo left out moves the log-odds by {np.median(np.abs(changes)):.2f} (median)")
    return {**kept, "exact leave-one-out": changes}, found.predicted_labels


def groups(
    again: Retraining, scores: dict[str, Array], predicted_labels: Array, full: Array, run: Runner
) -> None:
    """Print how often leaving out the photos that a method names changes the prediction."""
    rng, (m, n) = np.random.default_rng(0), next(iter(scores.values())).shape
    named = {
        (name, size, j): tuple(sorted(np.argsort(-S[:, j])[:size].tolist()))
        for name, S in scores.items()
        for size in SIZES
        for j in range(n)
    }
    named |= {
        ("drawn at random", size, j): tuple(sorted(rng.permutation(m)[:size].tolist()))
        for size in SIZES
        for j in range(n)
    }
    found = run(again.without, list(dict.fromkeys(named.values())))
    before = logit(full, predicted_labels)
    print(
        f"\npredictions changed, of {n}, and the mean change of their log-odds, without the most influential photos"
    )
    print(f"{'':22}" + "".join(f"{size:>14}" for size in SIZES))
    for name in [*scores, "drawn at random"]:
        cells = []
        for size in SIZES:
            after = np.array([logit(found[named[name, size, j]], predicted_labels)[j] for j in range(n)])
            cells.append(f"{(after < 0).sum():6} {(after - before).mean():+7.2f}")
        print(f"{name:22}" + "".join(f"{cell:>14}" for cell in cells))


def main() -> None:
    """Print everything."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--jobs", type=int, default=n_cores())
    options = parser.parse_args()
    run = partial(train_many, n_jobs=options.jobs)
    print(f"{harness.machine()}; {options.jobs} processes")
    again, query = published(np.arange(0, 50, 5 if options.quick else 1))
    full = again.without()
    sensitivity(again, full)
    scores, predicted_labels = estimates(again, query, run)
    groups(again, scores, predicted_labels, full, run)


if __name__ == "__main__":
    main()
