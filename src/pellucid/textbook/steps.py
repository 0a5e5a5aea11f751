"""A neural network in seventeen short functions. Read it from top to bottom.

The network says how probable it is that a photo shows a cat. Its layers, 1 to L, each take weighted sums and apply
an activation function: ``[LINEAR -> RELU] x (L - 1) -> LINEAR -> SIGMOID``. Training repeats four moves: forward
(from the pixels to a probability), cost (how wrong was it?), backward (which way to turn each weight), update
(turn it a little).

**Columns are examples**: ``X (n_x, m)`` holds m photos of n_x numbers, ``Y (1, m)`` their labels, 1 for a cat and 0
for none. Layer l has ``W (n_l, n_{l-1})`` and ``b (n_l, 1)``; its sums are Z and its outputs A, both ``(n_l, m)``.
``dQ`` is the slope of the cost for Q, with Q's shape. The slopes follow from the chain rule (Rumelhart, Hinton and
Williams, 1986, "Learning representations by back-propagating errors").

Arrays that do not fit raise :class:`~pellucid.errors.ShapeError`, which says what to try; labels other than 0 and 1
raise DataError; an unknown option or a missing parameter raises OptionError. No argument is ever changed.
"""

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from pellucid.errors import DataError, OptionError, ShapeError, unknown_name

Array: TypeAlias = npt.NDArray[Any]
Parameters: TypeAlias = dict[str, Array]  # "W1", "b1", "W2", ...
LinearCache: TypeAlias = tuple[Array, Array, Array]  # A_prev, W, b
LayerCache: TypeAlias = tuple[LinearCache, Array]  # and Z

# 1. Start -----------------------------------------------------------------------------------------------------


def initialize_parameters(n_x: int, n_h: int, n_y: int) -> Parameters:
    """Return small random weights and zero biases for two layers: W1, b1, W2, b2.

    The numbers are always the same, drawn from a stream of their own: your ``np.random`` stays as it is.

    >>> initialize_parameters(2, 1, 1)["W1"]
    array([[ 0.01624345, -0.00611756]])
    """
    _check_dims("initialize_parameters", (n_x, n_h, n_y))
    rng = np.random.RandomState(1)
    W1 = rng.randn(n_h, n_x) * 0.01
    W2 = rng.randn(n_y, n_h) * 0.01
    return {"W1": W1, "b1": np.zeros((n_h, 1)), "W2": W2, "b2": np.zeros((n_y, 1))}


def initialize_parameters_deep(layer_dims: Sequence[int]) -> Parameters:
    """Return W1, b1, ..., WL, bL for layers of the widths ``layer_dims``, the input's first.

    Dividing by sqrt(n_prev) keeps the sums of a wide layer as large as those of a narrow one (LeCun and others,
    1998, "Efficient BackProp", section 4.6). The stream is as in :func:`initialize_parameters`.

    >>> {name: p.shape for name, p in initialize_parameters_deep([4, 3, 1]).items()}
    {'W1': (3, 4), 'b1': (3, 1), 'W2': (1, 3), 'b2': (1, 1)}
    """
    _check_dims("initialize_parameters_deep", layer_dims)
    rng = np.random.RandomState(1)
    parameters = {}
    for layer in range(1, len(layer_dims)):
        n, n_prev = layer_dims[layer], layer_dims[layer - 1]
        parameters[f"W{layer}"] = rng.randn(n, n_prev) / np.sqrt(n_prev)
        parameters[f"b{layer}"] = np.zeros((n, 1))
    return parameters


# 2. Forward ---------------------------------------------------------------------------------------------------


def sigmoid(Z: Array) -> tuple[Array, Array]:
    """Return A = 1 / (1 + exp(-Z)), which squeezes any number into 0..1, and the cache Z.

    >>> sigmoid(np.array([-1000.0, 0.0, 1000.0]))[0]
    array([0. , 0.5, 1. ])
    """
    E = np.exp(-np.abs(Z))  # never above 1, so it cannot overflow; the same fraction, written for either sign
    return np.where(Z >= 0, 1.0, E) / (1 + E), Z


def relu(Z: Array) -> tuple[Array, Array]:
    """Return A = max(0, Z), which lets positive numbers through, and the cache Z.

    >>> relu(np.array([-2.0, 3.0]))[0]
    array([0., 3.])
    """
    return np.maximum(0, Z), Z


def linear_forward(A: Array, W: Array, b: Array) -> tuple[Array, LinearCache]:
    """Return the sums Z = W A + b, shape (n, m), and the cache (A, W, b).

    >>> linear_forward(np.array([[1.0], [2.0]]), np.array([[3.0, 4.0]]), np.array([[0.5]]))[0]
    array([[11.5]])
    """
    if W.ndim != 2:
        raise ShapeError(
            f"linear_forward: expected W of shape (n, n_prev), got {W.shape}. Try W.reshape(1, -1)."
        )
    _check_columns("linear_forward", "A", A, n_rows=W.shape[1])
    _check_shape("linear_forward", "b", b, (W.shape[0], 1))
    return W @ A + b, (A, W, b)


def linear_activation_forward(A_prev: Array, W: Array, b: Array, activation: str) -> tuple[Array, LayerCache]:
    """Return one layer's outputs A, and the cache ((A_prev, W, b), Z). ``activation``: "sigmoid" or "relu".

    >>> linear_activation_forward(np.array([[1.0]]), np.array([[-2.0]]), np.array([[0.5]]), "relu")[0]
    array([[0.]])
    """
    _check_activation("linear_activation_forward", activation)
    Z, linear_cache = linear_forward(A_prev, W, b)
    A, activation_cache = sigmoid(Z) if activation == "sigmoid" else relu(Z)
    return A, (linear_cache, activation_cache)


def L_model_forward(X: Array, parameters: Parameters) -> tuple[Array, list[LayerCache]]:
    """Return the probabilities AL, shape (1, m), and the L caches that the backward needs.

    >>> AL, caches = L_model_forward(np.zeros((4, 2)), initialize_parameters_deep([4, 3, 1]))
    >>> AL, len(caches)
    (array([[0.5, 0.5]]), 2)
    """
    L = _count_layers("L_model_forward", parameters)
    _check_columns("L_model_forward", "X", X, n_rows=parameters["W1"].shape[-1])
    A, caches = X, []
    for layer in range(1, L + 1):
        activation = "relu" if layer < L else "sigmoid"
        A, cache = linear_activation_forward(A, parameters[f"W{layer}"], parameters[f"b{layer}"], activation)
        caches.append(cache)
    return A, caches


# 3. Cost ------------------------------------------------------------------------------------------------------


def compute_cost(AL: Array, Y: Array, ZL: Array | None = None) -> float:
    """Return the cross-entropy -(1/m) sum(Y log AL + (1 - Y) log(1 - AL)), in nats: 0 is perfect.

    A probability rounds to 0 or 1 long before the truth is certain. Given the last sums ``ZL``, the cost is exact
    all the same; without them, a wrong answer of probability exactly 0 or 1 costs ``inf``.

    >>> AL, Y, ZL = np.array([[1.0]]), np.array([[0]]), np.array([[50.0]])
    >>> compute_cost(AL, Y), compute_cost(AL, Y, ZL)
    (inf, 50.0)
    """
    _check_columns("compute_cost", "AL", AL, n_rows=1)
    _check_labels("compute_cost", "Y", Y, AL.shape)
    if ZL is not None:
        _check_shape("compute_cost", "ZL", ZL, AL.shape)
        # log(1 + e^-Z) is -log A, and log(1 + e^Z) is -log(1 - A)
        losses = np.logaddexp(0, np.where(Y == 1, -ZL, ZL))
    else:
        with np.errstate(divide="ignore"):  # log 0 is -inf, and that is what is meant
            losses = -np.where(Y == 1, np.log(AL), np.log1p(-AL))
    return float(losses.mean())


# 4. Backward: each function undoes its forward, with the cache that the forward left ----------------------------


def relu_backward(dA: Array, cache: Array) -> Array:
    """Return dZ: dA where Z > 0, else 0. The cache is Z.

    >>> relu_backward(np.array([[5.0, 5.0]]), np.array([[-1.0, 2.0]]))
    array([[0., 5.]])
    """
    _check_shape("relu_backward", "dA", dA, cache.shape)
    return np.where(cache > 0, dA, 0)


def sigmoid_backward(dA: Array, cache: Array) -> Array:
    """Return dZ = dA s (1 - s) with s = sigmoid(Z). The cache is Z.

    >>> sigmoid_backward(np.array([[4.0]]), np.array([[0.0]]))
    array([[1.]])
    """
    _check_shape("sigmoid_backward", "dA", dA, cache.shape)
    s, _ = sigmoid(cache)
    return dA * s * (1 - s)


def linear_backward(dZ: Array, cache: LinearCache) -> tuple[Array, Array, Array]:
    """Return dA_prev = W^T dZ, dW = dZ A_prev^T / m, and db, the row means of dZ as a column.

    >>> linear_backward(np.array([[1.0, 3.0]]), (np.array([[2.0, 4.0]]), np.array([[10.0]]), np.array([[0.0]])))
    (array([[10., 30.]]), array([[7.]]), array([[2.]]))
    """
    A_prev, W, _ = cache
    _check_shape("linear_backward", "dZ", dZ, (W.shape[0], A_prev.shape[1]))
    return W.T @ dZ, *_weight_slopes(dZ, A_prev)


def _weight_slopes(dZ: Array, A_prev: Array) -> tuple[Array, Array]:
    return dZ @ A_prev.T / dZ.shape[1], dZ.mean(axis=1, keepdims=True)


def linear_activation_backward(dA: Array, cache: LayerCache, activation: str) -> tuple[Array, Array, Array]:
    """Return one layer's dA_prev, dW and db. ``activation``: "sigmoid" or "relu".

    >>> cache = (np.array([[2.0]]), np.array([[10.0]]), np.array([[0.0]])), np.array([[20.0]])
    >>> linear_activation_backward(np.array([[3.0]]), cache, "relu")
    (array([[30.]]), array([[6.]]), array([[3.]]))
    """
    _check_activation("linear_activation_backward", activation)
    linear_cache, Z = cache
    dZ = sigmoid_backward(dA, Z) if activation == "sigmoid" else relu_backward(dA, Z)
    return linear_backward(dZ, linear_cache)


def L_model_backward(AL: Array, Y: Array, caches: list[LayerCache]) -> Parameters:
    """Return the slopes dW{l} and db{l} for l = L..1, and dA{l} for l = L - 1..1.

    For sigmoid and cross-entropy together the last dZ is simply ``sigmoid(Z) - Y``; going through dA would divide
    by AL, which may be 0. So Z comes from the caches, and of AL only the shape matters. dA0, the slope for the
    pixels, would cost as much as dW1 and is not used: it is left out.

    >>> AL, caches = L_model_forward(np.ones((4, 2)), initialize_parameters_deep([4, 3, 1]))
    >>> list(L_model_backward(AL, np.array([[0, 1]]), caches))
    ['dA1', 'dW2', 'db2', 'dW1', 'db1']
    """
    _check_labels("L_model_backward", "Y", Y, AL.shape)
    _check_shape("L_model_backward", "AL", AL, caches[-1][1].shape)
    grads = {}
    dZ = sigmoid(caches[-1][1])[0] - Y
    for layer in range(len(caches), 1, -1):
        dA = f"dA{layer - 1}"
        linear_cache, _ = caches[layer - 1]
        _, Z_below = caches[layer - 2]
        grads[dA], grads[f"dW{layer}"], grads[f"db{layer}"] = linear_backward(dZ, linear_cache)
        dZ = relu_backward(grads[dA], Z_below)
    (X, _, _), _ = caches[0]
    grads["dW1"], grads["db1"] = _weight_slopes(dZ, X)
    return grads


# 5. Update, and the whole training ------------------------------------------------------------------------------


def update_parameters(parameters: Parameters, grads: Parameters, learning_rate: float) -> Parameters:
    """Return new parameters, each ``p - learning_rate * dp``: one step downhill.

    >>> update_parameters({"W1": np.array([[1.0]])}, {"dW1": np.array([[4.0]])}, learning_rate=0.5)
    {'W1': array([[-1.]])}
    """
    for name, p in parameters.items():
        if f"d{name}" not in grads:
            raise OptionError(
                f"update_parameters: expected d{name} in grads, got {list(grads)}. Is L the same?"
            )
        _check_shape("update_parameters", f"d{name}", grads[f"d{name}"], p.shape)
    return {name: p - learning_rate * grads[f"d{name}"] for name, p in parameters.items()}


def two_layer_model(
    X: Array,
    Y: Array,
    layers_dims: Sequence[int],
    learning_rate: float = 0.0075,
    num_iterations: int = 3000,
    print_cost: bool = False,
) -> tuple[Parameters, list[float]]:
    """Train one hidden layer, ``layers_dims = (n_x, n_h, 1)``, from the start of :func:`initialize_parameters`.

    All else is as in :func:`L_layer_model`.
    """
    if len(layers_dims) != 3:
        raise OptionError(f"two_layer_model: expected 3 layers_dims, got {layers_dims}. Try L_layer_model.")
    _check_data("two_layer_model", X, Y, layers_dims)
    parameters = initialize_parameters(*layers_dims)
    return _descend(X, Y, parameters, learning_rate, num_iterations, print_cost)


def L_layer_model(
    X: Array,
    Y: Array,
    layers_dims: Sequence[int],
    learning_rate: float = 0.0075,
    num_iterations: int = 3000,
    print_cost: bool = False,
) -> tuple[Parameters, list[float]]:
    """Train a network of any depth by gradient descent, every step on all examples.

    Parameters
    ----------
    X : Array, shape (n_x, m)
        Columns are examples; pixels divided by 255.
    Y : Array, shape (1, m)
        Labels 0 and 1.
    layers_dims : sequence of int
        Widths from n_x to 1, such as ``[12288, 20, 7, 5, 1]``.
    print_cost : bool, optional
        Print a line for each cost that is kept; if False, nothing at all is printed.

    Returns
    -------
    parameters : dict
    costs : list of float
        The cost of every hundredth iteration, and of the last one.

    Examples
    --------
    >>> X, Y = np.eye(2), np.array([[0, 1]])
    >>> _, costs = L_layer_model(X, Y, [2, 3, 1], learning_rate=0.5, num_iterations=151, print_cost=True)
    Cost after iteration 0: 1.105...
    Cost after iteration 100: 0.030...
    Cost after iteration 150: 0.018...
    """
    _check_data("L_layer_model", X, Y, layers_dims)
    return _descend(X, Y, initialize_parameters_deep(layers_dims), learning_rate, num_iterations, print_cost)


def _descend(
    X: Array, Y: Array, parameters: Parameters, learning_rate: float, num_iterations: int, print_cost: bool
) -> tuple[Parameters, list[float]]:
    costs = []
    for i in range(num_iterations):
        AL, caches = L_model_forward(X, parameters)
        if i % 100 == 0 or i == num_iterations - 1:
            costs.append(compute_cost(AL, Y, ZL=caches[-1][1]))
            if print_cost:
                print(f"Cost after iteration {i}: {costs[-1]}")
        grads = L_model_backward(AL, Y, caches)
        parameters = update_parameters(parameters, grads, learning_rate)
    return parameters, costs


# 6. Predict -----------------------------------------------------------------------------------------------------


def predict(X: Array, y: Array | None, parameters: Parameters) -> Array:
    """Return 1. where the probability is above 0.5 and 0. elsewhere, shape (1, m).

    With labels ``y``, shape (1, m), it prints the share of right answers; with None it prints nothing.

    >>> predict(np.array([[3.0, -3.0]]), np.array([[1, 1]]), {"W1": np.array([[1.0]]), "b1": np.array([[0.0]])})
    Accuracy: 0.5
    array([[1., 0.]])
    """
    AL, _ = L_model_forward(X, parameters)
    p = (AL > 0.5).astype(float)
    if y is not None:
        _check_labels("predict", "y", y, p.shape)
        parts = (p == y) / y.shape[1]  # summed, not counted and divided: the published last digit
        print(f"Accuracy: {float(np.sum(parts))}")
    return p


# Help with mistakes: everyone's first one is a shape --------------------------------------------------------------


def _check_columns(where: str, name: str, A: Array, n_rows: int) -> None:
    """Raise unless A holds examples of ``n_rows`` numbers as its columns."""
    if A.ndim == 2 and A.shape[0] == n_rows:
        return
    hint = f"Each column is one example of {n_rows} numbers."
    if A.ndim == 2 and A.shape[1] == n_rows:
        hint = f"{name} looks transposed; columns are examples: try {name}.T."
    elif A.ndim > 2:
        hint = f"Make each example one column: try {name}.reshape(len({name}), -1).T."
    elif A.ndim == 1:
        hint = f"Try {name}.reshape({n_rows}, -1)."
    raise ShapeError(f"{where}: expected {name} of shape ({n_rows}, m), got {A.shape}. {hint}")


def _check_shape(where: str, name: str, Q: Array, shape: tuple[int, ...]) -> None:
    if Q.shape != shape:
        hint = "Was it made from other arrays?"
        if Q.size == np.prod(shape):
            hint = f"Try {name}.T." if Q.shape == shape[::-1] else f"Try {name}.reshape{shape}."
        raise ShapeError(f"{where}: expected {name} of shape {shape}, got {Q.shape}. {hint}")


def _check_labels(where: str, name: str, Y: Array, shape: tuple[int, ...]) -> None:
    _check_shape(where, name, Y, shape)
    if not Y.size or not ((Y == 0) | (Y == 1)).all():
        got = np.unique(Y)[:5]
        raise DataError(f"{where}: expected labels 0 and 1 in {name}, got {got}. Try 1 * ({name} == 1).")


def _check_data(where: str, X: Array, Y: Array, dims: Sequence[int]) -> None:
    _check_dims(where, dims)
    if dims[-1] != 1:
        raise OptionError(f"{where}: expected layers_dims to end in 1, got {dims}. Try {[*dims[:-1], 1]}.")
    _check_columns(where, "X", X, n_rows=dims[0])
    _check_labels(where, "Y", Y, (1, X.shape[1]))
    if not np.isfinite(X).all():
        raise DataError(f"{where}: expected numbers in X, got nan or infinity. Try np.isfinite(X).")


def _check_dims(where: str, dims: Sequence[int]) -> None:
    if len(dims) < 2 or not all(isinstance(n, int | np.integer) and n > 0 for n in dims):
        raise OptionError(f"{where}: expected 2 or more widths, all above 0, got {dims}. Try [64, 5, 1].")


def _count_layers(where: str, parameters: Parameters) -> int:
    L = max(len(parameters) // 2, 1)
    missing = {f"{kind}{layer}" for kind in "Wb" for layer in range(1, L + 1)} - set(parameters)
    if missing or len(parameters) != 2 * L:
        raise OptionError(f"{where}: expected W1, b1, W2, ..., got {list(parameters)}. Is one missing?")
    return L


def _check_activation(where: str, activation: str) -> None:
    if activation not in ("sigmoid", "relu"):
        raise OptionError(f"{where}: {unknown_name('activation', activation, ['sigmoid', 'relu'])}")
