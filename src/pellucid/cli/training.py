"""What ``train`` and ``run`` have in common: their flags, the plan of a training, and how both end."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pellucid.cli import options as o
from pellucid.cli.flags import CHECKPOINTS, TRAINING, Flags
from pellucid.cli.terminal import echo, print_json, say
from pellucid.errors import OptionError

if TYPE_CHECKING:
    from pellucid.data.source import DataSource
    from pellucid.workflows.checkpoints import Checkpoints
    from pellucid.workflows.train import Outcome


@dataclass(frozen=True)
class Asked:
    """The flags of both besides those of data, training and checkpoints."""

    model: o.ModelName = "auto"
    start: o.Start = None
    freeze: o.Freeze = None
    body: o.Body = None
    pixels: o.Pixels = None
    unfreeze: o.Unfreeze = None
    out: Annotated[Path | None, o.out("The run folder; default: runs/DATA-MODEL-N.")] = None
    tensorboard: o.TensorBoard = False
    overwrite: o.OverwriteRun = False
    as_json: o.Json = False
    quiet: o.Quiet = False

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
        folder, is_silent = (
            self.out or run_folder(source, asked.config.model_name),
            self.quiet or self.as_json,
        )
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

    def end(self, outcome: "Outcome", result: Path | None) -> int:
        """Print the outcome as JSON, or else its result; return the exit code, that of a signal if one ended it."""
        if self.as_json:
            print_json(outcome.to_dict())
        elif result is not None:
            echo(result)
        return 128 + outcome.signal if outcome.signal else 0


TRAINING_FLAGS = {"checkpoints": CHECKPOINTS, "training": TRAINING, "asked": Flags(Asked)}
