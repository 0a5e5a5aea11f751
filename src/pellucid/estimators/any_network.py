"""The inputs and the network of the Network estimators: any model, images or flat rows, trained by its recipe."""

import math
from collections.abc import Mapping
from numbers import Integral
from pathlib import Path
from typing import Any

import numpy as np

from pellucid.data.dataset import Dataset
from pellucid.data.gaps import check_gaps
from pellucid.data.readers.picture_modes import White
from pellucid.errors import OptionError
from pellucid.estimators.checks import validate_data
from pellucid.estimators.fitting import Fitting
from pellucid.estimators.model_source import (
    choose_augment,
    choose_optimizer,
    choose_schedule,
    model_spec,
    preset_loss,
)
from pellucid.estimators.parameters import AUTO, NetworkParameters
from pellucid.estimators.validation import Samples
from pellucid.formats.safetensors import header_of, model_of, novelty_arrays
from pellucid.nn.model import Model
from pellucid.nn.preset_size import naming_size
from pellucid.nn.rebuild import named_arrays
from pellucid.nn.sequential import Sequential
from pellucid.training.callbacks.precise_bn import PreciseBatchNorm
from pellucid.training.loss_setup import begin_at_the_mean
from pellucid.training.optimizers import LBFGS, Optimizer
from pellucid.training.options import are_few
from pellucid.training.recommend import recommend
from pellucid.training.samples import preprocessing_for
from pellucid.types import Array, Shape

NOT_STOCHASTIC = "partial_fit is only available for stochastic optimizers. lbfgs is not stochastic."


class AnyNetwork(Fitting, NetworkParameters):
    """The model that an estimator's parameters describe."""

    _fitted_attribute = "model_"
    _multilabel_loss = "multi_label"  # the mean over the labels
    _stratifies_many = True
    _preset_loss: Any = None
    _training_table: Mapping[str, Any]
    image_shape: Any
    _white: White  # of photos
    model_: Model
    sample_shape_: Shape
    classes_: Array

    # Parameters.

    def _check_parameters(self) -> None:
        if not self._takes_full_batch:
            return
        for name in ("learning_rate", "schedule", "augment", "batch_size"):
            value = getattr(self, name)
            if not (value is None or (isinstance(value, str) and value == AUTO)):
                raise OptionError(
                    f"{name}: lbfgs takes all samples as they are and chooses its own steps; leave it out."
                )

    @property
    def _takes_full_batch(self) -> bool:
        return isinstance(self.optimizer, LBFGS) or bool(self.optimizer == "lbfgs")

    def _why_not_partial(self) -> str:
        return NOT_STOCHASTIC if self._takes_full_batch else ""

    @property
    def _stops_on_loss(self) -> bool:
        return False  # without early stopping every epoch is run

    def _loss_of(self, default: str) -> Any:
        """Return the loss that was given, else the file's, else the default: a preset's, for quantities."""
        usual = self._training_table.get("loss", self._preset_loss or default)
        return usual if self.loss is None else self.loss

    # Samples.

    def _read_X(self, X: Any) -> Any:
        check_gaps(X=X)
        flat, shape, dtype = _flat(X)
        X = validate_data(self, flat, accept_sparse="csr", dtype=dtype, reset=False)
        return self._shaped(X, shape, reset=False)

    def _read_X_y(
        self, X: Any, y: Any, sample_weight: Any, *, reset: bool, is_part: bool
    ) -> tuple[Any, Any, Any]:
        check_gaps(X=X, y=y, sample_weight=sample_weight)
        flat, shape, dtype = _flat(X)
        how = {"accept_sparse": "csr", "multi_output": True, "y_numeric": self._is_numeric, "dtype": dtype}
        X, y = validate_data(self, flat, y, reset=reset, **how)
        return self._shaped(X, shape, reset=reset), y, sample_weight

    def _shaped(self, X: Any, shape: Shape, *, reset: bool) -> Array:
        """Return validated rows in the shape that the model takes."""
        rows: Array = X.toarray() if hasattr(X, "toarray") else X
        if reset:
            wanted = self._wanted_shape()
            if wanted and math.prod(wanted) != rows.shape[1]:
                raise ValueError(
                    f"image_shape: expected sizes whose product is {rows.shape[1]}, the number of values per "
                    f"sample, got {wanted}."
                )
            self.sample_shape_ = wanted or (shape if len(shape) > 1 else rows.shape[1:])
        if min(len(shape), len(self.sample_shape_)) > 1 and _bare(shape) != _bare(self.sample_shape_):
            raise ValueError(f"X: expected images of shape {self.sample_shape_}, got {shape}.")
        return rows.reshape(len(rows), *self.sample_shape_)

    def _wanted_shape(self) -> Shape:
        """Return ``image_shape``, () for none."""
        if self.image_shape is None:
            return ()
        shape = tuple(self.image_shape)
        if not shape or not all(isinstance(n, Integral) and int(n) > 0 for n in shape):
            raise ValueError(f"image_shape: expected whole numbers of 1 or more, got {self.image_shape!r}.")
        return tuple(int(n) for n in shape)

    # The model.

    def _start(self, samples: Samples, random: Any) -> Model:
        """Return a new model, or a copy of the one given, ready for these samples."""
        if isinstance(self.model, str) and self.model == AUTO:
            self.recommendation_ = recommend(Dataset(samples.X, samples.Y))
        model, self._training_table = self._model_for(self.n_outputs_)
        seed = self._draw_seed(random)
        if not model._is_initialized:
            X = samples.X
            is_left_to_the_model = X.dtype == np.uint8 and self.dtype is None
            dtype = (
                None if is_left_to_the_model else str(np.dtype(X.dtype if self.dtype is None else self.dtype))
            )
            with naming_size(model._recipe, X.shape[1:]):
                model.initialize(X.shape[1:], seed=seed, dtype=dtype)
            model.preprocessing = model.preprocessing or preprocessing_for(
                X, self._training_table.get("scaling")
            )
        if model.output_shape != (self.n_outputs_,):
            raise OptionError(
                f"model: expected {self.n_outputs_} outputs for these targets, got {model.output_shape}. Make its "
                f"last layer Dense({self.n_outputs_})."
            )
        self._preset_loss = preset_loss(model, samples.Y) if self._is_numeric else None
        objective = self._objective()
        self.out_activation_ = objective.out_activation
        if not model._has_chosen_loss:
            begin_at_the_mean(model, objective.loss, samples.Y)
        return model

    def _model_for(self, n_outputs: int) -> tuple[Model, Mapping[str, Any]]:
        of_photos = {name: getattr(self, name, None) for name in ("body", "pixels")}
        return model_spec(self.model, n_outputs, getattr(self, "recommendation_", None), **of_photos)

    def _draw_seed(self, random: Any) -> int:
        """Return the seed of a training: ``random_state`` itself where it is a number, as for ``pl.train``."""
        if isinstance(self.random_state, Integral):
            return int(self.random_state)
        return super()._draw_seed(random)

    def _go_on(self, samples: Samples) -> Model:
        is_file = isinstance(self.model, str | Path) and Path(self.model).suffix == ".toml"
        if not is_file or Path(self.model).is_file():  # a lost file is that of the model
            asked = self.model if isinstance(self.model, Model) else self._model_for(self.n_outputs_)[0]
            if asked.config() != self.model_.config():
                raise OptionError(
                    "model: the weights to continue from belong to another. Set it back, or fit again with "
                    "warm_start=False."
                )
        return self.model_

    def _keep(self, network: Model) -> None:
        network.set_loss(self._objective().stored)  # one that the model's file can name
        if self._kind in ("binary", "multiclass") and len(self.classes_) > 1:
            network.classes = tuple(map(str, self.classes_))
        self.model_ = network

    # Training.

    def _training_options(self, samples: Samples, *, is_partial: bool) -> dict[str, Any]:
        """Return the arguments of ``train``: the parameters, and the recipe's where they are "auto"."""
        table = self._training_table
        n_epochs = int(self.n_epochs or table.get("n_epochs", 50))
        optimizer = choose_optimizer(self.optimizer, self.learning_rate, table)
        if isinstance(optimizer, LBFGS):
            if is_partial:
                raise OptionError(NOT_STOCHASTIC)
            if self.n_epochs is not None or not isinstance(self.optimizer, Optimizer):
                optimizer._keep("max_iterations", n_epochs)
            # One epoch more than its own limit, so that it can report its result.
            return {"optimizer": optimizer, "n_epochs": optimizer.max_iterations + 1, "callbacks": []}
        # A part of the data is too little for the running statistics.
        is_precise = table.get("precise_bn") and not is_partial
        size = table.get("batch_size", 32) if self.batch_size == AUTO else self.batch_size
        return {
            "optimizer": optimizer,
            "n_epochs": n_epochs,
            "batch_size": int(size) if size and size < len(samples) else 0,
            "shuffle": bool(self.shuffle),
            "schedule": choose_schedule(self.schedule, table),
            "augment": choose_augment(self.augment, table),
            "callbacks": [PreciseBatchNorm(Dataset(samples.X, samples.y))] if is_precise else [],
        }

    def _recipe_stopping(self, samples: Samples) -> tuple[float | None, int | None]:
        table = self._training_table
        y = samples.Y.astype(np.int64).reshape(-1) if self._kind in ("binary", "multiclass") else samples.Y
        if self.early_stopping != AUTO or self._takes_full_batch or are_few(y):
            return None, None
        return table.get("validation"), table.get("patience")

    # Prediction.

    def _network_outputs(self, X: Any) -> Array:
        """Return the raw outputs for samples that have been read; several threads may call it at once."""
        Z: Array = self.model_.decision_function(X)
        return Z.reshape(len(Z), -1)

    def _hidden_layers(self) -> list[Any]:
        """Return the hidden layers; none where the model is not a sequence of layers."""
        return list(self.model_._places[:-1]) if isinstance(self.model_, Sequential) else []

    def _hidden_widths(self) -> list[int]:
        return [math.prod(layer.output_shape) for layer in self._hidden_layers()]

    def _hidden_outputs(self, X: Any, index: int) -> Array:
        """Return a hidden layer's outputs, a row per sample; those of a pretrained body may be known."""
        if index + 1 == self.model_._n_body:
            _, features = self.model_._outputs_and_features(X)
            assert features is not None
            return features
        A = self.model_.preprocessing.apply(X, self.model_.dtype)  # type: ignore[union-attr]
        with self.model_._run_lock:
            for layer in self._hidden_layers()[: index + 1]:
                A = layer.forward(A)
            return A.reshape(len(A), -1).copy()

    def __getstate__(self) -> Any:
        """Return what a pickle stores: of the model its weights, not its buffers."""
        state = dict(super().__getstate__())  # type: ignore[call-overload]
        if "model_" in state:
            model = state["model_"]
            arrays = {
                name: array.copy() for name, array in (named_arrays(model) | novelty_arrays(model)).items()
            }
            state["model_"] = header_of(model), arrays
        return state

    def __setstate__(self, state: Any) -> None:
        """Restore an estimator from a pickle's state."""
        super().__setstate__(state)  # type: ignore[misc]
        if "model_" in state:
            self.model_ = model_of(*state["model_"])


def _flat(X: Any) -> tuple[Any, Shape, Any]:
    """Return samples as rows, the shape of one, and the dtypes that they may have: bytes stay bytes."""
    if not hasattr(X, "dtype") and not hasattr(X, "columns"):
        array = np.asarray(X)
        X = array if array.ndim > 2 else X
    shape = tuple(getattr(X, "shape", ()))[1:]
    dtype = None if getattr(X, "dtype", None) == np.uint8 else (np.float64, np.float32)
    return (X.reshape(len(X), -1) if len(shape) > 1 and len(X) else X), shape, dtype


def _bare(shape: Shape) -> Shape:
    """Return the shape of an image, without the channel axis if there is only one channel."""
    return shape[:2] if len(shape) == 3 and shape[2] == 1 else shape
