"""Products of gradients: of each training sample's loss with each query sample's score, at one set of parameters.

Three ways. Where a model is a stack of Dense layers they factorize: a layer's gradient is the outer product of its
input a and the gradient dz of its output, so that two samples' gradients have the product (a_i a_j + 1)(dz_i dz_j),
the 1 for the biases, and all samples together are a few matrix products. For any other model each sample's gradient
is computed by itself. The third way takes the last layer alone: an approximation, called by its name.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from pellucid.errors import OptionError
from pellucid.nn.dense import Dense, Flatten
from pellucid.nn.hooks import record
from pellucid.nn.layer import Layer
from pellucid.nn.model import Model
from pellucid.nn.sequential import Sequential
from pellucid.ops.activations import ACTIVATIONS
from pellucid.progress import CountCallback
from pellucid.types import Array

Slope = Callable[[Array, slice], Array]  # outputs of these samples to the gradient for them, row by row
ALL = slice(None)
PIECE = 256  # samples whose features are computed at a time


class Products(NamedTuple):
    """What two sets of gradients have in common."""

    dots: Array  # (m, n) float64: train sample i, query sample j
    train_norms: Array  # (m,) lengths of the gradients
    query_norms: Array  # (n,)


def is_stack(model: Model) -> bool:
    """Return whether a model is trained Dense layers one after another, perhaps with Flatten before them."""
    if not isinstance(model, Sequential) or model._further() or model._n_frozen:
        return False
    kinds = [type(layer) for layer in model.layers]
    n_flat = next((i for i, kind in enumerate(kinds) if kind is not Flatten), len(kinds))
    return n_flat < len(kinds) and all(kind is Dense for kind in kinds[n_flat:])


def stack_products(
    model: Model, X: Array, query_X: Array, slope: Slope, query_slope: Slope, *, gram: Array | None = None
) -> Products:
    """Return the products for a stack of Dense layers, from one forward and one backward pass for all samples.

    Parameters
    ----------
    model : Model
        One that :func:`is_stack` agrees to.
    X, query_X : Array, shapes (m, ...) and (n, ...)
        Prepared inputs.
    slope, query_slope : callable
        The outputs' gradient of each training sample's loss, and of each query sample's score.
    gram : Array, shape (m, n), optional
        X times query_X, rows flat: it is the same for all parameters.

    Notes
    -----
    2 (m + n) p operations for the passes, and 2 m n (n_in + n_out) a layer for the products.
    """
    layers = [layer for layer in model._leaves() if isinstance(layer, Dense)]
    m = len(X)
    both = np.concatenate([X.reshape(m, -1), query_X.reshape(len(query_X), -1)])
    inputs, caches, A = [], [], both
    for layer in layers:
        inputs.append(A)
        A = A @ layer.params["W"] + layer.params["b"]
        if layer.activation:
            A, cache = ACTIVATIONS[layer.activation].forward(A)
            caches.append(cache)
        else:
            caches.append(None)
    dA = np.concatenate([slope(A[:m], ALL), query_slope(A[m:], ALL)])
    parts = []
    for k in range(len(layers) - 1, -1, -1):
        layer, A = layers[k], inputs[k]
        dZ = ACTIVATIONS[layer.activation].backward(dA, caches[k]) if layer.activation else dA
        parts.append(_of_layer(A, dZ, m, gram if k == 0 else None))
        if k:
            dA = dZ @ layer.params["W"].T
    return _sum_of(parts, m)


def _of_layer(A: Array, dZ: Array, m: int, shared: Array | None = None) -> tuple[Array, Array]:
    """Return a Dense layer's part of the products, (m, n), and of all squared lengths, (m + n,)."""
    shared = A[:m] @ A[m:].T if shared is None else shared
    squares = (np.einsum("ij,ij->i", A, A) + 1) * np.einsum("ij,ij->i", dZ, dZ)
    return (shared + 1) * (dZ[:m] @ dZ[m:].T), squares


def _sum_of(parts: list[tuple[Array, Array]], m: int) -> Products:
    dots, squares = (np.sum(each, axis=0) for each in zip(*parts, strict=True))
    norms = np.sqrt(squares)
    return Products(dots, norms[:m], norms[m:])


def plain_products(
    model: Model,
    X: Array,
    query_X: Array,
    slope: Slope,
    query_slope: Slope,
    *,
    progress: CountCallback | None = None,
) -> Products:
    """Return the products for any model, each sample's gradient for all parameters computed by itself.

    Batch norm goes by its running statistics and dropout drops nothing: a sample alone has no batch.

    Notes
    -----
    A forward and a backward pass of one sample m + n times; the n query gradients are kept, n p numbers.
    """
    m, n = len(X), len(query_X)
    gradients = np.empty((n, model.theta.size), model.theta.dtype)
    for j in range(n):
        gradients[j] = _gradient(model, query_X, query_slope, j)
    dots, norms = np.empty((m, n)), np.empty(m)
    for i in range(m):
        gradient = _gradient(model, X, slope, i)
        dots[i] = gradients @ gradient
        norms[i] = np.linalg.norm(gradient)
        if progress is not None:
            progress(i + 1, m)
    return Products(dots, norms, np.linalg.norm(gradients, axis=1).astype(np.float64))


def _gradient(model: Model, X: Array, slope: Slope, i: int) -> Array:
    """Return the gradient of sample i alone, in the model's own array."""
    rows = slice(i, i + 1)
    model.backward(slope(model.forward(X[rows]), rows))
    return model.grad


def head_of(model: Model) -> Dense | None:
    """Return the last layer where it is a plain Dense that gives the model's outputs, else None."""
    last: Layer = model._uses()[-1]
    is_head = isinstance(last, Dense) and last.activation is None and last.output_shape == model.output_shape
    is_head = is_head and last._first_use is None
    return last if is_head and isinstance(last, Dense) else None


def head_products(model: Model, X: Array, query_X: Array, slope: Slope, query_slope: Slope) -> Products:
    """Return the products of the last Dense layer's gradients alone: an approximation.

    Raises
    ------
    OptionError
        If the model does not end in such a layer.
    """
    head = head_of(model)
    if head is None:
        raise OptionError(
            "influence: expected a model that ends in a Dense layer without activation, for its gradients alone."
        )
    m = len(X)
    features, outputs = _features(model, head, np.concatenate([X, query_X]))
    dZ = np.concatenate([slope(outputs[:m], ALL), query_slope(outputs[m:], ALL)])
    return _sum_of([_of_layer(features, dZ, m)], m)


def _features(model: Model, head: Dense, X: Array) -> tuple[Array, Array]:
    """Return what goes into the last layer and what comes out, float64."""
    inputs, outputs = [], []
    with record(head) as watch:
        for start in range(0, len(X), PIECE):
            model.forward(X[start : start + PIECE])
            assert watch.input is not None
            assert watch.output is not None
            inputs.append(watch.input)
            outputs.append(watch.output)
    return np.concatenate(inputs).astype(np.float64), np.concatenate(outputs).astype(np.float64)
