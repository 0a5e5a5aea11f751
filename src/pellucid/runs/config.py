"""What a training was asked to do: checked once at the edge, and kept beside its results."""

from collections.abc import Mapping
from typing import Any, Literal

import tomli_w
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pellucid.data.augmentation.augment import AUGMENT_PRESETS
from pellucid.errors import OptionError, unknown_name
from pellucid.formats.toml.training import named_with_options
from pellucid.nn.presets import PRESETS
from pellucid.ops.losses.table import LOSSES
from pellucid.training.recipes import GENERAL, RECIPES
from pellucid.training.registry import OPTIMIZERS, SCHEDULES, get_optimizer


class TrainingConfig(BaseModel):
    """The options that ``run`` and ``train`` share."""

    model_config = ConfigDict(extra="forbid", frozen=True, protected_namespaces=())

    data: str = "drawn-cats"
    model: str = "mlp"
    target: str | None = None
    epochs: int = Field(2500, ge=1)
    batch_size: int = Field(0, ge=0)  # 0: the full batch
    learning_rate: float = Field(0.0075, gt=0, allow_inf_nan=False)
    optimizer: str = "sgd"
    optimizer_options: dict[str, Any] = {}
    weight_decay: float = Field(0.0, ge=0, allow_inf_nan=False)
    schedule: str | None = None
    schedule_options: dict[str, Any] = {}
    augment: str | None = None
    loss: str | None = None
    loss_options: dict[str, Any] = {}
    label_smoothing: float | None = Field(None, ge=0, lt=1)  # None: the recipe's, where the loss takes it
    class_weight: Literal["balanced"] | None = None
    validation: float | None = Field(None, gt=0, lt=1)
    patience: int | None = Field(None, ge=0)
    average: float | None = Field(None, gt=0, lt=1)
    recalibrate: bool = False
    seed: int = Field(1, ge=0, lt=2**32)
    dtype: Literal["float32", "float64"] | None = None
    path: Literal["auto", "direct", "dual"] = "auto"
    threads: int | None = Field(None, ge=1)

    def to_toml(self) -> str:
        """Return the options as a TOML file; those left to their default by None are left out."""
        return tomli_w.dumps(self.model_dump(exclude_none=True, exclude_defaults=False))


_NAMES: Mapping[str, Mapping[str, Any]] = {
    "optimizer": OPTIMIZERS,
    "schedule": SCHEDULES,
    "augment": AUGMENT_PRESETS,
    "loss": LOSSES,
}


def training_config(recipe: Mapping[str, Any] | None = None, **options: Any) -> TrainingConfig:
    """Return checked options: those given, else the recipe's, else the model's own, else the defaults.

    Parameters
    ----------
    recipe : mapping, optional
        The ``[training]`` table of a network's file.
    **options
        Fields of :class:`TrainingConfig`; None counts as not given.

    Raises
    ------
    OptionError
        Naming the option, what was wanted and what came.

    Examples
    --------
    >>> training_config(model="mlp", epochs=10).learning_rate
    0.0075
    >>> training_config(epochs=0)
    Traceback (most recent call last):
        ...
    pellucid.errors.OptionError: --epochs: input should be greater than or equal to 1, got 0.
    """
    given = {name: value for name, value in options.items() if value is not None}
    own = dict(RECIPES.get(given.get("model", "mlp"), GENERAL))
    own.pop("label_smoothing", None)  # whether the loss takes it, the data will tell
    if "optimizer" in (recipe or {}):  # a file that chooses how to learn is not given half of another recipe
        own["optimizer"] = None
    merged = _over(_over(own, _apart(recipe or {})), given)
    if merged.get("augment") == "none":
        merged["augment"] = None
    for kind, known in _NAMES.items():
        if merged.get(kind) is not None and merged[kind] not in known:
            raise OptionError(unknown_name(kind, merged[kind], known))
    try:
        config = TrainingConfig(**merged)
    except ValidationError as error:
        first = error.errors()[0]
        flag = "--" + str(first["loc"][0]).replace("_", "-")
        message = first["msg"][0].lower() + first["msg"][1:]
        raise OptionError(f"{flag}: {message}, got {first['input']!r}.") from None
    if config.patience is not None and config.validation is None:
        raise OptionError("--patience: early stopping watches held-out samples; add --validation 0.2.")
    if config.patience is not None and config.average is not None:
        raise OptionError("--average: with --patience the best epoch's weights are put back. Leave one out.")
    return config


def _over(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``above``, filled up from ``below`` with what goes with it.

    The options of a schedule or loss are not meant for another one; rate, decay and schedule that were chosen for
    one optimizer are not meant for another, which takes its own defaults.
    """
    fill = dict(below)
    for kind in ("optimizer", "schedule", "loss"):
        if kind in above:
            fill.pop(f"{kind}_options", None)
    loss = LOSSES.get(above.get("loss", ""))
    if loss is not None and "label_smoothing" not in loss.options:
        fill.pop("label_smoothing", None)
    if above.get("optimizer", fill.get("optimizer")) != fill.get("optimizer"):
        for name in ("schedule", "schedule_options", "learning_rate", "weight_decay"):
            fill.pop(name, None)
        if above["optimizer"] in OPTIMIZERS:
            usual = get_optimizer(above["optimizer"]).config()
            fill |= {name: usual[name] for name in ("learning_rate", "weight_decay") if name in usual}
    return {**fill, **above}


def _apart(recipe: Mapping[str, Any]) -> dict[str, Any]:
    """Return a [training] table with the options of optimizer, schedule and loss beside their names."""
    flat = dict(recipe)
    for kind in ("optimizer", "schedule", "loss"):
        if isinstance(flat.get(kind), Mapping):
            flat[kind], flat[f"{kind}_options"] = named_with_options(flat[kind])
    return flat


def is_preset(model: str) -> bool:
    """Return whether a model is named by a preset rather than a file; OptionError if it is neither.

    Examples
    --------
    >>> is_preset("mlp"), is_preset("net.toml")
    (True, False)
    """
    if model in PRESETS:
        return True
    if model.endswith(".toml"):
        return False
    raise OptionError(f"{unknown_name('preset', model, PRESETS)} Or name a .toml file.")
