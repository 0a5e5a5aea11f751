"""The command ``pellucid run``."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pellucid.cli import options as o
from pellucid.cli.command import command
from pellucid.cli.flags import SOURCE, TRAINING, options
from pellucid.cli.terminal import echo, print_json, say

if TYPE_CHECKING:
    from pellucid.data.source import DataSource


@command("run", order=10, short_help="Look, train, evaluate, report: the whole tutorial.")
@options(source=SOURCE.but(default="drawn-cats"), training=TRAINING)
def run(
    context: typer.Context,
    source: "DataSource",
    training: Mapping[str, Any],
    model: o.ModelName = "auto",
    start: o.Start = None,
    freeze: o.Freeze = None,
    out: o.RunFolder = None,
    photo: Annotated[Path | None, typer.Option(help="A new photo to predict at the end.")] = None,
    force: o.ForceRun = False,
    as_json: o.Json = False,
    quiet: o.Quiet = False,
) -> None:
    """The whole pipeline: look at the data, train, evaluate, show the mistakes, report.

    `--model auto` takes the preset that suits the data, and says which and why. Options of the training that are
    left out are the model's own recipe. With --from the weights of a trained model are kept, and where the classes
    are others its last layer is a new one; what is left out is the recipe for that: 50 epochs of AdamW at 0.01.
    """
    from pellucid.runs.build import plan
    from pellucid.training.callbacks.progress import Progress
    from pellucid.workflows.run import run as run_pipeline

    is_quiet = quiet or as_json
    o.check_start(context, start)
    config, architecture = plan(model, source, photo=photo, start=start, freeze=freeze, **training)
    outcome = run_pipeline(
        config,
        out or o.run_folder(source, config.model_name),
        architecture=architecture,
        force=force,
        callbacks=() if is_quiet else (Progress(),),
        say=o.say_nothing if is_quiet else say,
    )
    if as_json:
        print_json(outcome.to_dict())
    elif quiet:
        echo(outcome.report)
    if outcome.signal:
        raise typer.Exit(128 + outcome.signal)
