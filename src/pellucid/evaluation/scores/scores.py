"""The record of a model's scores on a data set."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pellucid.errors import OptionError
from pellucid.evaluation.scores.advice import Advice, lines_of
from pellucid.evaluation.scores.calibration import Calibration
from pellucid.evaluation.scores.estimate_text import accuracy_line, score_in_words, title_of, with_interval
from pellucid.evaluation.scores.one_vs_rest import ClassScores
from pellucid.plotting.types import Axes
from pellucid.prediction.confusion import ConfusionMatrix
from pellucid.prediction.predict import Predictions
from pellucid.stats.intervals import Estimate
from pellucid.stats.paired import McNemar
from pellucid.text import join, join_some, plural
from pellucid.text_blocks import Block, Result, Table, as_json

CLASS_SCORES = ("accuracy", "recall", "precision", "f1", "roc_auc", "average_precision")
MOST_NAMED = 3  # leaks
MOST_CLASSES = 10  # of a confusion matrix as text


@dataclass(frozen=True, eq=False, repr=False)
class Scores(Result):
    """A model's scores on a data set, each with a confidence interval.

    ``scores["accuracy"]`` is one estimate; ``print(scores)`` shows everything in tables; a notebook shows the same;
    ``scores.plot("roc")`` draws.

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
    about_data : tuple of str
        What a reader must know of the data.
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
    about_data: tuple[str, ...] = ()
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

    in_json = "kind level n_resamples estimates calibration versus_baseline without_leaks headline advice"

    def to_dict(self) -> dict[str, Any]:
        """Return every score, curve and interval as JSON can hold them."""
        counts = {} if self.confusion is None else self.confusion.to_dict()
        labels = {one.name: one.estimates["accuracy"].value for one in self.per_class if one.is_label}
        per_class = {one.name: as_json(one) for one in self.per_class}
        for one in per_class.values():
            del one["name"], one["is_label"]
        return {
            **super().to_dict(),
            "n_samples": len(self),
            **{name: estimate.value for name, estimate in self.estimates.items()},
            # Those intervals are always of 95 %.
            **{name: value for name, value in counts.items() if not name.endswith("_interval")},
            **({"per_label": labels} if labels else {}),
            "per_class": per_class,
            "leaks": as_json(self.predictions.leaks),
            "notes": list(self.about_data),
        }

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

    @property
    def columns(self) -> tuple[str, str]:
        """The heading of the table of scores."""
        return ("score", f"value ({100 * self.level:g} % interval)")

    @property
    def headline(self) -> str:
        """The accuracy beside the baseline's; of other models than classifiers, their main score."""
        if self.confusion is not None:
            return accuracy_line(self.predictions, level=self.level)
        name = "exact_match" if self.kind == "multi_label" else "mean_absolute_error"
        value = score_in_words(name, self[name], len(self))
        return f"{title_of(name)} {value} on {plural(len(self), 'sample')}."

    def to_rows(self) -> list[dict[str, Any]]:
        """Return a row for each score of all samples."""
        return [{"score": name, **estimate.to_dict()} for name, estimate in self.estimates.items()]

    def cells(self, row: dict[str, Any]) -> tuple[str, str]:
        """Return a row as it is printed."""
        name, estimate = row["score"], self[row["score"]]
        in_words = with_interval(estimate) if self.kind == "regression" else ""
        positive = self.predictions.positive
        if name in (of := ("sensitivity", "specificity")) and positive is not None:
            found = self.predictions.classes[positive if name == of[0] else 1 - positive]
            return f"{title_of(name)} ({found!r})", score_in_words(name, estimate, len(self))
        of_mean = " (root mean squared error of the mean)" if in_words and name == "baseline" else ""
        return title_of(name) + of_mean, in_words or score_in_words(name, estimate, len(self))

    def class_table(self) -> Table:
        """Return header and rows: the scores of each class or label."""
        is_label = self.kind == "multi_label"
        names = [name for name in CLASS_SCORES if is_label or name != "accuracy"]
        rows = [
            (
                one.name,
                one.n_samples,
                *(score_in_words(name, one.estimates[name], one.n_samples, to="–") for name in names),
            )
            for one in self.per_class
        ]
        return ("label" if is_label else "class", "samples", *map(title_of, names)), rows

    @property
    def notes(self) -> tuple[str, ...]:
        """How well it is calibrated, leaks, why scores are undefined, and what to know of the data."""
        estimates = [one for each in self.per_class for one in each.estimates.values() if one.reason]
        reasons = dict.fromkeys(one.reason for one in estimates if one.value is None)
        calibrated = () if self.calibration is None else (self.calibration.in_words(),)
        undefined = (f"Undefined (–): {'; '.join(reasons)}.",) if reasons else ()
        return (*calibrated, *self._leaks(), *self.about_data, *undefined)

    def _leaks(self) -> tuple[str, ...]:
        # Of each the first: exact ones lead.
        twins = {leak.test: leak for leak in reversed(self.predictions.leaks)}
        if not twins:
            return ()
        named = join_some([f"{row} = training {twins[row].train}" for row in sorted(twins)], most=MOST_NAMED)
        n_near = sum(leak.kind != "exact" for leak in twins.values())
        near = f"; {n_near} nearly" if n_near else ""
        without = "" if self.without_leaks is None else f" Without: {self.without_leaks.headline}"
        return (
            f"{len(twins)} of {len(self)} test samples in the training part too ({named}{near}).{without}",
        )

    def blocks(self) -> list[Block]:
        """Return the headline, the tables of scores, of classes and of confusions, notes and advice."""
        found: list[Block] = [self.headline, (self.columns, [*map(self.cells, self.to_rows())])]
        if self.per_class:
            found.append(self.class_table())
        matrix = self.confusion
        if matrix is not None and len(matrix.classes) <= MOST_CLASSES:
            rows = zip(matrix.classes, matrix.counts.tolist(), strict=True)
            found.append((("true / predicted", *matrix.classes), [(name, *row) for name, row in rows]))
        return [*found, *self.notes, *lines_of(self.advice)]

    def __repr__(self) -> str:
        name, estimate = next(iter(self.estimates.items()))
        return f"Scores({self.kind}, {len(self)} samples, {name} {estimate.value:.4g})"
