"""TPE and Hyperband beside random search: the best score by the epochs that were spent.

    python -m benchmarks.sweep              30 trials of up to 27 epochs on digits, three seeds each
    python -m benchmarks.sweep --seeds 10

Prints the machine, and of each search the mean over seeds of the lowest log loss on samples held out, once it has
spent a quarter, a half and all of the epochs of a random search, and the epochs that it spent in all.
"""

import argparse
import itertools
import statistics

from benchmarks.harness import machine

import pellucid as pl
from pellucid.evaluation.sweep.result import Trial

SPACE = {
    "learning_rate": {"log": [1e-5, 1.0]},
    "weight_decay": {"log": [1e-6, 1.0]},
    "batch_size": [8, 16, 32, 64],
    "optimizer": ["adamw", "sgd"],
}
EPOCHS = 27


def best_after(trials: tuple[Trial, ...], n_epochs: float) -> float:
    """Return the lowest log loss of the trials that were done after so many epochs in all."""
    spent = itertools.accumulate(trial.n_epochs for trial in trials)
    scores = [trial.score("log_loss") for trial, n in zip(trials, spent, strict=True) if n <= n_epochs]
    return min((score for score in scores if score is not None), default=float("inf"))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--trials", type=int, default=30)
    parser.add_argument("--seeds", type=int, default=3)
    asked = parser.parse_args()
    print(machine("optuna"))
    data, whole = pl.load_data("digits"), asked.trials * EPOCHS
    print(
        f"{'search':<12}{'1/4':>9}{'1/2':>9}{'all':>9}{'epochs':>9}   log loss after so much of {whole} epochs"
    )
    for search in ("random", "tpe", "hyperband"):
        # Hyperband's trials are short: it is given more of them, and stops at the epochs of the others
        n_trials = asked.trials * (3 if search == "hyperband" else 1)
        found = [
            pl.sweep(
                "mlp-small",
                data,
                SPACE,
                search=search,
                metric="log_loss",
                n_trials=n_trials,
                n_epochs=EPOCHS,
                seed=seed,
                n_jobs=1,
            )
            for seed in range(1, asked.seeds + 1)
        ]
        means = [
            statistics.mean(best_after(one.trials, whole * part) for one in found)
            for part in (1 / 4, 1 / 2, 1)
        ]
        spent = statistics.mean(min(whole, sum(trial.n_epochs for trial in one.trials)) for one in found)
        print(f"{search:<12}" + "".join(f"{mean:9.4f}" for mean in means) + f"{spent:9.0f}")
