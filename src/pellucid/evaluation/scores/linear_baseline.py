"""Next to a network of a table: what a linear model of the same columns scores, on the same test rows."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from pellucid.data.preprocess import Preprocessing
from pellucid.nn.model import Model
from pellucid.nn.presets import LINEAR, n_outputs_for, preset
from pellucid.ops.metrics import r_squared
from pellucid.prediction.predict import Predictions, predict
from pellucid.runs.run import Run
from pellucid.shares import share
from pellucid.stats.intervals import ALPHA
from pellucid.stats.paired import mcnemar
from pellucid.text import p_in_words
from pellucid.training.fit import fit
from pellucid.training.options import TrainingOptions
from pellucid.training.recipes import RECIPES

KEPT = ("seed", "class_weight", "kernels")  # options of the run that a linear model is trained by


@dataclass(frozen=True)
class LinearBaseline:
    """What a network and a linear model score on a test part.

    Attributes
    ----------
    metric : {"accuracy", "r_squared"}
    network, linear : float
        R squared is NaN where all targets are the same.
    n_samples : int
    p_value : float or None
        Of no difference: McNemar's exact test for classes, a paired t test of the squared errors for numbers. None
        where no row differs.
    """

    metric: str
    network: float
    linear: float
    n_samples: int
    p_value: float | None

    @property
    def verdict(self) -> str:
        """``"better"`` or ``"worse"``, as a network; ``""`` where the difference may be chance."""
        if self.p_value is None or self.p_value >= ALPHA:
            return ""
        return "better" if self.network > self.linear else "worse"

    @property
    def headline(self) -> str:
        """The linear model's score, and whether the network's differs.

        Examples
        --------
        >>> LinearBaseline("accuracy", 0.80, 0.75, 200, 0.31).headline
        'A linear model scores 75.0 % on the test rows; the network is not shown to be better (p = 0.31).'
        """
        what = share(self.linear, self.n_samples) if self.metric == "accuracy" else f"R² {self.linear:.3f}"
        how = "" if self.p_value is None else f" ({p_in_words(self.p_value)})"
        verdict = (
            f"the network is {self.verdict}{how}"
            if self.verdict
            else f"the network is not shown to be better{how}"
        )
        return f"A linear model scores {what} on the test rows; {verdict}."


def is_linear(model: Model) -> bool:
    """Return whether a model is one layer of weights.

    Examples
    --------
    >>> [is_linear(preset(name)) for name in ("linear", "logistic", "mlp-small")]
    [True, True, False]
    """
    return sum(hasattr(leaf, "units") for leaf in model._leaves()) <= 1


def linear_baseline(run: Run) -> LinearBaseline | None:
    """Train a linear model on the rows of a run, and compare the two on its test part.

    Parameters
    ----------
    run : Run

    Returns
    -------
    LinearBaseline or None
        None where the data are no table, the model is itself linear, or predicts several labels or numbers a row.

    Notes
    -----
    Logistic regression, or ridge regression, of the standardized columns, its penalty chosen by the loss of five
    held-out folds; with the class weights of the run.
    """
    train, test = run.split.train, run.split.test
    if run.split.schema is None or run.kind == "multi_label" or train.y.ndim > 1 or is_linear(run.model):
        return None
    model = preset(LINEAR, n_outputs=n_outputs_for(train))
    model.preprocessing = Preprocessing.standardize(train.X, run.split.schema.is_measured)
    kept: dict[str, Any] = {name: getattr(run.options, name) for name in KEPT}
    fit(model, train, TrainingOptions.resolve(RECIPES[LINEAR], **kept))
    return compared(run.test_predictions, predict(model, test))


def compared(network: Predictions, linear: Predictions) -> LinearBaseline:
    """Return what two models score on the same samples."""
    n = len(network)
    if network.kind == "classification":
        ours, theirs = network.is_correct, linear.is_correct
        p_value = mcnemar(ours, theirs).p_value if (ours != theirs).any() else None
        return LinearBaseline("accuracy", float(ours.mean()), float(theirs.mean()), n, p_value)
    y = network.y_true
    scores = [r_squared(y, one.y_pred) for one in (network, linear)]
    squares = [((one.y_pred - y) ** 2).reshape(n, -1).mean(axis=1) for one in (network, linear)]
    difference, p_value = squares[0] - squares[1], None
    if n >= 2 and np.ptp(difference) > 0:  # a paired t test
        from scipy.stats import ttest_1samp

        p_value = float(ttest_1samp(difference, 0.0).pvalue)
    return LinearBaseline("r_squared", scores[0], scores[1], n, p_value)
