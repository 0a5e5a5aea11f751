"""The inputs and the network of the multi-layer perceptrons: a stack of Dense layers, by scikit-learn's rules."""

import copy
import math
from numbers import Integral, Real
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from pellucid.data.gaps import check_gaps
from pellucid.data.label_encoding import warn
from pellucid.data.preprocess import Preprocessing
from pellucid.dispatch.ops import batch_norm_inference_forward
from pellucid.estimators.checks import validate_data
from pellucid.estimators.fitting import Fitting
from pellucid.estimators.parameters import ACTIVATION_NAMES, SKLEARN_ACTIVATIONS, MLPParameters
from pellucid.estimators.solvers import (
    InverseScaling,
    L2Penalty,
    SklearnEpsilon,
    SklearnMomentum,
    make_solver,
)
from pellucid.estimators.sparse import SparseDense, SparseRows, as_rows
from pellucid.estimators.validation import Samples
from pellucid.nn.activation import Activation, Dropout
from pellucid.nn.dense import Dense
from pellucid.nn.layer import Layer
from pellucid.nn.model import Model
from pellucid.nn.norm import BatchNorm
from pellucid.nn.sequential import Sequential
from pellucid.ops.activations import ACTIVATIONS
from pellucid.training.events import Callback
from pellucid.training.optimizers import LBFGS, Adam, AdamW
from pellucid.training.schedules import SCHEDULES, Schedule
from pellucid.types import Array

BLOCK_ROWS = 1024  # predicted at a time: their activations stay in cache
OF_BATCH_NORM = ("gamma", "beta", "running_mean", "running_var")
GLOROT = 6.0  # of Glorot and Bengio (2010), equation 16; for logistic units scikit-learn has 2
ACCEPTED: dict[str, Any] = {"accept_sparse": ["csr", "csc"], "dtype": (np.float64, np.float32)}


class DenseStack(Fitting, MLPParameters):
    """The stack of Dense layers that an estimator's parameters describe."""

    _fitted_attribute = "coefs_"
    _multilabel_loss = "log_loss"  # scikit-learn's: the sum over the labels
    _stratifies_many = False  # as scikit-learn
    coefs_: list[Array]
    intercepts_: list[Array]

    # Parameters.

    def _check_parameters(self) -> None:
        sizes = self._sizes()
        if not all(isinstance(size, Integral) for size in sizes):
            raise ValueError(f"hidden_layer_sizes must be integers, got {self.hidden_layer_sizes!r}.")
        if any(int(size) <= 0 for size in sizes):
            raise ValueError(f"hidden_layer_sizes must be > 0, got {sizes}.")
        self._activations()
        if self.solver == "lbfgs" and any(self._dropout_rates()):
            raise ValueError("dropout: solver 'lbfgs' needs the same loss every time; use 'adam' or 'sgd'.")
        if self.solver == "lbfgs" and self.schedule is not None:
            raise ValueError("schedule: solver 'lbfgs' has no learning rate; leave it out.")

    def _sizes(self) -> list[Any]:
        """Return the number of units of each hidden layer."""
        sizes = self.hidden_layer_sizes
        return list(sizes) if hasattr(sizes, "__iter__") else [sizes]

    def _activations(self) -> list[str]:
        """Return each hidden layer's activation, by pellucid's names."""
        names = self._one_each("activation")
        for name in names:
            if name not in ACTIVATION_NAMES:
                known = ", ".join(map(repr, ACTIVATION_NAMES))
                raise self._not_allowed("activation", f"a str among {{{known}}}", name)
        return [SKLEARN_ACTIVATIONS.get(name, name) for name in names]

    def _dropout_rates(self) -> list[float]:
        """Return the fraction of each hidden layer's outputs that dropout sets to 0."""
        rates = self._one_each("dropout")
        for rate in rates:
            if not (isinstance(rate, Real) and 0 <= float(rate) < 1):
                raise self._not_allowed("dropout", "a float in the range [0.0, 1.0)", rate)
        return [float(rate) for rate in rates]

    def _one_each(self, name: str) -> list[Any]:
        """Return a parameter's value for each hidden layer, from one for all or a list."""
        value, n_hidden = getattr(self, name), len(self._sizes())
        values = (
            [value] * n_hidden if isinstance(value, str) or not hasattr(value, "__iter__") else list(value)
        )
        if len(values) != n_hidden:
            raise ValueError(
                f"The {name!r} parameter of {type(self).__name__} must have one entry for each of the {n_hidden} "
                f"hidden layers. Got {len(values)} instead."
            )
        return values

    def _not_allowed(self, name: str, wanted: str, value: Any) -> ValueError:
        return ValueError(
            f"The {name!r} parameter of {type(self).__name__} must be {wanted}, or a list of such. "
            f"Got {value!r} instead."
        )

    def _why_not_partial(self) -> str:
        if self.solver != "lbfgs":
            return ""
        return "partial_fit is only available for stochastic optimizers. lbfgs is not stochastic."

    @property
    def _has_epochs(self) -> bool:
        return self.solver != "lbfgs"

    @property
    def _stops_on_loss(self) -> bool:
        return self._has_epochs

    @property
    def _changes_rate(self) -> bool:
        """Whether ``learning_rate`` applies: with "sgd", and without a schedule in its place."""
        return self.solver == "sgd" and self.schedule is None and self.learning_rate != "constant"

    def _loss_of(self, default: str) -> Any:
        return self.loss

    # Samples.

    def _read_X(self, X: Any) -> Any:
        if not passes_checks(self, X):
            check_gaps(X=X)
            X = validate_data(self, X, reset=False, **ACCEPTED)
        return X.astype(self._weights_dtype, copy=False)

    def _read_X_y(
        self, X: Any, y: Any, sample_weight: Any, *, reset: bool, is_part: bool
    ) -> tuple[Any, Any, Any]:
        check_gaps(X=X, y=y, sample_weight=sample_weight)
        X, y = validate_data(
            self, X, y, multi_output=True, y_numeric=self._is_numeric, reset=reset, **ACCEPTED
        )
        if reset:
            self._dtype = str(np.dtype(X.dtype if self.dtype is None else self.dtype))
        dtype = self._dtype if reset else self._weights_dtype
        return as_rows(X.astype(dtype, copy=False)), y, sample_weight

    @property
    def _weights_dtype(self) -> Any:
        """The dtype of the weights, which may have been set by hand."""
        return self.coefs_[0].dtype if hasattr(self, "coefs_") else self._dtype

    # The network.

    def _new_network(self, X: Any) -> Sequential:
        """Return a network for samples, its parameters still to be written."""
        layers: list[Layer] = []
        for width, name, rate in zip(self._sizes(), self._activations(), self._dropout_rates(), strict=True):
            activation = None if name == "linear" else name
            layers.append(Dense(int(width), None if self.batch_norm else activation, "zeros"))
            if self.batch_norm:
                layers.append(BatchNorm())
                layers += [] if activation is None else [Activation(activation)]
            if rate:
                layers.append(Dropout(rate))
        layers.append(Dense(self.n_outputs_, None, "zeros"))
        if isinstance(X, SparseRows):
            first: Any = layers[0]
            layers[0] = SparseDense(first, density=X.matrix.nnz / max(1, math.prod(X.shape)))
        network = Sequential(layers, dtype=str(X.dtype))
        network.initialize((X.shape[1],))
        network.preprocessing = Preprocessing()
        return network

    def _start(self, samples: Samples, random: Any) -> Model:
        """Return a new network with scikit-learn's initial weights, number for number."""
        network = self._new_network(samples.X)
        self.n_layers_ = len(self._sizes()) + 2
        self.out_activation_ = self._objective().out_activation
        names = set(self._activations()) or {self.activation if isinstance(self.activation, str) else ""}
        spread = 2.0 if names <= {"sigmoid", "logistic"} else GLOROT
        for leaf in _with(network, "W"):
            W, b = leaf.params["W"], leaf.params["b"]
            bound = np.sqrt(spread / sum(W.shape))
            W[...] = random.uniform(-bound, bound, W.shape)
            b[...] = random.uniform(-bound, bound, b.shape)
        return network

    def _go_on(self, samples: Samples) -> Model:
        """Return a network with the parameters that the estimator has now."""
        network = self._new_network(samples.X)
        dense, norms = _with(network, "W"), _with(network, "gamma")
        wanted, have = [leaf.params["W"].shape for leaf in dense], [W.shape for W in self.coefs_]
        kept = getattr(self, "batch_norms_", [])
        if wanted != have or len(norms) != len(kept):
            raise ValueError(
                f"hidden_layer_sizes and batch_norm: the weights to continue from have the shapes {have}, the "
                f"parameters ask for {wanted}. Set them back, or fit again with warm_start=False."
            )
        for leaf, W, b in zip(dense, self.coefs_, self.intercepts_, strict=True):
            leaf.params["W"][...] = W
            leaf.params["b"][...] = b
        for leaf, arrays in zip(norms, kept, strict=True):
            for name, array in (*leaf.params.items(), *leaf.state.items()):
                array[...] = arrays[name]
        return network

    def _keep(self, network: Model) -> None:
        dense = _with(network, "W")
        self._trained_activations = tuple(self._activations())
        self.coefs_ = [leaf.params["W"] for leaf in dense]
        self.intercepts_ = [leaf.params["b"] for leaf in dense]
        self.batch_norms_ = [{**leaf.params, **leaf.state} for leaf in _with(network, "gamma")]

    # Training.

    def _training_options(self, samples: Samples, *, is_partial: bool) -> dict[str, Any]:
        n = len(samples)
        optimizer = make_solver(self, n if samples.weights is None else float(samples.weights.sum()))
        if self.solver == "lbfgs":  # one epoch more than its own limit, so that it can report its result
            return {"optimizer": optimizer, "n_epochs": int(self.max_iter) + 1, "callbacks": []}
        factor = self._objective().factor
        is_adaptive = self._changes_rate and self.learning_rate == "adaptive"
        callbacks: list[Callback] = []
        if self.alpha or factor != 1:
            callbacks.append(L2Penalty(float(self.alpha), factor=factor))
        if isinstance(optimizer, Adam | AdamW):
            callbacks.append(SklearnEpsilon(optimizer))
        if self._changes_rate and self.momentum:
            callbacks.append(SklearnMomentum())
        size = min(200, n) if self.batch_size == "auto" else self.batch_size
        if size > n:
            words = "Got `batch_size` less than 1 or larger than sample size. It is going to be clipped"
            warn(words, UserWarning)
        return {
            "optimizer": optimizer,
            "n_epochs": int(self.max_iter),
            "batch_size": 0 if size >= n else int(size),
            "shuffle": bool(self.shuffle),
            "schedule": self._schedule(n, is_resumed=is_partial and bool(self._position.optimizer)),
            "callbacks": callbacks,
            "counts_rows": True,
            "divisor": 5.0 if is_adaptive else None,
        }

    def _schedule(self, n: int, *, is_resumed: bool) -> Schedule | None:
        if self.schedule is not None:
            return SCHEDULES.resolve(copy.deepcopy(self.schedule))
        if not self._changes_rate or self.learning_rate == "adaptive":
            return None
        return InverseScaling(n, self.power_t, n_seen=self.t_, is_resumed=is_resumed)

    def _finish(self, optimizer: Any) -> None:
        """Record the result of L-BFGS, and warn if it did not converge."""
        if not isinstance(optimizer, LBFGS) or optimizer.result is None:
            return
        result = optimizer.result
        self.n_iter_ = result.n_iterations
        squares = sum(float(np.vdot(W, W)) for W in self.coefs_)
        self.loss_ = result.loss * self._objective().factor + optimizer.weight_decay / 2 * squares
        if result.status in (1, 2):
            warn(
                f"lbfgs failed to converge after {result.n_iterations} iteration(s) (status={result.status}):\n"
                f"{result.message}\n\nIncrease the number of iterations (max_iter={self.max_iter}) or of "
                f"evaluations (max_fun={self.max_fun}), or scale the data.",
                ConvergenceWarning,
            )

    # Prediction: several threads may call it at once.

    def _network_outputs(self, X: Any, n_layers: int | None = None) -> Array:
        """Return the first layers' outputs, default of all, by the arrays alone; the last has no activation."""
        if X.shape[0] > BLOCK_ROWS:
            starts = range(0, X.shape[0], BLOCK_ROWS)
            return np.concatenate([self._network_outputs(X[i : i + BLOCK_ROWS], n_layers) for i in starts])
        # Weights that were set by hand have the parameters' activations.
        activations = getattr(self, "_trained_activations", ()) or self._activations()
        norms, A = getattr(self, "batch_norms_", ()), X
        for i, (W, b) in enumerate(zip(self.coefs_[:n_layers], self.intercepts_, strict=False)):
            A = A @ W
            A += b
            if i == len(activations):
                break
            if norms:
                gamma, beta, *running = (norms[i][name] for name in OF_BATCH_NORM)
                A, _ = batch_norm_inference_forward(A, gamma, beta, *running, out=A)
            if activations[i] != "linear":
                A, _ = ACTIVATIONS[activations[i]].forward(A, out=A)
        return A

    def _hidden_widths(self) -> list[int]:
        return [W.shape[1] for W in self.coefs_[:-1]]

    def _hidden_outputs(self, X: Any, index: int) -> Array:
        return self._network_outputs(X, index + 1)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()  # type: ignore[misc]
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


def _with(network: Model, name: str) -> list[Any]:
    """Return the layers that have a parameter of that name."""
    return [leaf for leaf in network._leaves() if name in leaf.params]


def passes_checks(estimator: Any, X: Any) -> bool:
    """Return whether ``validate_data(estimator, X, reset=False)`` would certainly return X unchanged.

    Parameters
    ----------
    estimator : estimator
        Fitted on as many columns as its ``n_features_in_`` says.
    X : anything

    Returns
    -------
    bool
        False also where that is unknown: X is not a plain array, or its squares sum to infinity.

    Notes
    -----
    A sum of squares is finite only if every number is, and takes a quarter of the time of looking at each.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> of_two = SimpleNamespace(n_features_in_=2)
    >>> passes_checks(of_two, np.ones((1, 2))), passes_checks(of_two, np.array([[1.0, np.nan]]))
    (True, False)
    >>> passes_checks(of_two, np.ones((1, 3))), passes_checks(of_two, [[1.0, 2.0]])
    (False, False)
    """
    return (
        type(X) is np.ndarray
        and X.dtype in (np.float64, np.float32)
        and X.ndim == 2
        and len(X) > 0
        and X.shape[1] == getattr(estimator, "n_features_in_", None)
        and X.flags.c_contiguous
        and not hasattr(estimator, "feature_names_in_")  # else it warns that X has none
        and bool(np.isfinite(np.vdot(X, X)))
    )
