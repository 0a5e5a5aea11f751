"""A run: what was asked for, the data, what the training left, and what the model predicts."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from pellucid.data.copies.duplicates import Leak, find_leaks
from pellucid.data.dataset import Split, data_hash
from pellucid.data.source import DataSource
from pellucid.nn.model import Model
from pellucid.prediction.confusion import ConfusionMatrix
from pellucid.prediction.metrics import metrics_of
from pellucid.prediction.predict import Predictions, majority_in_training, positive_class, predict
from pellucid.runs.config import RunConfig
from pellucid.training.history import History
from pellucid.training.options import TrainingOptions

OF_HISTORY = ("n_steps", "is_complete", "seconds", "setup_seconds", "form", "note", "n_threads", "kernels")


@dataclass(frozen=True, eq=False)
class Run:
    """A run; what its model predicts is computed when it is first asked for, and kept.

    Attributes
    ----------
    folder : Path
    config : RunConfig
    split : Split
        The data, loaded.
    model : Model
        Trained.
    history : History
    saved_scores : mapping of str to dict
        The metrics of the "train" and the "test" part, as a file holds them.
    notes : tuple of str
        What a reader must know: that the data are others than those of the run, say.
    known_leaks : tuple of Leak or None
        Test samples that are training samples too, where they have been searched for.
    doubtful : frozenset of int
        Test samples that have a copy with another label, likewise.
    """

    folder: Path
    config: RunConfig
    split: Split
    model: Model
    history: History
    saved_scores: Mapping[str, dict[str, Any]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    known_leaks: tuple[Leak, ...] | None = None
    doubtful: frozenset[int] = frozenset()

    @property
    def source(self) -> DataSource:
        """Where the data came from."""
        return self.config.source

    @property
    def options(self) -> TrainingOptions:
        """How the model was trained."""
        return self.config.options

    @property
    def kind(self) -> str:
        """``"classification"``, ``"multi_label"`` or ``"regression"``."""
        return self.model._loss.kind

    @property
    def noun(self) -> str:
        """What a sample is called."""
        return self.split.noun

    @property
    def targets(self) -> tuple[str, ...]:
        """The names of what a regression predicts."""
        schema, n = self.split.schema, math.prod(self.split.test.y.shape[1:])
        if schema is not None:
            return schema.target
        return ("the target",) if n == 1 else tuple(f"target {j + 1}" for j in range(n))

    @cached_property
    def train_predictions(self) -> Predictions:
        """What the model predicts for the training part."""
        return predict(self.model, self.split.train)

    @cached_property
    def test_predictions(self) -> Predictions:
        """What it predicts for the test part, without leaks; the baseline is the training part's majority class."""
        found = predict(self.model, self.split.test)
        if found.kind != "classification":
            return found
        model, train = self.model, self.split.train
        majority, positive = majority_in_training(model, train), positive_class(model, train)
        return replace(found, trained_majority=majority, positive=positive)

    @property
    def train_confusion(self) -> ConfusionMatrix:
        """The confusion matrix of the training part."""
        return self.train_predictions.confusion

    @property
    def test_confusion(self) -> ConfusionMatrix:
        """The confusion matrix of the test part."""
        return self.test_predictions.confusion

    @cached_property
    def leaks(self) -> tuple[Leak, ...]:
        """Test samples that are training samples too."""
        if self.known_leaks is not None:
            return self.known_leaks
        return tuple(find_leaks(self.split.train.X, self.split.test.X))

    @cached_property
    def scores(self) -> Mapping[str, dict[str, Any]]:
        """The metrics of the "train" and the "test" part: those of its file, if any."""
        return self.saved_scores or {
            "train": metrics_of(self.train_predictions),
            "test": metrics_of(self.test_predictions),
        }

    @cached_property
    def metrics(self) -> dict[str, Any]:
        """What metrics.json holds: scores, the training in numbers, and the hashes of the data."""
        history, (train, test) = self.history, self.split
        known = self.model._summary_of_training.get("data_sha256")
        return {
            **self.scores,
            "final_loss": history.losses[-1] if history.losses else None,
            **{name: getattr(history, name) for name in OF_HISTORY},
            "data": {
                "n_train": len(train),
                "n_test": len(test),
                "train_sha256": known or data_hash(train),
                "test_sha256": data_hash(test),
            },
        }
