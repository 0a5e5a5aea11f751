"""A training that goes on from its checkpoint to another number of epochs: what stays, what may change."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pellucid.errors import FormatError
from pellucid.text import plural
from pellucid.training.events import TrainingState
from pellucid.training.saved_state import saved_number, saved_position
from pellucid.training.schedules.base import Schedule


def settings_of_length(known: Mapping[str, Any], wanted: Mapping[str, Any]) -> tuple[dict[str, Any], bool]:
    """Return the settings that a checkpoint must have for a training of these, and whether rates change from here.

    They are those of the training itself; but where it is to have another number of epochs, that number is free,
    and the learning rate and its schedule too.

    Parameters
    ----------
    known, wanted : mapping
        The settings of the checkpoint and of the training.

    Examples
    --------
    >>> known = {"n_epochs": 120, "schedule": None, "optimizer": {"type": "sgd", "learning_rate": 0.1}}
    >>> wanted = {**known, "n_epochs": 150}
    >>> settings_of_length(known, wanted) == (known, False)
    True
    >>> wanted["schedule"] = {"type": "constant"}
    >>> settings_of_length(known, wanted) == (known, True)
    True
    """
    expected = dict(wanted)
    if known.get("n_epochs") == wanted["n_epochs"]:
        return expected, False
    expected["n_epochs"] = known.get("n_epochs")
    theirs, own = known.get("optimizer"), wanted["optimizer"]
    if not isinstance(theirs, Mapping):
        return expected, False
    chosen = expected["schedule"], own.get("learning_rate")
    before = known.get("schedule"), theirs.get("learning_rate")
    is_a_choice = chosen[0] is not None or before[0] is None  # none at all is no schedule to go on by
    if chosen == before or not is_a_choice:
        return expected, False
    expected["schedule"] = before[0]
    expected["optimizer"] = {**own, **{name: before[1] for name in own if name == "learning_rate"}}
    return expected, True


def check_length(run: TrainingState, path: Path, header: Mapping[str, Any], *, has_new_rates: bool) -> None:
    """Check that a run may go on from a checkpoint of a training of another length.

    Raises
    ------
    FormatError
        If the checkpoint is past the run's end, or its learning rates so far are not those of a training as long
        as the run: one that had been so long from the start would be elsewhere. Rates that are chosen for the
        epochs to come may not depend on the length either: their schedule would be entered in the middle.
    """
    n_before = saved_number(f"{path}: n_epochs", header["settings"].get("n_epochs"), 1)
    epoch, step, _ = saved_position(header["position"], run.n_steps)
    if n_before == run.n_epochs:
        return
    if epoch >= run.n_epochs:
        raise FormatError(
            f"{path}: the training has made {plural(epoch, 'epoch')} already; expected n_epochs (--epochs) above "
            f"{epoch} to go on, got {run.n_epochs}."
        )
    schedule, optimizer = run.schedule, run.optimizer
    if schedule is None:
        return
    if depends_on_length(schedule, step, n_before * run.n_steps, run.n_epochs * run.n_steps):
        name = schedule._registered_as or type(schedule).__name__
        why = f"the rates of {name} so far are those of {plural(n_before, 'epoch')}, not of {run.n_epochs}"
        rate = optimizer.learning_rate / 10
        if has_new_rates:
            why = (
                f"the rates of {name} depend on the number of epochs, and cannot begin after {epoch} of them"
            )
            rate = optimizer.learning_rate
        raise FormatError(
            f'{path}: {why}. Choose a rate to go on at, with schedule="constant" and learning_rate (--schedule '
            f"constant --learning-rate {rate:.2g}), or train {run.n_epochs} epochs again."
        )


def depends_on_length(schedule: Schedule, n_made: int, *lengths: int) -> bool:
    """Return whether the rates of the steps made so far differ between trainings of so many steps.

    Examples
    --------
    >>> from pellucid.training.schedules import Constant, OneCycle
    >>> depends_on_length(Constant(), 30, 30, 40), depends_on_length(OneCycle(), 30, 30, 40)
    (False, True)
    """
    return any(len({schedule(t, length) for length in lengths}) > 1 for t in range(n_made))


def set_rates_from_here(
    run: TrainingState, chosen: Mapping[str, Any], before: Mapping[str, Any], *, has_new_rates: bool
) -> None:
    """Let the schedule of a run that has been restored reach to its end, from here on at the rate that was chosen.

    Parameters
    ----------
    run : TrainingState
    chosen, before : mapping
        The options of the optimizer as this training was given them, and as the one before was.
    has_new_rates : bool
        Whether rate or schedule are others than before.
    """
    if run.schedule is not None:
        run.schedule.n_steps = run.n_epochs * run.n_steps
    if not has_new_rates:
        return
    for name in set(run.optimizer.number_names) & set(chosen):  # a schedule may have moved the momentum too
        run.optimizer._keep(name, chosen[name])
    columns = run.history.columns
    if run.schedule is not None and "learning_rate" not in columns:
        columns["learning_rate"] = [float(before["learning_rate"])] * len(columns["loss"])
