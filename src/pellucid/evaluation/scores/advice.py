"""What to try next: what a training's scores and curves leave to be wished for, each with the command to try."""

from __future__ import annotations

import math
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from pellucid.data.dataset import Dataset
from pellucid.data.source import DataSource
from pellucid.evaluation.scores.against_baseline import against_constant, unpredicted
from pellucid.evaluation.scores.cures import Cures, suited_to
from pellucid.nn.model import Model
from pellucid.nn.transfer import RECIPE as TRANSFER
from pellucid.ops.metrics import r_squared
from pellucid.prediction.predict import Predictions
from pellucid.runs.run import Run
from pellucid.runs.spelling import data_parts
from pellucid.shares import share
from pellucid.stats.intervals import wilson_interval
from pellucid.text import plural
from pellucid.training.constant import constant_loss
from pellucid.training.loss_setup import weigh_samples

MOST = 3  # pieces of advice
GAP = 0.05  # between training and test score: below it nothing is said of over-fitting
LEARNED = 0.98  # of the best constant prediction's loss: above it nothing was learned
LOW = 0.9  # training accuracy: below it the network does not even fit its own samples
FITS = 0.5  # R squared of the training part, likewise
FALLS = 0.03  # of the loss, from one tenth of the training to the next: it still falls
ROSE = 1.1  # times its lowest: a validation loss that has risen since
UNEVEN = 1.5  # samples of the most common class for each of the rarest


@dataclass(frozen=True)
class Advice:
    """One finding, and the command to try.

    Examples
    --------
    >>> print(Advice("The training loss still falls.", "pellucid train pets --model cnn --epochs 240"))
    The training loss still falls. Try: pellucid train pets --model cnn --epochs 240
    """

    finding: str
    command: str

    def to_dict(self) -> dict[str, str]:
        """Return both as JSON can hold them."""
        return asdict(self)

    def __str__(self) -> str:
        return f"{self.finding} Try: {self.command}"


def lines_of(advice: Sequence[Advice]) -> list[str]:
    """Return pieces of advice as lines to print, each command on its own line; empty if there is none."""
    if not advice:
        return []
    return [
        "What to try next:",
        *(line for one in advice for line in (f"- {one.finding}", f"    {one.command}")),
    ]


def advise(
    run: Run, test: Predictions, train: Mapping[str, Any], *, verb: str = "train"
) -> tuple[Advice, ...]:
    """Return what to try after a training, most useful first, three at most; nothing where all is well.

    Parameters
    ----------
    run : Run
    test : Predictions
        Of the test part.
    train : mapping
        The scores of the training part: see :func:`pellucid.prediction.metrics.metrics_of`.
    verb : {"train", "run"}, optional
        The command that trains.

    Notes
    -----
    In this order: the loss rose or nothing was learned, which a learning rate may cure, or after up to three epochs
    more of them; the score cannot be told
    from that of one answer for all; a class is never predicted; the network over-fits, or does not fit; the loss
    still falls. Two findings that ask for the same are one. A training that was stopped is not judged.
    """
    if not run.history.is_complete or not run.history.losses:
        return ()
    found: dict[str, Advice] = {}
    for one in _Findings(run, test, train, Cures(run, verb)).all():
        found.setdefault(one.command, one)
    return tuple(found.values())[:MOST]


@dataclass(frozen=True)
class _Findings:
    run: Run
    test: Predictions
    train: Mapping[str, Any]
    cures: Cures

    def all(self) -> Iterator[Advice]:
        """Yield every finding, the most useful first."""
        broken = self.too_short() if self.cures.is_short else self.learning_rate()
        if broken is not None:
            yield broken
        for finding in (self.baseline, self.never_predicted):
            if (found := finding()) is not None:
                yield found
        if broken is None:
            for finding in (self.past_its_best, self.over_fitting, self.under_fitting, self.still_falls):
                if (found := finding()) is not None:
                    yield found

    def too_short(self) -> Advice | None:
        """Nothing was learned, or the loss rose, in so few epochs that more of them come first."""
        losses, constant = self.run.history.losses, self.constant
        if self.cures.is_full_batch or constant is None or losses[-1] <= LEARNED * constant:
            return None
        return Advice(
            f"The training loss after {plural(len(losses), 'epoch')}, {losses[-1]:.3g}, is no better than that of "
            f"one answer for all, {constant:.3g}: that is too short a training to judge by.",
            self.cures.longer,
        )

    def learning_rate(self) -> Advice | None:
        """The loss rose, or never fell below that of the best constant prediction."""
        losses, rate = self.run.history.losses, self.run.options.learning_rate
        last, constant = float(np.mean(losses[-max(1, len(losses) // 10) :])), self.constant
        if self.cures.is_full_batch:
            return None
        find = self.cures.search
        if len(losses) > 1 and last > losses[0] and (constant is None or last > constant):
            return Advice(
                f"The training loss rose from {losses[0]:.3g} to {last:.3g}: learning rate {rate:g} is too high.",
                find,
            )
        if constant is not None and last > LEARNED * constant:
            return Advice(
                f"The training loss, {last:.3g}, is no better than that of one answer for all, {constant:.3g}: "
                f"nothing was learned. The learning rate {rate:g} may be wrong.",
                find,
            )
        return None

    def baseline(self) -> Advice | None:
        """The test score cannot be told from that of the best constant answer."""
        words = against_constant(self.test)
        is_at_a_loss = (
            self.cures.recommended is None and self.cures.freeze is None and not self.cures.is_short
        )
        if words is not None and is_at_a_loss and not self.fits and not self.cures.is_full_batch:
            return Advice(f"{words} Nor does it fit the training part.", self.cures.search)
        return (
            None
            if words is None
            else Advice(words, self.cures.regularized if self.gap else self.cures.better)
        )

    def never_predicted(self) -> Advice | None:
        """A class that occurs is never predicted."""
        words = unpredicted(self.test)
        if words is None:
            return None
        counts = self.run.split.train.counts
        is_uneven = self.test.kind == "classification" and counts.max() > UNEVEN * max(counts.min(), 1)
        if is_uneven and self.run.options.class_weight is None:
            return Advice(words, self.cures.command(class_weight="balanced"))
        return Advice(words, self.cures.better)

    def past_its_best(self) -> Advice | None:
        """The validation loss was lowest long before the end."""
        held, options = self.run.history.validation_losses, self.run.options
        if options.patience is not None or len(held) < 5:
            return None
        best = int(np.argmin(held))
        if best > 0.8 * len(held) or held[-1] < ROSE * held[best]:
            return None
        words = f"The validation loss was lowest after epoch {best + 1} of {len(held)} and rose since."
        return Advice(words, self.cures.command(patience=max(3, len(held) // 10)))

    def over_fitting(self) -> Advice | None:
        """Training samples are predicted much better than test samples."""
        gap = self.gap
        if gap is None:
            return None
        name, train, test = gap
        shown = f"{train:.2f}", f"{test:.2f}"
        if self.test.kind != "regression":
            n = min(len(self.run.split.train), len(self.test))
            shown = share(train, n), share(test, n)
        words = (
            f"The {name} is {shown[0]} on the training part and {shown[1]} on the test part: over-fitting."
        )
        return Advice(words, self.cures.regularized)

    def under_fitting(self) -> Advice | None:
        """Not even training samples are predicted well, although another model, or more of it, may do better."""
        can_be_better = self.cures.recommended is not None or self.cures.freeze is not None
        if self.test.kind != "classification" or self.fits or not can_be_better:
            return None
        right = share(self.train["accuracy"], len(self.run.split.train))
        words = f"Only {right} of its own training samples are classified correctly."
        if self.cures.freeze is not None:
            words += f" Layers up to {self.cures.freeze} are frozen."
        return Advice(words, self.cures.better)

    def still_falls(self) -> Advice | None:
        """The loss was still falling when the training ended, and there is something left to learn."""
        history, n = self.run.history, len(self.run.history.losses)
        losses = history.validation_losses or history.losses
        part = n // 10
        perfect = self.train.get("accuracy", self.train.get("exact_match", self.train.get("r_squared", 1.0)))
        if not part or perfect > 0.99 or self.gap is not None:
            return None
        before, last = np.array(losses[-2 * part : -part]), np.array(losses[-part:])
        fall = before.mean() - last.mean()
        noise = 2 * math.sqrt((before.var() + last.var()) / part)
        if fall < max(FALLS * abs(before.mean()), noise if part > 1 else 0.0):
            return None
        words = "The validation loss" if history.validation_losses else "The training loss"
        return Advice(
            f"{words} was still falling at the end, {before.mean():.3g} to {last.mean():.3g} over the last "
            f"{plural(part, 'epoch')}.",
            self.cures.command(n_epochs=2 * self.run.options.n_epochs),
        )

    @cached_property
    def constant(self) -> float | None:
        """The training loss of the best constant prediction; None of several outputs."""
        model, data, options = self.run.model, self.run.split.train, self.run.options
        if model.loss_kind == "joint":
            return None
        weights = weigh_samples(model, data, None, options.class_weight)
        return constant_loss(
            model.loss_function, model.encode(data.y), model.output_shape[-1], weights=weights
        )

    @cached_property
    def gap(self) -> tuple[str, float, float] | None:
        """The score, on the training and the test part, where they differ by more than chance explains."""
        if self.test.kind == "classification":
            matrix = self.test.confusion
            name, train, test, high = (
                "accuracy",
                self.train["accuracy"],
                matrix.accuracy,
                matrix.accuracy_interval[1],
            )
        elif self.test.kind == "multi_label":
            n_right = int(self.test.is_correct.all(axis=1).sum())
            name, train, test = "exact match", self.train["exact_match"], n_right / len(self.test)
            high = wilson_interval(n_right, len(self.test))[1]
        else:
            name, train, test = (
                "R squared",
                self.train["r_squared"],
                r_squared(self.test.y_true, self.test.y_pred),
            )
            high = test + 2 * GAP
        return (name, train, test) if train > high and train - test > GAP else None

    @property
    def fits(self) -> bool:
        """Whether at least the training samples are predicted well."""
        if self.test.kind == "regression":
            return bool(self.train["r_squared"] >= FITS)
        return bool(self.train.get("accuracy", 1.0) >= LOW)


def advise_model(
    model: Model,
    predictions: Predictions,
    data: Dataset,
    source: DataSource | None = None,
    path: Path | None = None,
) -> tuple[Advice, ...]:
    """Return what to try where only a model and its predictions are known.

    Parameters
    ----------
    model : Model
    predictions : Predictions
    data : Dataset
        What the model is for: of the kind, size and number of the samples that it is trained on.
    source : DataSource, optional
        Their name, for a command; default: the call in Python.
    path : Path, optional
        The model's file or run folder, likewise.
    """
    findings = (against_constant(predictions), unpredicted(predictions))
    words = next((found for found in findings if found is not None), None)
    suited = suited_to(data)
    if words is None or suited is None or suited.model == model.recipe:
        return ()
    is_transferred = model.recipe == TRANSFER
    if source is not None:
        begin = (
            ["--model", suited.model]
            if not is_transferred or path is None
            else ["--start", shlex.quote(str(path))]
        )
        return (Advice(words, " ".join(["pellucid train", *data_parts(source), *begin])),)
    if is_transferred:  # nothing in the copy is frozen
        return (Advice(words, "pl.train(pl.transfer(model, data), data)"),)
    size = "" if len(predictions.classes) == 2 else f", {len(predictions.classes)}"
    if predictions.kind != "classification":
        size = f", n_outputs={predictions.y_true.shape[1]}"
    return (Advice(words, f'pl.train(pl.preset("{suited.model}"{size}), data)'),)
