"""The command ``pellucid find-rate``."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pellucid.cli import options as o
from pellucid.cli.command import command
from pellucid.cli.flags import SOURCE, TRAINING, options
from pellucid.cli.terminal import echo, print_json
from pellucid.registry import Limits, check_option

if TYPE_CHECKING:
    from pellucid.data.source import DataSource

ASKED = (
    *("batch_size", "optimizer", "optimizer_options", "loss", "loss_options"),
    *("label_smoothing", "seed", "dtype", "kernels"),
)


@command("find-rate", order=110, short_help="Find a learning rate.")
@options(source=SOURCE, training=TRAINING.but(only=ASKED))
def find_rate(
    source: "DataSource",
    training: Mapping[str, Any],
    model: o.ModelName = "mlp",
    out: o.OutFile = None,
    force: o.ForceFile = False,
    lowest: Annotated[float, typer.Option(help="The first rate tried.")] = 1e-6,
    highest: Annotated[float, typer.Option(help="The last one.")] = 10.0,
    steps: Annotated[int, typer.Option(help="How many rates are tried, one a step. [>=10]")] = 100,
    as_json: o.Json = False,
    quiet: o.Quiet = False,
) -> None:
    """Train with a learning rate that grows from step to step, and see where the loss falls fastest."""
    from pellucid.files import check_free
    from pellucid.plotting.saving import save_figure
    from pellucid.runs.build import plan
    from pellucid.workflows.find_rate import sweep_rates

    check_option("find-rate", "--lowest", lowest, float, Limits(above=0))
    check_option("find-rate", "--highest", highest, float, Limits(above=lowest))
    check_option("find-rate", "--steps", steps, int, Limits(at_least=10))
    picture = out or Path("learning-rate.png")
    check_free(picture, force=force)
    found = sweep_rates(*plan(model, source, **training), lowest=lowest, highest=highest, n_steps=steps)
    save_figure(found.plot(), picture)
    if as_json:
        print_json({**found.to_dict(), "figure": str(picture)})
    elif quiet:
        echo(found.suggestion)
    elif found.suggestion is None:
        echo("The loss never fell: try lower rates, with --lowest, or more --steps.")
    else:
        echo(f"The loss falls fastest around a learning rate of {found.suggestion:.2g}.")
    if not (quiet or as_json):
        echo(f"The curve: {picture}")
