"""The commands ``pellucid train`` and ``pellucid run``."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pellucid.cli import options as o
from pellucid.cli.command import command
from pellucid.cli.flags import CHECKPOINTS, SOURCE, TRAINING, Flags, flag, options
from pellucid.cli.terminal import Answer, say
from pellucid.errors import OptionError

if TYPE_CHECKING:
    from pellucid.data.source import DataSource
    from pellucid.workflows.checkpoints import Checkpoints
    from pellucid.workflows.train import Outcome


@dataclass(frozen=True)
class Asked:
    """The flags of both besides those of data, training and checkpoints."""

    model: str = o.MODEL_NAME
    start: Path | None = flag(
        None,
        group="Network",
        metavar="MODEL",
        help="Begin from this trained model: a file or a run folder.",
    )
    freeze: str | None = flag(
        None,
        group="Network",
        metavar="LAYER",
        help="Freeze the layers of --start up to LAYER (see `model show MODEL`).",
    )
    body: str | None = o.BODY
    pixels: str | None = o.PIXELS
    unfreeze: int | None = o.UNFREEZE
    out: Path | None = o.out("The run folder; default: runs/DATA-MODEL-N.")
    tensorboard: bool = flag(False, group="Output", help="Write event files into the folder.")
    overwrite: bool = flag(False, group="Output", needs=("out",), help="Replace the run in --out.")

    def train(
        self,
        use_case: Callable[..., "Outcome"],
        source: "DataSource",
        checkpoints: "Checkpoints",
        training: Mapping[str, Any],
        **given: Any,
    ) -> tuple["Outcome", Path]:
        """Train into a folder, and return outcome and folder; with --resume what is left out is as it was."""
        from pellucid.runs.build import plan
        from pellucid.training.callbacks.progress import Progress
        from pellucid.workflows.train import plan_to_resume, run_folder

        if self.start is not None and o.was_given("model"):
            raise OptionError(f"--model and --start: {self.start} brings its own layers. Leave --model out.")
        network = {name: getattr(self, name) for name in ("start", "freeze", "body", "pixels", "unfreeze")}
        given |= {**network, **training}
        if checkpoints.resume:
            own = self.model if o.was_given("model") else None
            data = source if o.was_given("name") else replace(source, name="")
            asked = plan_to_resume(self.out, own, data, **given)
        else:
            asked = plan(self.model, source, **given)
        folder, is_silent = self.out or run_folder(source, asked.config.model_name), o.is_quiet()
        outcome = use_case(
            asked,
            folder,
            checkpoints=checkpoints,
            tensorboard=self.tensorboard,
            overwrite=self.overwrite,
            callbacks=() if is_silent else (Progress(),),
            say=o.say_nothing if is_silent else say,
        )
        return outcome, folder


TRAINING_FLAGS = {"checkpoints": CHECKPOINTS, "training": TRAINING, "asked": Flags(Asked)}


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
