"""The record of a model's scores on a data set."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pellucid.errors import OptionError
from pellucid.evaluation.scores.advice import Advice
from pellucid.evaluation.scores.calibration import Calibration
from pellucid.evaluation.scores.one_vs_rest import ClassScores, curve_to_dict
from pellucid.prediction.confusion import ConfusionMatrix
from pellucid.prediction.predict import Predictions
from pellucid.stats.intervals import Estimate
from pellucid.stats.paired import McNemar
from pellucid.text import join
from pellucid.text_blocks import blocks_as_html, blocks_as_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True, eq=False, repr=False)
class Scores:
    """A model's scores on a data set, each with a confidence interval.

    ``scores["accuracy"]`` is one estimate; ``print(scores)`` says everything in words and a table; a notebook shows
    the same; ``scores.plot("roc")`` draws.

    Attributes
    ----------
    predictions : Predictions
        What was scored.
    level : float
        Of every interval.
    n_resamples : int
        Of every bootstrap.
    estimates : dict of str to Estimate
        Fractions have Wilson's interval, all else the percentile interval of the bootstrap. Classification:
        accuracy, baseline (the majority class), balanced_accuracy; precision, f1, roc_auc, average_precision as
        means over the classes (scikit-learn's macro average); brier (summed over the classes; of two, one) and
        log_loss (of the true class).
        Multi-label: label_accuracy, exact_match, and the same means. Regression: see :mod:`.regression`.
    per_class : tuple of ClassScores
        Each class against the rest, or each label.
    calibration : Calibration or None
        Of the predicted class: are 80 % of those predicted with probability 0.8 correct?
    versus_baseline : McNemar or None
        Classification: the model (A) and the majority-class baseline (B), sample by sample.
    without_leaks : Scores or None
        The same without the samples that are training samples too, where there are any.
    notes : tuple of str
        What a reader must know.
    advice : tuple of Advice
        What to try next; empty where all is well.
    further : tuple of str
        Those of the estimates that were asked for besides: ``evaluate(metrics=...)``.
    """

    predictions: Predictions
    level: float
    n_resamples: int
    estimates: dict[str, Estimate]
    per_class: tuple[ClassScores, ...] = ()
    calibration: Calibration | None = None
    versus_baseline: McNemar | None = None
    without_leaks: Scores | None = None
    notes: tuple[str, ...] = ()
    advice: tuple[Advice, ...] = ()
    further: tuple[str, ...] = ()

    def __getitem__(self, name: str) -> Estimate:
        return self.estimates[name]

    def __len__(self) -> int:
        return len(self.predictions)

    @property
    def kind(self) -> str:
        """``"classification"``, ``"multi_label"`` or ``"regression"``."""
        return self.predictions.kind

    @property
    def confusion(self) -> ConfusionMatrix | None:
        """The confusion matrix of a classifier."""
        return self.predictions.confusion if self.kind == "classification" else None

    @property
    def accuracy(self) -> float:
        """The fraction of samples that a classifier predicts correctly; an OptionError for other models."""
        if self.confusion is None:
            raise OptionError(
                f"scores: a {self.kind.replace('_', '-')} model has {join(list(self.estimates))}."
            )
        return self.confusion.accuracy

    def plot(self, name: str | None = None, *, ax: Any = None) -> Axes:
        """Draw the scores and return the matplotlib axes.

        Parameters
        ----------
        name : str, optional
            "confusion", the default for classes; "roc", the default for labels; "precision-recall",
            "calibration", or "intervals": every score with its interval. Of quantities "predicted": predicted
            over true values.
        ax : matplotlib.axes.Axes, optional
            Where to draw. Default: new axes. Calibration has several of its own.
        """
        from pellucid.evaluation.scores.plot_scores import draw
        from pellucid.plotting.axes import axes_of

        chosen = name or {"classification": "confusion", "multi_label": "roc"}.get(self.kind)
        return axes_of(lambda: draw(self, chosen), ax, what=chosen or "it")

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON can hold it: plain values first, then with intervals, then curves."""
        counts = {} if self.confusion is None else self.confusion.to_dict()
        labels = {one.name: one.estimates["accuracy"].value for one in self.per_class if one.is_label}
        return {
            "kind": self.kind,
            "n_samples": len(self),
            **{name: estimate.value for name, estimate in self.estimates.items()},
            **{
                name: value for name, value in counts.items() if not name.endswith("_interval")
            },  # always 95 %
            **({"per_label": labels} if labels else {}),
            "level": self.level,
            "n_resamples": self.n_resamples,
            "estimates": {name: estimate.to_dict() for name, estimate in self.estimates.items()},
            "per_class": {one.name: one.to_dict() for one in self.per_class},
            "calibration": None if self.calibration is None else curve_to_dict(self.calibration),
            "versus_baseline": None if self.versus_baseline is None else self.versus_baseline.to_dict(),
            "leaks": [leak._asdict() for leak in self.predictions.leaks],
            "without_leaks": None if self.without_leaks is None else self.without_leaks.to_dict(),
            "notes": list(self.notes),
            "advice": [one.to_dict() for one in self.advice],
        }

    def __str__(self) -> str:
        from pellucid.evaluation.scores.text import blocks

        return blocks_as_text(blocks(self))

    def __repr__(self) -> str:
        name, estimate = next(iter(self.estimates.items()))
        return f"Scores({self.kind}, {len(self)} samples, {name} {estimate.value:.4g})"

    def _repr_html_(self) -> str:
        from pellucid.evaluation.scores.text import blocks

        return blocks_as_html(blocks(self))
