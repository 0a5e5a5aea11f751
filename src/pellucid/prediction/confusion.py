"""The confusion matrix, and the metrics that need nothing else: accuracy, balanced accuracy, baseline."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from pellucid.errors import DataError
from pellucid.ops.metrics import mean_recall
from pellucid.stats.intervals import wilson_interval
from pellucid.text_blocks import InJson
from pellucid.types import Array


@dataclass(frozen=True, eq=False)
class ConfusionMatrix(InJson):
    """How often each class was predicted as each.

    Attributes
    ----------
    counts : Array, shape (k, k), int64
        Row: the true class; column: the predicted one.
    classes : tuple of str
        The k names.
    trained_majority : int or None
        The class that is most common in the training part; None where that is not known.
    """

    counts: Array
    classes: tuple[str, ...]
    trained_majority: int | None = None

    in_json = (
        "n_samples n_correct accuracy accuracy_interval balanced_accuracy baseline baseline_interval "
        "majority_class majority_of confusion=counts classes"
    )

    @cached_property
    def n_samples(self) -> int:
        """All samples."""
        return int(self.counts.sum())

    @cached_property
    def n_correct(self) -> int:
        """Samples whose predicted class is the true one."""
        return int(np.trace(self.counts))

    @property
    def accuracy(self) -> float:
        """The fraction of samples classified correctly."""
        return self.n_correct / self.n_samples

    @cached_property
    def balanced_accuracy(self) -> float:
        """The mean recall of the classes that occur."""
        return mean_recall(np.diag(self.counts), self.counts.sum(axis=1))

    @property
    def baseline(self) -> float:
        """The accuracy of the majority-class baseline, which predicts ``majority`` for every sample."""
        return float(self.counts[self.majority].sum() / self.n_samples)

    @cached_property
    def majority(self) -> int:
        """The class most common in the training part; where that is not known, in these samples."""
        return (
            int(self.counts.sum(axis=1).argmax()) if self.trained_majority is None else self.trained_majority
        )

    @property
    def majority_class(self) -> str:
        """The name of ``majority``."""
        return self.classes[self.majority]

    @property
    def majority_of(self) -> str:
        """Where ``majority`` is the most common class: "training" or "these samples"."""
        return "these samples" if self.trained_majority is None else "training"

    @property
    def accuracy_interval(self) -> tuple[float, float]:
        """Wilson's 95 % interval of the accuracy."""
        return wilson_interval(self.n_correct, self.n_samples)

    @property
    def baseline_interval(self) -> tuple[float, float]:
        """Wilson's 95 % interval of the majority-class baseline."""
        return wilson_interval(int(self.counts[self.majority].sum()), self.n_samples)


def confusion_matrix(
    y_true: Array, y_pred: Array, classes: tuple[str, ...] = (), trained_majority: int | None = None
) -> ConfusionMatrix:
    """Return the confusion matrix of predictions.

    Parameters
    ----------
    y_true, y_pred : Array, shape (m,)
        Integer labels.
    classes : tuple of str, optional
        Numbers where they are left out or are too few.
    trained_majority : int, optional
        The class most common in the training part, which the majority-class baseline predicts.

    Raises
    ------
    DataError
        If there are no samples.

    Examples
    --------
    >>> found = confusion_matrix(np.array([0, 0, 1]), np.array([0, 1, 1]), ("dog", "cat"))
    >>> found.balanced_accuracy, found.majority_class
    (0.75, 'dog')
    """
    if not len(y_true):
        raise DataError("confusion_matrix: expected at least one sample, got none.")
    k = max(len(classes), int(max(y_true.max(), y_pred.max(), trained_majority or 0)) + 1)
    counts = np.bincount(y_true * k + y_pred, minlength=k * k).reshape(k, k)
    return ConfusionMatrix(
        counts, classes if len(classes) == k else tuple(map(str, range(k))), trained_majority
    )
