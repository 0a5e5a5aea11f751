"""Sweep into a folder: results as they come, then the table, the page, and how to train with the best options."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pellucid.data.source import DataSource
from pellucid.errors import OptionError
from pellucid.evaluation.sweep.measure import no_trial, sweep
from pellucid.evaluation.sweep.records import Sweep
from pellucid.evaluation.sweep.running import TrialCallback
from pellucid.evaluation.sweep.winner import network_of, training_command
from pellucid.folders import open_folder
from pellucid.progress import DetailCallback, no_detail
from pellucid.report.sweep import write_sweep_page

RESULTS, RECORD, BEST = "results.jsonl", "sweep.json", "best.toml"


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
    force: bool = False,
    progress: DetailCallback = no_detail,
    on_trial: TrialCallback = no_trial,
    options: Mapping[str, Any],
) -> SweepOutcome:
    """Train with many choices of options, and write into a folder what was found.

    Parameters
    ----------
    out : Path
        Gets each training as soon as it is done (results.jsonl); at the end all numbers (sweep.json), the page
        (report.html) and, where the model is a TOML file, the best network (best.toml).
    data : DataSource
    model : str
    space : Path
    resume : bool, optional
        Go on with what is in ``out``.
    force : bool, optional
        Take the place of another sweep there.
    progress, on_trial, options
        As for :func:`pellucid.evaluation.sweep.measure.sweep`.

    Raises
    ------
    PellucidError
        If space, data, options or folder cannot be used; what was trained before is kept.
    """
    results = out / RESULTS
    if resume and not results.is_file():
        raise OptionError(f"--resume: {out} holds no sweep to go on from. Name its folder with --out.")
    with open_folder(
        out, force=resume or force, advice="add --resume to go on, --force to start again"
    ) as writer:
        found = sweep(
            data,
            model,
            space,
            results=results,
            resume=resume,
            replace=force and not resume,
            progress=progress,
            on_trial=on_trial,
            **options,
        )
        best = found.best
        assert best is not None
        network = network_of(found, best)
        if network is not None:
            (writer.new / BEST).write_text(network, encoding="utf-8")
        command = training_command(found, best, data, None if network is None else writer.new / BEST)
        command = command.replace(str(writer.new), str(out))
        write_sweep_page(found, writer.new, command)
        outcome = SweepOutcome(found, out, command)
        (writer.new / RECORD).write_text(json.dumps(outcome.to_dict(), indent=2) + "\n", encoding="utf-8")
        writer.commit(replaces=() if network is not None else (BEST,))
    return outcome
