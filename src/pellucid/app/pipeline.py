"""Use case: the whole tutorial in one go, from loading to the closing line, into a run folder."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np

from pellucid.app.config import TrainingConfig
from pellucid.app.reproduction import NEW_PHOTO
from pellucid.app.run_folder import filled_beside
from pellucid.app.run_report import NewPhoto, RunResult, write_run_report
from pellucid.app.training import fit, make_model
from pellucid.data.download import fetch
from pellucid.data.images import image_to_input, read_image
from pellucid.errors import DataError
from pellucid.evaluation.metrics import score
from pellucid.files import write_atomically
from pellucid.formats.architecture import Architecture
from pellucid.formats.safetensors import save
from pellucid.nn.model import Model
from pellucid.training.callbacks import PrintCosts, StopOnInterrupt
from pellucid.training.events import Callback
from pellucid.training.records import History
from pellucid.types import Array, Split

Say = Callable[[str], None]
NEW_DRAWING_SEED = 1  # the picture that a run on drawn-cats is shown at the end; it is in neither part


@dataclass(frozen=True, eq=False)
class RunOutcome:
    """What a run left behind."""

    folder: Path
    report: Path
    result: RunResult
    was_interrupted: bool


def run(
    split: Split,
    config: TrainingConfig,
    out: Path,
    *,
    architecture: Architecture | None = None,
    force: bool = False,
    photo: Path | None = None,
    callbacks: Sequence[Callback] = (),
    say: Say = print,
) -> RunOutcome:
    """Look at the data, train, evaluate, show the mistakes, predict a new photo, and write the run folder.

    Parameters
    ----------
    split : Split
    config : TrainingConfig
    out : Path
        The folder to make: report.html, figures, model, history, config and metrics.
    architecture : Architecture, optional
        The network's file, where the model is one.
    force : bool, optional
        Write into a folder that is not empty.
    photo : Path, optional
        A new photo to predict; default: the tutorial's where it lies beside the published data, a freshly
        drawn picture for drawn-cats, else none.
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
    new_image = _find_photo(split, photo)
    interrupt = StopOnInterrupt()
    with filled_beside(out, force=force) as folder:
        say_shapes(split, say)
        listeners: list[Callback] = [PrintCosts(say=say), interrupt, *callbacks]
        history = fit(model, split, config, listeners)
        result = _evaluate(model, split, config, history, new_image)
        _say_results(result, say)
        _write(folder, result, config)
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


def _evaluate(
    model: Model, split: Split, config: TrainingConfig, history: History, new_image: tuple[str, Array] | None
) -> RunResult:
    probabilities = model.predict_proba(split.test.X)
    predicted = probabilities.argmax(axis=1)
    photo = None
    if new_image is not None:
        name, original = new_image
        seen = image_to_input(original, model.input_shape)
        chances = model.predict_proba(seen[None])[0]
        label = int(chances.argmax())
        photo = NewPhoto(name, original, seen, label, split.classes[label], float(chances[label]))
    return RunResult(
        split=split,
        config=config,
        model=model,
        history=history,
        train=score(split.train.y, model.predict(split.train.X), split.classes),
        test=score(split.test.y, predicted, split.classes),
        predicted=predicted,
        probabilities=probabilities,
        photo=photo,
    )


def _say_results(result: RunResult, say: Say) -> None:
    history, test = result.history, result.test
    if not history.is_complete:
        say(f"Stopped after {history.n_steps} steps, as asked. History and model so far are kept.")
    say(f"Training took {history.seconds:.2f} s ({history.note}).")
    say(f"Train accuracy: {result.train.accuracy}")
    say(f"Test accuracy: {test.accuracy}")
    say(f"Always answering {test.most_common!r} would score {test.baseline}")
    say(f"Mislabeled test images: {test.n_samples - test.n_correct} of {test.n_samples}")
    if result.photo is not None:
        photo = result.photo
        say(f'{photo.name}: y = {float(photo.y)}, your L-layer model predicts a "{photo.label}" picture.')


def _find_photo(split: Split, photo: Path | None) -> tuple[str, Array] | None:
    if split.train.X.ndim != 4:
        return None
    if photo is None and split.name == "catvnoncat":
        beside = fetch("catvnoncat") / NEW_PHOTO
        photo = beside if beside.is_file() else None
    if photo is not None:
        return photo.name, read_image(photo)
    if split.name != "drawn-cats":
        return None
    from pellucid.data.drawn import draw

    drawn = draw(2, NEW_DRAWING_SEED, size=256)
    return "a new drawing of a cat", drawn.X[int(drawn.y.argmax())]


def _write(folder: Path, result: RunResult, config: TrainingConfig) -> None:
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
        "path": history.path,
    }
    write_atomically(folder / "metrics.json", json.dumps(metrics, indent=2) + "\n")
