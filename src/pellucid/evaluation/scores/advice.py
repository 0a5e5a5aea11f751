"""What to try next: what a training's scores and curves leave to be wished for, each with the command to try."""

from __future__ import annotations

import math
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from pellucid.data.dataset import Dataset
from pellucid.data.source import DataSource
from pellucid.evaluation.scores.estimate_text import CHANCE
from pellucid.nn.model import Model
from pellucid.nn.transfer import RECIPE as TRANSFER
from pellucid.ops.metrics import r_squared
from pellucid.prediction.metrics import metrics_of
from pellucid.prediction.predict import Predictions
from pellucid.runs.run import Run
from pellucid.runs.spelling import command_line, data_parts
from pellucid.shares import share
from pellucid.stats.intervals import wilson_interval
from pellucid.stats.paired import mcnemar
from pellucid.text import join_some, plural
from pellucid.training.constant import constant_loss
from pellucid.training.loss_setup import weigh_samples
from pellucid.training.optimizers.base import OPTIMIZERS
from pellucid.training.recipes import GENERAL, RECIPES
from pellucid.training.recommend import Recommendation, recommend

MOST = 3  # pieces of advice
GAP = 0.05  # between training and test score: below it nothing is said of over-fitting
LEARNED = 0.98  # of the best constant prediction's loss: above it nothing was learned
FALLS = 0.03  # of the loss, from one tenth of the training to the next: it still falls
ROSE = 1.1  # times its lowest: a validation loss that has risen since
UNEVEN = 1.5  # samples of the most common class for each of the rarest
FEW_EPOCHS = 3  # after which it is early to judge a learning rate or the data
MOST_DECAY = 0.1  # of the weights: a stronger one is not advised


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
        """Return it as JSON can hold it."""
        return dict(vars(self))

    def __str__(self) -> str:
        return f"{self.finding} Try: {self.command}"


def lines_of(advice: Sequence[Advice]) -> list[str]:
    """Return pieces of advice as lines to print, each command on its own line; empty if there is none."""
    lines = [line for one in advice for line in (f"- {one.finding}", f"    {one.command}")]
    return ["What to try next:", *lines] if lines else []


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
    The rules are those of ``RULES``, in their order. Two findings that ask for the same are one. A training that
    was stopped is not judged; of one that learned nothing neither over-fitting nor a falling loss is said.
    """
    if not run.history.is_complete or not run.history.losses:
        return ()
    case, found = _Case(run, test, train, verb), dict[str, Advice]()
    for rule in RULES:
        if (one := rule(case)) is not None:
            found.setdefault(one.command, one)
    return tuple(found.values())[:MOST]


@dataclass(frozen=True)
class _Case:
    """A run, its scores, and the commands to try after it."""

    run: Run
    test: Predictions
    train: Mapping[str, Any]
    verb: str

    def command(self, **changes: Any) -> str:
        """Return this run's command with some changes."""
        return command_line(self.verb, self.run.config, **changes)

    @cached_property
    def is_full_batch(self) -> bool:
        """Whether the optimizer has no learning rate."""
        return OPTIMIZERS[str(self.run.options.optimizer)].is_full_batch

    @property
    def is_short(self) -> bool:
        """Whether the training was so short that more epochs come before all else."""
        is_few = self.run.options.n_epochs <= FEW_EPOCHS and self.run.config.unfreeze is None
        return is_few and not self.is_full_batch

    @cached_property
    def suited(self) -> Recommendation | None:
        """The preset and recipe that suit the data."""
        return suited_to(self.run.split.train)

    @property
    def is_suited(self) -> bool:
        """Whether no other model is recommended than the one that ran or that it began from."""
        config, suited = self.run.config, self.suited
        return config.start is not None or suited is None or suited.model == config.model

    @property
    def better(self) -> str:
        """The command that trains the model that suits, or more of it; else the one that looks at the data."""
        if not self.is_suited and self.suited is not None:
            return self.command(model=self.suited.model)
        if self.is_short:
            return self.longer
        if self.run.config.freeze is not None:
            return self.command(freeze=None)
        return " ".join(["pellucid data check", *data_parts(self.run.source)])

    @property
    def regularized(self) -> str:
        """The command against over-fitting: the model that suits the data, augmentation, or a stronger decay."""
        options, has_pictures = self.run.options, self.run.split.train.X.ndim == 4
        if self.is_suited and not self.is_short:
            if has_pictures and options.augment is None and not self.is_full_batch:
                return self.command(augment="photo")
            if not has_pictures and 10 * options.weight_decay <= MOST_DECAY:
                return self.command(weight_decay=10 * options.weight_decay or MOST_DECAY / 10)
        return self.better

    @property
    def longer(self) -> str:
        """The command that trains for as long as is usual, or ten times as long."""
        config = self.run.config
        recipe = RECIPES.get(config.recipe or "", GENERAL)
        if self.suited is not None and self.suited.model == config.model:
            recipe = self.suited.recipe
        usual: int = recipe["n_epochs"]
        return self.command(n_epochs=usual if usual > FEW_EPOCHS else 10 * config.options.n_epochs)

    @cached_property
    def unlearned(self) -> str | None:
        """That the loss rose, or never fell below that of the best constant prediction; None where it did."""
        model, data, options = self.run.model, self.run.split.train, self.run.options
        losses = self.run.history.losses
        if self.is_full_batch or model._loss.kind == "joint":
            return None
        weights = weigh_samples(model, data, None, options.class_weight)
        y, n = model._encode(data.y), model.output_shape[-1]
        constant = constant_loss(model._loss, y, n, weights=weights)
        last = float(np.mean(losses[-max(1, len(losses) // 10) :]))
        if last > max(losses[0], constant):
            rate = f"learning rate {options.learning_rate:g}"
            return f"The training loss rose from {losses[0]:.3g} to {last:.3g} ({rate})."
        if last > LEARNED * constant:
            return f"The training loss, {last:.3g}, is no better than that of one answer for all, {constant:.3g}."
        return None

    @cached_property
    def gap(self) -> str | None:
        """That training samples are predicted better than test samples by more than chance explains."""
        name = {"classification": "accuracy", "multi_label": "exact_match"}.get(self.test.kind, "r_squared")
        train, test, n = self.train[name], metrics_of(self.test)[name], len(self.test)
        if train is None or test is None or train - test <= GAP:
            return None
        if self.test.kind == "regression":
            shown, high = (f"{train:.2f}", f"{test:.2f}"), test + 2 * GAP
        else:
            high = wilson_interval(round(test * n), n)[1]
            shown = share(train, min(len(self.run.split.train), n)), share(test, n)
        if train <= high:
            return None
        return f"Over-fitting: {name.replace('_', ' ')} {shown[0]} in training, {shown[1]} on the test part."


def _learning_rate(case: _Case) -> Advice | None:
    """Nothing was learned: find a learning rate; after few epochs, or from a trained model, change them."""
    if case.unlearned is None:
        return None
    config = case.run.config
    if case.is_short:
        return Advice(case.unlearned, case.longer)
    if config.start is not None or config.unfreeze is not None:
        return Advice(case.unlearned, case.command(learning_rate=config.options.learning_rate / 10))
    return Advice(case.unlearned, command_line("find-lr", config))


def _baseline(case: _Case) -> Advice | None:
    """The test score is no better than one answer for all: take the model that suits, or look at the data."""
    words, never = no_better(case.test), unpredicted(case.test)
    if words is None:
        return None
    words = words if never is None else f"{words} {never}"
    return Advice(words, case.regularized if case.gap else case.better)


def _never_predicted(case: _Case) -> Advice | None:
    """A class that occurs is never predicted: weigh classes where they are uneven."""
    words = unpredicted(case.test)
    if words is None:
        return None
    counts = case.run.split.train.counts
    is_uneven = case.test.kind == "classification" and counts.max() > UNEVEN * max(counts.min(), 1)
    if is_uneven and case.run.options.class_weight is None:
        return Advice(words, case.command(class_weight="balanced"))
    return Advice(words, case.better)


def _over_fitting(case: _Case) -> Advice | None:
    """The validation loss rose again: stop early. Or the test score is below that of training: regularize."""
    held = case.run.history.validation_losses
    if case.unlearned is None and case.run.options.patience is None and len(held) >= 5:
        best = int(np.argmin(held))
        if best <= 0.8 * len(held) and held[-1] >= ROSE * held[best]:
            words = f"The validation loss was lowest after epoch {best + 1} of {len(held)} and rose since."
            return Advice(words, case.command(patience=max(3, len(held) // 10)))
    return None if case.unlearned or case.gap is None else Advice(case.gap, case.regularized)


def _still_falls(case: _Case) -> Advice | None:
    """The loss was still falling when the training ended, and there is something left to learn: train longer."""
    history, part = case.run.history, len(case.run.history.losses) // 10
    losses = history.validation_losses or history.losses
    perfect = case.train.get("accuracy", case.train.get("exact_match", case.train.get("r_squared", 1.0)))
    if not part or perfect > 0.99 or case.gap or case.unlearned:
        return None
    before, last = np.array(losses[-2 * part : -part]), np.array(losses[-part:])
    fall = before.mean() - last.mean()
    noise = 2 * math.sqrt((before.var() + last.var()) / part) if part > 1 else 0.0
    if fall < max(FALLS * abs(before.mean()), noise):
        return None
    which = "validation" if history.validation_losses else "training"
    return Advice(
        f"The {which} loss was still falling at the end, {before.mean():.3g} to {last.mean():.3g} over the last "
        f"{plural(part, 'epoch')}.",
        case.command(n_epochs=2 * case.run.options.n_epochs),
    )


RULES = (_learning_rate, _baseline, _never_predicted, _over_fitting, _still_falls)


def no_better(test: Predictions) -> str | None:
    """Return that a score is not shown to be better than that of one answer for all samples; None where it is.

    The numbers and the test stand in the line of the accuracy.

    Examples
    --------
    >>> y = np.repeat([0, 1], [30, 20])
    >>> always = Predictions("classification", y, np.zeros(50, int), np.zeros((50, 2)), False, ("no", "yes"))
    >>> no_better(always)
    "Not shown to be better than the baseline, always 'no'."
    """
    n = len(test)
    if test.kind == "classification":
        matrix, compared = test.confusion, mcnemar(test.is_correct, test.is_majority)
        is_better = compared.p_value < CHANCE and matrix.accuracy > matrix.baseline
        if is_better or matrix.n_correct == n:
            return None
        if compared.p_value < CHANCE:
            return f"The test accuracy is below the baseline, always {matrix.majority_class!r}."
        return f"Not shown to be better than the baseline, always {matrix.majority_class!r}."
    if test.kind == "multi_label":
        usual = np.rint(test.y_true.mean(axis=0))
        gains = (test.is_correct.astype(float) - (test.y_true == usual)).mean(axis=1)
        words = "The labels' test accuracy is no better than that of the most common answer for each."
    else:
        guesses = test.y_true.mean(axis=0), test.y_pred
        errors = [((test.y_true - guess) ** 2).mean(axis=1) for guess in guesses]
        gains = errors[0] - errors[1]
        words = (
            f"R squared {r_squared(test.y_true, test.y_pred):.2f}, no better than always predicting the mean."
        )
    return None if gains.mean() > 2 * gains.std() / math.sqrt(n) else words


def unpredicted(test: Predictions) -> str | None:
    """Return which classes that occur are never predicted; None where each is."""
    if test.kind == "regression":
        return None
    columns = np.arange(len(test.classes))
    true, predicted = (
        y.astype(bool) if test.kind == "multi_label" else y[:, np.newaxis] == columns
        for y in (test.y_true, test.y_pred)
    )
    never = np.flatnonzero(true.any(axis=0) & ~predicted.any(axis=0))
    return f"Never predicted: {join_some([test.classes[i] for i in never])}." if len(never) else None


def suited_to(data: Dataset) -> Recommendation | None:
    """Return the preset and recipe that suit data; None where there are none, of several inputs or outputs."""
    return None if isinstance(data.X, dict) or isinstance(data.y, dict) else recommend(data)


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
    words = no_better(predictions) or unpredicted(predictions)
    suited = suited_to(data)
    if words is None or suited is None or suited.model == model._recipe:
        return ()
    is_transferred = model._recipe == TRANSFER
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
