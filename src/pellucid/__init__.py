"""Neural networks from scratch on NumPy: clear all the way through.

>>> import pellucid as pl
>>> cats = pl.load_data("drawn-cats")
>>> model = pl.preset("mlp")
>>> history = pl.train(model, cats.train, n_epochs=100)
>>> print(f"{history.losses[0]:.2f} {history.losses[-1]:.2f}")
0.7... 0.6...

Names are imported when they are first used, so that ``import pellucid`` loads NumPy and no more.
"""

import importlib
from typing import TYPE_CHECKING, Any

import numpy as _numpy  # noqa: F401 - the one library that everything here needs

__version__ = "0.1.0"

if TYPE_CHECKING:
    from pellucid.data.sources import load_data
    from pellucid.errors import PellucidError
    from pellucid.evaluation.metrics import evaluate
    from pellucid.formats.safetensors import load, save
    from pellucid.nn.layers import Dense, Flatten, Layer
    from pellucid.nn.model import Model, Sequential
    from pellucid.nn.presets import preset
    from pellucid.ops.checking import gradcheck
    from pellucid.training.callbacks import PrintCosts, Progress
    from pellucid.training.loop import train
    from pellucid.training.optimizers import SGD
    from pellucid.training.records import History
    from pellucid.types import Dataset, Split

_HOMES = {
    "Dataset": "types",
    "Dense": "nn.layers",
    "Flatten": "nn.layers",
    "History": "training.records",
    "Layer": "nn.layers",
    "Model": "nn.model",
    "PellucidError": "errors",
    "PrintCosts": "training.callbacks",
    "Progress": "training.callbacks",
    "SGD": "training.optimizers",
    "Sequential": "nn.model",
    "Split": "types",
    "evaluate": "evaluation.metrics",
    "gradcheck": "ops.checking",
    "load": "formats.safetensors",
    "load_data": "data.sources",
    "preset": "nn.presets",
    "save": "formats.safetensors",
    "train": "training.loop",
}

__all__ = [
    "SGD",
    "Dataset",
    "Dense",
    "Flatten",
    "History",
    "Layer",
    "Model",
    "PellucidError",
    "PrintCosts",
    "Progress",
    "Sequential",
    "Split",
    "evaluate",
    "gradcheck",
    "load",
    "load_data",
    "preset",
    "save",
    "train",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'pellucid' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"pellucid.{_HOMES[name]}"), name)
    globals()[name] = value  # found at once the next time
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
