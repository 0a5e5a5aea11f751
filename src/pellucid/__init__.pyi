from .checks.check import check_data
from .data.augmentation.augment import Augment
from .data.dataset import Dataset, Split
from .data.preprocess import Preprocessing
from .data.source import load_data
from .distributed.jobs import cluster
from .errors import PellucidError
from .evaluation.columns.contributions import explain_row
from .evaluation.columns.importance import column_importance
from .evaluation.saliency.compute_maps import saliency
from .evaluation.sweep.sweep import sweep
from .formats.fitted import import_sklearn
from .formats.html.export import export_html
from .formats.onnx.export import export_onnx
from .formats.onnx.importing import import_onnx
from .formats.safetensors import load, save
from .formats.script.export import export_script
from .nn.activation import Activation, Dropout
from .nn.blocks import Parallel, Residual
from .nn.conv import Conv2D
from .nn.dense import Dense, Flatten
from .nn.freezing import freeze, unfreeze
from .nn.gradient_check import check_gradients
from .nn.graph import Graph
from .nn.hooks import hook, record
from .nn.layer import Layer
from .nn.model import Model
from .nn.norm import Affine, BatchNorm, LayerNorm
from .nn.pooling import (
    AvgPool2D,
    GlobalAvgPool2D,
    MaxPool2D,
    ReflectPad2D,
    Resize2D,
    UpSample2D,
    ZeroPad2D,
)
from .nn.presets import preset, presets
from .nn.pretrained.pretrained import pretrained
from .nn.sequential import Sequential
from .nn.transfer import transfer
from .ops import losses
from .plotting.decision_boundary import plot_decision_boundary
from .registry import option, register
from .training import callbacks, optimizers, schedules
from .training.find_fault import find_fault
from .training.fit import train
from .training.lr_finder import find_learning_rate
from .training.recipes import recipe
from .training.recommend import recommend
from .training.trace import trace
from .workflows.compare import compare
from .workflows.evaluate import evaluate
from .workflows.explain import explain_photo
from .workflows.influence import influence
from .workflows.label_errors import find_label_errors
from .workflows.predict import predict
from .workflows.replay import replay
from .workflows.report import report
from .workflows.robustness import robustness
from .workflows.run import run

__version__: str

__all__ = [
    "Activation",
    "Affine",
    "Augment",
    "AvgPool2D",
    "BatchNorm",
    "Conv2D",
    "Dataset",
    "Dense",
    "Dropout",
    "Flatten",
    "GlobalAvgPool2D",
    "Graph",
    "Layer",
    "LayerNorm",
    "MaxPool2D",
    "Model",
    "Parallel",
    "PellucidError",
    "Preprocessing",
    "ReflectPad2D",
    "Residual",
    "Resize2D",
    "Sequential",
    "Split",
    "UpSample2D",
    "ZeroPad2D",
    "callbacks",
    "check_data",
    "check_gradients",
    "cluster",
    "column_importance",
    "compare",
    "evaluate",
    "explain_photo",
    "explain_row",
    "export_html",
    "export_onnx",
    "export_script",
    "find_fault",
    "find_label_errors",
    "find_learning_rate",
    "freeze",
    "hook",
    "import_onnx",
    "import_sklearn",
    "influence",
    "load",
    "load_data",
    "losses",
    "optimizers",
    "option",
    "plot_decision_boundary",
    "predict",
    "preset",
    "presets",
    "pretrained",
    "recipe",
    "recommend",
    "record",
    "register",
    "replay",
    "report",
    "robustness",
    "run",
    "saliency",
    "save",
    "schedules",
    "sweep",
    "trace",
    "train",
    "transfer",
    "unfreeze",
]
