"""The model that was asked for, built and trained as asked."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from pellucid.data.dataset import Split
from pellucid.data.input_spec import white_seen
from pellucid.data.preprocess import Preprocessing
from pellucid.data.readers.picture_modes import White, or_else
from pellucid.data.source import DataSource
from pellucid.errors import DataError, OptionError
from pellucid.formats.architecture import Architecture, load_architecture
from pellucid.formats.safetensors import load
from pellucid.nn import freezing
from pellucid.nn.model import Model
from pellucid.nn.preset_size import naming_size
from pellucid.nn.presets import (
    BODY_SIZE,
    DEFAULT_BODY,
    PRETRAINED,
    check_has_body,
    n_outputs_for,
    preset,
)
from pellucid.nn.pretrained.body import body_size, check_n_blocks, unfreeze_last
from pellucid.nn.pretrained.network_file import file_of
from pellucid.nn.pretrained.pretrained import is_published, is_there
from pellucid.nn.transfer import RECIPE, transfer
from pellucid.progress import ProgressBar
from pellucid.runs.choose_table import Trained, choose_for_table
from pellucid.runs.config import RunConfig, is_preset
from pellucid.runs.data import reading_of
from pellucid.text import by, join_some
from pellucid.training.events import Callback
from pellucid.training.fit import fit
from pellucid.training.history import History
from pellucid.training.options import TrainingOptions
from pellucid.training.recipes import GENERAL, RECIPES, UNFREEZE
from pellucid.training.recommend import AUTO, Recommendation, recommend
from pellucid.training.training_cache import TrainingCache
from pellucid.types import map_arrays

OF_ANY_RECIPE = (
    "seed",
    "dtype",
    "class_weight",
    "positive",
    "validation",
    "loss",
    "loss_options",
    "n_threads",
    "kernels",
)
MOST_IN_MEMORY = 3000  # photos of 224 x 224: 450 MB
OF_STEPS = (
    "n_epochs",
    "batch_size",
    "learning_rate",
    "optimizer",
    "schedule",
    "augment",
    "loss",
    "weight_ema",
)


class RunRequest(NamedTuple):
    """What a run is asked for, the network's file where its model is one, and the data where they are read.

    ``trained`` is the model that choosing it has trained by these very options, with what that did.
    """

    config: RunConfig
    architecture: Architecture | None = None
    split: Split | None = None
    trained: Trained | None = None

    def load(self) -> Split:
        """Return the data, read once."""
        return self.config.source.load() if self.split is None else self.split


def plan(
    model: str,
    data: DataSource | str = "drawn-cats",
    *,
    photo: Path | None = None,
    start: Path | None = None,
    freeze: str | None = None,
    body: str | Path | None = None,
    pixels: str | None = None,
    unfreeze: int | None = None,
    changes: Mapping[tuple[str | int, ...], Any] | None = None,
    **options: Any,
) -> RunRequest:
    """Return what a run is asked for, its options resolved.

    Parameters
    ----------
    model : str
        A preset, a TOML file, or "auto": the preset that :func:`pellucid.training.recommend.recommend` names for
        the data, which are read for it and come with the plan.
    data : DataSource or str, optional
    photo : Path, optional
        A new photo, to be predicted at the end.
    start : Path, optional
        A trained model to begin from, instead of ``model``: see :func:`pellucid.nn.transfer.transfer`. Photos
        of a folder are read at its size.
    freeze : str, optional
        Its last layer to be kept as it is.
    body, pixels : optional
        The network that the preset "pretrained" begins with, see :func:`pellucid.pretrained`; with one of the
        three, that is the preset of "auto".
    unfreeze : int, optional
        How many of its last blocks are trained on, once its last layer is trained.
    changes : mapping, optional
        Values that stand in for those of the TOML file: see :func:`.load_architecture`.
    **options
        Fields of :class:`TrainingOptions`; None counts as not given: see :meth:`TrainingOptions.resolve`.

    Raises
    ------
    OptionError, FormatError
        If an option or a file is not right.
    DataError
        If the data cannot be read, where they are.

    Examples
    --------
    >>> plan("mlp", n_epochs=10).config.options.learning_rate
    0.0075
    """
    source = DataSource(data) if isinstance(data, str) else data
    of_body: dict[str, Any] = {
        "body": None if body is None else str(body),
        "pixels": pixels,
        "unfreeze": unfreeze,
    }
    if given := [name for name, value in of_body.items() if value is not None]:
        if start is not None:
            raise OptionError(f"--{given[0]}: {start} brings its own layers. Leave it out, or --start.")
        model = PRETRAINED if model == AUTO else model
        check_has_body(model, f"--{given[0]}")
        name = of_body["body"] or DEFAULT_BODY
        if not is_published(name, pixels):
            of_body["body"] = str(file_of(name).resolve())
        if unfreeze is not None:
            check_n_blocks(unfreeze, name, pixels)
    new_photo = None if photo is None else str(photo.expanduser().resolve())
    if freeze is not None and start is None:
        raise OptionError(
            f"--freeze: {freeze} is to be a layer of a trained model. Name the model with --start."
        )
    if start is not None:
        source = _source_for_start(start, freeze, source)
        resolved = TrainingOptions.resolve(RECIPES[RECIPE], **options)
        return RunRequest(
            RunConfig(source, str(start.expanduser().resolve()), resolved, new_photo, freeze=freeze)
        )
    architecture = None if is_preset(model) else load_architecture(model, changes)
    table = None if architecture is None else architecture.training
    if source.kind == "folder" and source.image_size is None:
        if model == PRETRAINED:
            source = _at_body_size(source, body_size(of_body["body"] or DEFAULT_BODY, pixels))
        elif architecture is not None and architecture.model._body is not None:
            source = _at_body_size(source, architecture.model._body.size)
    recipe = RECIPES.get(model, GENERAL) if unfreeze is None else RECIPES[UNFREEZE]
    resolved = TrainingOptions.resolve(recipe, table, **options)
    if model != AUTO:
        return RunRequest(RunConfig(source, model, resolved, new_photo, **of_body), architecture)
    asked = {name: value for name, value in options.items() if value is not None}
    kept = {name: asked[name] for name in OF_ANY_RECIPE if name in asked}
    if not isinstance(kept.get("validation", 0.0), float):  # samples: networks are not compared by them
        del kept["validation"]
    source, split, chosen, trained = _chosen_for(
        source, kept, leaves_recipe=asked.keys().isdisjoint(OF_STEPS)
    )
    resolved = TrainingOptions.resolve(chosen.recipe, **options)
    config = RunConfig(source, chosen.model, resolved, new_photo, chosen.reason)
    return RunRequest(config, None, split, trained if kept.keys() == asked.keys() else None)


def _chosen_for(
    source: DataSource, options: Mapping[str, Any], *, leaves_recipe: bool
) -> tuple[DataSource, Split, Recommendation, Trained | None]:
    """Return data, read at the size of the preset for them, and that preset; of a table what predicts it best.

    That may have been trained by then.
    """
    if leaves_recipe and source.kind == "folder" and source.image_size is None and is_there():
        large = _at_body_size(source)
        if (chosen := recommend(split := large.load())).model == PRETRAINED:
            return large, split, chosen, None
    split = source.load()
    if split.schema is None or split.schema.task == "multi_label" or not leaves_recipe:
        return source, split, recommend(split), None
    check_classes(split)
    with ProgressBar() as progress:
        return source, split, *choose_for_table(split, source, progress=progress, **options)


def _at_body_size(source: DataSource, size: tuple[int, int] = BODY_SIZE) -> DataSource:
    """Return a folder to be read at the size of the pretrained body; many photos stay in their files."""
    n_files = sum(len(names) for _, _, names in os.walk(source.path))
    return replace(source, image_size=size, on_disk=source.on_disk or n_files > MOST_IN_MEMORY)


def _source_for_start(start: Path, freeze: str | None, source: DataSource) -> DataSource:
    """Return the data as the model to begin from takes them; what is wrong with it is said before they are read."""
    model = load(start)
    if freeze is not None:
        freezing.freeze(model, freeze)
    if source.kind != "folder" or len(model.input_shape) != 3:
        return source
    size: Any = model.input_shape[:2]
    if source.image_size not in (None, size):
        asked = by(source.image_size)
        raise OptionError(
            f"--image-size: the model to begin from takes photos of {by(size)}, got {asked}. Leave it out."
        )
    fit = or_else(White(fit=source.fit), white_seen(model.inputs_seen)).fit
    return replace(source, image_size=size, fit=fit)


def make_model(config: RunConfig, architecture: Architecture | None, split: Split) -> Model:
    """Return the model, with as many outputs as the data has classes or targets.

    A new one is not yet initialized, unless its file says so; one that begins from a trained model has its weights.
    """
    if architecture is None:
        check_classes(split)
    if config.start is not None:
        return _from_start(config, split)
    if architecture is not None:
        model = architecture.model
        if config.options.dtype is not None:
            model._set_dtype(config.options.dtype)
    else:
        of_body: dict[str, Any] = {"body": config.body, "pixels": config.pixels}
        model = preset(config.model, n_outputs=n_outputs_for(split.train), **of_body)
    if architecture is not None and not model._is_initialized:  # what does not fit is told with its line
        architecture.initialize(split.train.X.shape[1:], seed=config.options.seed)
    if split.schema is not None:
        model._schema = split.schema
        if config.options.scaling is None:  # else the training scales, without what it holds out
            model.preprocessing = Preprocessing.standardize(split.train.X, split.schema.is_measured)
    if config.unfreeze is not None:
        fit(model, split.train, without_unfreezing(config).options)
        unfreeze_last(model, config.unfreeze)
        model._recipe = UNFREEZE
    return model


def initialize(model: Model, split: Split, options: TrainingOptions) -> None:
    """Draw the first parameters of a model that has none yet."""
    if not model._is_initialized:
        shape = map_arrays(lambda array: array.shape[1:], split.train.X)
        with naming_size(model._recipe, shape):
            model.initialize(shape, seed=options.seed, dtype=options.dtype)


def without_unfreezing(config: RunConfig) -> RunConfig:
    """Return the configuration of a run that leaves a body as it is: a last layer alone, by its own recipe."""
    kept = {name: getattr(config.options, name) for name in OF_ANY_RECIPE}
    return replace(config, unfreeze=None, options=TrainingOptions.resolve(RECIPES[PRETRAINED], **kept))


def _from_start(config: RunConfig, split: Split) -> Model:
    assert config.start is not None
    model = load(config.start)
    theirs, own = (None if schema is None else schema.columns for schema in (model._schema, split.schema))
    if theirs is not None and theirs != own:
        columns = join_some([column.name for column in theirs])
        raise DataError(
            f"{split.name}: the model to begin from takes the columns {columns}, of categories it knows. Give "
            "a table of the same columns."
        )
    made = transfer(model, split, freeze=config.freeze, seed=config.options.seed)
    made._schema = split.schema
    return made


def check_classes(split: Split) -> None:
    """Raise DataError if a sample has one class, and fewer than two occur in the training part."""
    if not split.classes or split.train.y.ndim > 1:
        return
    present = [name for name, count in zip(split.classes, split.train.counts, strict=True) if count]
    if len(present) < 2:
        raise DataError(
            f"{split.name}: expected two classes or more in the training part, got {len(present)} "
            f"({', '.join(present)}). There is nothing to tell apart."
        )


def fit_run(
    model: Model,
    split: Split,
    config: RunConfig,
    callbacks: Sequence[Callback] = (),
    *,
    resume: Path | None = None,
    nonfinite: Path | None = None,
    shared: TrainingCache | None = None,
) -> History:
    """Train the model on the training part, and record in it what was done and how the data were read.

    No path is recorded: a model file may be given away.
    """
    how: dict[str, Any] = {"resume": resume, "nonfinite": nonfinite, "shared": shared}
    history = fit(model, split.train, config.options, callbacks, **how)
    model._summary_of_training["reading"] = reading_of(config.source)
    return history
