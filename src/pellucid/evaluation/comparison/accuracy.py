"""Use case: what the cnn preset is worth on the published photos, by repeated cross-validation."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from pellucid.data.dataset import Split
from pellucid.evaluation.comparison.candidates import find_candidate
from pellucid.evaluation.comparison.cross_validation import Fold, cross_validate
from pellucid.evaluation.comparison.folds import whole

__all__ = ["Accuracy", "Fold", "measure_accuracy", "whole"]

N_SPLITS, N_REPEATS = 5, 3


@dataclass(frozen=True)
class Accuracy:
    """The figures of every fold, and their means."""

    model: str
    n_samples: int
    folds: tuple[Fold, ...]

    @property
    def accuracy(self) -> float:
        """The mean accuracy over the folds."""
        return float(np.mean([fold.accuracy for fold in self.folds]))

    @property
    def balanced_accuracy(self) -> float:
        """The mean balanced accuracy over the folds."""
        return float(np.mean([fold.balanced_accuracy for fold in self.folds]))

    def to_dict(self) -> dict[str, Any]:
        """Return the figures as JSON can hold them."""
        return {
            "model": self.model,
            "n_samples": self.n_samples,
            "folds": [vars(fold) for fold in self.folds],
            "accuracy": self.accuracy,
            "balanced_accuracy": self.balanced_accuracy,
        }


def measure_accuracy(
    split: Split,
    model: str = "cnn",
    *,
    n_repeats: int = N_REPEATS,
    n_splits: int = N_SPLITS,
    progress: Callable[[Fold], None] = lambda fold: None,
    **options: Any,
) -> Accuracy:
    """Train a model's recipe on every fold and test it on what was held out, one after the other on all cores.

    Parameters
    ----------
    split : Split
        Both parts are put together; of the published photos the duplicate is left out.
    model : str, optional
        A preset or a TOML file.
    n_repeats, n_splits : int, optional
    tell : callable, optional
        Told each fold's figures when they are there.
    **options
        Of the training; default: the model's recipe.
    """
    candidate = find_candidate("model", model, data=split.name, **options)
    result = cross_validate(
        split, [candidate], n_splits=n_splits, n_repeats=n_repeats, threads=None, progress=progress
    )
    if not result.is_complete:
        raise KeyboardInterrupt
    return Accuracy(model, result.n_samples, result.folds[0])
