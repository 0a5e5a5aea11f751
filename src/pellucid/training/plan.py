"""What happens before the first step: options checked, data and model prepared, the form chosen."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from pellucid import dispatch
from pellucid.data.augmentation.augment import Augment
from pellucid.data.batches import Batch, Batches, Change
from pellucid.data.dataset import Dataset
from pellucid.data.preprocess import Preprocessing, check_finite
from pellucid.data.validate import hold_out
from pellucid.errors import DataError, OptionError, ShapeError
from pellucid.nn.model import Model
from pellucid.nn.sequential import Sequential
from pellucid.registry import Configurable, option
from pellucid.rng import stream
from pellucid.training.cost import is_for_one_blas_thread, worthwhile_threads
from pellucid.training.dual.form import DualForm, dual_form, first_dense_shape, operations, why_not_dual
from pellucid.training.dual.full_batch import FullBatchStep, fits
from pellucid.training.executor.choose import batch_workspace
from pellucid.training.executor.executor import n_cores
from pellucid.training.form import Form, Validation
from pellucid.training.history import History
from pellucid.training.loss_setup import augment_weighted, encode_targets, set_loss, weigh_samples
from pellucid.training.optimizers.base import Optimizer
from pellucid.training.options import FORMS
from pellucid.training.schedules.base import Schedule
from pellucid.types import Array, map_arrays, n_rows


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
        Prepared, or where ``change`` prepares each batch, as loaded.
    Y, Y_validation : targets, as the loss wants them
    n_threads : int
        Cores that each batch is split over.
    is_ahead : bool
        Whether a core is free to prepare the next batch meanwhile.
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
    change: Change | None
    n_threads: int
    is_ahead: bool
    holds_blas: bool = False

    @property
    def n_steps(self) -> int:
        """Steps an epoch."""
        return 1 if self.plan.batch_size is None else -(-n_rows(self.X) // self.plan.batch_size)

    @property
    def settings(self) -> dict[str, Any]:
        """What a resumed training must agree on, as JSON can hold it."""
        model, plan = self.model, self.plan
        return {
            "architecture": model.config(),
            "dtype": model.dtype,
            "loss": model.loss_config,
            "optimizer": plan.optimizer.config(),
            "schedule": None if plan.schedule is None else plan.schedule.config(),
            "augment": None if plan.augment is None else plan.augment.config(),
            "n_epochs": plan.n_epochs,
            "batch_size": plan.batch_size,
            "shuffle": plan.shuffle,
            "seed": plan.seed,
            "n_samples": n_rows(self.X),
            "kernels": dispatch.current(),  # Adam's twins keep their moments on other scales
        }


def prepare(model: Model, data: Dataset, plan: Plan) -> Job:
    """Check data and model against the plan, and make each ready for the other.

    Raises
    ------
    DataError, OptionError, ShapeError
        If something does not fit. The model may have been initialized then.
    """
    _check_data(data)
    data, held, sample_weight = _held_out(data, plan)
    _fit_model(model, data, plan)
    set_loss(model, data, plan.loss)
    augment = plan.augment
    Y = encode_targets(model, data, are_mixed=augment is not None and augment.mixes_targets)
    weights = weigh_samples(model, data, sample_weight, plan.class_weight)
    Batches(data.X, Y, plan.batch_size, plan.seed)  # refuses a wrong size before any work
    # Each batch is prepared when its turn comes, unless there is nothing to do.
    is_lazy = augment is not None or (plan.batch_size is not None and not _is_prepared(model, data.X))
    n_threads = plan.n_threads or worthwhile_threads(model, n_rows(data.X), plan.batch_size, plan.n_epochs)
    return Job(
        plan=plan,
        model=model,
        data=data,
        X=data.X if is_lazy else _prepared(model, data.X),
        Y=Y,
        X_validation=None if held is None else _prepared(model, held.X),
        Y_validation=None if held is None else model.encode(held.y),
        weights=weights,
        change=_change(model, augment, plan.seed) if is_lazy else None,
        n_threads=n_threads,
        is_ahead=augment is not None
        and plan.batch_size is not None
        and plan.n_threads is None
        and n_threads == 1 < n_cores(),
    )


@contextmanager
def choose_form(job: Job, history: History) -> Iterator[Form]:
    """Have the model in its direct or dual form, whichever is cheaper, and record the choice in the history."""
    is_dual, history.note = _choose(job)
    if is_dual:
        job.n_threads = 1  # what is left of a step is too small to be split
        with _in_dual_form(job) as form:
            history.form = form.name
            yield form
        return
    job.holds_blas = is_for_one_blas_thread(job.model, job.X, job.plan.batch_size)
    history.n_threads = job.n_threads
    batches = Batches(
        job.X,
        job.Y,
        job.plan.batch_size,
        job.plan.seed,
        weights=job.weights,
        change=job.change,
        shuffle=job.plan.shuffle,
        workspace=batch_workspace(job.n_threads),
        is_ahead=job.is_ahead,
    )
    yield Form(batches, None if job.X_validation is None else Validation(job.X_validation, job.Y_validation))


@contextmanager
def _in_dual_form(job: Job) -> Iterator[Form]:
    plan, optimizer = job.plan, job.plan.optimizer
    assert isinstance(job.model, Sequential)
    X = job.X if job.change is None else job.change(job.X, job.Y, None, 0)[0]
    with dual_form(job.model, X, job.X_validation) as dual:
        batches = Batches(
            dual.rows_train, job.Y, plan.batch_size, plan.seed, weights=job.weights, shuffle=plan.shuffle
        )
        held = None if job.X_validation is None else Validation(dual.rows_validation, job.Y_validation)
        is_plain = plan.batch_size is None and job.weights is None and fits(job.model, dual)
        form = DualForm(dual, batches, held, FullBatchStep(job.model, dual, job.Y) if is_plain else None)
        optimizer.grad_norm = form.grad_norm
        try:
            yield form
        finally:
            optimizer.grad_norm = None


def _choose(job: Job) -> tuple[bool, str]:
    """Return whether the dual form is taken, and why."""
    asked, m = job.plan.form, n_rows(job.X)
    if asked == "direct":
        return False, "direct form, as asked"
    m_validation = 0 if job.X_validation is None else n_rows(job.X_validation)
    reason = why_not_dual(job.model, job.plan.optimizer, m + m_validation)
    if not reason and job.plan.augment is not None:
        reason = "augmentation changes the training rows"
    if reason:
        if asked == "dual":
            raise OptionError(f"form: the dual form does not hold here: {reason}. Use form='auto'.")
        return False, f"direct form: {reason}"
    assert isinstance(job.model, Sequential)
    n_in, n_out = first_dense_shape(job.model)
    n_steps = job.plan.n_epochs * job.n_steps
    direct, dual = operations(n_in, n_out, m, m_validation, job.plan.batch_size or m, n_steps)
    if asked == "auto" and dual >= direct:
        return False, "direct form: the dual form would cost more here"
    return True, f"dual form, exact: {direct / dual:.3g} times fewer operations in the first layer"


def _check_data(data: Dataset) -> None:
    if n_rows(data.X) == 0:
        raise DataError("train: expected at least one sample, got none.")
    if n_rows(data.X) != n_rows(data.y):
        raise DataError(f"train: X has {n_rows(data.X)} samples and y has {n_rows(data.y)} labels.")
    for array in data.X.values() if isinstance(data.X, dict) else (data.X,):
        check_finite(array, "train")


def _held_out(data: Dataset, plan: Plan) -> tuple[Dataset, Dataset | None, Array | None]:
    """Return what is trained on, what is held out (a fraction is drawn stratified), and the samples' weights."""
    weights = plan.sample_weight
    if not isinstance(plan.validation, float):
        return data, plan.validation, weights
    m = n_rows(data.X)
    y = np.zeros(m) if isinstance(data.y, dict) else data.y  # of several targets none is the one to go by
    numbered = Dataset(np.arange(m)[:, None], y, data.classes)
    parts = hold_out(numbered, name="validation", seed=plan.seed, test_fraction=plan.validation)
    rows, held = parts.train.X[:, 0], parts.test.X[:, 0]
    return data.take(rows), data.take(held), None if weights is None else weights[rows]


def _fit_model(model: Model, data: Dataset, plan: Plan) -> None:
    """Initialize the model where it is not yet, and let it know how samples are prepared."""
    shape, dtype = map_arrays(lambda array: array.shape[1:], data.X), plan.dtype
    if not model.is_initialized:
        model.initialize(shape, seed=plan.seed, dtype=dtype)
    elif shape != model.input_shape:
        raise ShapeError(f"train: expected samples of shape {model.input_shape}, got {shape}.")
    elif dtype is not None and dtype != model.dtype:
        raise OptionError(f"dtype: the model is already {model.dtype}; make a new one for {dtype}.")
    if not np.isfinite(model.theta).all():
        raise DataError("train: the model's weights hold NaN or infinity. Initialize it anew.")
    if model.preprocessing is None:
        first = next(iter(data.X.values())) if isinstance(data.X, dict) else data.X
        model.preprocessing = Preprocessing.for_data(first)
    model.classes = data.classes or model.classes


def _is_prepared(model: Model, X: Any) -> bool:
    assert model.preprocessing is not None
    return not isinstance(X, dict) and model.preprocessing.kind == "none" and X.dtype == model.dtype


def _prepared(model: Model, X: Any) -> Any:
    rule = model.preprocessing
    assert rule is not None
    return map_arrays(lambda array: rule.apply(array, model.dtype), X)


def _change(model: Model, augment: Augment | None, seed: int) -> Change:
    """Return what prepares and augments a batch."""

    def change(X: Any, Y: Any, weights: Array | None, step: int) -> Batch:
        X = _prepared(model, X)
        if augment is None:
            return X, Y, weights
        return augment_weighted(augment, X, Y, weights, stream(seed, "augment", step))

    return change
