"""The whole tutorial in one go, from loading to the closing line, into a run folder."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from pellucid import dispatch
from pellucid.data.dataset import Split
from pellucid.errors import DataError
from pellucid.evaluation.scores.advice import Advice, lines_of
from pellucid.evaluation.scores.measure import metrics_of
from pellucid.evaluation.scores.predictions import Predictions
from pellucid.folders import open_folder
from pellucid.formats.architecture import Architecture
from pellucid.formats.safetensors import load
from pellucid.nn.model import Model
from pellucid.report.build import check_probabilities, write_findings
from pellucid.report.findings import Findings, find_short
from pellucid.runs.build import fit_run, make_model
from pellucid.runs.config import RunConfig
from pellucid.runs.photo import new_image
from pellucid.runs.record import RunRecord, replaced_by_a_run, write_run
from pellucid.runs.spelling import naming_a_cure
from pellucid.training.callbacks.interrupt import StopOnInterrupt
from pellucid.training.callbacks.progress import PrintCosts
from pellucid.training.events import Callback

Say = Callable[[str], None]


@dataclass(frozen=True, eq=False)
class RunOutcome:
    """What a run left behind."""

    record: RunRecord
    report: Path
    signal: int = 0  # that stopped the training
    advice: tuple[Advice, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return folder, report, metrics and what to try next as JSON can hold them."""
        record = self.record
        named = {"folder": str(record.folder), "report": str(self.report), "model": record.config.model}
        return {**named, **record.metrics, "advice": [one.to_dict() for one in self.advice]}


def run(
    config: RunConfig,
    out: Path,
    *,
    architecture: Architecture | None = None,
    force: bool = False,
    callbacks: Sequence[Callback] = (),
    say: Say = print,
) -> RunOutcome:
    """Look at the data, train, evaluate, show the mistakes, predict a new photo, and write the run folder.

    Parameters
    ----------
    config : RunConfig
        As :func:`pellucid.runs.build.plan` returns it.
    out : Path
        The folder to make: report.html, figures, model, history, config and metrics.
    architecture : Architecture, optional
        The network's file, where the model is one.
    force : bool, optional
        Take the place of another run in the folder; what is no part of a run is kept.
    callbacks : sequence of callable, optional
        Further callbacks of the training, such as a progress bar.
    say : callable, optional
        Takes each line that the tutorial prints.

    Raises
    ------
    PellucidError
        If data, options, photo or folder cannot be used; ``out`` is then as it was before.
    """
    split = config.load()
    if split.train.y.ndim > 1 and split.train.y.dtype.kind != "f":
        raise DataError(
            f"{split.name}: `pellucid run` reports on one class a sample or on numbers; for several labels use "
            "`pellucid train` and `pellucid evaluate`."
        )
    if config.photo is not None and not split.classes:
        raise DataError(
            "--photo: a class is predicted for it, and this model predicts numbers. Leave it out."
        )
    if config.options.loss is not None and split.classes:
        check_probabilities("--loss", config.options.loss)
    model = make_model(config, architecture, split)
    config = config.for_data(split.train)
    image = new_image(config, split.train.X.shape[1:])
    interrupt = StopOnInterrupt(takes_sigterm=True)
    with open_folder(out, force=force) as writer:
        say_shapes(split, say)
        say_choice(config, say)
        say_start(config, model, say)
        with naming_a_cure(config):
            history = fit_run(model, split, config, [PrintCosts(show=say), interrupt, *callbacks])
        with dispatch.use(history.kernels):
            found = find_short(RunRecord(out, config, split, model, history), image)
        scores = {"train": metrics_of(found.result.trained), "test": metrics_of(found.result.predictions)}
        record = replace(found.result.run, scores=scores)
        say_results(found, say)
        write_run(record, writer.new)
        report = write_findings(found, writer.new)
        writer.commit(replaces=replaced_by_a_run(out))
    say(f"Report: {out / report.name}")
    now = datetime.now()
    say(f"Program executed successfully on: {now:%Y-%m-%d %H:%M:%S}...Goodbye!")
    return RunOutcome(record, out / report.name, interrupt.signal, found.result.advice)


def say_shapes(split: Split, say: Say) -> None:
    """Say what the tutorial prints of its data."""
    train, test = split.train, split.test
    shape = train.X.shape[1:]
    n = int(np.prod(shape))
    say(f"Number of training examples: {len(train)}")
    say(f"Number of testing examples: {len(test)}")
    say(f"Each image is of size: {shape}" if len(shape) > 1 else f"Each {split.noun} has {n} features")
    for name, part in (("train", train), ("test", test)):
        say(f"{name}_x_orig shape: {part.X.shape}")
        say(f"{name}_y shape: {(1, len(part))}")
    if split.classes:
        say(f"The target labels: {np.unique(train.y)} ({', '.join(split.classes)})")
    else:
        say(f"The target: numbers from {train.y.min():.6g} to {train.y.max():.6g}")
    for note in split.notes:
        say(f"Note: {note}")
    say(f"train_x's shape: {(n, len(train))}")
    say(f"test_x's shape: {(n, len(test))}")


def say_choice(config: RunConfig, say: Say) -> None:
    """Say which model was chosen for the data, and why; nothing where it was asked for."""
    if config.reason:
        say(f"Model: {config.model}, {config.reason}. --model NAME takes another.")


def say_start(config: RunConfig, model: Model, say: Say) -> None:
    """Say what is kept of the trained model that a training begins from; nothing where it begins anew."""
    if config.start is None:
        return
    source = load(config.start)
    is_same = (source.classes, source.output_shape) == (model.classes or source.classes, model.output_shape)
    frozen = [leaf.name for leaf in model.leaves() if leaf.is_frozen]
    kept = f"{model.n_frozen:,} parameters frozen, up to {frozen[-1]}; " if frozen else ""
    last = "its last layer kept" if is_same else "a new last layer"
    say(f"Begins from {config.model_name}, {last}: {kept}{model.theta.size:,} parameters trained.")


def say_results(found: Findings, say: Say) -> None:
    """Say what the tutorial prints of its model: accuracies, mistakes, and the new photo."""
    result, photo = found.result, found.photo
    history = result.history
    if not history.is_complete:
        say(f"Stopped after {history.n_steps} steps, as asked. History and model so far are kept.")
    say(f"Training took {history.seconds:.2f} s ({history.note}).")
    if result.kind == "regression":
        say_errors("Train", result.trained, say)
        say_errors("Test", result.predictions, say)
    else:
        test = result.test
        say(f"Train accuracy: {result.train.accuracy}")
        say(f"Test accuracy: {test.accuracy}")
        say(f"Majority-class baseline, always {test.majority_class!r}: {test.baseline}")
        say(f"Misclassified test {result.noun}s: {test.n_samples - test.n_correct} of {test.n_samples}")
    if photo is not None:
        label = photo.context.label
        say(f'{photo.name}: y = {float(photo.y)}, your L-layer model predicts a "{label}" picture.')
    for line in lines_of(result.advice):
        say(line)


def say_errors(part: str, predictions: Predictions, say: Say) -> None:
    """Say how far predicted numbers are from the true ones, beside always predicting their mean."""
    found = metrics_of(predictions)
    explained = "undefined" if found["r_squared"] is None else f"{found['r_squared']:.3f}"
    say(
        f"{part}: mean absolute error {found['mean_absolute_error']:.4g}, root mean squared error "
        f"{found['root_mean_squared_error']:.4g} (always the mean: {found['baseline']:.4g}), R² {explained}"
    )
