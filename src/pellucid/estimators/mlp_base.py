"""What both multi-layer perceptrons share: a stack of Dense layers, trained by scikit-learn's rules."""

import copy
import math
import warnings
from typing import Any

import numpy as np
from sklearn.base import TransformerMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.validation import validate_data

from pellucid.data.preprocess import Preprocessing
from pellucid.estimators.fast_validation import passes_checks
from pellucid.estimators.forward import Stack
from pellucid.estimators.inv_scaling import InverseScaling
from pellucid.estimators.l2_penalty import L2Penalty
from pellucid.estimators.mlp_parameters import MLPParameters
from pellucid.estimators.representations import Representations
from pellucid.estimators.solvers import SklearnEpsilon, SklearnMomentum, make_solver
from pellucid.estimators.sparse import SparseDense, SparseRows, as_rows
from pellucid.estimators.validation import Samples
from pellucid.nn.activation import Activation, Dropout
from pellucid.nn.dense import Dense
from pellucid.nn.layer import Layer
from pellucid.nn.model import Model
from pellucid.nn.norm import BatchNorm
from pellucid.nn.sequential import Sequential
from pellucid.training.events import Callback
from pellucid.training.optimizers.adam import Adam, AdamW
from pellucid.training.optimizers.lbfgs import LBFGS
from pellucid.training.schedules.base import SCHEDULES, Schedule
from pellucid.types import Array


class BaseMLP(Representations, TransformerMixin, MLPParameters):  # type: ignore[misc]
    """A stack of Dense layers; see :class:`pellucid.estimators.mlp.MLPClassifier`."""

    _fitted_attribute = "coefs_"
    batch_norms_: Any = ()  # these two where weights were set by hand
    _bends: Any = ()

    def _stops_on_loss(self) -> bool:
        return bool(self.solver != "lbfgs")

    def _check_stochastic(self) -> None:
        if self.solver == "lbfgs":
            raise AttributeError(
                f"partial_fit is only available for stochastic optimizers. {self.solver} is not stochastic."
            )

    # Samples.

    def _read_X(self, X: Any, *, reset: bool) -> Any:
        if reset or not passes_checks(self, X):
            X = validate_data(
                self, X, accept_sparse=["csr", "csc"], dtype=(np.float64, np.float32), reset=reset
            )
        return self._converted(X, reset=reset)

    def _read_X_y(self, X: Any, y: Any, *, reset: bool) -> tuple[Any, Any]:
        X, y = validate_data(
            self,
            X,
            y,
            accept_sparse=["csr", "csc"],
            multi_output=True,
            y_numeric=self._kind_of_targets == "regression",
            dtype=(np.float64, np.float32),
            reset=reset,
        )
        return as_rows(self._converted(X, reset=reset)), y

    def _converted(self, X: Any, *, reset: bool) -> Any:
        if reset:
            self._dtype = self._make_dtype(X)
        dtype = self.coefs_[0].dtype if hasattr(self, "coefs_") and not reset else self._dtype
        return X if X.dtype == dtype else X.astype(dtype)

    def _as_given(self, X: Any) -> Any:
        return X.matrix if isinstance(X, SparseRows) else X

    # The network.

    def _layers(self, X: Any) -> list[Layer]:
        layers: list[Layer] = []
        for width, activation, rate in zip(
            self._hidden_sizes(), self._activations(), self._rates(), strict=True
        ):
            bend = None if activation == "linear" else activation
            layers.append(_dense(int(width), None if self.batch_norm else bend, X if not layers else None))
            if self.batch_norm:
                layers.append(BatchNorm())
                layers += [] if bend is None else [Activation(bend)]
            if rate:
                layers.append(Dropout(rate))
        return [*layers, _dense(self.n_outputs_, None, X if not layers else None)]

    def _new_network(self, X: Any) -> Sequential:
        network = Sequential(self._layers(X), dtype=str(X.dtype))
        network.initialize((X.shape[1],))
        network.preprocessing = Preprocessing()
        return network

    def _start(self, samples: Samples, random: Any) -> Model:
        network = self._new_network(samples.X)
        self.n_layers_ = len(self._hidden_sizes()) + 2
        self.out_activation_ = self._objective().out_activation
        names = set(self._activations()) or {self.activation if isinstance(self.activation, str) else ""}
        share = 2.0 if names <= {"sigmoid", "logistic"} else 6.0  # of Glorot and Bengio, 2010, equation 16
        for dense in _dense_layers(network):
            W, b = dense.params["W"], dense.params["b"]
            bound = np.sqrt(share / sum(W.shape))
            W[...] = random.uniform(-bound, bound, W.shape)
            b[...] = random.uniform(-bound, bound, b.shape)
        return network

    def _go_on(self, samples: Samples) -> Model:
        """Return a network with the parameters that this estimator has now."""
        network = self._new_network(samples.X)
        wanted = [leaf.params["W"].shape for leaf in _dense_layers(network)]
        have = [W.shape for W in self.coefs_]
        if wanted != have or len(_norm_layers(network)) != len(self.batch_norms_):
            raise ValueError(
                f"hidden_layer_sizes and batch_norm: the weights to go on from have the shapes {have}, the "
                f"parameters ask for {wanted}. Set them back, or fit anew with warm_start=False."
            )
        for dense, W, b in zip(_dense_layers(network), self.coefs_, self.intercepts_, strict=True):
            dense.params["W"][...] = W
            dense.params["b"][...] = b
        for leaf, arrays in zip(_norm_layers(network), self.batch_norms_, strict=True):
            for name, array in (*leaf.params.items(), *leaf.state.items()):
                array[...] = arrays[name]
        return network

    def _keep(self, network: Model) -> None:
        dense = _dense_layers(network)
        self._bends = tuple(self._activations())
        self.coefs_ = [leaf.params["W"] for leaf in dense]
        self.intercepts_ = [leaf.params["b"] for leaf in dense]
        self.batch_norms_ = [{**leaf.params, **leaf.state} for leaf in _norm_layers(network)]

    # Training.

    def _recipe(self, samples: Samples, network: Model, *, is_partial: bool) -> dict[str, Any]:
        n = len(samples)
        optimizer = make_solver(self, n if samples.weights is None else float(samples.weights.sum()))
        if self.solver == "lbfgs":  # one epoch more than its own limit, so that it can say what it reached
            return {"optimizer": optimizer, "n_epochs": self.max_iter + 1, "callbacks": []}
        factor = self._objective().factor
        callbacks: list[Callback] = (
            [L2Penalty(self.alpha, factor=factor)] if self.alpha or factor != 1 else []
        )
        if isinstance(optimizer, Adam | AdamW):
            callbacks.append(SklearnEpsilon(optimizer))
        if self._changes_rate() and self.momentum:
            callbacks.append(SklearnMomentum())
        recipe = {
            "optimizer": optimizer,
            "n_epochs": self.max_iter,
            "batch_size": self._batch(n),
            "shuffle": bool(self.shuffle),
            "schedule": self._schedule(n, is_resumed=is_partial and bool(self._position.optimizer)),
            "callbacks": callbacks,
        }
        if self._changes_rate() and self.learning_rate == "adaptive":
            recipe["divisor"] = 5.0
        return recipe

    def _changes_rate(self) -> bool:
        """Return whether ``learning_rate`` has a say: of "sgd", and where no schedule takes its place."""
        return self.solver == "sgd" and self.schedule is None and self.learning_rate != "constant"

    def _batch(self, n: int) -> int | None:
        """Return the size of a batch; None for the whole."""
        size = min(200, n) if self.batch_size == "auto" else self.batch_size
        if size > n:
            warnings.warn(
                "Got `batch_size` less than 1 or larger than sample size. It is going to be clipped",
                UserWarning,
                stacklevel=7,
            )
        return None if size >= n else int(size)

    def _schedule(self, n: int, *, is_resumed: bool) -> Schedule | None:
        if self.schedule is not None:
            is_name = isinstance(self.schedule, str)
            return SCHEDULES.make(self.schedule) if is_name else copy.deepcopy(self.schedule)
        if not self._changes_rate() or self.learning_rate == "adaptive":
            return None
        return InverseScaling(n, self.power_t, n_seen=self.t_, is_resumed=is_resumed)

    def _note(
        self, history: Any, rule: Any, recipe: Any, samples: Any, held: Any, *, uses_score: bool
    ) -> None:
        super()._note(history, rule, recipe, samples, held, uses_score=uses_score)
        optimizer = recipe["optimizer"]
        if not isinstance(optimizer, LBFGS):
            return
        for name in ("loss_curve_", "best_loss_", "validation_scores_", "best_validation_score_"):
            delattr(self, name)  # as scikit-learn has it: only where a solver goes through epochs
        self.t_ = 0
        if optimizer.result is not None:
            self.n_iter_ = optimizer.result.n_iterations
            squares = sum(float(np.vdot(W, W)) for W in self.coefs_)
            self.loss_ = (
                optimizer.result.loss * self._objective().factor + optimizer.weight_decay / 2 * squares
            )

    def _warn(self, history: Any, rule: Any, recipe: Any, **is_what: bool) -> None:
        super()._warn(history, rule, recipe, **is_what)
        optimizer = recipe["optimizer"]
        if not isinstance(optimizer, LBFGS) or optimizer.result is None:
            return
        result = optimizer.result
        if result.status in (1, 2):
            warnings.warn(
                f"lbfgs failed to converge after {result.n_iterations} iteration(s) (status={result.status}):\n"
                f"{result.message}\n\nIncrease the number of iterations (max_iter={self.max_iter}) or of "
                f"evaluations (max_fun={self.max_fun}), or scale the data.",
                ConvergenceWarning,
                stacklevel=6,
            )

    # Prediction.

    def _stack(self) -> Stack:
        bends = self._bends or self._activations()
        return Stack(self.coefs_, self.intercepts_, bends, self.batch_norms_)

    def _run(self, X: Any) -> Array:
        return self._stack().outputs(X)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags

    def _n_hidden(self) -> int:
        return len(self.coefs_) - 1

    def _hidden_width(self, index: int) -> int:
        return int(self.coefs_[index].shape[1])

    def _hidden_outputs(self, X: Any, index: int) -> Array:
        return self._stack().outputs(X, index + 1)


def _dense(width: int, bend: str | None, X: Any) -> Layer:
    """Return a layer that takes X (None: what a layer gives), its parameters still to be written."""
    if not isinstance(X, SparseRows):
        return Dense(width, bend, "zeros")
    return SparseDense(width, bend, "zeros", share=X.matrix.nnz / max(1, math.prod(X.shape)))


def _dense_layers(network: Model) -> list[Any]:
    return [leaf for leaf in network.leaves() if isinstance(leaf, Dense | SparseDense)]


def _norm_layers(network: Model) -> list[BatchNorm]:
    return [leaf for leaf in network.leaves() if isinstance(leaf, BatchNorm)]
