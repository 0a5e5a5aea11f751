"""What a run was asked to do: checked once at the edge, and kept beside its results."""

from typing import Any, Literal

import tomli_w
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pellucid.errors import OptionError, unknown_name
from pellucid.nn.presets import PRESETS
from pellucid.ops.losses import LOSSES
from pellucid.training.optimizers import Optimizer
from pellucid.training.registry import OPTIMIZERS


class TrainingConfig(BaseModel):
    """The options that ``run`` and ``train`` share; the defaults are the tutorial's."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    data: str = "drawn-cats"
    model: str = "mlp"
    epochs: int = Field(2500, ge=1)
    batch_size: int | None = Field(None, ge=1)
    learning_rate: float = Field(0.0075, gt=0, allow_inf_nan=False)
    optimizer: str = "sgd"
    loss: str | None = None
    seed: int = Field(1, ge=0, lt=2**32)
    dtype: Literal["float32", "float64"] | None = None
    path: Literal["auto", "direct", "dual"] = "auto"

    def to_toml(self) -> str:
        """Return the options as a TOML file; those left to their default by None are left out."""
        return tomli_w.dumps(self.model_dump(exclude_none=True))

    def make_optimizer(self) -> Optimizer:
        """Return the optimizer that was asked for."""
        return OPTIMIZERS[self.optimizer](self.learning_rate)


def training_config(**options: Any) -> TrainingConfig:
    """Return checked options.

    Raises
    ------
    OptionError
        Naming the option, what was wanted and what came.

    Examples
    --------
    >>> training_config(epochs=10).epochs
    10
    >>> training_config(epochs=0)
    Traceback (most recent call last):
        ...
    pellucid.errors.OptionError: --epochs: input should be greater than or equal to 1, got 0.
    """
    for kind, known in (("model", PRESETS), ("optimizer", OPTIMIZERS), ("loss", LOSSES)):
        if options.get(kind) is not None and options[kind] not in known:
            raise OptionError(unknown_name("preset" if kind == "model" else kind, options[kind], known))
    try:
        return TrainingConfig(**options)
    except ValidationError as error:
        first = error.errors()[0]
        flag = "--" + str(first["loc"][0]).replace("_", "-")
        message = first["msg"][0].lower() + first["msg"][1:]
        raise OptionError(f"{flag}: {message}, got {first['input']!r}.") from None
