"""What ``train`` and ``run`` have in common: their flags, and the plan of a training."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pellucid.cli import options as o
from pellucid.cli.flags import CHECKPOINTS, TRAINING, Flags, flag
from pellucid.cli.terminal import say
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
