"""The edge of ``pellucid find-rate``."""

from pathlib import Path
from typing import Annotated

import typer

from pellucid.cli import options as o
from pellucid.cli.command import command
from pellucid.cli.terminal import print_json


@command("find-rate", order=110, short_help="Find a learning rate.")
def find_rate(
    data: o.Data,
    model: o.ModelName = "mlp",
    out: Annotated[Path, typer.Option("-o", "--out", help="The picture to write.")] = Path(
        "learning-rate.png"
    ),
    lowest: Annotated[float, typer.Option(help="The first rate tried.")] = 1e-6,
    highest: Annotated[float, typer.Option(help="The last one.")] = 10.0,
    steps: Annotated[int, typer.Option(help="How many rates are tried, one a step.")] = 100,
    batch_size: o.BatchSize = None,
    optimizer: o.OptimizerName = None,
    loss: o.LossName = None,
    label_smoothing: o.LabelSmoothing = None,
    seed: o.Seed = 1,
    dtype: o.Dtype = None,
    target: o.Target = None,
    image_size: o.ImageSize = None,
    mirror: o.Mirror = None,
    as_json: o.Json = False,
) -> None:
    """Train with a learning rate that grows from step to step, and see where the loss falls fastest."""
    from pellucid.plotting.saving import save_figure
    from pellucid.workflows.find_rate import sweep_rates

    split = o.load(data, target=target, image_size=image_size, mirror=mirror, seed=seed)
    options = {
        "batch_size": batch_size,
        "optimizer": optimizer,
        "loss": loss,
        "label_smoothing": label_smoothing,
        "seed": seed,
        "dtype": dtype,
    }
    found = sweep_rates(split, model, lowest=lowest, highest=highest, n_steps=steps, **options)
    save_figure(found.plot(), out)
    if as_json:
        print_json(
            {
                "suggestion": found.suggestion,
                "has_diverged": found.has_diverged,
                "rates": found.rates.tolist(),
                "losses": [loss if loss < float("inf") else None for loss in found.losses.tolist()],
                "figure": str(out),
            }
        )
        return
    if found.suggestion is None:
        print("The loss never fell: try lower rates, with --lowest, or more --steps.")
    else:
        print(f"The loss falls fastest around a learning rate of {found.suggestion:.2g}.")
    print(f"The curve: {out}")
