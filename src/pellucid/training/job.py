"""What is run: a training that has been checked, data and model made ready for each other."""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np

from pellucid import dispatch, ranks
from pellucid.data.augmentation.augment import augment_preset
from pellucid.data.batches import Change, is_on_disk
from pellucid.data.dataset import Dataset
from pellucid.data.groups import find_groups
from pellucid.data.hashing import data_hash
from pellucid.data.input_spec import inputs_seen
from pellucid.data.stored.base import StoredArray
from pellucid.data.validate import hold_out_rows
from pellucid.errors import DataError, FormatError, OptionError, ShapeError
from pellucid.nn.activation import Dropout
from pellucid.nn.freezing import frozen_hash
from pellucid.nn.hooks import is_hooked
from pellucid.nn.model import Model, check_classes, number_of_class
from pellucid.nn.preset_size import naming_size
from pellucid.rng import stream
from pellucid.training.checkpoint import checkpoint_settings
from pellucid.training.cost import operations_of, worthwhile_threads
from pellucid.training.features import n_frozen_places, trained_part
from pellucid.training.loss_setup import (
    augment_weighted,
    check_last_activation,
    mixable,
    set_loss,
    weigh_samples,
)
from pellucid.training.optimizers.base import Optimizer
from pellucid.training.options import FORMS, TrainingOptions, loss_of, make_optimizer
from pellucid.training.samples import in_range_of, in_range_seen, preprocessing_for
from pellucid.training.schedules.base import SCHEDULES, Schedule
from pellucid.training.training_cache import TrainingCache
from pellucid.types import Array, map_arrays, n_rows


class Job:
    """A training that has been checked and may begin: data and model have been made ready for each other.

    Parameters
    ----------
    model : Model
        Initialized, where it is not yet.
    data : Dataset
    options : TrainingOptions
    resume : str or Path, optional
        The checkpoint that the training will go on from.
    shared : TrainingCache, optional
        What it has in common with other trainings on the same samples.
    allow_nonfinite : bool, optional
        Let parameters be NaN or infinite: a trace shows where they are.

    Raises
    ------
    DataError, OptionError, ShapeError
        If something does not fit. The model may have been initialized then.

    Attributes
    ----------
    optimizer, schedule, augment : Optimizer, Schedule or None, Augment or None
        What the options name.
    data : Dataset
        The training samples as loaded, without those held out.
    X, X_validation : Array, dict of Array, or None
        Prepared, or where there is a ``rule``, as loaded.
    Y, Y_validation : targets, as the loss wants them
    weights : Array or None
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
    feature_kernels : {"numba", "numpy", "plain", ""}
        What computes the outputs of frozen layers, where it is done once.
    holds_blas : bool
        Whether BLAS is held to one thread, since a step is too small for more.
    """

    def __init__(
        self,
        model: Model,
        data: Dataset,
        options: TrainingOptions,
        *,
        resume: str | Path | None = None,
        shared: TrainingCache | None = None,
        allow_nonfinite: bool = False,
    ) -> None:
        self.model, self.options, self.shared, self.holds_blas = model, options, shared, False
        self.optimizer, augment, schedule = make_optimizer(options), options.augment, options.schedule
        self.augment = augment_preset(augment) if isinstance(augment, str) else augment
        self.schedule: Schedule | None = (
            SCHEDULES.make(schedule, **options.schedule_options) if isinstance(schedule, str) else schedule
        )
        if self.optimizer.is_full_batch:
            _refuse_random_layers(model, self.optimizer)
        self.data, held, sample_weight = _held_out(in_range_seen(model, data, "train"), options)
        if held is not None and held is options.validation:  # given, not drawn from the data
            held = in_range_of(self.data, model, held, "train: validation")
        _fit_model(model, self.data, options, allow_nonfinite=allow_nonfinite)
        self._encode(held, sample_weight)
        self._choose_kernels(held, {} if resume is None else _kept(resume))
        self._prepare_inputs(held)

    def _encode(self, held: Dataset | None, sample_weight: Array | None) -> None:
        """Set the model's loss, and make targets of labels."""
        model, data, options = self.model, self.data, self.options
        set_loss(model, data, loss_of(options))
        check_last_activation(model)
        self.Y = model._encode(data.y)
        if self.augment is not None and self.augment.mixes_targets:
            self.Y = mixable(model, self.Y)
        self.Y_validation: Any = None if held is None else model._encode(held.y)
        check_classes(model, data.classes)
        if options.positive is not None:
            number_of_class(model, options.positive, data.classes, "train: positive")
        self.weights = weigh_samples(model, data, sample_weight, options.class_weight)
        if self.weights is not None and not np.any(self.weights):
            raise OptionError("train: sample_weight: every sample that is trained on has weight 0.")

    def _choose_kernels(self, held: Dataset | None, kept: dict[str, Any]) -> None:
        """Choose kernels, threads and what is trained; what is left open goes on as it began."""
        model, options, m = self.model, self.options, n_rows(self.data.X)
        m_all = m + (0 if held is None else n_rows(held.X))
        part = trained_part(model, m_all) if self.augment is None else model
        asked = dispatch.asked(options.kernels)
        asked = kept.get("kernels", asked) if asked == "auto" else asked
        self.kernels = dispatch.resolve(asked, operations_of(part, options, m_all))
        is_plain = self.kernels == "plain"
        self.part, self.feature_kernels = model if is_plain else part, ""
        if self.part is not model:
            self.feature_kernels = dispatch.resolve(options.kernels, m * float(model._n_operations))
        n_threads: int | None = options.n_threads or kept.get("n_threads") or (1 if is_plain else None)
        self.n_threads = n_threads or worthwhile_threads(self.part, m, options, self.kernels)
        if is_hooked(model):
            self.part, self.n_threads = model, 1
        self.form = kept.get("form", options.form) if options.form == FORMS[0] else options.form

    def _prepare_inputs(self, held: Dataset | None) -> None:
        """Prepare inputs now, or say how each batch is prepared when its turn comes."""
        model, X, augment, seed = self.model, self.data.X, self.augment, self.options.seed
        # What stays in its file is prepared as it is read, what frozen layers take when features are computed.
        has_features = self.part is not model
        arrays = X.values() if isinstance(X, dict) else [X]
        grows = any(array.dtype.itemsize < np.dtype(model.dtype).itemsize for array in arrays)
        in_batches = augment is not None or (self.batch_size is not None and grows)  # most tables do not
        is_lazy = has_features or (in_batches and not is_on_disk(X))
        with dispatch.use(self.kernels):
            self.X = X if is_lazy else _prepared(model, X, self.shared)
            self.X_validation = None if held is None else held.X if has_features else _prepared(model, held.X)
        self.rule = model.preprocessing if is_lazy else None
        self.change: Change | None = None
        if augment is not None:  # a batch, in place
            self.change = lambda X, Y, weights, step: augment_weighted(
                augment, X, Y, weights, stream(seed, "augment", step), out=X
            )

    @property
    def batch_size(self) -> int | None:
        """Samples a step; None: all, of which there may be fewer than the options say."""
        size = self.options.batch_size
        return size if 0 < size <= n_rows(self.data.X) else None

    @property
    def n_steps(self) -> int:
        """Steps an epoch."""
        return -(-n_rows(self.X) // (self.batch_size or n_rows(self.X)))

    @property
    def settings(self) -> dict[str, Any]:
        """What a resumed training must agree on, but for data and weights."""
        model, options = self.model, self.options
        rule = model.preprocessing
        frozen = {"frozen": frozen_hash(model)} if model._n_frozen else {}
        schema = model._schema
        columns = {} if schema is None else {"columns": [column.name for column in schema.columns]}
        return {
            **frozen,
            **columns,
            "architecture": model.config(),
            "dtype": model.dtype,
            "preprocessing": None if rule is None else rule.to_config(),
            "classes": model.classes,
            "loss": model.loss_config,
            "optimizer": self.optimizer.config(),
            "schedule": None if self.schedule is None else self.schedule.config(),
            "augment": None if self.augment is None else self.augment.config(),
            "n_epochs": options.n_epochs,
            "batch_size": self.batch_size,
            "shuffle": options.shuffle,
            "seed": options.seed,
            "n_samples": n_rows(self.X),
            "class_weight": options.class_weight,
            "kernels": self.kernels,
        }

    def hashes(self) -> dict[str, str | None]:
        """Return the hashes of the samples, of those held out, and of the weights."""
        held = None if self.X_validation is None else Dataset(self.X_validation, self.Y_validation)
        weights = None if self.weights is None else np.ascontiguousarray(self.weights, np.float64)
        return {
            "training_data": data_hash(self.data),
            "validation_data": None if held is None else data_hash(held),
            "sample_weights": None if weights is None else hashlib.sha256(weights.data).hexdigest(),
        }


def _kept(resume: str | Path) -> dict[str, Any]:
    """Return what a checkpoint says of the choices that a training may leave open; FormatError for a wrong one."""
    settings = checkpoint_settings(resume)
    names = {"form", "kernels", *(("n_threads",) if settings.get("n_ranks", 1) == ranks.n_ranks() else ())}
    kept: dict[str, Any] = {name: settings[name] for name in settings.keys() & names}
    try:
        TrainingOptions(n_epochs=1, **kept)
    except OptionError as error:
        raise FormatError(
            f"{resume}: {error} The checkpoint is damaged: remove it to go on from an earlier one."
        ) from None
    return kept


def _refuse_random_layers(model: Model, optimizer: Optimizer) -> None:
    """Raise OptionError if a layer draws random numbers in training: no line is searched on a loss that changes."""
    body = [] if model._body is None or model._is_initialized else model._body.layers
    frozen_soon = {leaf for layer in body for leaf in layer._leaves()}
    for leaf in model._leaves():
        is_off = leaf._is_frozen or leaf in frozen_soon or (isinstance(leaf, Dropout) and leaf.rate == 0)
        if leaf._has("set_step_rng") and not is_off:
            raise OptionError(
                f"train: {type(optimizer).__name__} searches along lines for a lower loss, and {leaf!r} makes the "
                "loss random: it would differ each time at the same weights. Set its rate to 0, or take "
                "optimizer='adam'."
            )


def _held_out(data: Dataset, options: TrainingOptions) -> tuple[Dataset, Dataset | None, Array | None]:
    """Return what is trained on, what is held out (a fraction is drawn stratified), and the samples' weights."""
    asked, weights = options.validation, options.sample_weight
    if isinstance(asked, float):
        rows, held = validation_rows(data, asked, options.seed)
    elif isinstance(asked, np.ndarray):
        rows, held = np.delete(np.arange(n_rows(data.X)), asked), asked
    else:
        return data, asked, weights
    return data.take(rows), data.take(held), None if weights is None else weights[rows]


def validation_rows(data: Dataset, fraction: float, seed: int) -> tuple[Array, Array]:
    """Return which samples are trained on and which are held out; groups and copies stay together."""
    m = n_rows(data.X)
    y = np.zeros(m) if isinstance(data.y, dict) else data.y  # of several targets none is the one to go by
    numbered = Dataset(np.arange(m)[:, None], y, data.classes, data.noun, data.groups)
    return hold_out_rows(
        numbered, find_groups(data).numbers, name="validation", seed=seed, test_fraction=fraction
    )


def _fit_model(
    model: Model, data: Dataset, options: TrainingOptions, *, allow_nonfinite: bool = False
) -> None:
    """Initialize the model where it is not yet, and let it know how samples are prepared."""
    shape, dtype = map_arrays(lambda array: array.shape[1:], data.X), options.dtype
    if not model._is_initialized:
        with naming_size(model._recipe, shape):
            model.initialize(shape, seed=options.seed, dtype=dtype)
    elif shape != model.input_shape:
        raise ShapeError(f"train: expected samples of shape {model.input_shape}, got {shape}.")
    elif dtype is not None and dtype != model.dtype:
        raise OptionError(f"dtype: the model is already {model.dtype}; make a new one for {dtype}.")
    if n_frozen_places(model) < model._n_body:
        model._n_body, model._novelty = 0, None  # the body is trained from here on, and no longer what it was
    model._check_parameters()
    if not (allow_nonfinite or np.isfinite(model.theta).all()):
        raise DataError("train: the model's weights hold NaN or infinity. Initialize it again.")
    if model.preprocessing is None:
        model.preprocessing = preprocessing_for(data.X, options.scaling)
    model.inputs_seen = inputs_seen(data.X, model.inputs_seen, data.white)
    model.classes = data.classes or model.classes


def _prepared(model: Model, X: Any, shared: TrainingCache | None = None) -> Any:
    rule, dtype = model.preprocessing, model.dtype
    assert rule is not None
    name = f"prepared {dtype} {rule.to_config()}"

    def prepare_one(array: Any) -> Any:
        return rule.lazily(array, dtype) if isinstance(array, StoredArray) else rule.apply(array, dtype)

    if shared is None:
        return map_arrays(prepare_one, X)
    return map_arrays(lambda array: shared.of(array, name, lambda: prepare_one(array)), X)
