"""What the report says of the network and its training."""

import numpy as np

from pellucid.evaluation.scores.of_run import RunResult
from pellucid.nn.model import Model
from pellucid.plotting.network import network_diagram
from pellucid.plotting.training import cost_curve
from pellucid.report.draft import Draft
from pellucid.report.parts import Section, Table
from pellucid.text import by, plural
from pellucid.training.options import TrainingOptions

MOST_POINTS = 500  # of the cost curve
MOST_COSTS = 26  # in the table

NAMES = {
    "sgd": "gradient descent",
    "adam": "Adam",
    "adamw": "AdamW",
    "rmsprop": "RMSprop",
    "adagrad": "AdaGrad",
    "lbfgs": "L-BFGS",
}


def optimizer_in_words(options: TrainingOptions) -> str:
    """Return how the weights were updated: ``gradient descent``, ``AdamW, batches of 32``.

    Examples
    --------
    >>> optimizer_in_words(TrainingOptions(n_epochs=3, optimizer="adamw", batch_size=32))
    'AdamW, batches of 32'
    """
    name = NAMES.get(options.optimizer, options.optimizer)
    return f"{name}, batches of {options.batch_size}" if options.batch_size else name


def network_section(draft: Draft, model: Model) -> Section:
    """Return the network as a diagram and a table."""
    rows = list(model.summary().layers)
    if model.loss == "binary_cross_entropy":  # the sigmoid is in the loss, and belongs in the picture
        rows[-1] = rows[-1]._replace(activation="sigmoid")
    table = [(row.name, by(row.output_shape), row.activation or "none", row.n_params) for row in rows]
    largest = max(rows, key=lambda row: row.n_params)
    return Section(
        "The network",
        intro=("Each layer multiplies by its weights, adds its biases and applies its activation function.",),
        figures=(
            draft.add(
                "network",
                network_diagram(rows, input_shape=model.input_shape),
                f"Data flows from left to right. Most parameters, {largest.n_params:,} of "
                f"{model.theta.size:,}, are in {largest.name}.",
                "A diagram of the layers with their sizes and numbers of parameters.",
            ),
        ),
        table=Table(("Layer", "Output", "Activation", "Parameters"), table),
    )


def training_section(draft: Draft, result: RunResult) -> Section:
    """Return how the cost fell."""
    history, options = result.history, result.config.options
    marks, losses = history.marks(), history.losses
    at = sorted({*range(0, len(losses), max(1, len(losses) // MOST_POINTS)), *marks})
    k = len(result.test.classes)
    figures = []
    if losses:
        caption = (
            "The cost is the mean loss on the training samples: lower is better, and "
            f"ln {k} = {np.log(k):.2f} is guessing. Bumps are steps that went too far."
        )
        curve = cost_curve(at, [losses[i] for i in at], learning_rate=options.learning_rate)
        alt = f"The cost falls from {losses[0]:.3f} to {losses[-1]:.3f}."
        figures.append(draft.add("cost", curve, caption, alt, is_chart=True))
    rate = "" if options.optimizer == "lbfgs" else f" at learning rate {options.learning_rate:g}"
    note = f" ({history.note})." if history.note else "."
    return Section(
        "Training",
        intro=(
            f"{plural(history.n_steps, 'step')} of {optimizer_in_words(options)}{rate} took "
            f"{history.seconds:.2f} s{note}",
        ),
        figures=figures,
        table=Table(("Iteration", "Cost"), _spread(list(marks.items())), fold="The costs in numbers"),
    )


def _spread(marks: list[tuple[int, float]], most: int = MOST_COSTS) -> list[tuple[int, str]]:
    """Return the marks as rows of a table, the first and the last among them, not too many."""
    at = np.unique(np.linspace(0, len(marks) - 1, min(most, len(marks))).round().astype(int))
    return [(marks[i][0], f"{marks[i][1]:.6f}") for i in at]
