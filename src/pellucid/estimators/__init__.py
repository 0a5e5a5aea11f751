"""Estimators for scikit-learn: a network wherever one of its classifiers, regressors or transformers fits."""

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
