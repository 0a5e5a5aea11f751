"""How a network was trained, by name."""

import math
from collections.abc import Sequence

from pellucid.ops.losses.base import LOSSES
from pellucid.registry import options_of
from pellucid.runs.config import Stage
from pellucid.runs.run import Run
from pellucid.text import plural
from pellucid.training.optimizers.base import OPTIMIZERS
from pellucid.training.options import TrainingOptions

NAMES = {
    "sgd": "gradient descent",
    "adam": "Adam",
    "adamw": "AdamW",
    "rmsprop": "RMSprop",
    "adagrad": "AdaGrad",
    "lbfgs": "L-BFGS",
}
CONSTANT = "constant"  # what no schedule at all is
RATES = ("learning_rate", "schedule", "schedule_options")  # what stages differ in


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

    def schedule_of(options: TrainingOptions) -> str:
        return str(options.schedule or CONSTANT).replace("_", "-")

    parts = [f"batches of {options.batch_size}"] if options.batch_size else []
    if stages:
        spans = [f"{schedule_of(own)} up to epoch {until}" for until, own in stages]
        parts.append(f"learning rates in stages ({', '.join(spans)}, then {schedule_of(options)})")
    elif options.schedule is not None:
        parts.append(f"a {schedule_of(options)} schedule")
    name = NAMES.get(str(options.optimizer), str(options.optimizer))
    return f"{name} with {' and '.join(parts)}" if parts else name


FORMS = {"direct": "direct: the weights themselves", "dual": "dual: a coefficient for each training sample"}


def is_step_by_step(run: Run) -> bool:
    """Return whether every epoch was one step on all samples; counted from 0 then, as in the tutorial."""
    return run.history.n_steps == len(run.history.losses)


def x_label(run: Run) -> str:
    """Return what one number of the history belongs to: an epoch, or a step."""
    optimizer = str(run.config.options.optimizer)
    if OPTIMIZERS[optimizer].is_full_batch:
        return f"Iteration of {NAMES.get(optimizer, optimizer)}"
    if is_step_by_step(run):
        return f"Step, each on all {run.noun}s"
    return f"Epoch of {round(run.history.n_steps / max(1, len(run.history.losses)))} steps"


def recipe_rows(run: Run) -> list[tuple[str, str]]:
    """Return how the network was trained, as its options are called: of several stages each one's rates."""
    options, history, stages = run.config.options, run.history, run.config.stages
    table = {
        **options.to_table(),
        "batch_size": options.batch_size or "all samples",
        "form": FORMS.get(history.form, history.form),
        "epochs": f"{len(history.losses):,} ({plural(history.n_steps, 'step')})",
        "loss": run.model.loss,
        "label_smoothing": run.model.loss_config.get("label_smoothing"),
    }
    if run.config.start is not None:
        table["from"] = f"{run.config.model_name}, {run.model._n_frozen:,} parameters frozen"
    if OPTIMIZERS[str(options.optimizer)].is_full_batch:
        table.pop("learning_rate", None)  # it searches for the length of each step
    first = 1
    for until, own in stages:
        rates = ((name, value) for name, value in own.to_table().items() if name in RATES)
        table |= {f"{name}, epochs {first} to {until}": value for name, value in rates}
        first = until + 1
    given = ((name, value) for name, value in table.items() if value or name == "seed")
    return [(name.replace("_", " "), _value(value)) for name, value in given]


def _value(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name.replace('_', ' ')} {_value(one)}" for name, one in value.items())
    return f"{value:g}" if isinstance(value, float) else str(value)


def least_loss(run: Run) -> float | None:
    """Return the least training loss that smoothed labels allow, their entropy; None of labels as they are.

    Of k classes the true one's target is 1 - s + s / k, that of each other s / k.
    """
    smoothing = run.model.loss_config.get("label_smoothing")
    if not smoothing or "label_smoothing" not in options_of(LOSSES[run.model.loss]):
        return None
    k = max(2, len(run.split.classes))
    other = float(smoothing) / k
    true = 1 - (k - 1) * other
    return -(true * math.log(true) + (k - 1) * other * math.log(other))
