"""What the callbacks here have in common: options as fields, and a method for each kind of event."""

import sys
from dataclasses import dataclass
from typing import Any, ClassVar

from pellucid.errors import OptionError
from pellucid.registry import Configurable, Registry
from pellucid.training.events import EpochEnd, Event, StepEnd, StepsEnd, TrainEnd, TrainStart

CALLBACKS: "Registry[Callback]" = Registry("callback", "pellucid.training.callbacks")


ELSEWHERE = {  # what other libraries call these methods
    "on_train_begin": "train_start",
    "on_fit_start": "train_start",
    "on_train_start": "train_start",
    "on_batch_end": "step_end",
    "on_train_batch_end": "step_end",
    "on_epoch_end": "epoch_end",
    "on_train_epoch_end": "epoch_end",
    "on_train_end": "train_end",
    "on_fit_end": "train_end",
}


@dataclass(eq=False)
class Callback(Configurable):
    """A callback with a method for each event. Override those that matter; returning True stops the training.

    A class of one's own needs no options, and then no ``@dataclass``.

    Examples
    --------
    >>> class StopBelow(Callback):
    ...     def epoch_end(self, event):
    ...         return event.loss < 0.1

    Attributes
    ----------
    is_last : bool
        Whether it is called after the others.
    changes_training : bool
        Whether the trained model depends on it: a training goes on from a checkpoint only with the same one.
    takes_any_step : bool
        Whether any of the steps that one call takes may be told, and not each.
    hears_epochs : bool
        Whether each epoch's end is told; by default of a class that has its own ``epoch_end`` or ``__call__``.
    """

    _registry = CALLBACKS
    is_last: ClassVar[bool] = False
    changes_training: ClassVar[bool] = False
    takes_any_step: ClassVar[bool] = False
    hears_epochs: ClassVar[bool] = False
    _hears_steps: ClassVar[bool] = False

    def __init_subclass__(cls, **keywords: Any) -> None:
        super().__init_subclass__(**keywords)
        has_own_call = cls.__call__ is not Callback.__call__
        cls._hears_steps = has_own_call or cls.step_end is not Callback.step_end
        if "hears_epochs" not in vars(cls):
            cls.hears_epochs = has_own_call or cls.epoch_end is not Callback.epoch_end
        for name in vars(cls):
            if name in ("needs_every_step", "steps_to_next"):
                raise OptionError(f"{cls.__name__}: {name} is no more. Write next_step(self, step) instead.")
            if name in ELSEWHERE:
                raise OptionError(
                    f"{cls.__name__}: {name} would never be called. Name it {ELSEWHERE[name]}(self, event); "
                    "the event has the run and, at the end of an epoch, epoch, loss and metrics."
                )

    def __call__(self, event: Event) -> bool:
        """Call the method for an event, and return whether it asks to stop."""
        return bool(getattr(self, _METHODS[type(event)])(event))

    def next_step(self, step: int) -> int:
        """Return after how many steps in all to be told next, where that many were taken.

        Until then, steps of a small network may be one call, of which only the last is told. By default every step,
        of a class that has its own ``step_end`` or ``__call__``.
        """
        return sys.maxsize if self.takes_any_step else step + 1

    def train_start(self, event: TrainStart) -> bool | None:
        """Before the first step."""

    def step_end(self, event: StepEnd) -> bool | None:
        """After each update."""

    def epoch_end(self, event: EpochEnd) -> bool | None:
        """After each pass over the training data."""

    def steps_end(self, event: StepsEnd) -> bool | None:
        """After the last step, while the model is still in the form that it was trained in."""

    def train_end(self, event: TrainEnd) -> bool | None:
        """After everything, also after a failure."""


_METHODS: dict[type, str] = {
    TrainStart: "train_start",
    StepEnd: "step_end",
    EpochEnd: "epoch_end",
    StepsEnd: "steps_end",
    TrainEnd: "train_end",
}
