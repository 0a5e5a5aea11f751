"""What the report says of the network and its training."""

import numpy as np

from pellucid.evaluation.scores.of_run import RunResult
from pellucid.nn.model import Model
from pellucid.ops.losses.base import LOSSES
from pellucid.plotting.network import network_diagram
from pellucid.plotting.training import training_curves
from pellucid.report.draft import Draft
from pellucid.report.parts import Captioned, Section, Table
from pellucid.report.sections.gap import best_epoch
from pellucid.report.sections.recipe import is_step_by_step, optimizer_in_words, recipe_rows, smooths, x_label
from pellucid.text import by, plural
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


def network_section(draft: Draft, result: RunResult) -> Section:
    """Return the network as a diagram and a table."""
    model, rows = result.model, layer_rows(result.model)
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
    reason = result.config.reason
    return Section(
        "The network",
        intro=(f"Chosen by the data: {result.config.model_name}, {reason}.",) if reason else (),
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


def training_section(draft: Draft, result: RunResult) -> Section:
    """Return how loss and accuracy went over the training, and what ran, by name."""
    history = result.history
    note = f" ({history.note})." if history.note else "."
    how = optimizer_in_words(result.config.options, result.config.stages)
    epochs = "" if is_step_by_step(result) else f" in {plural(len(history.losses), 'epoch')}"
    word = "Step" if is_step_by_step(result) else "Epoch"
    return Section(
        "Training",
        intro=(f"{plural(history.n_steps, 'step')} of {how}{epochs} took {history.seconds:.2f} s{note}",),
        figures=[_curves(draft, result)] if history.losses else [],
        table=Table(("What", "Here", "Meaning"), recipe_rows(result)),
        parts=(
            Section(
                "The curves in numbers",
                table=Table((word, *_titles(history.columns)), _spread(history.columns)),
                is_folded=True,
            ),
        ),
    )


def _curves(draft: Draft, result: RunResult) -> Captioned:
    history = result.history
    k, best, losses = len(result.split.classes), best_epoch(result), history.losses
    is_entropy = result.kind == "classification" and result.model.loss.endswith("cross_entropy")
    figure = training_curves(
        history.columns, x_label=x_label(result), best=best, guessing=float(np.log(k)) if is_entropy else None
    )
    goes = "falls" if losses[-1] < losses[0] else "goes"
    alt = f"The training loss {goes} from {losses[0]:.3g} to {losses[-1]:.3g}"
    held_out = history.validation_losses
    alt += f", the validation loss from {held_out[0]:.3g} to {held_out[-1]:.3g}." if held_out else "."
    return draft.add("cost", figure, _caption(result, best, is_guessing=is_entropy), alt)


def _caption(result: RunResult, best: int | None, *, is_guessing: bool) -> str:
    """Return how to read the curves, from what ran."""
    history, options, noun = result.history, result.config.options, result.noun
    words = "The loss says how wrong the network is: lower is better"
    if is_guessing:
        k = len(result.split.classes)
        words += f", and ln {k} = {np.log(k):.2f} is guessing"
    if is_step_by_step(result):
        words += f". Each value is of all training {noun}s before the step"
    else:
        words += (
            ". Each training value is the mean over one epoch's batches, while the network goes on learning"
        )
    changed = [
        *(["are changed at random (augmentation)"] if options.augment else []),
        *(["have smoothed labels"] if smooths(result) else []),
    ]
    if changed and history.validation_losses:
        words += (
            f"; the training {noun}s {' and '.join(changed)}, unlike the validation {noun}s, so the training loss "
            "may lie above the other"
        )
    if history.validation_losses:
        unit = "step" if is_step_by_step(result) else "epoch"
        words += f". The {unit} of the lowest validation loss, {best} counted from 0, is marked"
    if "accuracy" in history.columns:
        words += f"; both accuracies are measured at the end of an epoch, on unchanged {noun}s"
    if not history.validation_losses:
        words += ". No validation part was held out: with --validation 0.2 its curves stand beside these"
    return words + "."


def _titles(columns: dict[str, list[float]]) -> list[str]:
    names = {"loss": "Training loss", "accuracy": "Training accuracy"}
    return [
        names.get(name, name.replace("_", " ").capitalize()) for name, values in columns.items() if values
    ]


def _spread(columns: dict[str, list[float]], most: int = MOST_COSTS) -> list[tuple[int | str, ...]]:
    """Return the history as rows of a table, the first and the last epoch among them, not too many."""
    kept = [values for values in columns.values() if values]
    n = len(columns["loss"])
    at = np.unique(np.linspace(0, max(n - 1, 0), min(most, n)).round().astype(int))
    return [(int(i), *(f"{values[i]:.6f}" for values in kept)) for i in at]
