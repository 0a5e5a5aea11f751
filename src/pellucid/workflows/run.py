"""Use case: the whole tutorial in one go, from loading to the closing line, into a run folder."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np

from pellucid.data.dataset import Split
from pellucid.errors import DataError
from pellucid.evaluation.scores.of_run import RunResult, examine
from pellucid.files import atomic_folder, write_atomically
from pellucid.formats.architecture import Architecture
from pellucid.formats.safetensors import save
from pellucid.report.short import write_run_report
from pellucid.runs.build import fit_run, make_model
from pellucid.runs.config import RunConfig
from pellucid.runs.record import data_record, find_photo
from pellucid.training.callbacks import PrintCosts, StopOnInterrupt
from pellucid.training.events import Callback

Say = Callable[[str], None]


@dataclass(frozen=True, eq=False)
class RunOutcome:
    """What a run left behind."""

    folder: Path
    report: Path
    result: RunResult
    was_interrupted: bool


def run(
    split: Split,
    config: RunConfig,
    out: Path,
    *,
    architecture: Architecture | None = None,
    force: bool = False,
    photo: Path | None = None,
    reading: Mapping[str, object] | None = None,
    callbacks: Sequence[Callback] = (),
    say: Say = print,
) -> RunOutcome:
    """Look at the data, train, evaluate, show the mistakes, predict a new photo, and write the run folder.

    Parameters
    ----------
    split : Split
    config : RunConfig
    out : Path
        The folder to make: report.html, figures, model, history, config and metrics.
    architecture : Architecture, optional
        The network's file, where the model is one.
    force : bool, optional
        Write into a folder that is not empty.
    photo : Path, optional
        A new photo to predict; default: the tutorial's where it lies beside the published data, a freshly
        drawn picture for drawn-cats, else none.
    reading : mapping, optional
        The options that the data were loaded with: noted in metrics.json, so that ``pellucid report`` can load them
        again.
    callbacks : sequence of callable, optional
        Further listeners to the training, such as a progress bar.
    say : callable, optional
        Takes each line that the tutorial prints.

    Raises
    ------
    PellucidError
        If data, options, photo or folder cannot be used; ``out`` is then as it was before.
    """
    if split.train.y.ndim > 1 or not split.classes:
        raise DataError(
            f"{split.name}: `pellucid run` reports on one class a sample; for quantities and several labels use "
            "`pellucid train` and `pellucid evaluate`."
        )
    model = make_model(config, architecture, split)
    config = config.for_data(split.train)
    new_image = find_photo(split.name, split.train.X.shape[1:], photo)
    interrupt = StopOnInterrupt()
    with atomic_folder(out, force=force) as folder:
        say_shapes(split, say)
        listeners: list[Callback] = [PrintCosts(say=say), interrupt, *callbacks]
        history = fit_run(model, split, config, listeners)
        result = examine(model, split, config, history, new_image)
        _say_results(result, say)
        _write(folder, result, config, data_record(split, config, reading, photo))
        report = write_run_report(result, folder)
    say(f"Report: {out / report.name}")
    now = datetime.now()
    say(f"Program executed successfully on: {now:%Y-%m-%d %H:%M:%S}...Goodbye!")
    return RunOutcome(out, out / report.name, result, interrupt.was_interrupted)


def say_shapes(split: Split, say: Say) -> None:
    """Say what the tutorial prints of its data."""
    train_part, test_part = split.train, split.test
    say(f"Number of training examples: {len(train_part)}")
    say(f"Number of testing examples: {len(test_part)}")
    say(f"Each image is of size: {train_part.X.shape[1:]}")
    for name, part in (("train", train_part), ("test", test_part)):
        say(f"{name}_x_orig shape: {part.X.shape}")
        say(f"{name}_y shape: {(1, len(part))}")
    say(f"The target labels: {np.unique(train_part.y)} ({', '.join(split.classes)})")
    for note in split.notes:
        say(f"Note: {note}")
    n = int(np.prod(train_part.X.shape[1:]))
    say(f"train_x's shape: {(n, len(train_part))}")
    say(f"test_x's shape: {(n, len(test_part))}")


def _say_results(result: RunResult, say: Say) -> None:
    history, test = result.history, result.test
    if not history.is_complete:
        say(f"Stopped after {history.n_steps} steps, as asked. History and model so far are kept.")
    say(f"Training took {history.seconds:.2f} s ({history.note}).")
    say(f"Train accuracy: {result.train.accuracy}")
    say(f"Test accuracy: {test.accuracy}")
    say(f"Always answering {test.majority_class!r} would score {test.baseline}")
    say(f"Mislabeled test images: {test.n_samples - test.n_correct} of {test.n_samples}")
    if result.photo is not None:
        photo = result.photo
        say(f'{photo.name}: y = {float(photo.y)}, your L-layer model predicts a "{photo.label}" picture.')


def _write(folder: Path, result: RunResult, config: RunConfig, data: dict[str, object]) -> None:
    history = result.history
    save(result.model, folder / "model.safetensors")
    history.write(folder / "history.jsonl")
    write_atomically(folder / "config.toml", config.to_toml())
    metrics = {
        "train": result.train.to_dict(),
        "test": result.test.to_dict(),
        "final_loss": history.losses[-1] if history.losses else None,
        "n_steps": history.n_steps,
        "is_complete": history.is_complete,
        "seconds": history.seconds,
        "setup_seconds": history.setup_seconds,
        "form": history.form,
        "note": history.note,
        "n_threads": history.n_threads,
        "data": data,
    }
    write_atomically(folder / "metrics.json", json.dumps(metrics, indent=2) + "\n")
