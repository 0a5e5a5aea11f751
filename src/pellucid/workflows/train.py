"""Use case: train into a run folder, with checkpoints that a later call can go on from."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pellucid.data.dataset import Split
from pellucid.errors import OptionError, OutputError
from pellucid.evaluation.scores.measure import metrics_of
from pellucid.evaluation.scores.predictions import predict
from pellucid.files import write_atomically
from pellucid.formats.architecture import Architecture
from pellucid.formats.safetensors import save
from pellucid.runs.build import fit_run, make_model
from pellucid.runs.config import RunConfig
from pellucid.training.callbacks import StopOnInterrupt
from pellucid.training.checkpoint import Checkpoint, latest_checkpoint
from pellucid.training.events import Callback, Event, TrainStart
from pellucid.training.tensorboard import TensorBoard
from pellucid.workflows.run import Say

DEFAULT_MINUTES = 5.0


@dataclass(frozen=True)
class TrainOutcome:
    """What a training left behind."""

    folder: Path
    was_interrupted: bool


def train_into(
    split: Split,
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
    """Train, and write model, history, config and metrics into a folder, checkpoints while it goes on.

    Parameters
    ----------
    split : Split
    config : RunConfig
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
        Start anew in a folder that is not empty.

    Raises
    ------
    PellucidError
        If data, options or folder cannot be used, before anything is written.
    """
    _check_folder(out, resume=resume, force=force)
    model = make_model(config, architecture, split)
    config = config.for_data(split.train)
    checkpoints = out / "checkpoints"
    start = latest_checkpoint(checkpoints) if resume else None
    if checkpoint_steps is None and checkpoint_minutes is None:
        checkpoint_minutes = DEFAULT_MINUTES
    interrupt = StopOnInterrupt()

    def note_options(event: Event) -> None:
        if isinstance(event, TrainStart) and not resume:  # not before they have been checked against the data
            write_atomically(out / "config.toml", config.to_toml())

    listeners: list[Callback] = [note_options, *callbacks, interrupt]
    listeners.append(Checkpoint(checkpoints, every_steps=checkpoint_steps, every_minutes=checkpoint_minutes))
    if tensorboard:
        listeners.append(TensorBoard(out / "tensorboard"))
    history = fit_run(model, split, config, listeners, resume=start, nonfinite=out / "black-box.safetensors")
    save(model, out / "model.safetensors")
    history.write(out / "history.jsonl")
    history.write(out / "history.csv")
    scores = {part: metrics_of(predict(model, getattr(split, part))) for part in ("train", "test")}
    metrics = {
        **scores,
        "final_loss": history.losses[-1] if history.losses else None,
        "n_steps": history.n_steps,
        "is_complete": history.is_complete,
        "seconds": history.seconds,
        "form": history.form,
        "n_threads": history.n_threads,
    }
    write_atomically(out / "metrics.json", json.dumps(metrics, indent=2) + "\n")
    if interrupt.was_interrupted:
        say(f"Stopped after {history.n_steps} steps, as asked. History and model so far are kept.")
    say(f"Training took {history.seconds:.2f} s ({history.note}; cores: {history.n_threads}).")
    for part, found in scores.items():
        words = ", ".join(
            f"{name.replace('_', ' ')} {value:.4f}"
            for name, value in found.items()
            if isinstance(value, float)
        )
        say(f"{part}: {words}")
    return TrainOutcome(out, interrupt.was_interrupted)


def _check_folder(out: Path, *, resume: bool, force: bool) -> None:
    if out.exists() and not out.is_dir():
        raise OutputError(f"{out}: expected a folder, found a file. Choose another with --out.")
    is_used = out.is_dir() and any(out.iterdir())
    if resume and not is_used:
        raise OptionError(f"--resume: {out} holds no training to go on from. Name its folder with --out.")
    if is_used and not (resume or force):
        raise OutputError(f"{out}: the folder is not empty. Add --resume to go on, --force to start anew.")
