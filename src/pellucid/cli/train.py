"""The command ``pellucid train``."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pellucid.cli import options as o
from pellucid.cli.command import command
from pellucid.cli.flags import SOURCE, TRAINING, options
from pellucid.cli.terminal import echo, print_json, say
from pellucid.registry import Limits, check_option

if TYPE_CHECKING:
    from pellucid.data.source import DataSource


@command("train", order=20, short_help="Train with checkpoints; resume where it stopped.")
@options(source=SOURCE, training=TRAINING)
def train(
    context: typer.Context,
    source: "DataSource",
    training: Mapping[str, Any],
    model: o.ModelName = "auto",
    start: o.Start = None,
    freeze: o.Freeze = None,
    out: o.RunFolder = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on from the last checkpoint in --out.")
    ] = False,
    checkpoint_steps: Annotated[
        int | None, typer.Option(min=1, help="Write a checkpoint every this many steps.")
    ] = None,
    checkpoint_minutes: Annotated[
        float | None, typer.Option(help="Or every this many minutes; default: 5. [>0]")
    ] = None,
    tensorboard: Annotated[
        bool, typer.Option("--tensorboard", help="Write event files into the folder.")
    ] = False,
    cluster: o.Cluster = None,
    workers: o.Workers = None,
    force: o.ForceRun = False,
    as_json: o.Json = False,
    quiet: o.Quiet = False,
) -> None:
    """Train a model: checkpoints, model, history and metrics, without the figures of `run`.

    `--model auto` takes the preset that suits the data, and says which and why. With --from the weights of a
    trained model are kept, and where the classes are others its last layer is a new one; what is left out is the
    recipe for that: 50 epochs of AdamW at 0.01.

    Options of the training that are left out are the model's own recipe; with --resume they are as they were. A
    training that is complete goes on with --resume and a larger --epochs, as if it had been so long from the start.
    Where the schedule depends on the length, as one_cycle and cosine do, choose a rate to go on at: --schedule
    constant --learning-rate 0.001.

    With --cluster or --workers each worker holds a part of the training samples and computes its part of every
    batch, with the same result; --resume goes on with any number of workers. Samples in .h5, .npz, .npy and .zarr
    are then read by the workers, not into the memory of this process.
    """
    from pellucid.runs.build import plan
    from pellucid.training.callbacks.progress import Progress
    from pellucid.workflows.train import plan_to_resume, train_into

    if checkpoint_minutes is not None:
        check_option("train", "--checkpoint-minutes", checkpoint_minutes, float, Limits(above=0))
    o.check_start(context, start)
    is_quiet = quiet or as_json
    if resume:
        own = model if o.was_given(context, "model") else None
        config, architecture = plan_to_resume(out, own, source, start=start, freeze=freeze, **training)
    else:
        is_shared = cluster is not None or workers is not None
        config, architecture = plan(model, source, start=start, freeze=freeze, in_place=is_shared, **training)
    outcome = train_into(
        config,
        out or o.run_folder(source, config.model_name),
        architecture=architecture,
        resume=resume,
        checkpoint_steps=checkpoint_steps,
        checkpoint_minutes=checkpoint_minutes,
        tensorboard=tensorboard,
        cluster=cluster,
        n_workers=workers,
        force=force,
        callbacks=() if is_quiet else (Progress(),),
        say=o.say_nothing if is_quiet else say,
    )
    if as_json:
        print_json(outcome.to_dict())
    else:
        echo(outcome.record.folder)
    if outcome.signal:
        raise typer.Exit(128 + outcome.signal)
