"""What a run's model predicts, in one record: what the report, the printed lines and metrics.json are made from."""

from dataclasses import dataclass, replace
from functools import cached_property

from pellucid.data.copies.duplicates import Leak
from pellucid.data.dataset import Split
from pellucid.evaluation.scores.advice import Advice, advise
from pellucid.nn.model import Model
from pellucid.prediction.confusion import ConfusionMatrix
from pellucid.prediction.metrics import metrics_of
from pellucid.prediction.predict import Predictions, majority_in_training, predict
from pellucid.runs.config import RunConfig
from pellucid.runs.record import RunRecord
from pellucid.training.history import History


@dataclass(frozen=True, eq=False)
class RunResult:
    """What a run's model predicts: made once, for the printed lines, metrics.json and the report.

    Attributes
    ----------
    run : RunRecord
    trained : Predictions
        Of the training part.
    predictions : Predictions
        Of the test part, with its leaks.
    notes : tuple of str
        What a reader of the report must know of how it was made.
    """

    run: RunRecord
    trained: Predictions
    predictions: Predictions
    notes: tuple[str, ...] = ()

    @property
    def split(self) -> Split:
        """The data."""
        return self.run.split

    @property
    def model(self) -> Model:
        """The trained model."""
        return self.run.model

    @property
    def history(self) -> History:
        """What the training did."""
        return self.run.history

    @property
    def config(self) -> RunConfig:
        """What was asked for."""
        return self.run.config

    @property
    def kind(self) -> str:
        """``"classification"`` or ``"regression"``."""
        return self.predictions.kind

    @property
    def train(self) -> ConfusionMatrix:
        """The confusion matrix of the training part."""
        return self.trained.confusion

    @property
    def test(self) -> ConfusionMatrix:
        """The confusion matrix of the test part."""
        return self.predictions.confusion

    @cached_property
    def advice(self) -> tuple[Advice, ...]:
        """What to try next; empty where all is well."""
        return advise(self.run, self.predictions, metrics_of(self.trained), verb="run")

    @property
    def targets(self) -> tuple[str, ...]:
        """The names of what a regression predicts."""
        schema, n = self.split.schema, self.predictions.y_true.shape[-1]
        if schema is not None:
            return schema.target
        return ("the target",) if n == 1 else tuple(f"target {j + 1}" for j in range(n))

    @property
    def has_photos(self) -> bool:
        """Whether the samples are pictures that can be shown."""
        return self.split.train.has_pictures

    @property
    def noun(self) -> str:
        """What a sample is called."""
        return self.split.noun


def examine(
    run: RunRecord, *, notes: tuple[str, ...] = (), leaks: tuple[Leak, ...] | None = None
) -> RunResult:
    """Return what a run's model predicts for its data.

    Parameters
    ----------
    run : RunRecord
        Of a classifier or a regression.
    notes : tuple of str, optional
        Added to those of the run.
    leaks : tuple of Leak, optional
        Where they are known already; default: they are searched for.
    """
    model, split = run.model, run.split
    predictions = predict(model, split.test, split.train if leaks is None else None)
    if leaks is not None:
        predictions = replace(predictions, leaks=leaks)
        if predictions.kind == "classification":
            majority = majority_in_training(model, split.train)
            predictions = replace(predictions, trained_majority=majority)
    return RunResult(
        run,
        trained=predict(model, split.train),
        predictions=predictions,
        notes=(*run.notes, *notes),
    )
