"""The command ``pellucid run``."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pellucid.cli import options as o
from pellucid.cli.command import command
from pellucid.cli.flags import CHECKPOINTS, SOURCE, TRAINING, options
from pellucid.cli.training import end, plan_training, shown

if TYPE_CHECKING:
    from pellucid.data.source import DataSource
    from pellucid.workflows.checkpoints import Checkpoints


@command("run", order=10, short_help="Look, train, evaluate, report: the whole tutorial.")
@options(source=SOURCE.but(default="drawn-cats"), checkpoints=CHECKPOINTS, training=TRAINING)
def run(
    context: typer.Context,
    source: "DataSource",
    checkpoints: "Checkpoints",
    training: Mapping[str, Any],
    model: o.ModelName = "auto",
    start: o.Start = None,
    freeze: o.Freeze = None,
    out: o.RunFolder = None,
    photo: Annotated[Path | None, typer.Option(help="A new photo to predict at the end.")] = None,
    tensorboard: o.TensorBoard = False,
    force: o.ForceRun = False,
    as_json: o.Json = False,
    quiet: o.Quiet = False,
) -> None:
    """The whole pipeline: look at the data, train, evaluate, show the mistakes, report.

    It trains as `train` does, with checkpoints and --resume, and then writes the report. `--model auto` takes the
    preset that suits the data, and says which and why. Options of the training that are left out are the model's
    own recipe; with --resume they are as they were. With --from the weights of a trained model are kept, and where
    the classes are others its last layer is a new one; what is left out is the recipe for that: 50 epochs of AdamW
    at 0.01.
    """
    from pellucid.workflows.run import run as run_pipeline

    asked, folder = plan_training(
        context,
        source,
        training,
        model=model,
        start=start,
        freeze=freeze,
        photo=photo,
        out=out,
        resume=checkpoints.resume,
    )
    outcome = run_pipeline(
        asked,
        folder,
        checkpoints=checkpoints,
        tensorboard=tensorboard,
        force=force,
        **shown(quiet or as_json),
    )
    end(outcome, outcome.report if quiet else None, as_json=as_json)
