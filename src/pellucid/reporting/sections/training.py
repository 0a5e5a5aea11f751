"""What the report says of the network and its training."""

from typing import NamedTuple

import numpy as np

from pellucid.nn.model import Model
from pellucid.ops.losses.base import LOSSES
from pellucid.plotting.network import network_diagram
from pellucid.plotting.training import training_curves
from pellucid.reporting.draft import Draft
from pellucid.reporting.elements import Captioned, Section, Table
from pellucid.reporting.sections.gap import best_epoch
from pellucid.reporting.sections.recipe import (
    is_step_by_step,
    least_loss,
    optimizer_in_words,
    recipe_rows,
    x_label,
)
from pellucid.runs.run import Run
from pellucid.text import by, in_seconds, plural
from pellucid.training.constant import constant_loss
from pellucid.training.features import n_frozen_places
from pellucid.types import LayerRow

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
