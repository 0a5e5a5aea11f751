"""The edge of ``pellucid model``."""

import sys
from typing import TYPE_CHECKING

from pellucid.cli import options as o
from pellucid.cli.command import command, group
from pellucid.cli.flags import KERNELS, options
from pellucid.cli.terminal import columns, echo, print_json, print_names, print_table, say
from pellucid.text import scaled

if TYPE_CHECKING:
    from pellucid.nn.summary import Summary

group("model", order=140, short_help="Look at networks, and check their gradients.")


@command("model list", order=140.1, short_help="The presets.")
def model_list(as_json: o.Json = False, quiet: o.Quiet = False) -> None:
    """The presets."""
    from pellucid.nn.presets import PRESETS

    print_names(PRESETS, as_json=as_json, quiet=quiet)


@command(
    "model show", order=140.2, short_help="Layers, shapes, parameters, operations and bytes of a network."
)
def model_show(
    source: o.AnyModel, input_shape: o.InputShape = None, as_json: o.Json = False, quiet: o.Quiet = False
) -> None:
    """Layers, shapes, parameters, operations and bytes of a network."""
    from pellucid.workflows.model import show

    table = show(source, input_shape=input_shape)
    if as_json:
        print_json(table.to_dict())
        return
    print_summary(table, has_note=not quiet)


def print_summary(table: "Summary", *, has_note: bool = True) -> None:
    """Print a summary, with fewer columns and digits where its lines do not fit."""
    lines = table.text(has_note=has_note).splitlines()
    if sys.stdout.isatty() and max(map(len, lines)) > columns():
        _print_narrow(table, has_note=has_note)
    else:
        echo(*lines)


def _print_narrow(table: "Summary", *, has_note: bool) -> None:
    """Print a summary where its lines do not fit: numbers in three digits, and no bytes of parameters."""
    from pellucid.nn.summary import shape_text

    echo(table.title)
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
    print_table(
        ("layer", "kind", "output shape", "params", "ops", "output"), rows, text=("kind", "output shape")
    )
    if has_note:
        say(
            f"params: parameters, {scaled(table.parameter_bytes, 'B')} in all. ops, output: operations and bytes "
            "of one sample's forward pass. A wider terminal, a pipe or --json has every digit."
        )


@command(
    "model check",
    order=140.3,
    short_help="Compare every gradient with a numerical one.",
)
@options(kernels=KERNELS)
def model_check(
    source: o.AnyModel,
    input_shape: o.InputShape = None,
    seed: o.Seed = 1,
    as_json: o.Json = False,
    quiet: o.Quiet = False,
) -> int:
    """Compare every gradient of a network with a numerical one; exit 1 if one is wrong."""
    from pellucid.workflows.model import check

    result = check(source, input_shape=input_shape, seed=seed)
    if as_json:
        print_json(result.to_dict())
    else:
        if not quiet:
            rows = [(r.name, f"{r.error:.1e}", "ok" if r.is_ok else "WRONG", r.note) for r in result.rows]
            print_table(("parameter", "relative error", "", "note"), rows)
        echo("Every gradient is right." if result.is_ok else "A gradient is WRONG.")
        if result.hint and not quiet:
            echo(result.hint)
    return 0 if result.is_ok else 1
