"""What `--model auto` scores on small tables, beside a linear model and scikit-learn's MLP.

    python -m benchmarks.tables                 five folds of each table, from two seeds: a minute or two
    python -m benchmarks.tables --inner         the same within the first fold's training part: to choose recipes by
    python -m benchmarks.tables --only diabetes --seeds 1

Mean test accuracy; R squared of diabetes and of Friedman's function. Columns are standardized by the training part.
The linear model is scikit-learn's RidgeCV or LogisticRegression, the MLP its default, in 400 epochs at most.
"""

import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from benchmarks import harness
from sklearn import datasets
from sklearn.linear_model import LogisticRegression, RidgeCV
from sklearn.model_selection import KFold, StratifiedKFold
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.preprocessing import StandardScaler

import pellucid as pl
from pellucid.types import Array

QUANTITIES = ("diabetes", "friedman1")
TABLES = (*QUANTITIES, "iris", "wine", "breast_cancer")


class Parts(NamedTuple):
    """A training and a test part, standardized."""

    X: Array
    y: Array
    X_test: Array
    y_test: Array


def load(name: str) -> tuple[Array, Array]:
    """Return a table by name."""
    if name == "friedman1":
        X, y = datasets.make_friedman1(300, 10, noise=1.0, random_state=0)
    else:
        X, y = getattr(datasets, f"load_{name}")(return_X_y=True)
    return X, y


def folds(X: Array, y: Array, seed: int) -> list[tuple[Array, Array]]:
    """Return five folds: rows to train on, rows to test on."""
    kind = KFold if y.dtype.kind == "f" else StratifiedKFold
    return list(kind(5, shuffle=True, random_state=seed).split(X, y))


def score_of_preset(name: str, parts: Parts, seed: int) -> float:
    """Return the score of a preset, trained by its recipe; of "auto" by what is recommended."""
    data = pl.Dataset(parts.X, parts.y)
    chosen = pl.recommend(data)
    recipe = pl.recipe(name) if name != "auto" else chosen.recipe
    if name == "mlp-wide":  # as it is for larger tables: some 1,500 steps
        recipe |= {"n_epochs": 100}
    name = chosen.model if name == "auto" else name
    is_quantity = parts.y.dtype.kind == "f"
    model = pl.preset(name, n_outputs=1) if is_quantity else pl.preset(name, int(parts.y.max()) + 1)
    pl.train(model, data, **recipe, seed=seed, progress=False)
    predicted = model.predict(parts.X_test)
    if is_quantity:
        return 1 - float(
            ((predicted - parts.y_test) ** 2).sum() / ((parts.y_test - parts.y_test.mean()) ** 2).sum()
        )
    return float((predicted == parts.y_test).mean())


def score_of_linear(parts: Parts, seed: int) -> float:
    """Return the score of a linear model."""
    is_quantity = parts.y.dtype.kind == "f"
    model = RidgeCV(np.logspace(-2, 3, 12)) if is_quantity else LogisticRegression(max_iter=1000)
    return float(model.fit(parts.X, parts.y).score(parts.X_test, parts.y_test))


def score_of_their_mlp(parts: Parts, seed: int) -> float:
    """Return the score of scikit-learn's MLP."""
    kind = MLPRegressor if parts.y.dtype.kind == "f" else MLPClassifier
    return float(
        kind(random_state=seed, max_iter=400).fit(parts.X, parts.y).score(parts.X_test, parts.y_test)
    )


CONTESTANTS: dict[str, Callable[[Parts, int], float]] = {
    "auto": lambda parts, seed: score_of_preset("auto", parts, seed),
    "mlp-wide": lambda parts, seed: score_of_preset("mlp-wide", parts, seed),
    "linear": score_of_linear,
    "scikit-learn's MLP": score_of_their_mlp,
}


def standardized(X: Array, y: Array, rows: Array, held: Array) -> Parts:
    """Return both parts, columns standardized by the first."""
    scale = StandardScaler().fit(X[rows])
    X_train, X_test = (scale.transform(X[each]).astype(np.float32) for each in (rows, held))
    return Parts(X_train, y[rows], X_test, y[held])


def main() -> None:
    """Measure and print."""
    parser = harness.arguments(__doc__ or "")
    parser.add_argument("--only", nargs="+", choices=TABLES, default=list(TABLES))
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--inner", action="store_true", help="within the training part of the first fold")
    options: Any = parser.parse_args()
    warnings.simplefilter("ignore")  # of scikit-learn, that 400 epochs are few
    print(harness.machine("scikit-learn"))
    print(f"{'':15}" + "".join(f"{name:>20}" for name in CONTESTANTS))
    for name in options.only:
        X, y = load(name)
        if options.inner:
            rows, _ = folds(X, y, 0)[0]
            X, y = X[rows], y[rows]
        found: dict[str, list[float]] = {who: [] for who in CONTESTANTS}
        for seed in range(1, 1 + (1 if options.quick else options.seeds)):
            for rows, held in folds(X, y, seed):
                parts = standardized(X, y, rows, held)
                for who, score in CONTESTANTS.items():
                    found[who].append(score(parts, seed))
        print(f"{name:15}" + "".join(f"{np.mean(scores):20.3f}" for scores in found.values()), flush=True)


if __name__ == "__main__":
    main()
