"""Use case: what the cnn preset is worth on the published photos, by repeated cross-validation."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from pellucid.app.training import fit, make_model, plan
from pellucid.evaluation.metrics import score
from pellucid.types import Array, Dataset, Split

# Test photo 17 is training photo 146 byte for byte: with both, a fold would be tested on what it was trained on.
LEAKED_TEST_PHOTO = 17
N_SPLITS, N_REPEATS, FOLD_SEED = 5, 3, 0


@dataclass(frozen=True)
class Fold:
    """One training and its held-out fold."""

    repeat: int
    fold: int
    accuracy: float
    balanced_accuracy: float
    seconds: float


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
    tell: Callable[[Fold], None] = lambda fold: None,
    **options: Any,
) -> Accuracy:
    """Train a model's recipe on every fold of ``RepeatedStratifiedKFold`` and test it on what was held out.

    Nothing of a fold's test part is used for stopping or for choosing: the recipe is fixed beforehand.

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
    data = whole(split)
    folds = []
    for number, (train_rows, test_rows) in enumerate(_splits(data, n_splits, n_repeats)):
        config, architecture = plan(model, data=split.name, seed=1 + number, **options)
        part = Split(data.take(train_rows), data.take(test_rows), split.name)
        network = make_model(config, architecture, part)
        history = fit(network, part, config)
        result = score(part.test.y, network.predict(part.test.X), data.classes)
        repeat, fold = divmod(number, n_splits)
        folds.append(Fold(repeat, fold, result.accuracy, result.balanced_accuracy, history.seconds))
        tell(folds[-1])
    return Accuracy(model, len(data), tuple(folds))


def whole(split: Split) -> Dataset:
    """Return both parts as one; of the published photos without the one that is in both."""
    keep = np.ones(len(split.test), bool)
    if split.name == "catvnoncat":
        keep[LEAKED_TEST_PHOTO] = False
    X = np.concatenate([split.train.X, split.test.X[keep]])
    return Dataset(X, np.concatenate([split.train.y, split.test.y[keep]]), split.classes)


def _splits(data: Dataset, n_splits: int, n_repeats: int) -> Iterator[tuple[Array, Array]]:
    from sklearn.model_selection import RepeatedStratifiedKFold

    folds = RepeatedStratifiedKFold(n_splits=n_splits, n_repeats=n_repeats, random_state=FOLD_SEED)
    yield from folds.split(np.zeros(len(data)), data.y)
