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

from pellucid.data.augment import AUGMENT_PRESETS, Augment
from pellucid.data.batches import InOrder
from pellucid.data.preprocess import Preprocessing
from pellucid.errors import OptionError
from pellucid.estimators.held_out import Samples
from pellucid.estimators.kinds import PartialFit
from pellucid.estimators.models import (
    AUTO,
    choose_augment,
    choose_batch,
    choose_optimizer,
    choose_schedule,
    frozen,
    sketch,
    thawed,
)
from pellucid.estimators.representations import Representations
from pellucid.nn.model import Model, Sequential
from pellucid.training.lbfgs import LBFGS
from pellucid.training.optimizers import Optimizer
from pellucid.training.registry import OPTIMIZERS, SCHEDULES
from pellucid.training.schedules import Schedule
from pellucid.types import Array, Shape


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
        return not self._takes_full_batch()

    def _takes_full_batch(self) -> bool:
        return self.optimizer == "lbfgs" or isinstance(self.optimizer, LBFGS)

    def _check_stochastic(self) -> None:
        if self._takes_full_batch():
            raise AttributeError(
                "partial_fit is only available for stochastic optimizers. lbfgs is not stochastic."
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
            wanted = () if self.image_shape is None else tuple(int(n) for n in self.image_shape)
            if wanted and math.prod(wanted) != rows.shape[1]:
                raise ValueError(
                    f"image_shape: expected sizes whose product is {rows.shape[1]}, the numbers of a sample, "
                    f"got {wanted}."
                )
            self.sample_shape_ = wanted or (shape if len(shape) > 1 else rows.shape[1:])
        return rows.reshape(len(rows), *self.sample_shape_)

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
        return self.model_

    def _keep(self, network: Model) -> None:
        objective = self._objective()
        network.set_loss(objective.name, **objective.options)  # a name, that the model's file can hold
        if self._kind in ("binary", "multiclass"):
            network.classes = tuple(map(str, self.classes_))
        self.model_ = network
        self._lock = threading.Lock()

    def _recipe(self, samples: Samples, network: Model, *, is_partial: bool) -> dict[str, Any]:
        table = self._training_table
        n_epochs = self.n_epochs or int(table.get("epochs", 50))
        if self._takes_full_batch():
            optimizer = self.optimizer if isinstance(self.optimizer, Optimizer) else LBFGS(n_epochs)
            return {"optimizer": optimizer, "n_epochs": n_epochs + 1, "callbacks": []}
        size = choose_batch(self.batch_size, table, len(samples))
        return {
            "optimizer": choose_optimizer(self.optimizer, self.learning_rate, table),
            "n_epochs": n_epochs,
            "batch_size": size if size is None or self.shuffle else InOrder(size),
            "schedule": choose_schedule(self.schedule, table),
            "augment": choose_augment(self.augment, table),
            "callbacks": [],
        }

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
        return self.model_.layers[:-1] if isinstance(self.model_, Sequential) else []

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
