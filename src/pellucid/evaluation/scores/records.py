"""The record of all that can be said of a trained model on a data set: see :mod:`.assessing`."""

from dataclasses import dataclass
from typing import Any

from pellucid.checks.duplicates import Leak
from pellucid.evaluation.scores.calibration import Calibration
from pellucid.evaluation.scores.metrics import Scores
from pellucid.evaluation.scores.one_vs_rest import ClassFigures, curve_to_dict
from pellucid.stats.intervals import Estimate
from pellucid.stats.paired import McNemar


@dataclass(frozen=True, eq=False)
class ScoresWithIntervals:
    """A model's scores on a data set, each with what it may be on other samples of the same kind.

    Attributes
    ----------
    kind : {"classification", "multi_label", "regression"}
    n_samples : int
    level : float
        Of every interval.
    n_resamples : int
        Of every bootstrap.
    estimates : dict of str to Estimate
        Shares have Wilson's interval, all else the percentile interval of the bootstrap. Classification: accuracy,
        baseline (always the commonest class), balanced_accuracy; precision, f1, roc_auc, average_precision as means
        over the classes; brier (summed over the classes, of two only one) and log_loss (of the true class).
        Several labels: label_accuracy, exact_match, and the same means. Quantities: see :mod:`.quantities`.
    evaluation : Evaluation or None
        Of classes: the counts.
    per_class : tuple of ClassFigures
        Each class against the rest, or each label.
    calibration : Calibration or None
        Of the answer given: is what is said with 0.8 right in 80 %?
    beside_baseline : McNemar or None
        Of classes: the model (A) and always the commonest class (B), sample by sample.
    leaks : tuple of Leak
        Samples that are training samples too, exactly or nearly, where the training part is known; a sample may
        have several such twins.
    without_leaks : Assessment or None
        The same without those samples.
    notes : tuple of str
        What a reader must know.
    """

    kind: str
    n_samples: int
    level: float
    n_resamples: int
    estimates: dict[str, Estimate]
    evaluation: Scores | None = None
    per_class: tuple[ClassFigures, ...] = ()
    calibration: Calibration | None = None
    beside_baseline: McNemar | None = None
    leaks: tuple[Leak, ...] = ()
    without_leaks: "ScoresWithIntervals | None" = None
    notes: tuple[str, ...] = ()

    @property
    def per_label(self) -> dict[str, float | None]:
        """Of several labels: the share of samples in which each was answered rightly."""
        return {figures.name: figures.estimates["accuracy"].value for figures in self.per_class}

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON can hold it: plain figures first, then the same with intervals, then curves."""
        plain = {name: estimate.value for name, estimate in self.estimates.items()}
        counts = {} if self.evaluation is None else self.evaluation.to_dict()
        counts = {
            name: value for name, value in counts.items() if not name.endswith("_interval")
        }  # of 95 % always
        labels = {} if self.kind != "multi_label" else {"per_label": self.per_label}
        without = self.without_leaks
        return {
            "kind": self.kind,
            "n_samples": self.n_samples,
            **plain,
            **counts,
            **labels,
            "level": self.level,
            "n_resamples": self.n_resamples,
            "estimates": {name: estimate.to_dict() for name, estimate in self.estimates.items()},
            "per_class": {figures.name: figures.to_dict() for figures in self.per_class},
            "calibration": None if self.calibration is None else curve_to_dict(self.calibration),
            "beside_baseline": None if self.beside_baseline is None else self.beside_baseline.to_dict(),
            "leaks": [leak._asdict() for leak in self.leaks],
            "without_leaks": None if without is None else without.to_dict(),
            "notes": list(self.notes),
        }
