"""The command ``pellucid train``."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import typer

from pellucid.cli import options as o
from pellucid.cli.command import command
from pellucid.cli.flags import CHECKPOINTS, SOURCE, TRAINING, options
from pellucid.cli.training import end, plan_training, shown

if TYPE_CHECKING:
    from pellucid.data.source import DataSource
    from pellucid.workflows.checkpoints import Checkpoints


@command("train", order=20, short_help="Train with checkpoints; resume where it stopped.")
@options(source=SOURCE, checkpoints=CHECKPOINTS, training=TRAINING)
def train(
    context: typer.Context,
    source: "DataSource",
    checkpoints: "Checkpoints",
    training: Mapping[str, Any],
    model: o.ModelName = "auto",
    start: o.Start = None,
    freeze: o.Freeze = None,
    out: o.RunFolder = None,
    tensorboard: o.TensorBoard = False,
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

    `mpiexec -n 2 pellucid train ...` divides every batch over two processes, or as many on several machines, with
    the same result; it needs pip install 'pellucid[mpi]'.
    """
    from pellucid.workflows.train import train as train_in_folder

    asked, folder = plan_training(
        context,
        source,
        training,
        model=model,
        start=start,
        freeze=freeze,
        out=out,
        resume=checkpoints.resume,
    )
    outcome = train_in_folder(
        asked,
        folder,
        checkpoints=checkpoints,
        tensorboard=tensorboard,
        force=force,
        **shown(quiet or as_json),
    )
    end(outcome, folder, as_json=as_json)
