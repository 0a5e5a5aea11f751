"""What the loop passes to its callbacks while it runs.

A callback is any callable that takes an event and returns True to stop the training after the step. Every event
carries the run. One with ``next_step(step)`` is told when that many steps were taken, perhaps in between as well;
others of every step. A callback with ``state()`` and ``load_state(state)`` is part of a checkpoint; one whose
``is_last`` is true is called last.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeAlias

from pellucid.data.dataset import Dataset
from pellucid.nn.model import Model
from pellucid.training.executor.executor import Steps
from pellucid.training.form import Form
from pellucid.training.history import History
from pellucid.training.optimizers.base import Optimizer
from pellucid.training.schedules.base import Schedule


class TrainingState:
    """A training as it stands: what callbacks may look at, and what a checkpoint keeps.

    Attributes
    ----------
    model : Model
        Until ``TrainEnd`` in the form that it is trained in: see ``form``.
    data : Dataset
        The training samples, without those held out.
    form : Form
        Turns parameters as they are trained into those of the plain model.
    n_epochs, n_steps : int
        Epochs asked for, and steps in each.
    seed : int
    epoch, step, step_in_epoch : int
        How many epochs are complete, and how many updates were made, in all and in this epoch.
    epoch_loss : float
        Each step's loss so far in this epoch, times its fraction of the samples; with weights the weighted mean.
    epoch_weight : float
        The weights of the samples so far in this epoch, summed.
    settings : dict
        What a training that goes on from a checkpoint must have in common with this one.
    counts_rows : bool
        Whether a batch counts in the epoch's loss by its samples, not by their weights.
    hashes : callable
        Returns those of data and weights, which take time to compute.
    compared : dict or None
        All of it by which checkpoints are compared, once it has been computed.
    was_interrupted : bool
        Whether Ctrl-C is about to end it.
    """

    form: Form  # chosen before TrainStart

    def __init__(self, job: Any, history: History, callbacks: "Sequence[Callback]") -> None:
        self.model: Model = job.model
        self.data: Dataset = job.data
        self.optimizer: Optimizer = job.optimizer
        self.schedule: Schedule | None = job.schedule
        self.history, self.n_steps, self.hashes = history, job.n_steps, job.hashes
        self.settings: dict[str, Any] = job.settings
        self.n_epochs, self.seed, self.counts_rows = (
            getattr(job.options, name) for name in ("n_epochs", "seed", "counts_rows")
        )
        self.callbacks = sorted(callbacks, key=lambda callback: getattr(callback, "is_last", False))
        self._of_steps = [one for one in self.callbacks if getattr(one, "_hears_steps", True)]
        self._hears_epochs = any(getattr(one, "hears_epochs", False) for one in self.callbacks)
        self.compared: dict[str, Any] | None = None
        self.was_interrupted = False
        self.epoch = self.step = self.step_in_epoch = 0
        self.epoch_loss = self.epoch_weight = 0.0

    def notify(self, event: "Event") -> bool:
        """Call every callback with the event, where it hears such; return whether one asks to stop."""
        stops = False
        for callback in self._of_steps if type(event) is StepEnd else self.callbacks:  # every one is called
            stops |= bool(callback(event))
        return stops

    def steps_to_next(self) -> Steps:
        """Return the steps that may be taken until something is measured or a callback is told."""
        to_end = self.n_steps - self.step_in_epoch
        left = to_end + (self.n_epochs - self.epoch - 1) * self.n_steps
        if self.form.validation is not None or self._hears_epochs:
            left = to_end
        for callback in self._of_steps:
            next_step = getattr(callback, "next_step", None)
            left = min(left, 1 if next_step is None else next_step(self.step) - self.step)
        place = self.epoch, self.step, self.step_in_epoch
        return Steps(self.form.batches, *place, self.optimizer, self.schedule, max(1, left))

    def __repr__(self) -> str:
        return f"TrainingState(epoch {self.epoch} of {self.n_epochs}, step {self.step})"


class TrainStart(NamedTuple):
    """Before the first step."""

    run: TrainingState


class StepEnd(NamedTuple):
    """After each update."""

    run: TrainingState
    step: int  # counted from 0: how many updates came before
    epoch: int  # counted from 0
    loss: float  # of the parameters before the update


class EpochEnd(NamedTuple):
    """After each pass over the training data."""

    run: TrainingState
    epoch: int
    step: int  # of the epoch's last update
    metrics: dict[str, float]  # "loss" and whatever else is measured

    @property
    def loss(self) -> float:
        """The mean training loss over the epoch's samples."""
        return self.metrics["loss"]


class StepsEnd(NamedTuple):
    """After the last step, while the model is still in the form that it was trained in: the time to change it."""

    run: TrainingState


class TrainEnd(NamedTuple):
    """After everything, also after a failure; the model is in its plain form again."""

    run: TrainingState


Event: TypeAlias = TrainStart | StepEnd | EpochEnd | StepsEnd | TrainEnd
Callback: TypeAlias = Callable[[Any], "bool | None"]
