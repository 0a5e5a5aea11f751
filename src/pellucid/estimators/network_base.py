"""What both Network estimators share: any model, images or flat rows, and the model's own recipe."""

import math
import threading
from numbers import Integral, Real
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from sklearn.base import TransformerMixin
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import validate_data

from pellucid.data.augmentation.augment import AUGMENT_PRESETS, Augment
from pellucid.data.dataset import Dataset
from pellucid.data.preprocess import Preprocessing
from pellucid.errors import OptionError
from pellucid.estimators.kinds import PartialFit
from pellucid.estimators.model_source import (
    AUTO,
    choose_augment,
    choose_batch,
    choose_optimizer,
    choose_schedule,
    describes,
    frozen,
    sketch,
    thawed,
)
from pellucid.estimators.representations import Representations
from pellucid.estimators.validation import Samples
from pellucid.nn.model import Model
from pellucid.nn.sequential import Sequential
from pellucid.training.optimizers.base import OPTIMIZERS, Optimizer
from pellucid.training.optimizers.lbfgs import LBFGS
from pellucid.training.precise_bn import PreciseBatchNorm
from pellucid.training.schedules.base import SCHEDULES, Schedule
from pellucid.types import Array, Shape

NOT_STOCHASTIC = "partial_fit is only available for stochastic optimizers. lbfgs is not stochastic."


class BaseAnyNetwork(Representations, TransformerMixin, PartialFit):  # type: ignore[misc]
    """An estimator around any model; see :class:`pellucid.estimators.network.NetworkClassifier`."""

    _fitted_attribute = "model_"
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "model": [str, Path, Model, None],
        "optimizer": [StrOptions({AUTO, *OPTIMIZERS}), Optimizer],
        "learning_rate": [Interval(Real, 0, None, closed="neither"), None],
        "schedule": [StrOptions({AUTO, *SCHEDULES}), Schedule, None],
        "augment": [StrOptions({AUTO, *AUGMENT_PRESETS}), Augment, None],
        "n_epochs": [Interval(Integral, 1, None, closed="left"), None],
        "batch_size": [StrOptions({AUTO}), Interval(Integral, 1, None, closed="left"), None],
        "image_shape": ["array-like", None],
        "shuffle": ["boolean"],
    }

    def _stops_on_loss(self) -> bool:
        return False

    def _stops_early(self) -> bool:
        return True

    def _takes_full_batch(self) -> bool:
        return self.optimizer == "lbfgs" or isinstance(self.optimizer, LBFGS)

    def _check_stochastic(self) -> None:
        if self._takes_full_batch():
            raise AttributeError(NOT_STOCHASTIC)

    def _check_parameters(self) -> None:
        super()._check_parameters()
        if self._takes_full_batch():
            self._check_full_batch()

    def _check_full_batch(self) -> None:
        """Refuse what lbfgs has no use for."""
        for name in ("learning_rate", "schedule", "augment", "batch_size"):
            value = getattr(self, name)
            if not (value is None or (isinstance(value, str) and value == AUTO)):
                raise OptionError(
                    f"{name}: lbfgs takes all samples as they are and chooses its own steps; leave it out."
                )

    # Samples.

    def _read_X(self, X: Any, *, reset: bool) -> Any:
        flat, shape, dtype = self._flat(X)
        X = validate_data(self, flat, accept_sparse="csr", dtype=dtype, reset=reset)
        return self._shaped(X, shape, reset=reset)

    def _read_X_y(self, X: Any, y: Any, *, reset: bool) -> tuple[Any, Any]:
        flat, shape, dtype = self._flat(X)
        X, y = validate_data(
            self,
            flat,
            y,
            accept_sparse="csr",
            multi_output=True,
            y_numeric=self._kind_of_targets == "regression",
            dtype=dtype,
            reset=reset,
        )
        return self._shaped(X, shape, reset=reset), y

    def _flat(self, X: Any) -> tuple[Any, Shape, Any]:
        """Return samples as rows, the shape of one, and the dtypes that they may have: bytes stay bytes."""
        if not hasattr(X, "dtype") and not hasattr(X, "columns"):
            array = np.asarray(X)
            X = array if array.ndim > 2 else X
        shape = tuple(getattr(X, "shape", ()))[1:]
        dtype = None if getattr(X, "dtype", None) == np.uint8 else (np.float64, np.float32)
        return (X.reshape(len(X), -1) if len(shape) > 1 and len(X) else X), shape, dtype

    def _shaped(self, X: Any, shape: Shape, *, reset: bool) -> Array:
        """Return validated rows in the shape that the model takes."""
        rows: Array = X.toarray() if hasattr(X, "toarray") else X
        if reset:
            wanted = self._shape_wanted()
            if wanted and math.prod(wanted) != rows.shape[1]:
                raise ValueError(
                    f"image_shape: expected sizes whose product is {rows.shape[1]}, the numbers of a sample, "
                    f"got {wanted}."
                )
            self.sample_shape_ = wanted or (shape if len(shape) > 1 else rows.shape[1:])
        if min(len(shape), len(self.sample_shape_)) > 1 and _bare(shape) != _bare(self.sample_shape_):
            raise ValueError(f"X: expected images of shape {self.sample_shape_}, got {shape}.")
        return rows.reshape(len(rows), *self.sample_shape_)

    def _shape_wanted(self) -> Shape:
        """Return ``image_shape``, () for none."""
        if self.image_shape is None:
            return ()
        shape = tuple(self.image_shape)
        if not shape or not all(isinstance(n, Integral) and int(n) > 0 for n in shape):
            raise ValueError(f"image_shape: expected whole numbers from 1 up, got {self.image_shape!r}.")
        return tuple(int(n) for n in shape)

    # The model.

    def _start(self, samples: Samples, random: Any) -> Model:
        model, self._training_table = sketch(self.model, self.n_outputs_)
        seed = int(random.randint(np.iinfo(np.int32).max))
        if not model.is_initialized:
            X, is_bytes = samples.X, samples.X.dtype == np.uint8
            dtype = None if is_bytes and self.dtype is None else self._make_dtype(X)
            model.initialize(X.shape[1:], seed=seed, dtype=dtype)
            model.preprocessing = Preprocessing.for_data(X)
        if model.output_shape != (self.n_outputs_,):
            raise OptionError(
                f"model: expected {self.n_outputs_} outputs for these targets, got {model.output_shape}. Make its "
                f"last layer Dense({self.n_outputs_})."
            )
        self.out_activation_ = self._objective().out_activation
        return model

    def _go_on(self, samples: Samples) -> Model:
        if not describes(self.model, self.model_, self.n_outputs_):
            raise OptionError(
                "model: the weights to go on from are those of another. Set it back, or fit anew with "
                "warm_start=False."
            )
        return self.model_

    def _keep(self, network: Model) -> None:
        objective = self._objective()
        network.set_loss(objective.stored)  # one that the model's file can name
        if self._kind in ("binary", "multiclass"):
            network.classes = tuple(map(str, self.classes_))
        self.model_ = network
        self._lock = threading.Lock()

    def _recipe(self, samples: Samples, network: Model, *, is_partial: bool) -> dict[str, Any]:
        table = self._training_table
        n_epochs = self.n_epochs or int(table.get("n_epochs", 50))
        optimizer = choose_optimizer(self.optimizer, self.learning_rate, table)
        if isinstance(optimizer, LBFGS):
            if is_partial:
                raise OptionError(NOT_STOCHASTIC)
            return self._full_batch_recipe(optimizer, n_epochs, network)
        return {
            "optimizer": optimizer,
            "n_epochs": n_epochs,
            "batch_size": choose_batch(self.batch_size, table, len(samples)),
            "shuffle": bool(self.shuffle),
            "schedule": choose_schedule(self.schedule, table),
            "augment": choose_augment(self.augment, table),
            "callbacks": self._own_callbacks(samples, is_partial=is_partial),
        }

    def _own_callbacks(self, samples: Samples, *, is_partial: bool) -> list[Any]:
        is_precise = self._training_table.get("precise_bn") and not is_partial  # a part says too little
        return [PreciseBatchNorm(Dataset(samples.X, samples.y))] if is_precise else []

    def _full_batch_recipe(self, optimizer: LBFGS, n_epochs: int, network: Model) -> dict[str, Any]:
        self._check_full_batch()
        if network.draws_random_numbers:
            raise OptionError(
                "optimizer: lbfgs needs the same loss every time; a model with Dropout takes 'adam'."
            )
        if self.n_epochs is not None or not isinstance(self.optimizer, Optimizer):
            optimizer.max_iterations = n_epochs
        # One epoch more than its own limit, so that it can say what it reached.
        return {"optimizer": optimizer, "n_epochs": optimizer.max_iterations + 1, "callbacks": []}

    def __getstate__(self) -> Any:
        """Return what a pickle keeps: of the model its weights, not its buffers."""
        state = dict(super().__getstate__())
        state.pop("_lock", None)
        if "model_" in state:
            state["model_"] = frozen(state["model_"])
        return state

    def __setstate__(self, state: Any) -> None:
        """Make an estimator from what a pickle kept."""
        super().__setstate__(state)
        if "model_" in self.__dict__:
            self.model_ = thawed(self.__dict__["model_"])
            self._lock = threading.Lock()

    # Prediction.

    def _run(self, X: Any) -> Array:
        with self._lock:  # the model's buffers belong to one thread at a time
            Z: Array = self.model_.decision_function(X)
        return Z.reshape(len(Z), -1)

    def _hidden_layers(self) -> list[Any]:
        return list(self.model_.layers[:-1]) if isinstance(self.model_, Sequential) else []

    def _n_hidden(self) -> int:
        return len(self._hidden_layers())

    def _hidden_width(self, index: int) -> int:
        return math.prod(self._hidden_layers()[index].output_shape)

    def _hidden_outputs(self, X: Any, index: int) -> Array:
        assert self.model_.preprocessing is not None
        A = self.model_.preprocessing.apply(X, self.model_.dtype)
        with self._lock:
            for layer in self._hidden_layers()[: index + 1]:
                A = layer.forward(A)
            return A.reshape(len(A), -1).copy()


def _bare(shape: Shape) -> Shape:
    """Return the shape of an image without a channel that is the only one."""
    return shape[:2] if len(shape) == 3 and shape[2] == 1 else shape
