"""Sweep into a folder: the study, then the table, the page, and how to train with the best options."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pellucid.data.source import DataSource
from pellucid.evaluation.sweep.result import Sweep
from pellucid.evaluation.sweep.study import STUDY
from pellucid.evaluation.sweep.sweep import TrialCallback, no_trial, sweep
from pellucid.evaluation.sweep.train_trial import changes_of, make_candidate
from pellucid.folders import open_folder
from pellucid.formats.toml.source import TomlSource
from pellucid.formats.toml.training import TRAINING_KEYS
from pellucid.locks import FileLock
from pellucid.reporting.sweep import write_sweep_page
from pellucid.runs.build import plan
from pellucid.runs.config import RunConfig
from pellucid.runs.spelling import command_line
from pellucid.training.options import NONE, TABLES, TrainingOptions

RECORD, BEST = "sweep.json", "best.toml"
NOT_OF_A_TRIAL = ("search", "n_trials", "cv", "metric", "n_jobs")  # of the sweep


@dataclass(frozen=True, eq=False)
class SweepOutcome:
    """What a sweep left behind.

    Attributes
    ----------
    sweep : Sweep
    folder : Path
    command : str
        That trains with the best options.
    """

    sweep: Sweep
    folder: Path
    command: str

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON can hold it."""
        return {**self.sweep.to_dict(), "folder": str(self.folder), "command": self.command}


def sweep_into(
    out: Path,
    data: DataSource,
    model: str,
    space: Path,
    *,
    resume: bool = False,
    overwrite: bool = False,
    on_trial: TrialCallback = no_trial,
    options: Mapping[str, Any],
) -> SweepOutcome:
    """Train with many choices of options, and write into a folder what was found.

    Parameters
    ----------
    out : Path
        Holds the study (study/); at the end gets all numbers (sweep.json), the page (report.html) and, where the
        model is a TOML file, the best network (best.toml).
    data : DataSource
    model : str
    space : Path
    resume : bool, optional
        Go on with what is in ``out``, or join the processes that work on it.
    overwrite : bool, optional
        Take the place of another sweep there.
    on_trial, options
        As for :func:`pellucid.evaluation.sweep.sweep.sweep`.

    Raises
    ------
    PellucidError
        If space, data, options or folder cannot be used; what was trained before is kept.
    """
    keywords: dict[str, Any] = {"on_trial": on_trial, **options}
    found = sweep(model, data, space, out=out, resume=resume, overwrite=overwrite, **keywords)
    training = {name: value for name, value in options.items() if name not in NOT_OF_A_TRIAL}
    best = found.best
    assert best is not None
    config = make_candidate(best.options, found.model, data, training).config
    assert config is not None
    with FileLock(out / STUDY / "page.lock"), open_folder(out, overwrite=True) as writer:
        is_file = config.model.endswith(".toml")
        if is_file:
            network = _network(config, best.options)
            (writer.new / BEST).write_text(network, encoding="utf-8")
            command = command_line("train", plan(str(writer.new / BEST), data).config)
            command = command.replace(str(writer.new), str(out))
        else:
            command = command_line("train", RunConfig(data, config.model, config.options))
        write_sweep_page(found, writer.new, command)
        outcome = SweepOutcome(found, out, command)
        (writer.new / RECORD).write_text(json.dumps(outcome.to_dict(), indent=2) + "\n", encoding="utf-8")
        writer.commit(replaces=() if is_file else (BEST,))
    return outcome


def _network(config: RunConfig, options: Mapping[str, Any]) -> str:
    """Return network and training of a trial as the text of a TOML file."""
    import tomli_w

    source = TomlSource(config.model).but(changes_of(options))
    return tomli_w.dumps({**source.data, "training": training_table(config.options)})


def training_table(options: TrainingOptions) -> dict[str, Any]:
    """Return the [training] table of some options, nothing left to a recipe.

    Examples
    --------
    >>> options = TrainingOptions(n_epochs=3, optimizer="sgd", optimizer_options={"momentum": 0.9})
    >>> training_table(options)["optimizer"]
    {'type': 'sgd', 'momentum': 0.9}
    """
    table = options.to_table()
    for kind in TABLES:
        if own := table.get(f"{kind}_options"):
            table[kind] = {"type": table[kind], **own}
    table.setdefault("augment", NONE)
    return {name: value for name, value in table.items() if name in TRAINING_KEYS}
