"""Train into a run folder, with checkpoints that a later call can resume from."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pellucid import dispatch
from pellucid.errors import OptionError, OutputError
from pellucid.evaluation.scores.measure import metrics_of
from pellucid.evaluation.scores.predictions import predict
from pellucid.formats.architecture import Architecture
from pellucid.runs.build import fit_run, make_model
from pellucid.runs.config import RunConfig
from pellucid.runs.record import RunRecord, write_config, write_run
from pellucid.training.callbacks.checkpoint import Checkpoint
from pellucid.training.callbacks.interrupt import StopOnInterrupt
from pellucid.training.callbacks.tensorboard import TensorBoard
from pellucid.training.checkpoint import latest_checkpoint
from pellucid.training.events import Callback, Event, TrainStart
from pellucid.workflows.run import Say

DEFAULT_MINUTES = 5.0


@dataclass(frozen=True, eq=False)
class TrainOutcome:
    """What a training left behind."""

    record: RunRecord
    was_interrupted: bool

    def to_dict(self) -> dict[str, Any]:
        """Return folder and metrics as JSON can hold them."""
        return {"folder": str(self.record.folder), **self.record.metrics}


def train_into(
    config: RunConfig,
    out: Path,
    *,
    architecture: Architecture | None = None,
    resume: bool = False,
    checkpoint_steps: int | None = None,
    checkpoint_minutes: float | None = None,
    tensorboard: bool = False,
    force: bool = False,
    callbacks: Sequence[Callback] = (),
    say: Say = print,
) -> TrainOutcome:
    """Train, and write model, history, configuration and metrics into a folder, checkpoints on the way.

    Parameters
    ----------
    config : RunConfig
        As :func:`pellucid.runs.build.plan` returns it.
    out : Path
    architecture : Architecture, optional
        The network's file, where the model is one.
    resume : bool, optional
        Go on from the newest checkpoint in ``out``; the result is that of a training that never stopped.
    checkpoint_steps, checkpoint_minutes : optional
        How often; default: every five minutes.
    tensorboard : bool, optional
        Write event files too.
    force : bool, optional
        Write into a folder that is not empty.
    callbacks : sequence of callable, optional
        Further callbacks of the training, such as a progress bar.
    say : callable, optional
        Takes each line that is printed at the end.

    Raises
    ------
    PellucidError
        If data, options or folder cannot be used, before anything is written.
    """
    _check_folder(out, resume=resume, force=force)
    split = config.source.load()
    model = make_model(config, architecture, split)
    config = config.for_data(split.train)
    interrupt = StopOnInterrupt()

    def keep_config(event: Event) -> None:
        if (
            isinstance(event, TrainStart) and not resume
        ):  # not before the options are checked against the data
            write_config(config, out)

    if checkpoint_steps is None and checkpoint_minutes is None:
        checkpoint_minutes = DEFAULT_MINUTES
    checkpoints = out / "checkpoints"
    own: list[Callback] = [keep_config, *callbacks, interrupt]
    own.append(Checkpoint(checkpoints, every_steps=checkpoint_steps, every_minutes=checkpoint_minutes))
    if tensorboard:
        own.append(TensorBoard(out / "tensorboard"))
    start = latest_checkpoint(checkpoints) if resume else None
    history = fit_run(model, split, config, own, resume=start, nonfinite=out / "nonfinite.safetensors")
    parts = {"train": split.train, "test": split.test}
    with dispatch.use(history.kernels):
        scores = {name: metrics_of(predict(model, part)) for name, part in parts.items()}
    record = RunRecord(out, config, split, model, history, scores)
    write_run(record, out)
    _say_results(record, say, was_interrupted=interrupt.was_interrupted)
    return TrainOutcome(record, interrupt.was_interrupted)


def _say_results(record: RunRecord, say: Say, *, was_interrupted: bool) -> None:
    history = record.history
    if was_interrupted:
        say(f"Stopped after {history.n_steps} steps, as asked. History and model so far are kept.")
    say(f"Training took {history.seconds:.2f} s ({history.note}; cores: {history.n_threads}).")
    for part, scores in record.scores.items():
        shown = [
            f"{name.replace('_', ' ')} {value:.4f}" for name, value in scores.items() if type(value) is float
        ]
        say(f"{part}: {', '.join(shown)}")


def _check_folder(out: Path, *, resume: bool, force: bool) -> None:
    if out.exists() and not out.is_dir():
        raise OutputError(f"{out}: expected a folder, found a file. Choose another with --out.")
    is_used = out.is_dir() and any(out.iterdir())
    if resume and not is_used:
        raise OptionError(f"--resume: {out} holds no training to go on from. Name its folder with --out.")
    if is_used and not (resume or force):
        raise OutputError(f"{out}: the folder is not empty. Add --resume to go on, --force to start again.")
