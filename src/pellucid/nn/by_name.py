"""Models by name: what public functions take instead of a model."""

import importlib
import os
from pathlib import Path
from typing import TypeAlias

from pellucid.data.dataset import Dataset
from pellucid.errors import OptionError, unknown_name
from pellucid.nn.model import Model
from pellucid.nn.presets import PRESETS, n_outputs_for, preset
from pellucid.text import kind_of

ModelLike: TypeAlias = Model | str | Path
OR = "Or name a .toml file, a model file or a run folder."


def as_model(given: ModelLike, where: str, data: Dataset | None = None) -> Model:
    """Return a model as it is, a new one of a preset or ``.toml`` file, or that of a model file or run folder.

    Parameters
    ----------
    given : Model, str or Path
        The name of a preset wins: ``./mlp`` is the folder, and so is a ``Path`` where there is one.
    where : str
        The function, for messages.
    data : Dataset, optional
        What a preset's outputs suit; default: two classes.

    Raises
    ------
    OptionError
        If it is none of these.
    FormatError
        If the file cannot be read.

    Examples
    --------
    >>> as_model("mlp-small", "train")._recipe
    'mlp-small'
    >>> as_model("mpl", "train")
    Traceback (most recent call last):
        ...
    pellucid.errors.OptionError: train: unknown preset 'mpl'. Did you mean 'mlp'? Known: cnn, ...
    """
    if isinstance(given, Model):
        return given
    if not isinstance(given, str | os.PathLike):
        raise OptionError(
            f"{where}: expected model to be a Model, a preset's name or a path, got {kind_of(given)}."
        )
    name = os.fspath(given)
    is_there = isinstance(given, Path) and given.expanduser().exists()
    if name in PRESETS and not is_there:
        return preset(name, n_outputs=None if data is None else n_outputs_for(data))
    if not is_there:
        check_names_a_file(name, where)
    return importlib.import_module("pellucid.formats.safetensors").load(name)  # a higher room


def check_names_a_file(name: str, where: str) -> None:
    """Raise OptionError for a word that is no preset and no file."""
    path = Path(name).expanduser()
    if not path.exists() and path.suffix == "" and path.name == name:
        raise OptionError(f"{where}: {unknown_name('preset', name, PRESETS)} {OR}")
