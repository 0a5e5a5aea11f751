"""The command ``pellucid train``."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pellucid.cli.command import command
from pellucid.cli.flags import SOURCE, options
from pellucid.cli.terminal import Answer
from pellucid.cli.training import TRAINING_FLAGS, Asked

if TYPE_CHECKING:
    from pellucid.data.source import DataSource
    from pellucid.workflows.checkpoints import Checkpoints


@command("train", order=20, short_help="Train with checkpoints; resume where it stopped.")
@options(source=SOURCE, **TRAINING_FLAGS)
def train(
    *, source: "DataSource", checkpoints: "Checkpoints", training: Mapping[str, Any], asked: Asked
) -> Answer:
    """Train a model: checkpoints, model, history and metrics, without the figures of `run`.

    `--model auto` takes the preset that suits the data, and says which and why. With --start the weights of a
    trained model are kept, and where the classes are others its last layer is a new one; what is left out is the
    recipe for that: 50 epochs of AdamW at 0.01.

    Options of the training that are left out are the model's own recipe; with --resume they are as they were.
    --resume with a larger --epochs extends a finished training, as if it had been so long from the start. Where the
    schedule depends on the length, as one_cycle and cosine do, choose a rate to go on at: --schedule constant
    --learning-rate 0.001.

    `mpiexec -n 2 pellucid train ...` divides every batch over two processes, or as many on several machines, with
    the same result; it needs pip install 'pellucid[mpi]'.
    """
    from pellucid.workflows.train import train as train_in_folder

    outcome, folder = asked.train(train_in_folder, source, checkpoints, training)
    return Answer(outcome, (), (), [folder], outcome.exit_code)
