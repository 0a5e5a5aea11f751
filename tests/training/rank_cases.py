"""Trainings that one process and several ranks take; as a program, what each of several ranks runs.

``mpiexec -n 2 python -m tests.training.rank_cases FOLDER`` writes the parameters and the columns of all of them.
"""

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

import pellucid as pl
from pellucid import ranks
from pellucid.data.source import DataSource
from pellucid.estimators.solvers import L2Penalty

Case = tuple[Callable[[], Any], Callable[[Path], Any], dict[str, Any]]
HERE: dict[str, Any] = {"dtype": "float64", "form": "direct", "kernels": "numpy", "progress": False}
CLASSES = np.arange(43) % 2


def table(folder: Path, m: int = 43) -> Any:
    """Return rows whose classes overlap."""
    rng = np.random.default_rng(0)
    return rng.standard_normal((m, 12)) + CLASSES[:m, None], CLASSES[:m]


def photos(folder: Path, size: int = 12) -> Any:
    """Return small photos of noise."""
    return np.random.default_rng(1).integers(0, 256, (43, size, size, 3), dtype=np.uint8), CLASSES


def photos_with_facts(folder: Path) -> Any:
    """Return two inputs by name."""
    X, y = photos(folder)
    return {"photo": X, "facts": np.random.default_rng(2).standard_normal((len(y), 4))}, y


def stored(folder: Path) -> Any:
    """Return photos that stay in their file."""
    path = folder / "photos.npz"
    if not path.exists() and ranks.rank() == 0:
        X, y = photos(folder)
        np.savez(path, X=X, y=y)
    ranks.most(0)
    return DataSource(str(path), on_disk=True).load().train


def dense() -> Any:
    """Return a network with batch norm and dropout."""
    return pl.Sequential([pl.Dense(10, activation="relu"), pl.BatchNorm(), pl.Dropout(0.3), pl.Dense(2)])


def mlp() -> Any:
    """Return a stack of Dense layers with dropout."""
    hidden = [pl.Dense(16, "relu"), pl.Dropout(0.4), pl.Dense(8, "relu")]
    return pl.Sequential([pl.Flatten(), *hidden, pl.Dense(1)])


def conv() -> Any:
    """Return a small network of a convolution."""
    layers = [pl.Conv2D(4, 3), pl.BatchNorm(), pl.Activation("relu"), pl.GlobalAvgPool2D(), pl.Dense(2)]
    return pl.Sequential(layers)


def two_inputs() -> Any:
    """Return a graph that takes photos and numbers."""
    nodes = {
        "maps": (pl.Sequential([pl.Conv2D(4, 3), pl.BatchNorm(), pl.GlobalAvgPool2D()]), "photo"),
        "both": ("concat", ["maps", "facts"]),
        "logits": (pl.Dense(2), "both"),
    }
    return pl.Graph(inputs=["photo", "facts"], nodes=nodes, outputs="logits")


cnn = partial(pl.preset, "cnn")
CASES: dict[str, Case] = {  # some 60 steps each; the last batch has fewer samples than three ranks
    "cnn": (cnn, partial(photos, size=16), {"n_epochs": 6, "batch_size": 7}),
    "dropout": (mlp, table, {"n_epochs": 9, "batch_size": 7}),
    "batch norm": (dense, table, {"n_epochs": 9, "batch_size": 7}),
    "full batch": (dense, table, {"n_epochs": 60, "learning_rate": 0.1}),
    "two inputs": (two_inputs, photos_with_facts, {"n_epochs": 9, "batch_size": 7}),
    "weights, in order": (
        dense,
        table,
        {"n_epochs": 15, "batch_size": 11, "shuffle": False, "class_weight": {0: 1.0, 1: 3.0}},
    ),
    "augmented and mixed": (
        conv,
        photos,
        {"n_epochs": 12, "batch_size": 9, "augment": "photo-cutmix", "class_weight": {0: 1.0, 1: 2.0}},
    ),
    "validated": (conv, photos, {"n_epochs": 12, "batch_size": 7, "validation": 0.2, "schedule": "cosine"}),
    "averaged": (conv, photos, {"n_epochs": 12, "batch_size": 9, "weight_ema": 0.9, "precise_bn": True}),
    "on disk": (conv, stored, {"n_epochs": 15, "batch_size": 9}),
    "L-BFGS": (lambda: pl.Sequential([pl.Dense(2)]), table, {"n_epochs": 5, "optimizer": "lbfgs"}),
    "a penalty": (mlp, table, {"n_epochs": 9, "batch_size": 7, "callbacks": [L2Penalty(0.1)]}),
    "threads": (conv, photos, {"n_epochs": 9, "batch_size": 7, "n_threads": 2}),
    "dual, full batch": (mlp, partial(photos, size=30), {"n_epochs": 60, "form": "dual"}),
    "dual, mini-batches": (mlp, photos, {"n_epochs": 12, "form": "dual", "batch_size": 9, "validation": 0.2}),
    "dual, on disk": (mlp, stored, {"n_epochs": 60, "form": "dual"}),
}


def train(name: str, folder: Path, **options: Any) -> tuple[Any, Any]:
    """Return the model of a case, trained, and its history."""
    make, data, own = CASES[name]
    model = make()
    return model, pl.train(model, data(folder), **{**HERE, "n_threads": 1, **own, **options})


def arrays_of(model: Any, history: Any) -> dict[str, np.ndarray]:
    """Return the parameters, the running statistics and the history's columns."""
    state = {f"{leaf.name} {key}": value for leaf in model._leaves() for key, value in leaf.state.items()}
    columns = {key: np.array(column) for key, column in history.columns.items()}
    return {"theta": model.theta, **state, **columns}


if __name__ == "__main__":
    folder, found = Path(sys.argv[1]), {}
    for case in sys.argv[2:] or CASES:
        found |= {f"{case}/{key}": value for key, value in arrays_of(*train(case, folder)).items()}
    if ranks.rank() == 0:
        np.savez(folder / "found.npz", **found)
