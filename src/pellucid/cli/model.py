"""The edge of ``pellucid model``."""

import sys
from typing import TYPE_CHECKING, Any

from pellucid.cli import options as o
from pellucid.cli.command import command, group
from pellucid.cli.flags import KERNELS, options
from pellucid.cli.terminal import Answer, Line, columns, names_and_words
from pellucid.text import scaled

if TYPE_CHECKING:
    from pellucid.nn.summary import Summary

group("model", order=140, short_help="Look at networks, and check their gradients.")


@command("model list", order=140.1, short_help="The presets.")
def model_list() -> Answer:
    """The presets."""
    from pellucid.nn.presets import PRESETS

    return names_and_words(PRESETS)


@command(
    "model show", order=140.2, short_help="Layers, shapes, parameters, operations and bytes of a network."
)
def model_show(*, source: str = o.ANY_MODEL, input_shape: tuple[int, ...] | None = o.INPUT_SHAPE) -> Answer:
    """Layers, shapes, parameters, operations and bytes of a network."""
    from pellucid.workflows.model import show

    table = show(source, input_shape=input_shape)
    return Answer(table, summary_lines(table), summary_lines(table, has_note=False))


def summary_lines(table: "Summary", *, has_note: bool = True) -> list[Any]:
    """Return what is printed of a summary: numbers in three digits and no bytes of parameters where it is wide."""
    lines = table.text(has_note=has_note).splitlines()
    if not sys.stdout.isatty() or max(map(len, lines)) <= columns():
        return [*map(Line, lines)]
    from pellucid.nn.summary import shape_text

    rows = [
        (
            "  " * row.depth + row.label,
            row.activation
            if row.kind == "Activation"
            else ", ".join(filter(None, (row.kind, row.activation))),
            shape_text(row.output_shape),
            scaled(row.n_params),
            scaled(row.n_operations),
            scaled(row.activation_bytes, "B"),
        )
        for row in table.rows
    ]
    sums = (scaled(table.n_params), scaled(table.n_operations), scaled(table.activation_bytes, "B"))
    rows.append(("total", "", shape_text(table.output_shape), *sums))
    header = ("layer", "kind", "output shape", "params", "ops", "output")
    note = (
        f"params: parameters, {scaled(table.parameter_bytes, 'B')} in all. ops, output: operations and bytes "
        "of one sample's forward pass. A wider terminal, a pipe or --json has every digit."
    )
    return [Line(table.title), (header, rows, ("kind", "output shape")), *([note] if has_note else [])]


@command(
    "model check",
    order=140.3,
    short_help="Compare every gradient with a numerical one.",
)
@options(kernels=KERNELS)
def model_check(
    *,
    source: str = o.ANY_MODEL,
    input_shape: tuple[int, ...] | None = o.INPUT_SHAPE,
    seed: int = o.SEED,
) -> Answer:
    """Compare gradients with numerical ones: each layer alone, the network, the loss; exit 1 if one is wrong."""
    from pellucid.workflows.model import check

    found = check(source, input_shape=input_shape, seed=seed)
    return Answer(found, code=0 if found.is_ok else 1)
