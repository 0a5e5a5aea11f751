"""Where the data of a run or of a model are now, and how they are read: by its own record, or as named."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from pellucid.data.dataset import Dataset, Split
from pellucid.data.hashing import data_hash
from pellucid.data.input_spec import white_seen
from pellucid.data.source import DataSource
from pellucid.errors import DataError, OptionError, PellucidError, ShapeError
from pellucid.formats.safetensors import load
from pellucid.nn.model import Model
from pellucid.runs.config import RunConfig

LEFT_OUT = "Nearest training photos and the check for novelty are left out"
HOLD_OUT = ("seed", "test_fraction")  # which samples are held out: of any kind of source
AS_TRAINED = ("target", "group", "drop", "kinds")  # of a table: what a trained model knows by itself


def reading_of(source: DataSource) -> dict[str, Any]:
    """Return how data were read, for a model file: the name only of a built-in set, no path and no address.

    Examples
    --------
    >>> reading_of(DataSource("/home/me/pets", image_size=(8, 8), seed=3))
    {'image_size': [8, 8], 'seed': 3}
    """
    kept = source.to_dict()
    left_out = ("mirror",) if source.kind == "built-in" else ("name", "mirror")
    return {name: value for name, value in kept.items() if name not in left_out}


def source_for(model: Model, source: DataSource) -> DataSource:
    """Return data to be read as the model's training data were, but for the options that are given.

    Parameters
    ----------
    model : Model
    source : DataSource
        An option that is not its default counts as given. The seed and the size of the test part are always the
        model's: they say which samples it has not seen.

    Notes
    -----
    Options of the training's reader are taken where they apply to this kind of data. Images of a folder are
    resized to what the model takes, and a table's target is the model's.
    """
    training = model._summary_of_training
    reading = {"seed": training.get("options", {}).get("seed", 1), **training.get("reading", {})}
    if source.kind == "folder" and len(model.input_shape) == 3:
        reading |= {"image_size": list(model.input_shape[:2]), "fit": white_seen(model.inputs_seen).fit}
    if source.kind == "table" and model._schema is not None:
        given, as_trained = source.to_dict(), {**reading}
        reading["target"] = ",".join(model._schema.target)
        for option in AS_TRAINED:
            if given.get(option) not in (None, as_trained.get(option), reading.get(option)):
                raise OptionError(
                    f"--{option}: the model reads a table by the columns that it was trained on, and predicts "
                    f"{reading['target']!r}. Leave it out."
                )
    own = {option: value for option, value in reading.items() if option in source.applicable}
    held_out = {option: reading[option] for option in HOLD_OUT if option in reading}
    return DataSource.from_dict({**own, **source.to_dict(), **held_out})


def find_source(model: Model, path: Path) -> DataSource | None:
    """Return where a model's training data were: by its run folder, else a built-in set; None: it does not say.

    Parameters
    ----------
    model : Model
    path : Path
        Its file or run folder.
    """
    config = (path if path.is_dir() else path.parent) / "config.toml"
    known = model._summary_of_training.get("reading", {})
    try:
        source = RunConfig.from_toml(config.read_text(encoding="utf-8")).source
    except (OSError, ValueError):  # no run folder, or a damaged one
        return DataSource.from_dict(known) if "name" in known else None
    return source if reading_of(source) == known else None  # a model that was put into another's folder


def model_and_data(where: str, model: Model | str | Path, data: Any) -> tuple[Model, Any]:
    """Return a model, read where it is named, and the data that are given, or those of its run where none are.

    Parameters
    ----------
    where : str
        For messages.
    model : Model, str or Path
        A file or run folder says by its record where its data are, of a built-in set alone by itself.
    data : optional
        A name becomes a :class:`DataSource`; other data stay as they are.

    Raises
    ------
    FormatError
        If it is no model.
    DataError
        If it does not say where its data are, or they are no longer there.
    OptionError
        If no data are given and the model is not one that is named.
    """
    loaded = model if isinstance(model, Model) else load(model)
    if data is not None:
        return loaded, DataSource(str(data)) if isinstance(data, str | Path) else data
    if isinstance(model, Model):
        raise OptionError(f"{where}: name the data. Those of its training are known of a run folder alone.")
    source = find_source(loaded, Path(model))
    if source is None:
        raise DataError(f"{model}: the model does not say where its data are. Name them behind the model.")
    if is_gone(source):
        raise DataError(
            f"{model}: the data of this model are no longer at {source.name}. Name behind the model where they are "
            "now."
        )
    return loaded, source


def find_training_photos(model: Model, path: Path, data: str | None = None) -> tuple[Dataset | None, str]:
    """Return a model's training photos, and a note on them; None where they cannot be had.

    Parameters
    ----------
    model : Model
    path : Path
        Its file or run folder.
    data : str, optional
        Where they are; default: where they were when it was trained.

    Returns
    -------
    photos : Dataset or None
    note : str
        Why there are none, or that they are others than those of the training; empty otherwise.

    Raises
    ------
    PellucidError
        If data that were named cannot be read, or are not images of the model's shape.
    """
    known = model._summary_of_training.get("data_sha256")
    if data is not None:
        found = _training_part(source_for(model, DataSource(data)))
        if found.X.shape[1:] != model.input_shape:
            raise ShapeError(
                f"--data: expected images of shape {model.input_shape}, as the model takes, got "
                f"{found.X.shape[1:]} from {data}. Name the data that it was trained on."
            )
        mind = f"Mind that {data} is not the very data that the model was trained on."
        return found, mind if known not in (None, data_hash(found)) else ""
    source = find_source(model, path)
    if known is None or source is None:
        return None, f"The model does not say where its training data are. {LEFT_OUT}; name them with --data."
    if is_gone(source):
        return None, (
            f"The training data are no longer at {source.name}. {LEFT_OUT}; name their place with --data."
        )
    try:
        found = _training_part(source)
    except PellucidError as error:
        return None, f"The training data cannot be had: {error} {LEFT_OUT}."
    if data_hash(found) != known:
        return None, (
            f"The data at {source.name} are not those that the model was trained on. {LEFT_OUT}; name the right "
            "ones with --data."
        )
    return found, ""


def is_gone(source: DataSource) -> bool:
    """Return whether a file or folder is not where it was."""
    return source.kind != "built-in" and not source.path.exists()


def load_again(source: DataSource) -> Split:
    """Read data that a training has read, leaving out what cannot be read: whether all is there, hashes tell."""
    return replace(source, skip_bad="skip_bad" in source.applicable).load()


def moved(source: DataSource, model: Model, data: str | None) -> DataSource:
    """Return a run's data in another place; the same source where none is named."""
    if data is None:
        return source
    there = replace(source, name=data)
    return there if there.kind == source.kind else source_for(model, DataSource(data))


def _training_part(source: DataSource) -> Dataset:
    found = load_again(source).train
    if len(found) < 2:
        raise DataError(f"{source.name}: expected two training photos or more, got {len(found)}.")
    return found
