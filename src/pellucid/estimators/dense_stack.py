"""The network of the multi-layer perceptrons: a stack of Dense layers, trained by scikit-learn's rules."""

import copy
import math
import warnings
from typing import Any, final

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.validation import validate_data

from pellucid.data.gaps import check_gaps
from pellucid.data.preprocess import Preprocessing
from pellucid.estimators.fast_validation import passes_checks
from pellucid.estimators.forward import Stack
from pellucid.estimators.hidden_layers import activations, check_hidden_layers, dropout_rates, hidden_sizes
from pellucid.estimators.inv_scaling import InverseScaling
from pellucid.estimators.l2_penalty import L2Penalty
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
from pellucid.training.optimizers import LBFGS, Adam, AdamW
from pellucid.training.schedules import SCHEDULES, Schedule
from pellucid.types import Array

GLOROT = 6.0  # of Glorot and Bengio (2010), equation 16; for logistic units scikit-learn has 2
FITS_FROM = 6  # frames from a warning here to the user's call of fit


@final
class DenseStack:
    """The stack of Dense layers that an estimator's parameters describe; it holds no data of its own."""

    fitted_attribute = "coefs_"
    multilabel_loss = "log_loss"  # scikit-learn's: the sum over the labels
    stratifies_many = False  # three classes or more, when samples are held out: as scikit-learn

    # Parameters.

    def check_parameters(self, e: Any) -> None:
        """Raise ValueError for what parameter constraints cannot express."""
        check_hidden_layers(e)
        if e.solver == "lbfgs" and any(dropout_rates(e)):
            raise ValueError("dropout: solver 'lbfgs' needs the same loss every time; use 'adam' or 'sgd'.")
        if e.solver == "lbfgs" and e.schedule is not None:
            raise ValueError("schedule: solver 'lbfgs' has no learning rate; leave it out.")

    def why_not_partial(self, e: Any) -> str:
        """Return why ``partial_fit`` is not available; empty where it is."""
        if e.solver != "lbfgs":
            return ""
        return f"partial_fit is only available for stochastic optimizers. {e.solver} is not stochastic."

    def has_epochs(self, e: Any) -> bool:
        """Return whether the solver runs in epochs, whose losses are recorded."""
        return bool(e.solver != "lbfgs")

    stops_on_loss = stops_early = has_epochs

    def loss_of(self, e: Any, default: str) -> Any:
        """Return the loss that was given."""
        return e.loss

    # Samples.

    def open_validation(self, validation_data: Any) -> Any:
        """Return validation data as they were given."""
        return validation_data

    def read_X(self, e: Any, X: Any, *, reset: bool) -> Any:
        """Return samples checked as scikit-learn does, in the estimator's dtype."""
        if reset or not passes_checks(e, X):
            check_gaps(X=X)
            X = validate_data(e, X, accept_sparse=["csr", "csc"], dtype=(np.float64, np.float32), reset=reset)
        return _converted(e, X, reset=reset)

    def read_X_y(
        self, e: Any, X: Any, y: Any, sample_weight: Any, *, reset: bool, is_part: bool
    ) -> tuple[Any, Any, Any]:
        """Return samples, targets and weights, the former two checked together."""
        check_gaps(X=X, y=y, sample_weight=sample_weight)
        X, y = validate_data(
            e,
            X,
            y,
            accept_sparse=["csr", "csc"],
            multi_output=True,
            y_numeric=e._task.is_numeric,
            dtype=(np.float64, np.float32),
            reset=reset,
        )
        return as_rows(_converted(e, X, reset=reset)), y, sample_weight

    def as_given(self, X: Any) -> Any:
        """Return samples as a user would pass them."""
        return X.matrix if isinstance(X, SparseRows) else X

    # The network.

    def start(self, e: Any, samples: Samples, random: Any) -> Model:
        """Return a new network with scikit-learn's initial weights, number for number."""
        network = _new_network(e, samples.X)
        e.n_layers_ = len(hidden_sizes(e)) + 2
        e.out_activation_ = e._task.objective(e).out_activation
        names = set(activations(e)) or {e.activation if isinstance(e.activation, str) else ""}
        spread = 2.0 if names <= {"sigmoid", "logistic"} else GLOROT
        for dense in _dense_layers(network):
            W, b = dense.params["W"], dense.params["b"]
            bound = np.sqrt(spread / sum(W.shape))
            W[...] = random.uniform(-bound, bound, W.shape)
            b[...] = random.uniform(-bound, bound, b.shape)
        return network

    def seed(self, e: Any, random: Any) -> int:
        """Return the seed of a training, drawn."""
        return int(random.randint(np.iinfo(np.int32).max))

    def go_on(self, e: Any, samples: Samples) -> Model:
        """Return a network with the parameters that the estimator has now."""
        network = _new_network(e, samples.X)
        wanted = [leaf.params["W"].shape for leaf in _dense_layers(network)]
        have = [W.shape for W in e.coefs_]
        norms = getattr(e, "batch_norms_", ())
        if wanted != have or len(_norm_layers(network)) != len(norms):
            raise ValueError(
                f"hidden_layer_sizes and batch_norm: the weights to continue from have the shapes {have}, the "
                f"parameters ask for {wanted}. Set them back, or fit again with warm_start=False."
            )
        for dense, W, b in zip(_dense_layers(network), e.coefs_, e.intercepts_, strict=True):
            dense.params["W"][...] = W
            dense.params["b"][...] = b
        for leaf, arrays in zip(_norm_layers(network), norms, strict=True):
            for name, array in (*leaf.params.items(), *leaf.state.items()):
                array[...] = arrays[name]
        return network

    def keep(self, e: Any, network: Model) -> None:
        """Write the trained parameters into the estimator's attributes."""
        dense = _dense_layers(network)
        e._trained_activations = tuple(activations(e))
        e.coefs_ = [leaf.params["W"] for leaf in dense]
        e.intercepts_ = [leaf.params["b"] for leaf in dense]
        e.batch_norms_ = [{**leaf.params, **leaf.state} for leaf in _norm_layers(network)]

    # Training.

    def training_options(
        self, e: Any, samples: Samples, network: Model, *, is_partial: bool
    ) -> dict[str, Any]:
        """Return the arguments of ``train`` that the parameters ask for, and a divisor for an adaptive rate."""
        n = len(samples)
        optimizer = make_solver(e, n if samples.weights is None else float(samples.weights.sum()))
        if e.solver == "lbfgs":  # one epoch more than its own limit, so that it can report its result
            return {"optimizer": optimizer, "n_epochs": int(e.max_iter) + 1, "callbacks": []}
        factor = e._task.objective(e).factor
        callbacks: list[Callback] = (
            [L2Penalty(float(e.alpha), factor=factor)] if e.alpha or factor != 1 else []
        )
        if isinstance(optimizer, Adam | AdamW):
            callbacks.append(SklearnEpsilon(optimizer))
        if _changes_rate(e) and e.momentum:
            callbacks.append(SklearnMomentum())
        options = {
            "optimizer": optimizer,
            "n_epochs": int(e.max_iter),
            "batch_size": _batch_size(e, n),
            "shuffle": bool(e.shuffle),
            "schedule": _schedule(e, n, is_resumed=is_partial and bool(e._position.optimizer)),
            "callbacks": callbacks,
            "counts_rows": True,
        }
        if _changes_rate(e) and e.learning_rate == "adaptive":
            options["divisor"] = 5.0
        return options

    def finish(self, e: Any, optimizer: Any) -> None:
        """Record the result of L-BFGS, and warn if it did not converge."""
        if not isinstance(optimizer, LBFGS) or optimizer.result is None:
            return
        result = optimizer.result
        e.n_iter_ = result.n_iterations
        squares = sum(float(np.vdot(W, W)) for W in e.coefs_)
        e.loss_ = result.loss * e._task.objective(e).factor + optimizer.weight_decay / 2 * squares
        if result.status in (1, 2):
            warnings.warn(
                f"lbfgs failed to converge after {result.n_iterations} iteration(s) (status={result.status}):\n"
                f"{result.message}\n\nIncrease the number of iterations (max_iter={e.max_iter}) or of "
                f"evaluations (max_fun={e.max_fun}), or scale the data.",
                ConvergenceWarning,
                stacklevel=FITS_FROM,
            )

    # Prediction: several threads may call it at once.

    def outputs(self, e: Any, X: Any) -> Array:
        """Return the raw outputs for samples that have been read."""
        return _stack(e).outputs(X)

    def n_hidden(self, e: Any) -> int:
        """Return the number of hidden layers."""
        return len(e.coefs_) - 1

    def hidden_width(self, e: Any, index: int) -> int:
        """Return the width of a hidden layer."""
        return int(e.coefs_[index].shape[1])

    def hidden_outputs(self, e: Any, X: Any, index: int) -> Array:
        """Return the activations of a hidden layer."""
        return _stack(e).outputs(X, index + 1)

    # What scikit-learn requires.

    def tags(self, tags: Any) -> Any:
        """Return the estimator's tags."""
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags

    def packed(self, state: Any) -> Any:
        """Return the state to pickle."""
        return state

    unpacked = packed


def _converted(e: Any, X: Any, *, reset: bool) -> Any:
    if reset:
        e._dtype = str(np.dtype(X.dtype if e.dtype is None else e.dtype))
    dtype = e.coefs_[0].dtype if hasattr(e, "coefs_") and not reset else e._dtype
    return X if X.dtype == dtype else X.astype(dtype)


def _new_network(e: Any, X: Any) -> Sequential:
    network = Sequential(_layers(e, X), dtype=str(X.dtype))
    network.initialize((X.shape[1],))
    network.preprocessing = Preprocessing()
    return network


def _layers(e: Any, X: Any) -> list[Layer]:
    layers: list[Layer] = []
    for width, name, rate in zip(hidden_sizes(e), activations(e), dropout_rates(e), strict=True):
        activation = None if name == "linear" else name
        first = None if layers else X
        layers.append(_dense(int(width), None if e.batch_norm else activation, first))
        if e.batch_norm:
            layers.append(BatchNorm())
            layers += [] if activation is None else [Activation(activation)]
        if rate:
            layers.append(Dropout(rate))
    return [*layers, _dense(e.n_outputs_, None, None if layers else X)]


def _dense(width: int, activation: str | None, X: Any) -> Layer:
    """Return a layer that takes X (None: a layer's output), its parameters still to be written."""
    if not isinstance(X, SparseRows):
        return Dense(width, activation, "zeros")
    return SparseDense(width, activation, "zeros", density=X.matrix.nnz / max(1, math.prod(X.shape)))


def _dense_layers(network: Model) -> list[Any]:
    return [leaf for leaf in network.leaves() if isinstance(leaf, Dense | SparseDense)]


def _norm_layers(network: Model) -> list[BatchNorm]:
    return [leaf for leaf in network.leaves() if isinstance(leaf, BatchNorm)]


def _changes_rate(e: Any) -> bool:
    """Return whether ``learning_rate`` applies: with "sgd", and without a schedule in its place."""
    return bool(e.solver == "sgd" and e.schedule is None and e.learning_rate != "constant")


def _batch_size(e: Any, n: int) -> int | None:
    """Return the size of a batch; None for all samples."""
    size = min(200, n) if e.batch_size == "auto" else e.batch_size
    if size > n:
        warnings.warn(
            "Got `batch_size` less than 1 or larger than sample size. It is going to be clipped",
            UserWarning,
            stacklevel=FITS_FROM + 1,
        )
    return None if size >= n else int(size)


def _schedule(e: Any, n: int, *, is_resumed: bool) -> Schedule | None:
    if e.schedule is not None:
        return SCHEDULES.make(e.schedule) if isinstance(e.schedule, str) else copy.deepcopy(e.schedule)
    if not _changes_rate(e) or e.learning_rate == "adaptive":
        return None
    return InverseScaling(n, e.power_t, n_seen=e.t_, is_resumed=is_resumed)


def _stack(e: Any) -> Stack:
    """Return the estimator's arrays as a function; weights set by hand have no record of activations."""
    trained = getattr(e, "_trained_activations", ()) or activations(e)
    return Stack(e.coefs_, e.intercepts_, trained, getattr(e, "batch_norms_", ()))
