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

from pellucid.version import __version__ as __version__

if TYPE_CHECKING:
    from pellucid.checks.check import check_data
    from pellucid.data.augmentation.augment import Augment, augment_preset
    from pellucid.data.dataset import Dataset, Split
    from pellucid.data.source import load_data
    from pellucid.errors import PellucidError
    from pellucid.evaluation.comparison.measure import compare
    from pellucid.evaluation.influence.measure import influence
    from pellucid.evaluation.photo.measure import explain_photo
    from pellucid.evaluation.robustness.measure import robustness
    from pellucid.evaluation.saliency.measure import saliency
    from pellucid.evaluation.scores.measure import evaluate
    from pellucid.formats.architecture import load_architecture
    from pellucid.formats.safetensors import load, save
    from pellucid.nn.activation import Activation, Dropout
    from pellucid.nn.blocks import Parallel, Residual
    from pellucid.nn.conv import Conv2D
    from pellucid.nn.dense import Dense, Flatten
    from pellucid.nn.graph import Graph
    from pellucid.nn.layer import Layer
    from pellucid.nn.model import Model
    from pellucid.nn.norm import BatchNorm, LayerNorm
    from pellucid.nn.pooling import AvgPool2D, GlobalAvgPool2D, MaxPool2D, UpSample2D, ZeroPad2D
    from pellucid.nn.presets import preset
    from pellucid.nn.sequential import Sequential
    from pellucid.ops.finite_difference import gradcheck
    from pellucid.registry import register
    from pellucid.training.callbacks.checkpoint import Checkpoint
    from pellucid.training.callbacks.early_stopping import EarlyStopping
    from pellucid.training.callbacks.precise_bn import PreciseBatchNorm
    from pellucid.training.callbacks.progress import PrintCosts, Progress
    from pellucid.training.callbacks.tensorboard import TensorBoard
    from pellucid.training.callbacks.weight_ema import WeightEMA
    from pellucid.training.fit import train
    from pellucid.training.history import History
    from pellucid.training.lr_finder import find_learning_rate
    from pellucid.training.nonfinite import replay_nonfinite
    from pellucid.training.optimizers.adagrad import Adagrad
    from pellucid.training.optimizers.adam import Adam, AdamW
    from pellucid.training.optimizers.lbfgs import LBFGS
    from pellucid.training.optimizers.rmsprop import RMSprop
    from pellucid.training.optimizers.sgd import SGD
    from pellucid.training.schedules.cosine import Cosine
    from pellucid.training.schedules.decay import Constant, Exponential, Step
    from pellucid.training.schedules.one_cycle import OneCycle
    from pellucid.training.schedules.plateau import ReduceOnPlateau

_HOMES = {
    "Activation": "nn.activation",
    "Adagrad": "training.optimizers.adagrad",
    "Adam": "training.optimizers.adam",
    "AdamW": "training.optimizers.adam",
    "Augment": "data.augmentation.augment",
    "AvgPool2D": "nn.pooling",
    "BatchNorm": "nn.norm",
    "Checkpoint": "training.callbacks.checkpoint",
    "Constant": "training.schedules.decay",
    "Conv2D": "nn.conv",
    "Cosine": "training.schedules.cosine",
    "Dataset": "data.dataset",
    "Dense": "nn.dense",
    "Dropout": "nn.activation",
    "EarlyStopping": "training.callbacks.early_stopping",
    "Exponential": "training.schedules.decay",
    "Flatten": "nn.dense",
    "GlobalAvgPool2D": "nn.pooling",
    "Graph": "nn.graph",
    "History": "training.history",
    "LBFGS": "training.optimizers.lbfgs",
    "Layer": "nn.layer",
    "LayerNorm": "nn.norm",
    "MaxPool2D": "nn.pooling",
    "Model": "nn.model",
    "OneCycle": "training.schedules.one_cycle",
    "Parallel": "nn.blocks",
    "PellucidError": "errors",
    "PrintCosts": "training.callbacks.progress",
    "Progress": "training.callbacks.progress",
    "RMSprop": "training.optimizers.rmsprop",
    "PreciseBatchNorm": "training.callbacks.precise_bn",
    "ReduceOnPlateau": "training.schedules.plateau",
    "Residual": "nn.blocks",
    "SGD": "training.optimizers.sgd",
    "Sequential": "nn.sequential",
    "Split": "data.dataset",
    "Step": "training.schedules.decay",
    "TensorBoard": "training.callbacks.tensorboard",
    "UpSample2D": "nn.pooling",
    "WeightEMA": "training.callbacks.weight_ema",
    "ZeroPad2D": "nn.pooling",
    "augment_preset": "data.augmentation.augment",
    "check_data": "checks.check",
    "compare": "evaluation.comparison.measure",
    "evaluate": "evaluation.scores.measure",
    "explain_photo": "evaluation.photo.measure",
    "find_learning_rate": "training.lr_finder",
    "gradcheck": "ops.finite_difference",
    "influence": "evaluation.influence.measure",
    "load": "formats.safetensors",
    "load_architecture": "formats.architecture",
    "load_data": "data.source",
    "robustness": "evaluation.robustness.measure",
    "preset": "nn.presets",
    "register": "registry",
    "replay_nonfinite": "training.nonfinite",
    "saliency": "evaluation.saliency.measure",
    "save": "formats.safetensors",
    "train": "training.fit",
}

__all__ = [
    "LBFGS",
    "SGD",
    "Activation",
    "Adagrad",
    "Adam",
    "AdamW",
    "Augment",
    "AvgPool2D",
    "BatchNorm",
    "Checkpoint",
    "Constant",
    "Conv2D",
    "Cosine",
    "Dataset",
    "Dense",
    "Dropout",
    "EarlyStopping",
    "Exponential",
    "Flatten",
    "GlobalAvgPool2D",
    "Graph",
    "History",
    "Layer",
    "LayerNorm",
    "MaxPool2D",
    "Model",
    "OneCycle",
    "Parallel",
    "PellucidError",
    "PreciseBatchNorm",
    "PrintCosts",
    "Progress",
    "RMSprop",
    "ReduceOnPlateau",
    "Residual",
    "Sequential",
    "Split",
    "Step",
    "TensorBoard",
    "UpSample2D",
    "WeightEMA",
    "ZeroPad2D",
    "augment_preset",
    "check_data",
    "compare",
    "evaluate",
    "explain_photo",
    "find_learning_rate",
    "gradcheck",
    "influence",
    "load",
    "load_architecture",
    "load_data",
    "preset",
    "register",
    "replay_nonfinite",
    "robustness",
    "saliency",
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
