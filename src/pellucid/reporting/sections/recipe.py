"""How a network was trained, by name: what ran, and what each of it means."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from pellucid.data.augmentation.augment import augment_preset
from pellucid.data.augmentation.mixing import Blend
from pellucid.ops.losses.base import LOSSES
from pellucid.registry import options_of
from pellucid.runs.config import Stage
from pellucid.runs.run import Run
from pellucid.text import join, percent, plural
from pellucid.training.optimizers.base import OPTIMIZERS
from pellucid.training.options import TrainingOptions

Row = tuple[str, str, str]  # the term, what ran, what it means

NAMES = {
    "sgd": "gradient descent",
    "adam": "Adam",
    "adamw": "AdamW",
    "rmsprop": "RMSprop",
    "adagrad": "AdaGrad",
    "lbfgs": "L-BFGS",
}
_OPTIMIZERS = {
    "sgd": "Each step moves every weight against its gradient, the slope of the loss, times the learning rate.",
    "adam": "Gradient descent with a step size of its own for each weight, from averages of its past gradients.",
    "adamw": "A step size of its own for each weight, from averages of gradients; weight decay apart from them.",
    "rmsprop": "Gradient descent, each weight's step divided by the usual size of its gradient.",
    "adagrad": "Gradient descent, each weight's step divided by the root of the sum of its squared gradients.",
    "lbfgs": "Newton's method with an estimate of the curvature from the last steps, on all samples at once.",
}
_SCHEDULES = {
    "constant": ("constant", "The learning rate stays as it is."),
    "step": ("steps", "The learning rate is multiplied by a factor at fixed intervals of steps."),
    "exponential": ("exponential decay", "The learning rate falls by the same factor at every step."),
    "cosine": ("cosine", "The learning rate falls along half a wave of the cosine, to nearly 0 at the end."),
    "one_cycle": (
        "one-cycle",
        "The learning rate climbs to its peak and then falls far below where it began.",
    ),
    "reduce_on_plateau": (
        "reduced on plateau",
        "The learning rate falls when the loss has stopped improving.",
    ),
}
_LOSSES = {
    "binary_cross_entropy": "Minus the logarithm of the probability that the network gave the true class.",
    "categorical_cross_entropy": "Minus the logarithm of the probability that the network gave the true class.",
    "mean_squared_error": "The mean of the squared differences between predicted and true values.",
    "mean_absolute_error": "The mean of the absolute differences between predicted and true values.",
    "huber": "Squared differences where they are small, absolute ones where they are large.",
}
_SMOOTHING = "The target of the true class is a little below 1, so that the network does not grow too sure."
CONSTANT = "constant"  # what no schedule at all is
_DECAY = "Pulls every weight a little towards 0 at each step, against learning by heart."
_AVERAGE = "The finished network has the weights' moving average over the steps, which wanders less."


def optimizer_in_words(options: TrainingOptions, stages: Sequence[Stage] = ()) -> str:
    """Return how the weights were updated: ``gradient descent``, ``AdamW with batches of 32``.

    Parameters
    ----------
    options : TrainingOptions
    stages : sequence of Stage, optional
        How the epochs before were trained, where the training went on at other learning rates.

    Examples
    --------
    >>> optimizer_in_words(TrainingOptions(n_epochs=3, optimizer="adamw", batch_size=32, schedule="one_cycle"))
    'AdamW with batches of 32 and a one-cycle schedule'
    >>> cycle = TrainingOptions(n_epochs=3, optimizer="adamw", schedule="one_cycle")
    >>> optimizer_in_words(TrainingOptions(n_epochs=5, optimizer="adamw", schedule="constant"), [Stage(3, cycle)])
    'AdamW with learning rates in stages (one-cycle up to epoch 3, then constant)'
    """
    name = NAMES.get(options.optimizer, options.optimizer)
    parts = [f"batches of {options.batch_size}"] if options.batch_size else []
    if stages:
        spans = [
            f"{schedule_name(one.options.schedule or CONSTANT)} up to epoch {one.until}" for one in stages
        ]
        now = schedule_name(options.schedule or CONSTANT)
        parts.append(f"learning rates in stages ({', '.join(spans)}, then {now})")
    elif options.schedule is not None:
        parts.append(f"a {schedule_name(options.schedule)} schedule")
    return f"{name} with {' and '.join(parts)}" if parts else name


def schedule_name(schedule: str) -> str:
    """Return a schedule's name as the field writes it.

    Examples
    --------
    >>> schedule_name("one_cycle"), schedule_name("own")
    ('one-cycle', 'own')
    """
    return _SCHEDULES.get(schedule, (schedule.replace("_", " "), ""))[0]


def is_step_by_step(run: Run) -> bool:
    """Return whether every epoch was one step on all samples."""
    history = run.history
    return history.n_steps == len(history.losses)


def first_number(run: Run) -> int:
    """Return what the history's first number is called: epochs are counted from 1, the tutorial's steps from 0."""
    return 0 if is_step_by_step(run) else 1


def x_label(run: Run) -> str:
    """Return what one number of the history belongs to: an epoch, or a step."""
    if OPTIMIZERS[run.config.options.optimizer].is_full_batch:
        return f"Iteration of {NAMES.get(run.config.options.optimizer, run.config.options.optimizer)}"
    if is_step_by_step(run):
        return f"Step, each on all {run.noun}s"
    per_epoch = round(run.history.n_steps / max(1, len(run.history.losses)))
    return f"Epoch of {per_epoch} steps"


def recipe_rows(run: Run) -> list[Row]:
    """Return how the network was trained: the term, what ran, and what it means, a row each."""
    options, noun = run.config.options, run.noun
    optimizer = NAMES.get(options.optimizer, options.optimizer)
    rows: list[Row] = [
        (
            "Optimizer",
            optimizer + _given(options.optimizer_options),
            _OPTIMIZERS.get(options.optimizer, _first_line(OPTIMIZERS[options.optimizer])),
        ),
        *_start(run),
        *_rates(run),
        _batch(run),
        _epochs(run),
        _loss(run),
    ]
    if options.augment:
        meaning = f"Every {noun} is changed at random each time it is shown: no two epochs show the same one."
        rows.append(("Augmentation", options.augment, meaning))
    if smooths(run):
        rows.append(("Label smoothing", f"{run.model.loss_options['label_smoothing']:g}", _SMOOTHING))
    if options.weight_decay:
        rows.append(("Weight decay", f"{options.weight_decay:g}", _DECAY))
    if options.weight_ema is not None:
        rows.append(("Weight averaging", f"decay {options.weight_ema:g}", _AVERAGE))
    if options.class_weight is not None:
        rows.append(("Class weights", options.class_weight, "Rare classes count as much as common ones."))
    if options.precise_bn:
        meaning = f"Batch norm's means and variances are computed anew at the end, over all training {noun}s."
        rows.append(("Batch-norm statistics", "recomputed", meaning))
    if options.validation is not None:
        meaning = f"Training {noun}s that no step sees, to watch how well it does on new ones."
        rows.append(("Validation", f"{percent(options.validation)} held out", meaning))
    if options.patience is not None:
        meaning = (
            "Stops after this many epochs without a lower validation loss; the best epoch's weights are kept."
        )
        rows.append(("Early stopping", f"patience {options.patience}", meaning))
    if run.history.form == "dual":
        meaning = (
            f"The first layer is computed from the products of the {noun}s with each other (dual form): the same "
            "numbers, with fewer operations."
        )
        rows.append(("First layer", "dual form", meaning))
    rows.append(("Random seed", f"{options.seed}", "The same seed gives the same network again."))
    return rows


def _given(options: Mapping[str, Any]) -> str:
    return "".join(f", {name.replace('_', ' ')} {value}" for name, value in options.items())


def _start(run: Run) -> list[Row]:
    if run.config.start is None:
        return []
    n_frozen = run.model.n_frozen
    meaning = f"Begins with a trained network's weights; {n_frozen:,} of them stay as they are (frozen)."
    return [("Start", run.config.model_name, meaning)]


def _rates(run: Run) -> list[Row]:
    """Return the learning rate, of each stage where there are several."""
    options, stages = run.config.options, run.config.stages
    if not stages:
        return _rate(options)
    rows, first = [], 1
    for until, own in [*stages, Stage(max(len(run.history.losses), stages[-1].until), options)]:
        if until >= first:
            which = f"epoch {until}" if until == first else f"epochs {first} to {until}"
            rows += [(f"{name}, {which}", value, meaning) for name, value, meaning in _rate(own)]
        first = until + 1
    return rows


def _rate(options: TrainingOptions) -> list[Row]:
    if OPTIMIZERS[options.optimizer].is_full_batch:
        return []  # it searches for the length of each step
    rate = f"{options.learning_rate:g}"
    if options.schedule is None:
        return [("Learning rate", f"{rate}, constant", "How far a step moves the weights.")]
    name, meaning = _SCHEDULES.get(options.schedule, (options.schedule.replace("_", " "), ""))
    return [("Learning rate", f"{rate}, {name}{_given(options.schedule_options)}", meaning or "It changes.")]


def _batch(run: Run) -> Row:
    options, noun = run.config.options, run.noun
    if not options.batch_size:
        return "Batch", "the full batch", f"Every step is computed on all {run.noun}s."
    meaning = f"Each step averages the gradient over this many {noun}s, drawn anew each epoch."
    return "Batch", plural(options.batch_size, noun), meaning


def _epochs(run: Run) -> Row:
    n, asked, history = len(run.history.losses), run.config.options.n_epochs, run.history
    what = f"{n:,}" if n == asked else f"{n:,} of {asked:,}"
    return (
        "Epochs",
        what,
        f"Passes over the training {run.noun}s; {plural(history.n_steps, 'step')} in all.",
    )


def _loss(run: Run) -> Row:
    name = run.model.loss
    own = _given(run.config.options.loss_options)
    if is_standardized(run):
        meaning = (
            f"{_LOSSES[name]} Both in standard deviations of the targets: always predicting the mean has 1."
        )
        return "Loss", name.replace("_", " "), meaning
    return "Loss", f"{name.replace('_', ' ')}{own}", _LOSSES.get(name, _first_line(LOSSES[name]))


def smooths(run: Run) -> bool:
    """Return whether the training loss is of smoothed labels."""
    has_option = "label_smoothing" in options_of(LOSSES[run.model.loss])
    return has_option and bool(run.model.loss_options.get("label_smoothing"))


def least_loss(run: Run) -> float | None:
    """Return the least training loss that smoothed labels allow, their entropy; None of labels as they are.

    Of k classes the true one's target is 1 - s + s / k, that of each other s / k.
    """
    if not smooths(run):
        return None
    k = max(2, len(run.split.classes))
    other = float(run.model.loss_options["label_smoothing"]) / k
    true = 1 - (k - 1) * other
    return -(true * math.log(true) + (k - 1) * other * math.log(other))


def mixes(run: Run) -> str:
    """Return what mixes training samples and their targets, ``CutMix``; "" where nothing does."""
    augment = run.config.options.augment
    if not augment:
        return ""
    blends = [type(one).__name__ for one in augment_preset(augment).transforms if isinstance(one, Blend)]
    return join(blends)


def is_standardized(run: Run) -> bool:
    """Return whether the loss is of standardized targets."""
    return bool(run.model.loss_options.get("centre"))


def _first_line(cls: type) -> str:
    """Return the sentence that describes a class of somebody's own."""
    line = (cls.__doc__ or "").strip().splitlines()
    return line[0] if line else cls.__name__
