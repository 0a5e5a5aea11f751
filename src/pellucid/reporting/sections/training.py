"""What the report says of the network, of how it was trained, and of the gap between training and new samples."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from pellucid.evaluation.scores.advice import GAP
from pellucid.evaluation.scores.scores import Scores
from pellucid.nn.model import Model
from pellucid.ops.losses.base import LOSSES
from pellucid.plotting.diagrams import network_diagram
from pellucid.plotting.training import training_curves
from pellucid.prediction.metrics import metrics_of
from pellucid.registry import options_of
from pellucid.reporting.draft import Draft
from pellucid.reporting.elements import Captioned, Section, Table
from pellucid.runs.config import Stage
from pellucid.runs.run import Run
from pellucid.shares import share
from pellucid.stats.intervals import wilson_interval
from pellucid.text import by, in_seconds, plural
from pellucid.training.constant import constant_loss
from pellucid.training.features import n_frozen_places
from pellucid.training.optimizers.base import OPTIMIZERS
from pellucid.training.options import TrainingOptions
from pellucid.types import LayerRow

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
    parts = [f"batches of {options.batch_size}"] if options.batch_size else []
    now = str(options.schedule or CONSTANT).replace("_", "-")
    if stages:
        spans = [
            f"{str(each.schedule or CONSTANT).replace('_', '-')} up to epoch {until}"
            for until, each in stages
        ]
        parts.append(f"learning rates in stages ({', '.join(spans)}, then {now})")
    elif options.schedule is not None:
        parts.append(f"a {now} schedule")
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
    }
    table |= {
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
        own_table = own.to_table()
        table |= {
            f"{name}, epochs {first} to {until}": own_table[name] for name in RATES if name in own_table
        }
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


WEIGHTED = ("Dense", "Conv")  # kinds of layers that have an activation function, the identity at least


def layer_rows(model: Model) -> list[LayerRow]:
    """Return the layers, each with its activation by name: that of the loss at the output, "linear" for none."""
    rows = [
        row._replace(activation=row.activation or ("linear" if any(k in row.kind for k in WEIGHTED) else ""))
        for row in model.summary().layers
    ]
    last = rows[-1]
    if LOSSES[model.loss].gives_probabilities and last.activation == "linear":  # it is in the loss
        kind = "sigmoid" if last.output_shape[-1] == 1 else "softmax"
        rows[-1] = last._replace(activation=kind)
    return rows


class BodyWords(NamedTuple):
    """What is said of the pretrained layers that a model begins with."""

    name: str
    n_leaves: int
    words: str


def body_of(model: Model) -> BodyWords | None:
    """Return what is said of a model's pretrained layers; None where it has none."""
    about = model._summary_of_training.get("body")
    n_places = model._n_body or n_frozen_places(model)
    if not n_places or about is None:
        return None
    n_leaves = sum(len(place._leaves()) for place in model._places[:n_places])
    n_blocks = about.get("n_unfrozen", 0)
    part = (
        f"All but its last {plural(n_blocks, 'block')} and its last layer"
        if n_blocks
        else "All but its last layer"
    )
    words = (
        f"{part} is {about['name']} as it was trained on {about['learned_from']}: what it scores is not what these "
        f"samples alone teach. {about.get('unfreezing', {}).get('headline', '')}"
    )
    return BodyWords(about["name"], n_leaves, words.strip())


def network_section(draft: Draft, run: Run) -> Section:
    """Return the network as a diagram and a table."""
    model, rows, reason = run.model, layer_rows(run.model), run.config.reason
    body = body_of(model)
    drawn = rows
    if body is not None:  # drawn as one layer
        n_params = sum(row.n_params for row in rows[: body.n_leaves])
        last = rows[body.n_leaves - 1]
        one = last._replace(name=body.name, kind=body.name, activation="", n_params=n_params)
        drawn = [one, *rows[body.n_leaves :]]
    largest = max(drawn, key=lambda row: row.n_params)
    table = [
        (
            row.name,
            f"{row.kind}, frozen" if row.is_frozen and row.n_params else row.kind,
            by(row.output_shape),
            row.activation or "–",
            row.n_params,
        )
        for row in rows
    ]
    return Section(
        "The network",
        intro=(
            *((f"Chosen by the data: {run.config.model_name}, {reason}.",) if reason else ()),
            *(() if body is None else (body.words,)),
        ),
        figures=(
            draft.add(
                "network",
                network_diagram(drawn, input_shape=model.input_shape),
                f"{largest.n_params:,} of {model.n_params:,} parameters are in {largest.name}.",
                "A diagram of the layers with their sizes and numbers of parameters.",
            ),
        ),
        table=Table(
            ("Layer", "Kind", "Output", "Activation", "Parameters"),
            table,
            summary=f"Its {len(rows)} layers in a table",
        ),
    )


def training_section(draft: Draft, run: Run) -> Section:
    """Return how loss and accuracy went over the training, and what ran, by name."""
    history = run.history
    how = optimizer_in_words(run.config.options, run.config.stages)
    epochs = "" if is_step_by_step(run) else f" in {plural(len(history.losses), 'epoch')}"
    return Section(
        "Training",
        intro=(f"{plural(history.n_steps, 'step')} of {how}{epochs} took {in_seconds(history.seconds)}.",),
        figures=[_curves(draft, run)] if history.losses else [],
        table=Table(("Option", "Value"), recipe_rows(run), summary="The options of the training"),
    )


def _curves(draft: Draft, run: Run) -> Captioned:
    history, best = run.history, best_epoch(run)
    losses, held_out, guess = history.losses, history.validation_losses, None
    model, train = run.model, run.split.train
    if run.kind == "regression":  # the loss of one answer for all
        guess = constant_loss(model._loss, model._encode(train.y), model.output_shape[-1])
    elif model.loss.endswith("cross_entropy"):  # of equal probabilities for every class
        guess = float(np.log(len(run.split.classes)))
    figure = training_curves(
        history.columns,
        x_label=x_label(run),
        first=int(not is_step_by_step(run)),
        best=best,
        guessing=guess,
        guess="One answer for all" if run.kind == "regression" else "Guessing",
    )
    words = [
        "Lower is better"
        if is_step_by_step(run)
        else "Lower is better; training: mean over an epoch's batches"
    ]
    if best is not None:
        words.append(f"marked: the lowest validation loss ({best + (not is_step_by_step(run))})")
    if (floor := least_loss(run)) is not None:
        words.append(f"least possible with smoothed labels: {floor:.2f}")
    alt = f"The training loss goes from {losses[0]:.3g} to {losses[-1]:.3g}"
    alt += f", the validation loss from {held_out[0]:.3g} to {held_out[-1]:.3g}." if held_out else "."
    return draft.add("cost", figure, f"{'; '.join(words)}.", alt)


FALLS_BY = 0.03  # of the lowest validation loss: a later rise by more is told


def best_epoch(run: Run) -> int | None:
    """Return the epoch of the lowest validation loss, its place in the history; None where none was measured."""
    losses = run.history.validation_losses
    return int(np.nanargmin(losses)) if losses and np.isfinite(losses).any() else None


def gap_line(run: Run, scores: Scores | None = None) -> str:
    """Return the errors on training samples and on others, and what they say together.

    The others are validation samples where the history has their accuracy, else the test part. Of a regression,
    ``scores`` are needed.
    """
    if scores is not None and run.kind == "regression":
        name, trained = "root_mean_squared_error", metrics_of(run.train_predictions)
        test, train, baseline = scores[name], trained[name], trained["baseline"]
        words = f"root mean squared error {train:.3g} in training, {test.value:.3g} on the test {run.noun}s"
        is_over, is_under = test.low is not None and train < test.low, train >= baseline
        is_chance = not is_over
    else:
        train, other, (_, high), n, part = _accuracies(run)
        digits, counts = min(len(run.split.train), n), run.split.train.counts
        errors = share(1 - train, digits), share(1 - other, digits)
        words = f"{errors[0]} errors in training, {errors[1]} on {plural(n, f'{part} {run.noun}')}"
        is_over, is_under = train > high and train - other >= GAP, train <= counts.max() / counts.sum()
        is_chance = other < train <= high
    if is_over:
        return f"Over-fitting: {words}{_best(run)}."
    if is_under:
        return f"Under-fitting: {words}; the baseline does as well in training."
    if run.kind == "classification" and run.test_predictions.too_few:
        return f"Whether it over-fits cannot be told: {words}."
    return f"No over-fitting{' beyond chance' if is_chance else ''}: {words}."


def _accuracies(run: Run) -> tuple[float, float, tuple[float, float], int, str]:
    """Return the accuracies on training samples and on others, the interval of the latter, and what these are."""
    columns, options = run.history.columns, run.config.options
    if (
        columns.get("accuracy")
        and columns.get("validation_accuracy")
        and isinstance(options.validation, float | int)
    ):
        at = best_epoch(run) if options.patience is not None else None  # whose weights were kept
        at = len(columns["accuracy"]) - 1 if at is None else at
        train, other = columns["accuracy"][at], columns["validation_accuracy"][at]
        n = math.ceil(options.validation * len(run.split.train))
        return train, other, wilson_interval(round(other * n), n), n, "validation"
    test = run.test_confusion
    return run.train_confusion.accuracy, test.accuracy, test.accuracy_interval, test.n_samples, "test"


def _best(run: Run) -> str:
    """Return where the validation loss was lowest, if it rose since."""
    best, losses = best_epoch(run), run.history.validation_losses
    if best is None or not losses[-1] > (1 + FALLS_BY) * losses[best]:
        return ""
    kept = ", whose weights were kept" if run.config.options.patience is not None else ""
    word = "step" if is_step_by_step(run) else "epoch"
    return f"; lowest validation loss at {word} {best + (not is_step_by_step(run))}{kept}"
