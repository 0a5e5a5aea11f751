"""What the report says of the network and its training."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from pellucid.nn.blocks import drawn_rows
from pellucid.nn.model import Model
from pellucid.ops.losses.base import LOSSES
from pellucid.plotting.network import network_diagram
from pellucid.plotting.training import training_curves
from pellucid.reporting.draft import Draft
from pellucid.reporting.elements import Captioned, Section, Table
from pellucid.reporting.sections import recipe
from pellucid.reporting.sections.gap import best_epoch
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


def body_in_words(about: Mapping[str, Any]) -> str:
    """Return what is said of the pretrained layers that a model begins with."""
    n_blocks = about.get("n_unfrozen", 0)
    blocks = f"last {plural(n_blocks, 'block')} and its " if n_blocks else ""
    words = (
        f"All but its {blocks}last layer is {about['name']} as it was trained on {about['learned_from']}: what it "
        f"scores is not what these samples alone teach. {about.get('unfreezing', {}).get('headline', '')}"
    )
    return words.strip()


def network_section(draft: Draft, run: Run) -> Section:
    """Return the network as a diagram and a table; pretrained layers are drawn as one."""
    model, rows = run.model, layer_rows(run.model)
    about, n_places = model._summary_of_training.get("body"), model._n_body or n_frozen_places(model)
    intro, drawn = [], drawn_rows(model, rows)
    if run.config.reason:
        intro.append(f"Chosen for the data: {run.config.model_name}, {run.config.reason}.")
    if n_places and about is not None:
        intro.append(body_in_words(about))
        n = sum(len(place._leaves()) for place in model._places[:n_places])
        name, n_params = about["name"], sum(row.n_params for row in rows[:n])
        body = rows[n - 1]._replace(name=name, kind=name, activation="", n_params=n_params, is_structure=True)
        drawn = [body, *rows[n:]]
    sizes = sorted((row.n_params, row.name) for row in drawn if row.n_params)
    caption = "What leaves each layer, and its parameters."
    if drawn[-1].is_structure:
        caption = "One of the equal networks whose mean it is; the last box has the parameters of the others."
    elif len(sizes) > 1 and sizes[-1][0] > sizes[-2][0]:
        caption = f"{sizes[-1][0]:,} of {model.n_params:,} parameters are in {sizes[-1][1]}."
    schema = run.split.schema
    cells = []
    for row in rows:
        kind = f"{row.kind}, frozen" if row.is_frozen and row.n_params else row.kind
        cells.append((row.name, kind, by(row.output_shape), row.activation or "–", row.n_params))
    figure = draft.add(
        "network",
        network_diagram(drawn, input_shape=model.input_shape, inputs=schema.feature_names if schema else ()),
        caption,
        "A diagram of the layers with their sizes and numbers of parameters.",
    )
    header = ("Layer", "Kind", "Output", "Activation", "Parameters")
    table = Table(header, cells, summary=f"Its {len(rows)} layers in a table")
    return Section("The network", intro=intro, figures=(figure,), table=table)


def training_section(draft: Draft, run: Run) -> Section:
    """Return how loss and accuracy went over the training, and what ran, by name."""
    history = run.history
    how = recipe.optimizer_in_words(run.config.options, run.config.stages)
    epochs = "" if recipe.is_step_by_step(run) else f" in {plural(len(history.losses), 'epoch')}"
    return Section(
        "Training",
        intro=(f"{plural(history.n_steps, 'step')} of {how}{epochs} took {in_seconds(history.seconds)}.",),
        figures=[_curves(draft, run)] if history.losses else [],
        table=Table(("Option", "Value"), recipe.recipe_rows(run), summary="The options of the training"),
    )


def _curves(draft: Draft, run: Run) -> Captioned:
    """Return the curves of the training, next to the loss of a constant prediction."""
    history, model, best = run.history, run.model, best_epoch(run)
    losses, held_out, baseline = history.losses, history.validation_losses, None
    if run.kind == "regression":
        constant = constant_loss(model._loss, model._encode(run.split.train.y), model.output_shape[-1])
        baseline = "One answer for all", constant
    elif model.loss.endswith("cross_entropy"):  # equal probabilities for every class
        baseline = "Guessing", float(np.log(len(run.split.classes)))
    first = int(not recipe.is_step_by_step(run))
    x_label = recipe.x_label(run)
    figure = training_curves(history.columns, x_label=x_label, first=first, best=best, baseline=baseline)
    words = ["Lower is better", *(["training: mean over an epoch's batches"] if first else [])]
    if best is not None:
        at = f"{x_label.split()[0].rstrip(',').lower()} {best + first}"
        words.append(f"marked: the lowest validation loss, at {at}")
    if (floor := recipe.least_loss(run)) is not None:
        words.append(f"least possible with smoothed labels: {floor:.2f}")
    alt = f"The training loss goes from {losses[0]:.3g} to {losses[-1]:.3g}"
    alt += f", the validation loss from {held_out[0]:.3g} to {held_out[-1]:.3g}." if held_out else "."
    return draft.add("cost", figure, f"{'; '.join(words)}.", alt)
