"""Our MLPClassifier and MLPRegressor against scikit-learn's: same data, same settings; time and quality.

    python benchmarks/estimators.py             all cases, about ten minutes
    python benchmarks/estimators.py --quick     two rounds and two seeds, to see that it runs
    python benchmarks/estimators.py --only wide digits/adam

Each case runs in a process of its own, in which the two take turns, the other one first each time: a warm-up, then
rounds of one fit with a fixed seed. Predictions are timed on the fitted pair, repeated until a measurement lasts
20 ms. The ratio is the median of the rounds' own ratios, which a slow minute of the machine moves least. BLAS
threads are left alone, then held to one. Quality is the score on a third of the samples that was held out, over ten
splits, each with its own start.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from benchmarks import harness

from pellucid.types import Array

SOLVERS = ("adam", "sgd", "lbfgs")
SETS = ("digits", "wine", "breast cancer", "diabetes")
THREADS = {"default": {}, "1": {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}}
ENOUGH_SECONDS = 0.02  # that a measurement of a prediction takes
PREDICTIONS = 3  # measurements of them a round
WIDE = {
    "solver": "sgd",
    "hidden_layer_sizes": (20, 7),
    "batch_size": 200,
    "max_iter": 300,
    "tol": 0.0,
    "n_iter_no_change": 300,  # all epochs are made
    "learning_rate_init": 0.003,
}
CASES: dict[str, dict[str, Any]] = {
    **{f"{name}/{solver}": {"solver": solver} for name in SETS for solver in SOLVERS},
    "wide/sgd": WIDE,
}
GOALS = {"digits/adam": 1.5, "wide/sgd": 10.0}  # of the fit; 1 elsewhere


class Data(NamedTuple):
    """A data set: standardized columns; of the wide one pixels from 0 to 1."""

    X: Array
    y: Array
    kind: str


def load(name: str) -> Data:
    from sklearn import datasets
    from sklearn.preprocessing import StandardScaler

    if name == "wide":  # 200 drawings of 64 x 64 x 3 pixels
        import pellucid as pl

        cats = pl.load_data("drawn-cats").train
        return Data(cats.X[:200].reshape(200, -1) / 255.0, cats.y[:200], "MLPClassifier")
    reader = getattr(datasets, f"load_{name.replace(' ', '_')}")
    X, y = reader(return_X_y=True)
    return Data(
        StandardScaler().fit_transform(X), y, "MLPRegressor" if name == "diabetes" else "MLPClassifier"
    )


def makers(kind: str, options: dict[str, Any]) -> dict[str, Callable[..., Any]]:
    """Return, for each contestant, what makes an estimator with these options."""
    import sklearn.neural_network

    import pellucid.estimators

    modules = {"theirs": sklearn.neural_network, "ours": pellucid.estimators}
    return {who: partial(getattr(module, kind), **options) for who, module in modules.items()}


def seconds_each(work: Callable[[], Any]) -> float:
    """Return the seconds of one call, the mean of as many as last long enough."""
    n, started = 0, time.perf_counter()
    while True:
        work()
        n += 1
        seconds = time.perf_counter() - started
        if seconds >= ENOUGH_SECONDS:
            return seconds / n


def measure_time(case: str, n_rounds: int) -> dict[str, Any]:
    X, y, kind = load(case.split("/")[0])
    make = makers(kind, CASES[case])
    fitted = {who: make[who](random_state=0).fit(X, y) for who in make}
    times: dict[str, dict[str, list[float]]] = {
        who: {"fit": [], "predict": [], "predict one": []} for who in make
    }
    for i in range(n_rounds):
        for who in sorted(make, reverse=bool(i % 2)):
            times[who]["fit"].append(harness.seconds_of(partial(make[who](random_state=0).fit, X, y)))
    for i in range(PREDICTIONS * n_rounds):
        for who in sorted(make, reverse=bool(i % 2)):
            times[who]["predict"].append(seconds_each(partial(fitted[who].predict, X)))
            times[who]["predict one"].append(seconds_each(partial(fitted[who].predict, X[:1])))
    return {"times": times, "n_iter": {who: int(fitted[who].n_iter_) for who in fitted}}


def measure_quality(case: str, n_seeds: int) -> dict[str, Any]:
    from sklearn.model_selection import train_test_split

    X, y, kind = load(case.split("/")[0])
    options = {**CASES[case]}
    if "batch_size" in options:
        options["batch_size"] = len(X) - -(-len(X) // 3)  # all that is left
    make = makers(kind, options)
    scores: dict[str, list[float]] = {who: [] for who in make}
    for seed in range(n_seeds):
        stratify = y if kind == "MLPClassifier" else None
        X_train, X_test, y_train, y_test = train_test_split(
            X, y, test_size=1 / 3, stratify=stratify, random_state=seed
        )
        for who in make:
            scores[who].append(make[who](random_state=seed).fit(X_train, y_train).score(X_test, y_test))
    return {"scores": scores}


def in_a_process(what: str, case: str, n: int, environment: dict[str, str]) -> dict[str, Any]:
    command = [sys.executable, "-W", "ignore", __file__, "--child", what, case, str(n)]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **environment})
    if done.returncode:
        raise SystemExit(f"{case}: {done.stderr}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def print_times(cases: list[str], n_rounds: int) -> list[str]:
    """Print the table of times and return the goals that were missed."""
    missed = []
    for threads, environment in THREADS.items():
        print(f"\nSeconds, BLAS threads: {threads}; {n_rounds} rounds, median (least)")
        print(
            f"{'case':20} {'what':12} {'scikit-learn':>22} {'pellucid':>22} {'ratio':>8} {'of least':>8}   epochs"
        )
        for case in cases:
            found = in_a_process("time", case, n_rounds, environment)
            for what in ("fit", "predict", "predict one"):
                theirs, ours = (found["times"][who][what] for who in ("theirs", "ours"))
                cells = [f"{statistics.median(t):.3g} ({min(t):.3g})" for t in (theirs, ours)]
                ratio = statistics.median(a / b for a, b in zip(theirs, ours, strict=True))
                of_least = min(theirs) / min(ours)
                n_iter = "{theirs} / {ours}".format(**found["n_iter"]) if what == "fit" else ""
                goal = GOALS.get(case, 1.0) if what == "fit" else 1.0
                if ratio < goal:
                    missed.append(f"{case} {what}, BLAS threads {threads}: {ratio:.2f} of {goal:g}")
                print(
                    f"{case:20} {what:12} {cells[0]:>22} {cells[1]:>22} {ratio:8.2f} {of_least:8.2f}   {n_iter}",
                    flush=True,
                )
    return missed


def print_quality(cases: list[str], n_seeds: int) -> list[str]:
    """Print the table of scores and return the cases in which ours are lower by more than noise."""
    from scipy.special import stdtrit

    missed = []
    print(
        f"\nScore on held-out thirds (accuracy; of diabetes R^2), {n_seeds} seeds, mean +- sd; the difference"
    )
    print("with its standard error, seed by seed")
    print(f"{'case':20} {'scikit-learn':>20} {'pellucid':>20} {'ours - theirs':>22}")
    for case in cases:
        scores = in_a_process("quality", case, n_seeds, THREADS["1"])["scores"]
        theirs, ours = np.array(scores["theirs"]), np.array(scores["ours"])
        away = ours - theirs
        error = away.std(ddof=1) / np.sqrt(n_seeds)
        cells = [f"{s.mean():.4f} +- {s.std(ddof=1):.4f}" for s in (theirs, ours)]
        print(f"{case:20} {cells[0]:>20} {cells[1]:>20} {away.mean():+10.4f} +- {error:.4f}", flush=True)
        if away.mean() < -stdtrit(n_seeds - 1, 0.975) * error - 1e-12:  # Student's t, 95 %
            missed.append(f"{case}: score lower by {-away.mean():.4f} +- {error:.4f}")
    return missed


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--quick", action="store_true", help="two rounds, two seeds")
    parser.add_argument(
        "--only", nargs="+", default=[""], help="cases that begin so, such as digits or wine/adam"
    )
    parser.add_argument("--child", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        warnings.simplefilter("ignore")  # that 200 epochs were not enough
        what, case, n = options.child
        print(json.dumps({"time": measure_time, "quality": measure_quality}[what](case, int(n))))
        return
    n_rounds, n_seeds = (2, 2) if options.quick else (options.rounds, options.seeds)
    cases = [case for case in CASES if case.startswith(tuple(options.only))]
    if not cases:
        parser.error(f"--only: expected the beginning of one of {', '.join(CASES)}.")
    print(harness.machine("scipy", "scikit-learn"))
    np.ones((9, 9)) @ np.ones((9, 9))  # loads the library
    print(f"BLAS by default: {harness.blas_in_use()}")
    missed = print_times(cases, n_rounds) + print_quality(cases, n_seeds)
    print("\nGoals missed: " + ("none" if not missed else "".join(f"\n  {line}" for line in missed)))


if __name__ == "__main__":
    main()
