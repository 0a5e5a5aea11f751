"""What the report says of the network and its training."""

import numpy as np

from pellucid.nn.model import Model
from pellucid.ops.losses.base import LOSSES
from pellucid.plotting.network import network_diagram
from pellucid.plotting.training import training_curves
from pellucid.reporting.draft import Draft
from pellucid.reporting.elements import Captioned, Section, Table
from pellucid.reporting.sections.gap import best_epoch
from pellucid.reporting.sections.recipe import (
    first_number,
    is_standardized,
    is_step_by_step,
    least_loss,
    mixes,
    optimizer_in_words,
    recipe_rows,
    smooths,
    x_label,
)
from pellucid.runs.run import Run
from pellucid.text import by, in_seconds, plural
from pellucid.training.constant import constant_loss
from pellucid.types import LayerRow

MOST_COSTS = 26  # in the table
WEIGHTED = ("Dense", "Conv")  # kinds of layers that have an activation function, the identity at least


def layer_rows(model: Model) -> list[LayerRow]:
    """Return the layers, each with its activation by name: that of the loss at the output, "linear" for none."""
    rows = list(model.summary().layers)
    rows = [
        row._replace(activation=row.activation or ("linear" if any(k in row.kind for k in WEIGHTED) else ""))
        for row in rows
    ]
    last = rows[-1]
    if LOSSES[model.loss].gives_probabilities and last.activation == "linear":  # it is in the loss
        kind = "sigmoid" if last.output_shape[-1] == 1 else "softmax"
        rows[-1] = last._replace(activation=kind)
    return rows


def network_section(draft: Draft, run: Run) -> Section:
    """Return the network as a diagram and a table."""
    model, rows = run.model, layer_rows(run.model)
    kinds = [f"{row.kind}, frozen" if row.is_frozen and row.n_params else row.kind for row in rows]
    table = [
        (row.name, kind, by(row.output_shape), row.activation or "–", row.n_params)
        for row, kind in zip(rows, kinds, strict=True)
    ]
    largest = max(rows, key=lambda row: row.n_params)
    is_alone = largest.n_params == model.n_params
    most = (
        f"All {model.n_params:,} parameters"
        if is_alone
        else (f"Most parameters, {largest.n_params:,} of {model.n_params:,},")
    )
    reason = run.config.reason
    return Section(
        "The network",
        intro=(f"Chosen by the data: {run.config.model_name}, {reason}.",) if reason else (),
        figures=(
            draft.add(
                "network",
                network_diagram(rows, input_shape=model.input_shape),
                f"Data flows from left to right{_last_words(rows)}. {most} are in {largest.name}.",
                "A diagram of the layers with their sizes and numbers of parameters.",
            ),
        ),
        table=Table(
            ("Layer", "Kind", "Output", "Activation", "Parameters"),
            table,
            fold=f"Its {len(rows)} layers in a table",
        ),
    )


def _last_words(rows: list[LayerRow]) -> str:
    """Return what the activation of the output does."""
    last = rows[-1].activation
    if last == "softmax":
        return ", and the softmax turns the last numbers into probabilities that add up to 1"
    return ", and the sigmoid turns the last number into a probability" if last == "sigmoid" else ""


def training_section(draft: Draft, run: Run) -> Section:
    """Return how loss and accuracy went over the training, and what ran, by name."""
    history = run.history
    how = optimizer_in_words(run.config.options, run.config.stages)
    epochs = "" if is_step_by_step(run) else f" in {plural(len(history.losses), 'epoch')}"
    word = "Step" if is_step_by_step(run) else "Epoch"
    return Section(
        "Training",
        intro=(f"{plural(history.n_steps, 'step')} of {how}{epochs} took {in_seconds(history.seconds)}.",),
        figures=[_curves(draft, run)] if history.losses else [],
        table=Table(("What", "Here", "Meaning"), recipe_rows(run)),
        parts=(
            Section(
                "The curves in numbers",
                table=Table((word, *_titles(history.columns)), _spread(history.columns, first_number(run))),
                is_folded=True,
            ),
        ),
    )


def _curves(draft: Draft, run: Run) -> Captioned:
    history = run.history
    best, losses, guess = best_epoch(run), history.losses, _guess(run)
    figure = training_curves(
        history.columns,
        x_label=x_label(run),
        first=first_number(run),
        best=best,
        guessing=guess,
        guess="One answer for all" if run.kind == "regression" else "Guessing",
    )
    goes = "falls" if losses[-1] < losses[0] else "goes"
    alt = f"The training loss {goes} from {losses[0]:.3g} to {losses[-1]:.3g}"
    held_out = history.validation_losses
    alt += f", the validation loss from {held_out[0]:.3g} to {held_out[-1]:.3g}." if held_out else "."
    return draft.add("cost", figure, _caption(run, best, guess), alt)


def _caption(run: Run, best: int | None, guess: float | None) -> str:
    """Return how to read the curves, from what ran."""
    history, options, noun = run.history, run.config.options, run.noun
    words = "The loss says how wrong the network is: lower is better"
    words += _guess_in_words(run, guess) + _floor(run)
    if is_step_by_step(run):
        words += f". Each value is of all training {noun}s before the step"
    else:
        words += (
            ". Each training value is the mean over one epoch's batches, while the network goes on learning"
        )
    changed = [
        *(["are changed at random (augmentation)"] if options.augment else []),
        *(["have smoothed labels"] if smooths(run) else []),
    ]
    if changed and history.validation_losses:
        words += (
            f"; the training {noun}s {' and '.join(changed)}, unlike the validation {noun}s, so the training loss "
            "may lie above the other"
        )
    if best is not None:
        unit = "step" if is_step_by_step(run) else "epoch"
        words += f". The {unit} of the lowest validation loss, {best + first_number(run)}, is marked"
    if "accuracy" in history.columns:
        words += f"; both accuracies are measured at the end of an epoch, on unchanged {noun}s"
    if not history.validation_losses:
        words += ". No validation part was held out: with --validation 0.2 its curves stand beside these"
    return words + "."


def _guess(run: Run) -> float | None:
    """Return the loss of equal probabilities for every class, or of one answer for all; None: unknown."""
    model, train = run.model, run.split.train
    if run.kind == "regression":
        return constant_loss(model.loss_function, model.encode(train.y), model.output_shape[-1])
    return float(np.log(len(run.split.classes))) if model.loss.endswith("cross_entropy") else None


def _guess_in_words(run: Run, guess: float | None) -> str:
    if guess is None:
        return ""
    if run.kind != "regression":
        return f", and ln {len(run.split.classes)} = {guess:.2f} is guessing"
    units = "; it is measured in standard deviations of the target, squared" if is_standardized(run) else ""
    return f", and {guess:.3g} is what the best single answer for all {run.noun}s has{units}"


def _floor(run: Run) -> str:
    """Return what keeps the training loss away from 0 however good the network is; "" where nothing does."""
    floor = least_loss(run)
    mixed = mixes(run)
    if floor is None:
        if mixed:
            return f". It cannot reach 0 in training: {mixed} trains on mixtures of two {run.noun}s"
        return ""
    smoothing = run.model.loss_options["label_smoothing"]
    more = (
        f", and {mixed}, which trains on mixtures of two {run.noun}s, keeps it higher still" if mixed else ""
    )
    return (
        f". In training it cannot fall below {floor:.2f}, because labels are smoothed by {smoothing:g} and no "
        f"class is asked for with certainty{more}"
    )


def _titles(columns: dict[str, list[float]]) -> list[str]:
    names = {"loss": "Training loss", "accuracy": "Training accuracy"}
    return [
        names.get(name, name.replace("_", " ").capitalize()) for name, values in columns.items() if values
    ]


def _spread(
    columns: dict[str, list[float]], first: int, most: int = MOST_COSTS
) -> list[tuple[int | str, ...]]:
    """Return the history as rows of a table, the first and the last epoch among them, not too many."""
    kept = [values for values in columns.values() if values]
    n = len(columns["loss"])
    at = np.unique(np.linspace(0, max(n - 1, 0), min(most, n)).round().astype(int))
    return [(int(i) + first, *(f"{values[i]:.6f}" for values in kept)) for i in at]
