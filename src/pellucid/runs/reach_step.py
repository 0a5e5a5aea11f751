"""A run as it was before one of its steps: from the nearest checkpoint, the steps in between taken again."""

import copy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from pellucid.data.dataset import Dataset
from pellucid.errors import DataError, FormatError, OptionError
from pellucid.formats.architecture import load_architecture
from pellucid.nn.blocks import branches_of
from pellucid.nn.model import Model
from pellucid.progress import CountCallback
from pellucid.runs.build import fit_run, initialize, make_model
from pellucid.runs.config import RunConfig, is_preset
from pellucid.runs.run import CHECKPOINTS, Run, read_run
from pellucid.text import join, plural
from pellucid.training.callbacks.base import Callback
from pellucid.training.checkpoint import checkpoints_of, position_of
from pellucid.training.events import StepEnd, TrainingState, TrainStart
from pellucid.training.history import History
from pellucid.training.optimizers.base import Optimizer
from pellucid.training.options import make_optimizer
from pellucid.types import Array, map_arrays

TOLD = 50  # times that progress is shown


@dataclass(frozen=True, eq=False)
class ReachedStep:
    """A training before one of its steps: all that the step is computed of.

    Attributes
    ----------
    model : Model
        With the parameters before the step, in its plain form.
    X, Y : Array, or dict of Array
        The mini-batch, prepared and augmented, and its targets, encoded.
    weights : Array or None
    optimizer : Optimizer
        With the learning rate of the step.
    memory : dict
        Its ``state()`` before the step.
    seed, step : int
        Of what Dropout drops; steps are counted from 0 here.
    data : Dataset
        The samples of the batch as loaded.
    rows : Array
        Their places in the training part, without those held out.
    notes : tuple of str
        How it was reached, and what of it is not exact.
    """

    model: Model
    X: Any
    Y: Any
    weights: Array | None
    optimizer: Optimizer
    memory: dict[str, Any]
    seed: int
    step: int
    data: Dataset
    rows: Array
    notes: tuple[str, ...] = ()


def reach_step(
    folder: Path, step: int, *, data: str | None = None, progress: CountCallback = lambda done, total: None
) -> ReachedStep:
    """Return a run as it was before a step.

    Parameters
    ----------
    folder : Path
        What ``pellucid run`` or ``pellucid train`` left.
    step : int
        From 1 to the number of steps that it took.
    data : str, optional
        Where its data are now; default: where they were.
    progress : callable, optional
        Called with the number of steps taken again, and of all to take.

    Raises
    ------
    OptionError
        If it took no such step, or single ones cannot be taken again.
    FormatError, DataError
        If it is no run, or its data are gone or have changed.

    Notes
    -----
    Batches, augmentation and Dropout follow from the seed, so that the steps are those of the training, bit for bit
    on the same machine with the same kernels and as many threads.
    """
    run = read_run(folder, data=data)
    n_steps = run.history.n_steps
    if not 1 <= step <= n_steps:
        raise OptionError(
            f"replay: {folder} took {plural(n_steps, 'step')}, and none is step {step}. Name one from 1 on."
        )
    if make_optimizer(run.options).is_full_batch:
        raise OptionError(
            f"replay: {folder} was trained by {run.options.optimizer}, which takes no single steps. Name a run by "
            "sgd or adam."
        )
    if branches_of(run.model):
        raise OptionError(
            f"replay: {folder} has networks whose mean predicts, each trained by itself: no step is one of the "
            "model. Name a run of one network."
        )
    config, checkpoint = _start_of(run, step)
    model = _untrained(run, config)
    start = 0 if checkpoint is None else position_of(checkpoint)[1]
    reach = _Reach(copy.deepcopy(model), step - 1, start, progress)
    config = replace(config, options=replace(config.options, minutes=None))
    try:
        fit_run(model, run.split, config, [reach], resume=checkpoint)
    except _Reached as reached:
        return replace(reached.step, notes=tuple(_notes(run, reached.history, step, checkpoint, start)))
    raise AssertionError("the training ended before that step")


def _start_of(run: Run, step: int) -> tuple[RunConfig, Path | None]:
    """Return the configuration under which a step was taken, and the nearest checkpoint before it."""
    found = [(position_of(path), path) for path in checkpoints_of(run.folder / CHECKPOINTS)]
    before = sorted((one for one in found if one[0][1] < step), key=lambda one: one[0][1])
    position, path = before[-1] if before else (None, None)
    config, began = replace(run.config, stages=()), 0
    n_steps = next((made // epoch for (epoch, made, in_epoch), _ in found if epoch and not in_epoch), None)
    for stage in run.config.stages:  # each ended at a checkpoint, from which the training went on otherwise
        if n_steps is None:
            raise DataError(
                f"replay: {run.folder} went on at other learning rates after {plural(stage.until, 'epoch')}, and "
                "no checkpoint at the end of an epoch is left. Train again to replay its steps."
            )
        if step <= stage.until * n_steps:
            config = replace(config, options=stage.options)
            break
        began = stage.until * n_steps
    if began and (position is None or position[1] < began):
        raise DataError(
            f"replay: {run.folder} went on at other learning rates after step {began}, and the checkpoint at that "
            f"step is not left: step {step} cannot be reached. Name one up to {began}."
        )
    return config, path


def _untrained(run: Run, config: RunConfig) -> Model:
    """Return the model of a run as it was before the training."""
    is_new = config.start is None and not is_preset(config.model)
    model = make_model(config, load_architecture(config.model) if is_new else None, run.split)
    initialize(model, run.split, config.options)
    if model.config() != run.model.config():
        raise FormatError(
            f"replay: {config.model} describes another network than {run.folder} trained: the file has changed."
        )
    return model


class _Reached(Exception):
    """Ends a training where it is: no statistics are measured, no averages taken."""

    def __init__(self, step: ReachedStep, history: History) -> None:
        self.step, self.history = step, history


class _Reach(Callback):
    """Ends a training before one step, with all of which that step is computed.

    Parameters
    ----------
    model : Model
        As it was before the training, in its plain form.
    at : int
        How many steps come before.
    start : int
        How many were taken before the checkpoint that the training goes on from.
    progress : callable
    """

    def __init__(self, model: Model, at: int, start: int, progress: CountCallback) -> None:
        self.model, self.at, self.start, self.progress = model, at, start, progress

    def train_start(self, event: TrainStart) -> None:
        """Take note of the run."""
        self.run = event.run

    def next_step(self, step: int) -> int:
        """Look, where the next step is the one; else return it, or one before at which progress is shown.

        It is asked between two steps, when a schedule has seen what was measured after an epoch.
        """
        if step == self.at:
            raise _Reached(self._look(self.run), self.run.history)
        return min(self.at, step + max(1, (self.at - self.start) // TOLD))

    def step_end(self, event: StepEnd) -> None:
        """Show progress."""
        self.progress(event.run.step - self.start, self.at - self.start)

    def _look(self, run: TrainingState) -> ReachedStep:
        epoch, skip = divmod(self.at, run.n_steps)
        batches = run.form.batches.whole
        rows = [*batches.rows(epoch)][skip]
        X, Y, weights = next(batches.epoch(epoch, skip=skip))
        model, form = self.model, run.form
        model.theta[...] = form.to_plain(run.model.theta)
        states = {leaf.name: leaf.state for leaf in run.model._leaves()}
        for leaf in model._leaves():
            for key, array in leaf.state.items():
                array[...] = states[leaf.name][key]
        model._copy_loss(run.model)
        model.preprocessing, model.inputs_seen = run.model.preprocessing, run.model.inputs_seen
        model.classes = run.model.classes
        data = run.data.take(rows)
        if form.part is not None or form.dual is not None:  # whose batches are no samples
            rule = model.preprocessing
            assert rule is not None
            X = map_arrays(lambda array: rule.apply(array[:], model.dtype), data.X)
        optimizer = copy.deepcopy(run.optimizer)
        optimizer.grad_norm = None
        if run.schedule is not None:
            copy.deepcopy(run.schedule).apply(optimizer, self.at)
        memory: dict[str, Any] = dict(optimizer.state())
        memory |= {name: form.to_plain(memory[name]) for name in optimizer.slot_names}
        whole = rows if isinstance(rows, np.ndarray) else np.arange(rows.start, rows.stop)
        X, Y = (map_arrays(np.array, each) for each in (X, Y))  # the next batch takes the place of this one
        weights = None if weights is None else weights.copy()
        return ReachedStep(model, X, Y, weights, optimizer, memory, run.seed, self.at, data, whole)


def _notes(run: Run, history: History, step: int, checkpoint: Path | None, start: int) -> list[str]:
    """Return how a step was reached, and what of it is not exact."""
    before = "the start" if checkpoint is None else f"the checkpoint after step {start}"
    notes = [f"Step {step} of {run.history.n_steps}, from {before}"]
    if start < step - 1:
        notes[0] += (
            f": the {plural(step - 1 - start, 'step')} in between were taken again, from seed {run.options.seed}"
        )
    notes[0] += "."
    if history.kernels == "numba" or history.form != "direct" or history.n_threads > 1:
        how = ["compiled kernels"] * (history.kernels == "numba")
        how += ["the dual form"] * (history.form != "direct") + ["several threads"] * (history.n_threads > 1)
        notes.append(
            f"The training ran on {join(how)}; the step shown here is computed layer by layer by NumPy. Its last "
            "digits differ."
        )
    then, now = ((one.kernels, one.n_threads) for one in (run.history, history))
    if then != now:
        notes.append(
            f"The training ran on kernels '{then[0]}' and {plural(then[1], 'thread')}, the steps taken again on "
            f"'{now[0]}' and {now[1]}: last digits differ, and differences grow from step to step."
        )
    return notes
