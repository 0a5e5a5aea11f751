"""Is it worth beginning from a trained model? Digits 5 to 9 from 50 samples, by a network that knows 0 to 4.

    python -m benchmarks.transfer              about two minutes on one core
    python -m benchmarks.transfer --quick      one seed

Each seed draws ten samples of each class to train on; all others of 5 to 9 are the test part. All trainings are as
they come, without an option: from scratch by what ``pl.recommend`` says of the 50 samples, and by the recipe of
transfers. The published figures are means over seeds 1 to 5; "better in" counts the seeds in which the
trained model helped.
"""

import argparse
import time
from typing import NamedTuple

import numpy as np

import pellucid as pl
from pellucid.data.dataset import Dataset
from pellucid.rng import stream

N_EACH = 10
STAGES = {
    "everything trained": None,
    "frozen up to the first pooling": "maxpool2d_1",
    "frozen up to the second pooling": "maxpool2d_2",
    "the last layer alone": "activation_3",
}


class Parts(NamedTuple):
    """Digits 0 to 4, and of 5 to 9 the few to train on and the rest."""

    known: Dataset
    few: Dataset
    rest: Dataset


def parts(seed: int) -> Parts:
    """Return the parts of a seed."""
    split = pl.load_data("digits")
    X, y = (np.concatenate([getattr(part, name) for part in (split.train, split.test)]) for name in "Xy")
    names = split.classes
    order = stream(seed, "transfer").permutation(len(y))
    few = np.concatenate([order[y[order] == digit][:N_EACH] for digit in range(5, 10)])
    rest = np.setdiff1d(np.flatnonzero(y >= 5), few)
    known = np.flatnonzero(y < 5)
    return Parts(
        Dataset(X[known], y[known], names[:5]),
        *(Dataset(X[rows], y[rows] - 5, names[5:]) for rows in (few, rest)),
    )


def recommended(data: Dataset, seed: int) -> pl.Model:
    """Return a model that is trained as ``--model auto`` would."""
    advice = pl.recommend(data)
    model = pl.preset(advice.model, len(data.classes))
    pl.train(model, data, **{**advice.recipe, "seed": seed})
    return model


def accuracy(model: pl.Model, data: Dataset) -> float:
    """Return the fraction that is classified correctly."""
    return float((model.predict(data.X) == data.y).mean())


def main() -> None:
    """Train, and print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="one seed: to see that it runs")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3, 4, 5])
    options = parser.parse_args()
    seeds = options.seeds[:1] if options.quick else options.seeds
    found: dict[str, list[float]] = {name: [] for name in ("from scratch", *STAGES)}
    seconds: dict[str, list[float]] = {name: [] for name in found}
    for seed in seeds:
        known, few, rest = parts(seed)
        base = recommended(known, seed)
        for name in found:
            started = time.perf_counter()
            if name == "from scratch":
                model = recommended(few, seed)
            else:
                model = pl.transfer(base, few, freeze=STAGES[name], seed=seed)
                pl.train(model, few, seed=seed)
            seconds[name].append(time.perf_counter() - started)
            found[name].append(accuracy(model, rest))
    scratch = np.array(found["from scratch"])
    print(f"{len(few)} samples of 5 to 9, {len(rest)} to test, {len(seeds)} seeds")
    print(f"{'training':34s} accuracy      sd  better in    seconds")
    for name, values in found.items():
        better = "" if name == "from scratch" else f"{(np.array(values) > scratch).sum()} of {len(seeds)}"
        spread = np.std(values, ddof=1) if len(seeds) > 1 else 0.0
        row = f"{name:34s}    {np.mean(values):.3f}   {spread:.3f}  {better:>9s}"
        print(f"{row}     {np.median(seconds[name]):.2f}")


if __name__ == "__main__":
    main()
