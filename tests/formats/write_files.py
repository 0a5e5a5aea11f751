"""Writes the files of tests/formats/files: models of the present format version, and what they predict.

    python -m tests.formats.write_files

To be run once for each format version, when it is final. Files that are there already are kept: they are what
:mod:`tests.formats.test_compatibility` is for.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import pellucid as pl
from pellucid.formats.safetensors import FORMAT_VERSION
from pellucid.nn.freezing import freeze

FILES = Path(__file__).parent / "files"
RNG = np.random.default_rng(7)
ROWS = [
    {"age": str(i), "coat": ("plain", "tabby", "black")[i % 3], "pet": ("cat", "dog")[i % 2]}
    for i in range(24)
]


def photos(n: int, *shape: int) -> Any:
    return RNG.integers(0, 256, (n, *shape), np.uint8)


def mlp() -> tuple[Any, Any]:
    X = photos(24, 6, 6, 3)
    model = pl.Sequential(
        pl.Flatten(), pl.Dense(5, "relu"), pl.Dense(4, "tanh"), pl.Dense(1), dtype="float64"
    )
    pl.train(model, pl.Dataset(X, np.arange(24) % 2, ("cat", "no cat")), n_epochs=5)
    return model, X


def convolutions() -> tuple[Any, Any]:
    X = photos(24, 8, 8, 3)
    body = [pl.Conv2D(4, activation="relu"), pl.Conv2D(4)]
    layers = [
        *(pl.Conv2D(4, use_bias=False), pl.BatchNorm(), pl.Activation("relu"), pl.MaxPool2D()),
        *(
            pl.Residual(pl.Sequential(body)),
            pl.LayerNorm(),
            pl.Dropout(0.2),
            pl.GlobalAvgPool2D(),
            pl.Dense(3),
        ),
    ]
    model = pl.Sequential(layers)
    pl.train(model, pl.Dataset(X, np.arange(24) % 3, ("a", "b", "c")), n_epochs=3)
    return model, X


def table() -> tuple[Any, Any]:
    names = list(ROWS[0])
    text = "\n".join([",".join(names), *(",".join(row[name] for name in names) for row in ROWS)])
    data = pl.load_data(_written(text), target="pet")
    model = pl.preset("mlp")
    pl.train(model, data.train, n_epochs=5)
    model.schema = data.schema
    return model, ROWS


def _written(text: str) -> Path:
    import tempfile

    path = Path(tempfile.mkdtemp()) / "pets.csv"
    path.write_text(text)
    return path


def regression() -> tuple[Any, Any]:
    X = RNG.normal(50, 10, (24, 3))
    model = pl.Sequential(pl.Dense(4, "relu"), pl.Dense(2))
    model.preprocessing = pl.data.preprocess.Preprocessing.standardize(X)
    targets = np.stack([X[:, 0] - X[:, 1], X[:, 2]], axis=1)
    pl.train(model, (X, targets), loss={"type": "huber", "delta": 2.0}, n_epochs=5)
    return model, X


def several_labels() -> tuple[Any, Any]:
    X = RNG.normal(0, 1, (24, 4))
    model = pl.Sequential(pl.Dense(4, "relu"), pl.Dense(2))
    model.initialize((4,))
    freeze(model, "dense_1")
    pl.train(model, pl.Dataset(X, (X[:, :2] > 0).astype(int), ("big", "old")), loss="multi_label", n_epochs=5)
    return model, X


def graph() -> tuple[Any, Any]:
    X = {"photo": photos(24, 4, 4, 1), "row": RNG.normal(0, 1, (24, 3))}
    nodes = {
        "flat": (pl.Flatten(), "photo"),
        "left": (pl.Dense(3, "relu"), "flat"),
        "both": ("concat", ["left", "row"]),
        "out": (pl.Dense(1), "both"),
    }
    model = pl.Graph(["photo", "row"], nodes, "out")
    pl.train(model, (X, np.arange(24) % 2), n_epochs=3)
    return model, X


def tied() -> tuple[Any, Any]:
    X = RNG.normal(0, 1, (24, 4))
    twice = pl.Dense(4, "tanh")
    model = pl.Sequential(twice, twice, pl.Dense(1))
    pl.train(model, (X, np.arange(24) % 2), n_epochs=3)
    return model, X


MODELS: dict[str, Callable[[], tuple[Any, Any]]] = {
    "mlp": mlp,
    "convolutions": convolutions,
    "table": table,
    "regression": regression,
    "several_labels": several_labels,
    "graph": graph,
    "tied": tied,
}


def main() -> None:
    """Write what is not there yet."""
    folder = FILES / f"version-{FORMAT_VERSION}"
    folder.mkdir(parents=True, exist_ok=True)
    for name, make in MODELS.items():
        path = folder / f"{name}.safetensors"
        if path.exists():
            continue
        model, X = make()
        few = {key: array[:2] for key, array in X.items()} if isinstance(X, dict) else X[:2]
        inputs = model.schema.encode(few).X if model.schema else few
        arrays = few if isinstance(few, dict) else {"": inputs}
        expected = {
            "dtypes": {key: str(array.dtype) for key, array in arrays.items()},
            "inputs": few if model.schema else {key: array.tolist() for key, array in arrays.items()},
            "outputs": model.decision_function(inputs).tolist(),
            "predictions": model.predict(inputs).tolist(),
        }
        pl.save(model, path)
        path.with_suffix(".json").write_text(json.dumps(expected) + "\n")


if __name__ == "__main__":
    main()
