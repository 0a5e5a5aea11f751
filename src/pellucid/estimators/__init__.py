"""Estimators for scikit-learn: a network wherever one of its classifiers, regressors or transformers fits."""

from pellucid.estimators.mlp import MLPClassifier, MLPRegressor
from pellucid.estimators.network import NetworkClassifier, NetworkRegressor

__all__ = ["MLPClassifier", "MLPRegressor", "NetworkClassifier", "NetworkRegressor"]
