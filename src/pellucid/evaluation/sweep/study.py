"""A sweep's study: Optuna's, in a folder that several processes share.

Optuna chooses options and stops trials; its journal holds every trial. A process holds the lock of the trial that
it trains. A trial that is marked as running while its lock is free was left by a process that died: the next
process takes it over.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import numpy as np

from pellucid.errors import FormatError, OptionError, OutputError
from pellucid.evaluation.sweep.result import LOWER_IS_BETTER, Training, Trial
from pellucid.evaluation.sweep.space import Space
from pellucid.locks import FileLock
from pellucid.process_state import warnings_ignored
from pellucid.text import shown

if TYPE_CHECKING:
    import optuna

SEARCHES = ("random", "grid", "tpe", "hyperband")
FACTOR = 3  # of Hyperband: about one of so many trials goes on, for so many times as many epochs
SHORTEST = 27  # Hyperband's first look at a trial is after its epochs over this
MOST_TRIALS = 10_000
PAUSE = 0.1  # seconds between two looks for a trial that another process has left
STUDY, JOURNAL, IDENTITY = "study", "journal.log", "pellucid sweep"


@contextmanager
def silent_optuna() -> Iterator[None]:
    """Keep Optuna from printing and warning within the block, or the function that this decorates."""
    import optuna

    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(logging.CRITICAL)
    try:
        with warnings_ignored():
            yield
    finally:
        optuna.logging.set_verbosity(before)


@dataclass(frozen=True)
class Search:
    """How a sweep chooses options.

    Attributes
    ----------
    kind : {"random", "grid", "tpe", "hyperband"}
    space : Space
    objectives : tuple of str
    seed : int
    n_trials : int
    n_epochs : int
        Of a trial that Hyperband does not stop.
    """

    kind: str
    space: Space
    objectives: tuple[str, ...]
    seed: int
    n_trials: int
    n_epochs: int = 0

    @property
    def rounds(self) -> list[int]:
        """The epochs after which Hyperband may stop a trial, and those of a whole one; of other searches none.

        Examples
        --------
        >>> Search("hyperband", Space({}, {}), (), 1, 27, n_epochs=100).rounds
        [4, 12, 36, 100]
        """
        if self.kind != "hyperband":
            return []
        found = [-(-self.n_epochs // SHORTEST)]
        while found[-1] * FACTOR < self.n_epochs:
            found.append(found[-1] * FACTOR)
        return found if found[-1] == self.n_epochs else [*found, self.n_epochs]

    def sampler(self, number: int) -> optuna.samplers.BaseSampler:
        """Return what draws a trial: by the seed and its number, so that a resumed sweep draws the same."""
        from optuna.samplers import RandomSampler, TPESampler

        seed = int(np.random.SeedSequence((self.seed, number)).generate_state(1)[0])
        is_random = self.kind in ("random", "grid")
        return RandomSampler(seed) if is_random else TPESampler(seed=seed, constant_liar=True)

    def pruner(self) -> optuna.pruners.BasePruner:
        """Return what stops trials before their last epoch."""
        from optuna.pruners import HyperbandPruner, NopPruner

        rounds = self.rounds
        return HyperbandPruner(rounds[0], self.n_epochs, FACTOR) if rounds else NopPruner()

    def chosen(self, number: int) -> dict[str, str] | None:
        """Return the options of a trial that are no matter of chance; None where Optuna draws them.

        A grid is tried in order; a random search of finitely many combinations draws none of them twice.
        """
        n = self.space.n_combinations
        if n is None or self.kind not in ("random", "grid"):
            return None
        if self.kind == "random":
            number = Random(self.seed).sample(range(n), min(n, MOST_TRIALS))[number]
        return self.space.combination(number)


def count_trials(kind: str, space: Space, n_trials: int | None) -> int:
    """Return how many trials there are: as asked for, up to all combinations; default: all of a grid, else 20.

    Raises
    ------
    OptionError
        If a grid has a range without steps, or there are too many.
    """
    n_there_are = space.n_combinations
    ranges = [name for name, values in space.entries.items() if not isinstance(values, list)]
    if kind == "grid" and ranges:
        raise OptionError(
            f"--search grid: {ranges[0]} is a range. Say how many values of it are tried, such as steps = 5, or "
            "take --search random."
        )
    n = n_trials or (n_there_are if kind == "grid" else 20) or 20
    n = min(n, n_there_are or n)
    if n > MOST_TRIALS:
        raise OptionError(f"sweep: {n:,} trials are too many. Take --trials, up to {MOST_TRIALS:,}.")
    return n


class JournalLock(FileLock):
    """The lock of the journal; who gets it drops half a line of a process that was killed."""

    def acquire(self) -> bool:
        """Wait for the lock, and take it."""
        super().acquire()
        with self.path.with_name(JOURNAL).open("rb+") as file:
            if file.seek(0, os.SEEK_END) and file.seek(-1, os.SEEK_END) >= 0 and file.read() != b"\n":
                file.seek(0)
                file.truncate(file.read().rfind(b"\n") + 1)
        return True


class Study:
    """The study in a folder.

    Parameters
    ----------
    folder : Path
        Exists.
    search : Search

    Raises
    ------
    FormatError
        If its journal cannot be read.
    """

    @silent_optuna()
    def __init__(self, folder: Path, search: Search) -> None:
        import optuna
        from optuna.samplers import RandomSampler
        from optuna.storages import JournalStorage
        from optuna.storages.journal import JournalFileBackend
        from optuna.study import StudyDirection

        self.folder, self.search, self._choosing = folder, search, FileLock(folder / "next.lock")
        lock: Any = JournalLock(folder / "journal.lock")
        try:
            backend = JournalFileBackend(str(folder / JOURNAL), lock)
            for last in (folder / JOURNAL).read_bytes().split(b"\n")[-2:-1]:
                json.loads(last)  # Optuna takes a last line that is no JSON for one that is being written
            storage = JournalStorage(backend)
            with self._choosing:
                if not storage.get_all_studies():  # by its name Hyperband tells brackets apart
                    lower, higher = StudyDirection.MINIMIZE, StudyDirection.MAXIMIZE
                    directions = [lower if one in LOWER_IS_BETTER else higher for one in search.objectives]
                    storage.create_new_study(directions, "sweep")
            self._study = optuna.load_study(
                study_name="sweep", storage=storage, sampler=RandomSampler(), pruner=search.pruner()
            )
        except (ValueError, TypeError, KeyError, AttributeError, AssertionError):
            raise FormatError(f"{folder / JOURNAL}: {_what_is_wrong(folder / JOURNAL)}") from None

    def check_identity(self, identity: Mapping[str, Any]) -> None:
        """Note what a sweep is of, or raise OptionError where the study is of another: the difference is named."""
        known = self._study.user_attrs.get(IDENTITY)
        if known is None:
            self._study.set_user_attr(IDENTITY, identity)
            return
        for name, value in identity.items():
            if known.get(name) != value:
                is_long = name in ("data", "network", "space")
                what = "" if is_long else f": {shown(known.get(name))}, now {shown(value)}"
                raise OptionError(
                    f"{self.folder.parent}: the sweep there has another {name}{what}. Go on with the same, or "
                    "begin in another folder."
                )

    @silent_optuna()
    def next_trial(self) -> tuple[optuna.Trial, FileLock] | None:
        """Return the next trial to be trained and its lock, held; None once all trials are done.

        Those come first whose process has died. While other processes train the last ones, it waits.
        """
        from optuna.trial import Trial, TrialState

        while True:
            with self._choosing:
                trials = self._study.get_trials(deepcopy=False)
                running = [one for one in trials if one.state == TrialState.RUNNING]
                for one in running:
                    lock = self._lock(one.number)
                    if lock.try_acquire():
                        return self._with_options(Trial(self._study, one._trial_id)), lock
                is_waiting = any(one.state == TrialState.WAITING for one in trials)
                if is_waiting or len(trials) < self.search.n_trials:
                    if not is_waiting:
                        # A line of the journal: whole or not at all.
                        self._study.enqueue_trial(self._draw(trials))
                    trial = self._with_options(self._study.ask())
                    lock = self._lock(trial.number)
                    lock.acquire()
                    return trial, lock
            if not running:
                return None
            time.sleep(PAUSE)

    def _draw(self, trials: list[optuna.trial.FrozenTrial]) -> dict[str, Any]:
        """Return the options of the next trial."""
        import optuna

        chosen = self.search.chosen(len(trials))
        if chosen is not None:
            return chosen
        study = optuna.create_study(  # a copy, in memory
            sampler=self.search.sampler(len(trials)),
            pruner=self._study.pruner,
            study_name=self._study.study_name,
            directions=self._study.directions,
        )
        study.add_trials(trials)
        return self._with_options(study.ask()).params

    def _with_options(self, trial: optuna.Trial) -> optuna.Trial:
        """Return a trial with a value of every option; those that it has stay."""
        self.search.space.suggest(trial)
        return trial

    def _lock(self, number: int) -> FileLock:
        folder = self.folder / f"trial-{number + 1}"
        folder.mkdir(exist_ok=True)
        return FileLock(folder / "lock")

    @silent_optuna()
    def prunes(self, trial: optuna.Trial, n_epochs: int, score: float) -> bool:
        """Return whether Hyperband stops a trial that has this score after so many epochs.

        A process that is killed between this and ``tell`` leaves a trial that goes on.
        """
        trial.report(score, n_epochs)
        return trial.should_prune()

    @silent_optuna()
    def tell(self, trial: optuna.Trial, lock: FileLock, found: Trial) -> None:
        """Keep what became of a trial, and remove its folder."""
        from optuna.trial import TrialState

        if found.fault:
            trial.set_user_attr("fault", found.fault)
            self._study.tell(trial, state=TrialState.FAIL)
        elif found.is_pruned:
            self._study.tell(trial, state=TrialState.PRUNED)
        else:
            scores = [found.score(name) for name in self.search.objectives]
            self._study.tell(trial, [score for score in scores if score is not None])
        with self._choosing:  # who looks for trials meanwhile finds it either held or done
            lock.release()
            shutil.rmtree(lock.path.parent, ignore_errors=True)

    def trials(self) -> list[Trial]:
        """Return the trials that are done."""
        from optuna.trial import TrialState

        return [
            Trial(
                one.number + 1,
                self.search.space.options(one.params),
                tuple(trainings_of(one.user_attrs).values()),
                one.user_attrs.get("fault", ""),
                one.state == TrialState.PRUNED,
            )
            for one in self._study.get_trials(deepcopy=False)
            if one.state.is_finished()
        ]


def _what_is_wrong(journal: Path) -> str:
    """Return what is wrong with a journal that Optuna cannot read, and what to do: it is left as it is."""
    for number, line in enumerate(journal.read_bytes().splitlines(), 1):
        try:
            is_record = "op_code" in dict(json.loads(line))
        except (TypeError, ValueError):
            is_record = False
        if not is_record:
            if number == 1:
                break
            return (
                f"line {number} cannot be read. Delete it and the lines after it, and --resume goes on with the "
                "trials that had ended before; or begin in another folder."
            )
    return "not the journal of a sweep, or damaged. Begin in another folder."


def trainings_of(attributes: Mapping[str, Any]) -> dict[int, Training]:
    """Return the trainings that were kept in a trial, by their fold."""
    return {one["fold"]: Training(**one) for one in attributes.get("trainings", ())}


@contextmanager
def joined(folder: Path) -> Iterator[None]:
    """Keep a study from being removed within the block, between two trials, too."""
    with FileLock(folder / f"command-{uuid.uuid4().hex}.lock") as lock:
        yield
    lock.path.unlink(missing_ok=True)


def clear_study(folder: Path) -> None:
    """Remove the study of a folder.

    Raises
    ------
    OutputError
        If a command works on it, or a process that one has left trains a trial.
    """
    for path in [*folder.glob("command-*.lock"), *folder.glob("trial-*/lock")]:
        lock = FileLock(path)
        if not lock.try_acquire():
            raise OutputError(
                f"{folder.parent}: another command works on the sweep there. Wait until it ends, or "
                "choose another folder with --out."
            )
        lock.release()
    shutil.rmtree(folder, ignore_errors=True)
