"""What `train` and `run` print: of the tutorial's photos its own lines, of all other data plain sentences."""

import shlex
from collections.abc import Callable
from contextlib import suppress
from itertools import islice

import numpy as np

from pellucid.checks.check import DataReport
from pellucid.data.dataset import Split
from pellucid.data.readers.images import read_size
from pellucid.data.source import DataSource
from pellucid.errors import DataError
from pellucid.evaluation.scores.advice import lines_of
from pellucid.evaluation.scores.estimate_text import SHARES, accuracy_line, sensitivity_line
from pellucid.formats.safetensors import load
from pellucid.nn.model import Model
from pellucid.prediction.metrics import metrics_of
from pellucid.prediction.predict import Predictions
from pellucid.reporting.findings import Findings
from pellucid.reporting.sections.photos import doubtful_mistakes
from pellucid.runs.config import RunConfig
from pellucid.runs.run import Run
from pellucid.runs.spelling import check_command
from pellucid.shares import share
from pellucid.text import by, in_minutes, in_seconds, join_some, plural
from pellucid.training.optimizers.base import OPTIMIZERS
from pellucid.types import Shape

Say = Callable[[str], None]


def is_tutorial(split: Split) -> bool:
    """Return whether the data are the published photos."""
    return split.name == "catvnoncat"


def say_data(split: Split, say: Say) -> None:
    """Say how many samples there are, of what size and of which classes."""
    train, test = split.train, split.test
    if is_tutorial(split):
        shape = train.X.shape[1:]
        n = int(np.prod(shape))
        say(f"Number of training examples: {len(train)}")
        say(f"Number of testing examples: {len(test)}")
        say(f"Each image is of size: {shape}")
        for name, part in (("train", train), ("test", test)):
            say(f"{name}_x_orig shape: {part.X.shape}")
            say(f"{name}_y shape: {(1, len(part))}")
        say(f"The target labels: {np.unique(train.y)} ({', '.join(split.classes)})")
        say(f"train_x's shape: {(n, len(train))}")
        say(f"test_x's shape: {(n, len(test))}")
    else:
        size = by(train.X.shape[1:]) if train.X.ndim > 2 else plural(train.X.shape[1], "number")
        n_train = plural(len(train), f"training {split.noun}")
        say(f"{split.name}: {n_train} and {len(test):,} for the test, of {size}")
        if split.classes:
            counts = zip(split.classes, train.counts.tolist(), strict=True)
            say(f"Classes, in the training part: {join_some([f'{name} ({n})' for name, n in counts])}")
        else:
            say(f"The target: numbers from {train.y.min():.6g} to {train.y.max():.6g}")
    for note in split.notes:
        say(f"Note: {note}")


def say_check(check: DataReport, source: DataSource, say: Say) -> None:
    """Say what is wrong with the data, a line for each kind of finding; the tutorial's lines stay as they are."""
    if check.split is not None and is_tutorial(check.split):
        return
    if check.too_few:
        say(f"Check: {check.too_few}")
    for row in check.to_rows():
        title, n, first = check.cells(row)
        say(f"Check: {title} ({n}): {first}{' ' + row['advice'] if row['kind'] == 'imbalance' else ''}")
    if check.findings:
        say(f"Details: {check_command(source)}")


def say_choice(config: RunConfig, say: Say) -> None:
    """Say which model was chosen for the data, and why; nothing where it was asked for."""
    if config.reason:
        say(f"Model: {config.model}, {config.reason}. --model NAME takes another.")


def say_start(config: RunConfig, model: Model, say: Say) -> None:
    """Say what is kept of the trained model that a training begins from, and what a body makes of its photos."""
    if model._body is not None:
        for note in model._body.notes((*_size_in_files(config.source, model), model.input_shape[-1])):
            say(f"Note: {note}")
    if config.unfreeze is not None:
        say(f"The last layer is trained; {model.theta.size:,} parameters of the last blocks are trained on.")
    if config.start is None:
        return
    source = load(config.start)
    is_same = (source.classes, source.output_shape) == (model.classes or source.classes, model.output_shape)
    frozen = [leaf.name for leaf in model._leaves() if leaf._is_frozen]
    kept = f"{model._n_frozen:,} parameters frozen, up to {frozen[-1]}; " if frozen else ""
    last = "its last layer kept" if is_same else "a new last layer"
    say(f"Begins from {config.model_name}, {last}: {kept}{model.theta.size:,} parameters trained.")


def _size_in_files(source: DataSource, model: Model) -> Shape:
    """Return height and width of photos before they were resized: of a folder, of its first files the median."""
    sizes = []
    if source.kind == "folder":
        for path in islice((path for path in source.path.rglob("*") if path.is_file()), 16):
            with suppress(DataError):
                sizes.append(read_size(path))
    return sorted(sizes)[len(sizes) // 2] if sizes else model.input_shape[:2]


def say_end(run: Run, say: Say, *, was_interrupted: bool) -> None:
    """Say how long a training took; where it was interrupted, whether it can go on."""
    history = run.history
    limit, go_on = run.options.minutes, f"--resume --out {shlex.quote(str(run.folder))} goes on from here"
    if limit is not None and not history.is_complete and history.loop_seconds >= 59 * limit:
        made = f"{len(history.losses)} of {plural(run.options.n_epochs, 'epoch')}"
        say(f"Stopped after {in_minutes(60 * limit)}, as asked: {made} are made. {go_on}.")
    if was_interrupted:
        is_full_batch = OPTIMIZERS[str(run.options.optimizer)].is_full_batch
        how = "a training by L-BFGS cannot go on from here" if is_full_batch else go_on
        say(f"Stopped after {history.n_steps} steps, as asked. History and model so far are kept; {how}.")
    asked = f" ({history.note})" if run.options.form != "auto" else ""  # of the first layer
    say(f"Training took {in_seconds(history.seconds)} on {plural(history.n_threads, 'core')}{asked}.")


def say_scores(run: Run, say: Say) -> None:
    """Say what the model scores on both parts."""
    n = min(len(run.split.train), len(run.split.test))
    shares = () if run.kind == "regression" else SHARES
    for part, scores in run.scores.items():
        shown = [
            f"{name.replace('_', ' ')} {share(value, n) if name in shares else f'{value:.4f}'}"
            for name, value in scores.items()
            if type(value) is float
        ]
        say(f"{part}: {', '.join(shown)}")


def say_results(found: Findings, say: Say) -> None:
    """Say how good a model is, what the new photo is taken for, and what to try next."""
    run, photo = found.run, found.photo
    if run.kind == "regression":
        say_errors("Train", run.train_predictions, say)
        say_errors("Test", run.test_predictions, say)
    elif is_tutorial(run.split):
        say(f"Train accuracy: {run.train_confusion.accuracy}")
        say(f"Test accuracy: {run.test_confusion.accuracy}")
    else:
        say(accuracy_line(run.test_predictions, train=run.train_confusion))
        for line in filter(None, (sensitivity_line(run.test_predictions), *doubtful_mistakes(run))):
            say(line)
    if found.linear is not None:
        say(found.linear.headline)
    if photo is not None and is_tutorial(run.split):
        label = photo.context.label
        say(f'{photo.name}: y = {float(photo.y)}, your L-layer model predicts a "{label}" picture.')
    elif photo is not None:
        say(f"{photo.name}: {photo.context.label}")
    for line in lines_of(found.advice):
        say(line)


def say_errors(part: str, predictions: Predictions, say: Say) -> None:
    """Say how far predicted numbers are from the true ones, beside always predicting their mean."""
    found = metrics_of(predictions)
    explained = "undefined" if found["r_squared"] is None else f"{found['r_squared']:.3f}"
    say(
        f"{part}: mean absolute error {found['mean_absolute_error']:.4g}, root mean squared error "
        f"{found['root_mean_squared_error']:.4g} (always the mean: {found['baseline']:.4g}), R² {explained}"
    )
