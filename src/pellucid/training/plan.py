"""What a training is asked to do, and what is made of it before the first step."""

import hashlib
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from pellucid.data.augmentation.augment import Augment
from pellucid.data.batches import Change
from pellucid.data.dataset import Dataset
from pellucid.data.hashing import data_hash
from pellucid.data.preprocess import Preprocessing
from pellucid.dispatch import CHOICES
from pellucid.errors import OptionError
from pellucid.nn.freezing import frozen_hash
from pellucid.nn.model import Model
from pellucid.registry import Configurable, option
from pellucid.training.optimizers.base import Optimizer
from pellucid.training.options import FORMS
from pellucid.training.schedules.base import Schedule
from pellucid.training.shared import Shared
from pellucid.types import Array, n_rows


@dataclass(frozen=True, eq=False)
class Plan(Configurable):
    """What a training is given, its names resolved to objects: the arguments of :func:`train`, all filled in."""

    registered_as = "train"

    n_epochs: int = option(at_least=1)
    optimizer: Optimizer = option()
    batch_size: int | None = option(None, at_least=1)  # None: the full batch
    loss: Any = option(None)
    shuffle: bool = option(True)
    validation: Any = option(None)  # a Dataset, or the fraction that is held out
    seed: int = option(1, at_least=0, below=2**32)
    dtype: str | None = option(None, choices=lambda: ("float32", "float64"))
    form: str = option("auto", choices=lambda: FORMS)
    schedule: Schedule | None = option(None)
    augment: Augment | None = option(None)
    sample_weight: Any = option(None)
    class_weight: Any = option(None)
    n_threads: int | None = option(None, at_least=1)
    kernels: str | None = option(None, choices=lambda: CHOICES)
    counts_rows: bool = option(False)  # in an epoch's loss, as scikit-learn does, rather than their weights
    shared: Shared | None = option(None)  # with other trainings on the same samples

    def __post_init__(self) -> None:
        self.check_options()
        changes_the_loss = self.batch_size is not None or self.augment is not None
        if self.optimizer.is_full_batch and (changes_the_loss or self.schedule is not None):
            raise OptionError(
                f"{type(self.optimizer).__name__}: it works on the whole batch and chooses its own steps: leave "
                "out batch_size, augment and schedule."
            )


@dataclass(eq=False)
class Job:
    """A training that has been checked and may begin.

    Attributes
    ----------
    data : Dataset
        The training samples as loaded, without those held out.
    X, X_validation : Array, dict of Array, or None
        Prepared, or where there is a ``rule``, as loaded.
    Y, Y_validation : targets, as the loss wants them
    rule : Preprocessing or None
        Prepares each batch when its turn comes.
    change : callable or None
        Augments it.
    kernels : {"numba", "numpy", "plain"}
        What the ops run as.
    n_threads : int
        Cores that each batch is split over.
    form : {"auto", "direct", "dual"}
        The form asked for; of a training that goes on, the one that it began in.
    part : Model
        What the steps run through: the model, or the layers after its frozen ones where those are computed once.
    holds_blas : bool
        Whether BLAS is held to one thread, since a step is too small for more.
    """

    plan: Plan
    model: Model
    data: Dataset
    X: Any
    Y: Any
    X_validation: Any
    Y_validation: Any
    weights: Array | None
    rule: Preprocessing | None
    change: Change | None
    kernels: str
    n_threads: int
    form: str
    part: Model
    holds_blas: bool = False
    _hashes: dict[str, str | None] = field(default_factory=dict, init=False)

    @property
    def n_steps(self) -> int:
        """Steps an epoch."""
        return 1 if self.plan.batch_size is None else -(-n_rows(self.X) // self.plan.batch_size)

    @property
    def settings(self) -> dict[str, Any]:
        """What a resumed training must agree on, but for data and weights."""
        model, plan = self.model, self.plan
        rule = model.preprocessing
        frozen = {"frozen": frozen_hash(model)} if model.n_frozen else {}
        return {
            **frozen,
            "architecture": model.config(),
            "dtype": model.dtype,
            "preprocessing": None if rule is None else rule.to_config(),
            "classes": model.classes,
            "loss": model.loss_config,
            "optimizer": plan.optimizer.config(),
            "schedule": None if plan.schedule is None else plan.schedule.config(),
            "augment": None if plan.augment is None else plan.augment.config(),
            "n_epochs": plan.n_epochs,
            "batch_size": plan.batch_size,
            "shuffle": plan.shuffle,
            "seed": plan.seed,
            "n_samples": n_rows(self.X),
            "class_weight": plan.class_weight,
            "kernels": self.kernels,
        }

    def hashes(self) -> dict[str, str | None]:
        """Return the hashes of the samples, of those held out, and of the weights."""
        if not self._hashes:
            held = None if self.X_validation is None else Dataset(self.X_validation, self.Y_validation)
            weights = None if self.weights is None else np.ascontiguousarray(self.weights, np.float64)
            self._hashes = {
                "training_data": data_hash(self.data),
                "validation_data": None if held is None else data_hash(held),
                "sample_weights": None if weights is None else hashlib.sha256(weights.data).hexdigest(),
            }
        return self._hashes
