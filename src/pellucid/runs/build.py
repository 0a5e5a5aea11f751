"""Use case: build the model that was asked for, and train it as asked. ``run`` and ``train`` share it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pellucid import __version__
from pellucid.data.augmentation.augment import augment_preset
from pellucid.data.dataset import Split
from pellucid.data.preprocess import Preprocessing
from pellucid.errors import DataError, OptionError
from pellucid.formats.architecture import Architecture, load_architecture
from pellucid.formats.safetensors import data_hash
from pellucid.nn.model import Model
from pellucid.nn.presets import preset
from pellucid.ops.losses.table import LOSSES, default_loss
from pellucid.runs.config import TrainingConfig, is_preset, training_config
from pellucid.training.early_stopping import EarlyStopping
from pellucid.training.events import Callback
from pellucid.training.history import History
from pellucid.training.loop import train
from pellucid.training.loss_setup import AUTO
from pellucid.training.optimizers.base import Optimizer
from pellucid.training.precise_bn import Recalibrate
from pellucid.training.recipes import RECIPES
from pellucid.training.registry import get_optimizer, get_schedule
from pellucid.training.weight_ema import WeightAverage
from pellucid.types import Array


def plan(model: str, **options: Any) -> tuple[TrainingConfig, Architecture | None]:
    """Return the checked options, and the network's file where the model is one.

    Raises
    ------
    OptionError, FormatError
        If an option or the file is not right.
    """
    architecture = None if is_preset(model) else load_architecture(model)
    recipe = None if architecture is None else architecture.training
    return training_config(recipe, model=model, **options), architecture


def make_model(config: TrainingConfig, architecture: Architecture | None, split: Split) -> Model:
    """Return the model, not yet initialized, with as many outputs as the data has classes or targets."""
    if architecture is not None:
        model = architecture.model
        if config.dtype is not None:
            model.set_dtype(config.dtype)
    else:
        y = split.train.y
        if split.classes and y.ndim == 1:
            check_classes(split)
            model = preset(config.model, len(split.classes))
        else:  # one output for each target, or for each yes-or-no question
            model = preset(config.model, n_outputs=1 if y.ndim == 1 else y.shape[1])
    if (
        architecture is not None and not model.is_initialized
    ):  # so that what does not fit is told with its line
        architecture.initialize(split.train.X.shape[1:], seed=config.seed)
    if split.schema is not None:
        model.schema = split.schema
        model.preprocessing = Preprocessing.standardize(split.train.X, split.schema.is_numeric)
    return model


def check_classes(split: Split) -> None:
    """Raise DataError if fewer than two classes occur in the training part."""
    present = [name for name, count in zip(split.classes, split.train.counts, strict=True) if count]
    if len(present) < 2:
        raise DataError(
            f"{split.name}: expected two classes or more in the training part, got {len(present)} "
            f"({', '.join(present)}). There is nothing to tell apart."
        )


def make_optimizer(config: TrainingConfig) -> Optimizer:
    """Return the optimizer that was asked for."""
    options: dict[str, Any] = {"weight_decay": config.weight_decay}
    if config.optimizer == "lbfgs":
        options["max_iterations"] = config.epochs
    else:
        options["learning_rate"] = config.learning_rate
    return get_optimizer(config.optimizer, **{**options, **config.optimizer_options})


def fit(
    model: Model,
    split: Split,
    config: TrainingConfig,
    callbacks: Sequence[Callback] = (),
    *,
    resume: Path | None = None,
    nonfinite: Path | None = None,
) -> History:
    """Train the model on the training part, and note in it what was done."""
    own: list[Callback] = [] if config.average is None else [WeightAverage(config.average)]
    if config.patience is not None:
        own.append(EarlyStopping(patience=config.patience))
    if config.recalibrate:
        own.append(Recalibrate(split.train))
    history = train(
        model,
        split.train,
        loss=loss_of(config, split.train.y),
        optimizer=make_optimizer(config),
        n_epochs=config.epochs,
        batch_size=usable_batch_size(config, len(split.train.y)),
        validation=config.validation,
        seed=config.seed,
        dtype=config.dtype,
        path=config.path,
        callbacks=[*callbacks, *own],
        schedule=None
        if config.schedule is None
        else get_schedule(config.schedule, **config.schedule_options),
        augment=None if config.augment is None else augment_preset(config.augment),
        class_weight=config.class_weight,
        n_threads=config.threads,
        resume=resume,
        nonfinite=nonfinite,
    )
    model.summary_of_training = {
        "pellucid": __version__,
        "config": config.model_dump(),
        "data": split.name,
        "data_sha256": data_hash(split.train),
        "n_steps": history.n_steps,
        "final_loss": history.losses[-1] if history.losses else None,
        "seconds": history.seconds,
        "path": history.path,
    }
    return history


def loss_of(config: TrainingConfig, y: Array) -> dict[str, Any] | None:
    """Return the loss that was asked for with its options; None where the data decides.

    Raises
    ------
    OptionError
        If labels are to be smoothed and the loss has no such option.
    """
    options = dict(config.loss_options)
    name = config.loss or default_loss(1, y)
    takes_share = "label_smoothing" in LOSSES[name].options and "label_smoothing" not in options
    share = config.label_smoothing
    if share is None:
        share = RECIPES.get(config.model, {}).get("label_smoothing", 0.0) if takes_share else 0.0
    elif share and not takes_share:
        why = "has it among its own options already" if "label_smoothing" in options else "takes none"
        raise OptionError(f"--label-smoothing: {name} {why}. Leave it out, or choose a cross-entropy.")
    if share:
        options["label_smoothing"] = share
    return {"loss": config.loss or AUTO, **options} if config.loss or options else None


def usable_batch_size(config: TrainingConfig, m: int) -> int | None:
    """Return the batch size; a recipe's that is larger than a small data set becomes the full batch."""
    if config.batch_size == 0:
        return None
    is_recipe = config.batch_size == training_config(model=config.model).batch_size
    return None if is_recipe and config.batch_size >= m else config.batch_size
