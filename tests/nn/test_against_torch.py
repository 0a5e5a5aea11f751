"""Whole networks against PyTorch: outputs, loss and every gradient, in both precisions."""

from typing import Any

import numpy as np
import pytest
from tests.every import every
from tests.nn.networks import SHARED, samples

from pellucid import dispatch
from pellucid.nn.activation import Activation
from pellucid.nn.blocks import Parallel, Residual
from pellucid.nn.conv import Conv2D
from pellucid.nn.dense import Dense, Flatten
from pellucid.nn.graph import Graph
from pellucid.nn.layer import Layer
from pellucid.nn.model import Model
from pellucid.nn.norm import BatchNorm
from pellucid.nn.pooling import GlobalAvgPool2D, MaxPool2D
from pellucid.nn.presets import preset
from pellucid.nn.sequential import Sequential
from pellucid.types import map_arrays

torch = pytest.importorskip("torch", reason="needs PyTorch: pip install 'pellucid[oracle]'")


def apply(layer: Layer, X: Any, weights: dict[str, Any]) -> Any:
    """Do in PyTorch what a layer does, X being (m, c, h, w) or (m, n)."""
    own = {} if isinstance(layer, Model) else {key: weights[f"{layer.name}.{key}"] for key in layer.params}
    match layer:
        case Sequential():
            for child in layer.layers:
                X = apply(child, X, weights)
            return X
        case Residual():
            around = X if layer.shortcut is None else apply(layer.shortcut, X, weights)
            return apply(layer.body, X, weights) + around
        case Parallel():
            outputs = [apply(branch, X, weights) for branch in layer.branches]
            return sum(outputs) if layer.merge == "add" else torch.cat(outputs, 1)
        case Graph():
            values = dict(X)
            for name, (node, sources) in layer.nodes.items():
                parts = [values[source] for source in sources]
                values[name] = torch.cat(parts, 1) if isinstance(node, str) else apply(node, *parts, weights)
            return values[layer.outputs]
        case Conv2D():
            kernel = own["W"].permute(3, 2, 0, 1)
            (top, bottom), (left, right) = layer.pads
            padded = torch.nn.functional.pad(X, (left, right, top, bottom))
            Z = torch.nn.functional.conv2d(padded, kernel, own.get("b"), stride=layer.stride)
            return torch.relu(Z) if layer.activation == "relu" else Z
        case BatchNorm():
            running = [weights[f"{layer.name}.{key}"] for key in ("running_mean", "running_var")]
            return torch.nn.functional.batch_norm(
                X,
                *running,
                own["gamma"],
                own["beta"],
                training=True,
                momentum=layer.momentum,
                eps=layer.epsilon,
            )
        case Activation():
            return torch.relu(X)
        case MaxPool2D():
            return torch.nn.functional.max_pool2d(X, 2)
        case GlobalAvgPool2D():
            return X.mean((2, 3))
        case Flatten():
            return X.permute(0, 2, 3, 1).flatten(1) if X.ndim == 4 else X
        case Dense():
            Z = X @ own["W"] + own["b"]
            return torch.relu(Z) if layer.activation == "relu" else Z
    raise NotImplementedError(type(layer))


def in_torch(X: np.ndarray) -> Any:
    """Return samples, images with their channels first."""
    return torch.tensor(X.transpose(0, 3, 1, 2).copy() if X.ndim == 4 else X)


def compare(model: Model, shape: Any, dtype: str, tolerance: float) -> None:
    rng = np.random.default_rng(4)
    model.initialize(shape, seed=2, dtype=dtype)
    y = rng.integers(0, 2, 6)
    X = samples(model, 6, rng)
    arrays = [
        (leaf, pair) for leaf in model._leaves() for pair in (*leaf.params.items(), *leaf.state.items())
    ]
    weights = {
        f"{leaf.name}.{key}": torch.tensor(value.copy(), requires_grad=key in leaf.params)
        for leaf, (key, value) in arrays
    }
    Z = apply(model, map_arrays(in_torch, X), weights)
    loss = torch.nn.functional.binary_cross_entropy_with_logits(Z[:, 0], torch.tensor(y.astype(dtype)))
    loss.backward()
    assert model.loss_and_grad(X, y) == pytest.approx(loss.item(), rel=tolerance, abs=tolerance)
    largest = max(float(value.grad.abs().max()) for value in weights.values() if value.grad is not None)
    for leaf, (key, _) in arrays:
        if key in leaf.state:
            theirs = weights[f"{leaf.name}.{key}"].numpy()
            np.testing.assert_allclose(leaf.state[key], theirs, rtol=tolerance, err_msg=leaf.name)
    for leaf in model._leaves():
        for key, gradient in leaf.grads.items():
            theirs = weights[f"{leaf.name}.{key}"].grad.numpy()
            np.testing.assert_allclose(gradient, theirs, rtol=0, atol=tolerance * largest, err_msg=leaf.name)


def mixture() -> Sequential:
    branches = [Conv2D(4, activation="relu"), Sequential([Conv2D(16, 1), Conv2D(4, 3)])]
    return Sequential(
        [
            Conv2D(20),
            Parallel(branches),
            Residual(Conv2D(8)),
            Flatten(),
            Dense(5, activation="relu"),
            Dense(1),
        ]
    )


def test_networks_in_float64() -> None:
    compare(preset("cnn"), (32, 32, 3), "float64", 1e-10)
    compare(preset("resnet-small"), (16, 16, 3), "float64", 1e-10)
    compare(mixture(), (8, 8, 3), "float64", 1e-10)


def test_networks_in_float32() -> None:
    compare(mixture(), (8, 8, 3), "float32", 1e-5)


@pytest.mark.parametrize("kernels", dispatch.WAYS)
@every("name", SHARED)
def test_layers_in_several_places(name: str, kernels: str) -> None:
    make, shape = SHARED[name]
    if kernels == "numba":
        pytest.importorskip("numba", reason="needs Numba: pip install 'pellucid[fast]'")
    with dispatch.use(kernels):
        compare(make(), shape, "float64", 1e-10)
