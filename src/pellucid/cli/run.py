"""The command ``pellucid run``."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pellucid.cli.command import command
from pellucid.cli.flags import SOURCE, flag, options
from pellucid.cli.terminal import Answer
from pellucid.cli.training import TRAINING_FLAGS, Asked

if TYPE_CHECKING:
    from pellucid.data.source import DataSource
    from pellucid.workflows.checkpoints import Checkpoints


@command("run", order=10, short_help="Look, train, evaluate, report: the whole tutorial.")
@options(source=SOURCE.but(default="drawn-cats"), **TRAINING_FLAGS)
def run(
    *,
    source: "DataSource",
    checkpoints: "Checkpoints",
    training: Mapping[str, Any],
    asked: Asked,
    photo: Path | None = flag(None, help="A new photo to predict at the end."),
) -> Answer:
    """The whole pipeline: look at the data, train, evaluate, show the mistakes, report.

    It trains as `train` does, with checkpoints and --resume, and then writes the report. `--model auto` takes the
    preset that suits the data, and says which and why. Options of the training that are left out are the model's
    own recipe; with --resume they are as they were. With --start the weights of a trained model are kept, and where
    the classes are others its last layer is a new one; what is left out is the recipe for that: 50 epochs of AdamW
    at 0.01.
    """
    from pellucid.workflows.run import run_request

    outcome, _ = asked.train(run_request, source, checkpoints, training, photo=photo)
    return Answer(outcome, (), [outcome.report] if outcome.report else (), code=outcome.exit_code)
