"""The network of the Network estimators: any model, for images or flat rows, trained by its recipe."""

import math
import threading
from numbers import Integral
from typing import Any

import numpy as np
from sklearn.utils.validation import validate_data

from pellucid.data.dataset import Dataset
from pellucid.data.gaps import check_gaps
from pellucid.data.preprocess import Preprocessing
from pellucid.errors import OptionError
from pellucid.estimators.model_source import (
    choose_augment,
    choose_batch,
    choose_loss,
    choose_optimizer,
    choose_schedule,
    describes,
    model_spec,
    packed,
    preset_loss,
    unpacked,
)
from pellucid.estimators.parameters import AUTO
from pellucid.estimators.validation import Samples
from pellucid.nn.model import Model
from pellucid.nn.preset_size import naming_size
from pellucid.nn.sequential import Sequential
from pellucid.training.callbacks.precise_bn import PreciseBatchNorm
from pellucid.training.loss_setup import begin_at_the_mean
from pellucid.training.optimizers import LBFGS, Optimizer
from pellucid.training.recommend import Recommendation, recommend
from pellucid.types import Array, Shape

NOT_STOCHASTIC = "partial_fit is only available for stochastic optimizers. lbfgs is not stochastic."


class AnyNetwork:
    """The model that an estimator's parameters describe; it holds no data of its own."""

    fitted_attribute = "model_"
    multilabel_loss = "multi_label"  # the mean over the labels
    stratifies_many = True  # three classes or more, when samples are held out

    # Parameters.

    def check_parameters(self, e: Any) -> None:
        """Raise OptionError for what parameter constraints cannot express."""
        if _takes_full_batch(e):
            _check_full_batch(e)

    def why_not_partial(self, e: Any) -> str:
        """Return why ``partial_fit`` is not available; empty where it is."""
        return NOT_STOCHASTIC if _takes_full_batch(e) else ""

    def has_epochs(self, e: Any) -> bool:
        """Return True: the epochs of every optimizer are recorded."""
        return True

    def stops_on_loss(self, e: Any) -> bool:
        """Return False: without early stopping every epoch is run."""
        return False

    def stops_early(self, e: Any) -> bool:
        """Return whether a score may end the training."""
        return True

    def loss_of(self, e: Any, default: str) -> Any:
        """Return the loss that was given, else the file's, else the default: a preset's, for quantities."""
        return choose_loss(e.loss, e._training_table, getattr(e, "_preset_loss", None) or default)

    # Samples.

    def open_validation(self, validation_data: Any) -> Any:
        """Return validation data as they were given."""
        return validation_data

    def read_X(self, e: Any, X: Any, *, reset: bool) -> Any:
        """Return samples checked as scikit-learn does, in the shape that the model takes."""
        check_gaps(X=X)
        flat, shape, dtype = _flat(X)
        X = validate_data(e, flat, accept_sparse="csr", dtype=dtype, reset=reset)
        return _shaped(e, X, shape, reset=reset)

    def read_X_y(
        self, e: Any, X: Any, y: Any, sample_weight: Any, *, reset: bool, is_part: bool
    ) -> tuple[Any, Any, Any]:
        """Return samples, targets and weights, the former two checked together."""
        check_gaps(X=X, y=y, sample_weight=sample_weight)
        flat, shape, dtype = _flat(X)
        X, y = validate_data(
            e,
            flat,
            y,
            accept_sparse="csr",
            multi_output=True,
            y_numeric=e._task.is_numeric,
            dtype=dtype,
            reset=reset,
        )
        return _shaped(e, X, shape, reset=reset), y, sample_weight

    def as_given(self, X: Any) -> Any:
        """Return samples as a user would pass them."""
        return X

    # The model.

    def start(self, e: Any, samples: Samples, random: Any) -> Model:
        """Return a new model, or a copy of the one given, ready for these samples."""
        if isinstance(e.model, str) and e.model == AUTO:
            e.recommendation_ = recommend(samples.dataset)
        model, e._training_table = model_spec(e.model, e.n_outputs_, _chosen(e))
        seed = self.seed(e, random)
        if not model.is_initialized:
            X = samples.X
            is_left_to_the_model = X.dtype == np.uint8 and e.dtype is None
            dtype = None if is_left_to_the_model else str(np.dtype(X.dtype if e.dtype is None else e.dtype))
            with naming_size(model.recipe, X.shape[1:]):
                model.initialize(X.shape[1:], seed=seed, dtype=dtype)
            model.preprocessing = Preprocessing.for_data(X)
        if model.output_shape != (e.n_outputs_,):
            raise OptionError(
                f"model: expected {e.n_outputs_} outputs for these targets, got {model.output_shape}. Make its "
                f"last layer Dense({e.n_outputs_})."
            )
        e._preset_loss = preset_loss(model, samples.Y) if e._task.is_numeric else None
        objective = e._task.objective(e)
        e.out_activation_ = objective.out_activation
        if not model.has_chosen_loss:
            begin_at_the_mean(model, objective.loss, samples.Y)
        return model

    def seed(self, e: Any, random: Any) -> int:
        """Return the seed of a training: ``random_state`` itself where it is a number, as for ``pl.train``."""
        if isinstance(e.random_state, Integral):
            return int(e.random_state)
        return int(random.randint(np.iinfo(np.int32).max))

    def go_on(self, e: Any, samples: Samples) -> Model:
        """Return the model that is trained further."""
        if not describes(e.model, e.model_, e.n_outputs_, _chosen(e)):
            raise OptionError(
                "model: the weights to continue from belong to another. Set it back, or fit again with "
                "warm_start=False."
            )
        model: Model = e.model_
        return model

    def keep(self, e: Any, network: Model) -> None:
        """Make the trained model the estimator's."""
        objective = e._task.objective(e)
        network.set_loss(objective.stored)  # one that the model's file can name
        if e._kind in ("binary", "multiclass"):
            network.classes = tuple(map(str, e.classes_))
        e.model_ = network
        e._lock = threading.Lock()

    # Training.

    def training_options(
        self, e: Any, samples: Samples, network: Model, *, is_partial: bool
    ) -> dict[str, Any]:
        """Return the arguments of ``train``: the parameters, and the recipe's where they are "auto"."""
        table = e._training_table
        n_epochs = int(e.n_epochs or table.get("n_epochs", 50))
        optimizer = choose_optimizer(e.optimizer, e.learning_rate, table)
        if isinstance(optimizer, LBFGS):
            if is_partial:
                raise OptionError(NOT_STOCHASTIC)
            return _full_batch_options(e, optimizer, n_epochs)
        # A part of the data is too little for the running statistics.
        is_precise = table.get("precise_bn") and not is_partial
        return {
            "optimizer": optimizer,
            "n_epochs": n_epochs,
            "batch_size": choose_batch(e.batch_size, table, len(samples)),
            "shuffle": bool(e.shuffle),
            "schedule": choose_schedule(e.schedule, table),
            "augment": choose_augment(e.augment, table),
            "callbacks": [PreciseBatchNorm(Dataset(samples.X, samples.y))] if is_precise else [],
        }

    def finish(self, e: Any, optimizer: Any) -> None:
        """Do nothing more."""

    # Prediction.

    def outputs(self, e: Any, X: Any) -> Array:
        """Return the raw outputs for samples that have been read; several threads may call it at once."""
        with e._lock:  # the model's buffers belong to one thread at a time
            Z: Array = e.model_.decision_function(X)
        return Z.reshape(len(Z), -1)

    def n_hidden(self, e: Any) -> int:
        """Return the number of hidden layers; 0 where the model is not a sequence of layers."""
        return len(_hidden_layers(e))

    def hidden_width(self, e: Any, index: int) -> int:
        """Return the number of a hidden layer's outputs for one sample."""
        return math.prod(_hidden_layers(e)[index].output_shape)

    def hidden_outputs(self, e: Any, X: Any, index: int) -> Array:
        """Return a hidden layer's outputs, a row per sample."""
        A = e.model_.preprocessing.apply(X, e.model_.dtype)
        with e._lock:
            for layer in _hidden_layers(e)[: index + 1]:
                A = layer.forward(A)
            rows: Array = A.reshape(len(A), -1).copy()
            return rows

    # What scikit-learn requires.

    def tags(self, tags: Any) -> Any:
        """Return the estimator's tags."""
        return tags

    def packed(self, state: Any) -> Any:
        """Return the state to pickle: of the model its weights, not its buffers."""
        state = dict(state)
        state.pop("_lock", None)
        if "model_" in state:
            state["model_"] = packed(state["model_"])
        return state

    def unpacked(self, state: Any) -> Any:
        """Return the state that was pickled."""
        state = dict(state)
        if "model_" in state:
            state["model_"] = unpacked(state["model_"])
            state["_lock"] = threading.Lock()
        return state


def _chosen(e: Any) -> Recommendation | None:
    chosen: Recommendation | None = getattr(e, "recommendation_", None)
    return chosen


def _takes_full_batch(e: Any) -> bool:
    return bool(e.optimizer == "lbfgs" or isinstance(e.optimizer, LBFGS))


def _check_full_batch(e: Any) -> None:
    """Reject what lbfgs cannot use."""
    for name in ("learning_rate", "schedule", "augment", "batch_size"):
        value = getattr(e, name)
        if not (value is None or (isinstance(value, str) and value == AUTO)):
            raise OptionError(
                f"{name}: lbfgs takes all samples as they are and chooses its own steps; leave it out."
            )


def _full_batch_options(e: Any, optimizer: LBFGS, n_epochs: int) -> dict[str, Any]:
    _check_full_batch(e)
    if e.n_epochs is not None or not isinstance(e.optimizer, Optimizer):
        optimizer.max_iterations = n_epochs
    # One epoch more than its own limit, so that it can report its result.
    return {"optimizer": optimizer, "n_epochs": optimizer.max_iterations + 1, "callbacks": []}


def _flat(X: Any) -> tuple[Any, Shape, Any]:
    """Return samples as rows, the shape of one, and the dtypes that they may have: bytes stay bytes."""
    if not hasattr(X, "dtype") and not hasattr(X, "columns"):
        array = np.asarray(X)
        X = array if array.ndim > 2 else X
    shape = tuple(getattr(X, "shape", ()))[1:]
    dtype = None if getattr(X, "dtype", None) == np.uint8 else (np.float64, np.float32)
    return (X.reshape(len(X), -1) if len(shape) > 1 and len(X) else X), shape, dtype


def _shaped(e: Any, X: Any, shape: Shape, *, reset: bool) -> Array:
    """Return validated rows in the shape that the model takes."""
    rows: Array = X.toarray() if hasattr(X, "toarray") else X
    if reset:
        wanted = _image_shape(e)
        if wanted and math.prod(wanted) != rows.shape[1]:
            raise ValueError(
                f"image_shape: expected sizes whose product is {rows.shape[1]}, the number of values per sample, "
                f"got {wanted}."
            )
        e.sample_shape_ = wanted or (shape if len(shape) > 1 else rows.shape[1:])
    if min(len(shape), len(e.sample_shape_)) > 1 and _bare(shape) != _bare(e.sample_shape_):
        raise ValueError(f"X: expected images of shape {e.sample_shape_}, got {shape}.")
    return rows.reshape(len(rows), *e.sample_shape_)


def _image_shape(e: Any) -> Shape:
    """Return ``image_shape``, () for none."""
    if e.image_shape is None:
        return ()
    shape = tuple(e.image_shape)
    if not shape or not all(isinstance(n, Integral) and int(n) > 0 for n in shape):
        raise ValueError(f"image_shape: expected whole numbers of 1 or more, got {e.image_shape!r}.")
    return tuple(int(n) for n in shape)


def _bare(shape: Shape) -> Shape:
    """Return the shape of an image, without the channel axis if there is only one channel."""
    return shape[:2] if len(shape) == 3 and shape[2] == 1 else shape


def _hidden_layers(e: Any) -> list[Any]:
    return list(e.model_.places[:-1]) if isinstance(e.model_, Sequential) else []
