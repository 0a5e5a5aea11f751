"""What to try next: what a training's scores and curves leave to be wished for, each with the command to try."""

import math
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from pellucid.data.dataset import Dataset, Split
from pellucid.data.source import DataSource
from pellucid.nn.model import Model
from pellucid.nn.presets import PRETRAINED
from pellucid.nn.pretrained.pretrained import is_there
from pellucid.nn.transfer import RECIPE as TRANSFER
from pellucid.ops.metrics import r_squared
from pellucid.prediction.metrics import metrics_of
from pellucid.prediction.predict import Predictions
from pellucid.runs.run import Run
from pellucid.runs.spelling import check_command, command_line, data_parts
from pellucid.shares import share
from pellucid.stats.intervals import ALPHA, exceeds
from pellucid.stats.paired import mcnemar
from pellucid.text import join_some, plural
from pellucid.training.constant import constant_loss
from pellucid.training.loss_setup import weigh_samples
from pellucid.training.optimizers.base import OPTIMIZERS
from pellucid.training.recipes import RECIPES
from pellucid.training.recommend import Recommendation, recommend

MOST = 3  # pieces of advice
GAP = 0.05  # between training and test score: below it nothing is said of over-fitting
LEARNED = 0.98  # of the best constant prediction's loss: above it nothing was learned
FALLS = 0.03  # of the loss, from one tenth of the training to the next: it still falls
ROSE = 1.1  # times its lowest: a validation loss that has risen since
UNEVEN = 1.5  # samples of the most common class for each of the rarest
FEW_EPOCHS = 3  # after which it is early to judge, where no recipe says how many are usual
MOST_DECAY = 0.1  # of the weights: a stronger one is not advised
PERFECT = 0.99  # a score with nothing left to learn
LOOKED_AT = 500  # samples, to see whether all are alike
STRONGER: Mapping[Any, str] = {None: "photo", "photo": "photo-strong"}  # augmentation


@dataclass(frozen=True)
class Advice:
    """One finding, and the command to try; "" where none helps.

    Examples
    --------
    >>> print(Advice("The training loss still falls.", "pellucid train pets --model cnn --epochs 240"))
    The training loss still falls. Try: pellucid train pets --model cnn --epochs 240
    """

    finding: str
    command: str

    def __str__(self) -> str:
        return f"{self.finding} Try: {self.command}" if self.command else self.finding


def lines_of(advice: Sequence[Advice]) -> list[str]:
    """Return pieces of advice as lines to print, each command on its own line; empty if there is none."""
    pairs = ((f"- {one.finding}", one.command and f"    {one.command}") for one in advice)
    lines = [line for pair in pairs for line in pair if line]
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
    The rules are those of ``RULES``, in their order; the first two say that nothing else can be said. Two findings
    that ask for the same are one. A training that was stopped is not judged.
    """
    if not run.history.is_complete or not run.history.losses:
        return ()
    case, found = _Case(run, test, train, verb), dict[str, Advice]()
    for rule in RULES:
        if (one := rule(case)) is not None:
            found.setdefault(one.command, one)
            if rule in (_all_alike, _learning_rate):
                break
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

    @cached_property
    def suited(self) -> Recommendation | None:
        """The preset and recipe that suit the data."""
        return suited_to(self.run.split)

    @property
    def usual_epochs(self) -> int:
        """The epochs of the recipe, or of that for such data, where it has fewer; without one, what is few."""
        config = self.run.config
        if config.recipe is None:
            return 2 * FEW_EPOCHS
        recipes = [RECIPES[config.recipe]]
        if self.suited is not None and self.suited.model == config.model and config.start is None:
            recipes.append(self.suited.recipe)
        return min(int(one["n_epochs"]) for one in recipes)

    @property
    def is_short(self) -> bool:
        """Whether half of the usual epochs were made, or fewer: too early to judge model and data."""
        return 2 * self.run.options.n_epochs <= self.usual_epochs and not self.is_full_batch

    @property
    def scores(self) -> tuple[float | None, float | None]:
        """The score of the training part and of the test part."""
        name = {"classification": "accuracy", "multi_label": "exact_match"}.get(self.test.kind, "r_squared")
        return self.train.get(name), metrics_of(self.test)[name]  # its file may be damaged

    @property
    def is_own(self) -> bool:
        """Whether all of the model's layers begin from random numbers."""
        return self.run.config.start is None and self.run.config.model != PRETRAINED

    @property
    def regularized(self) -> str:
        """The command against over-fitting: a pretrained body, stronger augmentation, or weight decay; "": none."""
        options = self.run.options
        if self.run.split.train.X.ndim != 4:
            is_weak = 10 * options.weight_decay <= MOST_DECAY
            return self.command(weight_decay=10 * options.weight_decay or MOST_DECAY / 10) if is_weak else ""
        if self.is_own and self.run.source.kind == "folder" and is_there():
            return self.command(model=PRETRAINED)
        if options.augment in STRONGER and not self.is_full_batch:
            return self.command(augment=STRONGER[options.augment])
        return ""

    @cached_property
    def ends(self) -> tuple[float, float, float] | None:
        """The first and the last training loss, and the best constant prediction's; None where it has none."""
        model, data, losses = self.run.model, self.run.split.train, self.run.history.losses
        if self.is_full_batch or model._loss.kind == "joint":
            return None
        weights = weigh_samples(model, data, None, self.run.options.class_weight)
        constant = constant_loss(model._loss, model._encode(data.y), model.output_shape[-1], weights=weights)
        return losses[0], float(np.mean(losses[-max(1, len(losses) // 10) :])), constant

    @property
    def has_risen(self) -> bool:
        """Whether the training loss ended higher than it began, and than that of the best constant prediction."""
        return self.ends is not None and self.ends[1] > max(self.ends[0], self.ends[2])

    @property
    def unlearned(self) -> str | None:
        """That the loss rose, or never fell below that of the best constant prediction; None where it did."""
        if self.ends is None:
            return None
        first, last, constant = self.ends
        if self.has_risen:
            rate = f"learning rate {self.run.options.learning_rate:g}"
            return f"The training loss rose from {first:.3g} to {last:.3g} ({rate})."
        if last > LEARNED * constant:
            return f"The training loss, {last:.3g}, is no better than that of one answer for all, {constant:.3g}."
        return None

    @cached_property
    def gap(self) -> str | None:
        """That training samples are predicted better than test samples by more than chance explains."""
        name = {"classification": "accuracy", "multi_label": "exact_match"}.get(self.test.kind, "R squared")
        (train, test), n = self.scores, len(self.test)
        if train is None or test is None or train - test <= GAP:
            return None
        if self.test.kind == "regression":
            shown, is_clear = (f"{train:.2f}", f"{test:.2f}"), train > test + 2 * GAP
        else:
            n_train = len(self.run.split.train)
            shown = share(train, min(n_train, n)), share(test, n)
            is_clear = exceeds(train, n_train, test, n)
        if not is_clear:
            return None
        return f"Over-fitting: {name.replace('_', ' ')} {shown[0]} in training, {shown[1]} on the test part."


def _all_alike(case: _Case) -> Advice | None:
    """All training samples are the same, as far as it was looked: there is nothing to learn."""
    X, noun = case.run.split.train.X, case.run.noun
    if isinstance(X, dict) or len(X) < 2:
        return None
    some = X[: min(len(X), LOOKED_AT)]
    if not (some == some[:1]).all():
        return None
    return Advice(
        f"The training {noun}s are all alike: there is nothing to learn.", check_command(case.run.source)
    )


def _learning_rate(case: _Case) -> Advice | None:
    """The loss rose, or after a usual training nothing was learned: find a learning rate, or begin more gently."""
    if case.unlearned is None or (case.is_short and not case.has_risen):
        return None
    config = case.run.config
    if config.start is not None or config.unfreeze is not None:
        return Advice(case.unlearned, case.command(learning_rate=config.options.learning_rate / 10))
    return Advice(case.unlearned, command_line("find-lr", config))


def _too_short(case: _Case) -> Advice | None:
    """Few of the usual epochs were made, or the loss was still falling, and there is something left to learn."""
    n, (train, test), history = case.run.options.n_epochs, case.scores, case.run.history
    is_learned = (train or 0.0) > PERFECT and case.run.options.augment is None
    if is_learned or (test or 0.0) > PERFECT or (case.unlearned and not case.is_short):
        return None
    if case.is_short:
        words = f"{plural(n, 'epoch')}, where {case.usual_epochs:,} are usual."
        return Advice(words, case.command(n_epochs=case.usual_epochs))
    part = len(history.losses) // 10
    losses = history.validation_losses or history.losses
    if not part or (train or 0.0) > PERFECT or case.gap:
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
        case.command(n_epochs=2 * n),
    )


def _baseline(case: _Case) -> Advice | None:
    """A class is never predicted: weigh classes. Or the score is no better than one answer: a model that suits."""
    never, counts = unpredicted(case.test), case.run.split.train.counts
    is_uneven = case.test.kind == "classification" and counts.max() > UNEVEN * max(counts.min(), 1)
    if never is not None and is_uneven and case.run.options.class_weight is None:
        return Advice(never, case.command(class_weight="balanced"))
    is_few = case.test.kind == "classification" and case.test.too_few
    words = " ".join(filter(None, (None if is_few else no_better(case.test), never)))
    if not words or case.is_short or case.gap:
        return None
    config, suited = case.run.config, case.suited
    is_given = bool(config.start or config.reason)  # a model to begin from, or chosen for the data
    if suited is not None and suited.model != config.model and not is_given:
        return Advice(words, case.command(model=suited.model))
    if config.freeze is not None:
        return Advice(words, case.command(freeze=None))
    return Advice(f"{words} More {case.run.noun}s may help.", "")


def _over_fitting(case: _Case) -> Advice | None:
    """The validation loss rose again: stop early. Or the test score is below that of training: regularize."""
    held = case.run.history.validation_losses
    if case.unlearned or case.is_short:
        return None
    if case.run.options.patience is None and len(held) >= 5:
        best = int(np.argmin(held))
        if best <= 0.8 * len(held) and held[-1] >= ROSE * held[best]:
            words = f"The validation loss was lowest after epoch {best + 1} of {len(held)} and rose since."
            return Advice(words, case.command(patience=max(3, len(held) // 10)))
    if case.gap is None:
        return None
    more = ""
    if case.run.split.train.X.ndim != 4:
        more = "; then weight decay" if case.regularized else ""
    elif case.is_own:
        more = "; then stronger augmentation and a pretrained body"
    elif case.regularized:
        more = "; then stronger augmentation"
    return Advice(f"{case.gap} More {case.run.noun}s help most{more}.", case.regularized)


RULES = (_all_alike, _learning_rate, _too_short, _baseline, _over_fitting)


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
        is_better = compared.p_value < ALPHA and matrix.accuracy > matrix.baseline
        if is_better or matrix.n_correct == n:
            return None
        if compared.p_value < ALPHA:
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


def suited_to(data: Split | Dataset) -> Recommendation | None:
    """Return the preset and recipe that suit data; None where there are none, of several inputs or outputs."""
    part = data.train if isinstance(data, Split) else data
    return None if isinstance(part.X, dict) or isinstance(part.y, dict) else recommend(data)


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
