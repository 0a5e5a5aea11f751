"""How to train with the options of a trial: a network's file with all of them, and the command."""

from pathlib import Path
from typing import Any

from pellucid.data.source import DataSource
from pellucid.evaluation.sweep.records import Sweep, Trial
from pellucid.evaluation.sweep.trials import changes_of
from pellucid.formats.toml.source import TomlSource
from pellucid.formats.toml.training import TRAINING_KEYS
from pellucid.runs.build import plan
from pellucid.runs.config import RunConfig
from pellucid.runs.spelling import command_line
from pellucid.training.options import NONE, TABLES, TrainingOptions


def network_of(sweep: Sweep, trial: Trial) -> str | None:
    """Return network and training of a trial as the text of a TOML file; None where the model is a preset."""
    import tomli_w

    config = sweep.configs[trial.number]
    if not config.model.endswith(".toml"):
        return None
    source = TomlSource(config.model).but(changes_of(trial.options))
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


def training_command(sweep: Sweep, trial: Trial, data: DataSource, network: Path | None) -> str:
    """Return the command that trains as a trial was trained, on the whole training part.

    Parameters
    ----------
    sweep : Sweep
    trial : Trial
    data : DataSource
    network : Path or None
        Where :func:`network_of` was written.
    """
    config = sweep.configs[trial.number]
    if network is not None:
        return command_line("train", plan(str(network), data).config)
    return command_line("train", RunConfig(data, config.model, config.options))
