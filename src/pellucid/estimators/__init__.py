"""Estimators for scikit-learn: a network wherever one of its classifiers, regressors or transformers fits.

Classifiers and regressors with scikit-learn's parameters, around any network, and around photos on disk.
"""

import sys
from typing import Any

from pellucid.errors import UnknownAttributeError
from pellucid.estimators.image import ImageClassifier
from pellucid.estimators.image_reading import image_paths
from pellucid.estimators.mlp import MLPClassifier, MLPRegressor
from pellucid.estimators.network import NetworkClassifier, NetworkRegressor

__all__ = [
    "ImageClassifier",
    "MLPClassifier",
    "MLPRegressor",
    "NetworkClassifier",
    "NetworkRegressor",
    "image_paths",
]


def __getattr__(name: str) -> Any:
    raise UnknownAttributeError("module 'pellucid.estimators'", name, sys.modules[__name__], kind="class")
