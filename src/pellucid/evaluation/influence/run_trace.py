"""What influence is computed from: a training that is run again, or the checkpoints that it left."""

import shlex
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from pellucid.data.dataset import Dataset
from pellucid.data.preprocess import Preprocessing
from pellucid.evaluation.influence.logits import outputs_of
from pellucid.evaluation.influence.retraining import Retraining, Traced
from pellucid.evaluation.influence.snapshots import read_snapshot, snapshot_of
from pellucid.evaluation.influence.stages import fit_in_stages
from pellucid.nn.blocks import branches_of
from pellucid.nn.model import Model, model_from_config
from pellucid.nn.sequential import Sequential
from pellucid.progress import ProgressCallback, no_progress
from pellucid.runs.build import make_model
from pellucid.runs.config import Stage
from pellucid.runs.run import Run
from pellucid.text import in_minutes, plural
from pellucid.training.callbacks.progress import Progress
from pellucid.training.cost import arithmetic_of, can_be_dual
from pellucid.training.fit import kernels_for
from pellucid.training.job import validation_rows
from pellucid.training.loss_setup import weigh_samples
from pellucid.types import Array

N_SNAPSHOTS = 20
N_TRAININGS = 40  # about how many the proof for a few predictions takes
OTHER = (
    "Run again, the training gave other scores, by up to {off:.2g}: another machine, version or number of threads "
    "adds in another order. What follows is about the training as it runs here."
)
OPERATIONS_A_SECOND, SECONDS_A_LAYER = 2e10, 1e-5
# The largest difference of scores that still counts as the same training.
SAME = {"float64": 1e-6, "float32": 1e-2}


def training_seconds(run: Run) -> float:
    """Return about how long one training takes on an idle core, from its operations: the same on every run."""
    model, options, m = run.model, run.config.options, len(run.split.train)
    model = model_after_body(model, options.seed) if model._n_body else model  # features are known
    n_steps = run.history.n_steps
    work = arithmetic_of(model, options, m, n_steps)
    return work / OPERATIONS_A_SECOND + n_steps * len(model._leaves()) * SECONDS_A_LAYER


def measured_seconds(run: Run) -> float:
    """Return how long the training took, without what it compiled and prepared."""
    return run.history.seconds - run.history.setup_seconds or training_seconds(run)


class TrainingTrace(NamedTuple):
    """What influence is computed from."""

    retraining: Retraining | None
    traced: Traced
    train: Dataset  # as the traced model takes it
    query: Dataset
    notes: tuple[str, ...] = ()
    on_threads: bool = False  # whether trainings side by side run on threads: see :mod:`pellucid.parallel`


def retrain(run: Run, query: Dataset, progress: ProgressCallback = no_progress) -> TrainingTrace:
    """Run the training again, after a pretrained body that of its features, and compare with the saved model."""
    model, options, train = run.model, run.config.options, run.split.train
    saved, limit = outputs_of(model, query.X), SAME[model.dtype]
    stages, on_threads = list(run.config.stages), False
    if model._n_body:
        # Without folds, and with the weight decay that they chose.
        known = {name: value for name, value in options.optimizer_options.items() if name != "folds"}
        options = replace(options, weight_decay=decay_of(run), optimizer_options=known, n_threads=1)
        stages, limit = [], SAME["float32"]
        start, kernels = model_after_body(model, options.seed), "numpy"
        train, query = (replace(part, X=features_of_body(model, part.X)) for part in (train, query))
    else:
        start, kernels = _start_of(run), run.history.kernels
        if can_be_dual(model, options, len(train)):  # elsewhere the last digits, which kernels change, grow
            kernels, on_threads = kernels_for(start, train, options, N_TRAININGS)
    stages = [Stage(until, replace(own, kernels=kernels)) for until, own in stages]
    again = partial(fit_in_stages, stages, replace(options, kernels=kernels))
    retraining = Retraining(start, train, query.X, again, _held_out(run))
    bar = Progress("training again", show=progress, refresh_seconds=0)
    traced = retraining.traced(N_SNAPSHOTS, [bar])
    off = np.abs(traced.outputs - saved).max()
    notes = (OTHER.format(off=off),) if off > limit else ()
    return TrainingTrace(retraining, traced, train, query, notes, on_threads)


def _start_of(run: Run) -> Model:
    """Return the model that a training began from."""
    model = run.model
    if run.config.start is not None:
        start = make_model(run.config, None, run.split)
    else:
        start = model_from_config(model.config(), dtype=model.dtype)
        start._recipe = run.config.recipe
        start.initialize(model.input_shape, seed=run.config.options.seed)
    start._copy_loss(model)
    start.preprocessing, start.classes, start._schema = model.preprocessing, model.classes, model._schema
    return start


def decay_of(run: Run) -> float:
    """Return the weight decay that a run was trained with: the one that was chosen, or the one asked for."""
    return run.model._summary_of_training.get("weight_decay", run.config.options.weight_decay)


def features_of_body(model: Model, X: Any) -> Array:
    """Return what a model's pretrained body makes of photos."""
    features = model._outputs_and_features(X)[1]
    assert features is not None
    return features


def model_after_body(model: Model, seed: int) -> Model:
    """Return the layers after a pretrained body, not trained, as a model of its features."""
    parts = Sequential(model._places[model._n_body :])
    head = model_from_config(parts.config(), dtype=model.dtype)
    head.initialize(model._places[model._n_body].input_shape, seed=seed)
    head._copy_loss(model)
    head.preprocessing, head.classes = Preprocessing(), model.classes
    return head


def is_start_gone(run: Run) -> bool:
    """Return whether a training began from a model that is not where it was."""
    start = run.config.start
    return start is not None and not start.exists()


def from_checkpoints(run: Run, folder: Path | None, query: Dataset, *, is_asked: bool) -> TrainingTrace:
    """Take the checkpoints that a training left, and the trained model; that alone where they do not help.

    ``is_asked`` says whether the caller wants no training.
    """
    model, rate = run.model, run.config.options.learning_rate
    paths = sorted((folder / "checkpoints").glob("*.checkpoint")) if folder is not None else []
    of_the_end = f"step-{run.history.n_steps:08d}"  # the trained model, in the form that it was trained in
    paths = [path for path in paths if path.stem != of_the_end]
    is_dual, n_left = run.history.form == "dual", len(paths)
    # They lack the first layer's weights, were taken at unknown rates, or belong to one network of several.
    if is_dual or run.config.stages or branches_of(model):
        paths = []
    last = snapshot_of(model, run.history.n_steps, rate)
    snapshots = [*(read_snapshot(path, model, rate) for path in paths), last]
    n = len(paths)
    kept = f"{plural(n, 'checkpoint')} and the trained model" if n else "the trained model alone"
    if n_left and is_dual:
        kept += " (checkpoints of the dual form hold no weights of the first layer)"
    why = f"one training takes about {in_minutes(measured_seconds(run))}"
    where = "retrain=True" if folder is None else f"pellucid influence {shlex.quote(str(folder))} --retrain"
    advice = f" To follow the whole training and to prove it: {where}"
    if branches_of(model):
        why, advice = "the model is the mean of networks that were trained one after another", ""
    elif is_asked:
        why = "that was asked"
    elif is_start_gone(run):
        why, advice = f"the model that it began from is no longer at {run.config.start}", ""
    note = (
        f"Nothing was trained again: {why}. The influence is traced over {kept}, which shows little of the way "
        f"there.{advice}"
    )
    traced = Traced(model, outputs_of(model, query.X), snapshots)
    return TrainingTrace(None, traced, run.split.train, query, (note,))


def training_weights(run: Run) -> Array | None:
    """Return how much each training sample counted; 0 for those held out to watch the training."""
    weights = weigh_samples(run.model, run.split.train, None, run.config.options.class_weight)
    if (held := _held_out(run)) is not None:
        weights = np.ones(len(run.split.train)) if weights is None else weights
        weights[held] = 0
    return weights


def _held_out(run: Run) -> Array | None:
    """Return the rows of the training part that watched the training; None: it held out none."""
    options = run.config.options
    if not isinstance(options.validation, float):
        return None
    return validation_rows(run.split.train, options.validation, options.seed)[1]
