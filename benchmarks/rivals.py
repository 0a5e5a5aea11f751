"""The published run by pellucid, by the textbook loop and by other libraries, for `benchmarks.published`.

Each runs in a process of its own, for two libraries' pools of threads slow each other. All start from the same
weights, in float64. Loading and imports are not timed; moving data is.
"""

import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from pellucid.types import Array

DIMS = (20, 7, 5, 1)


class Task(NamedTuple):
    """What every contestant is given."""

    X: Array  # (m, n_in) float64, pixels over 255
    y: Array  # (m,) 0 and 1
    n_steps: int
    learning_rate: float
    weights: list[Array]  # W1, W2, ... each (n_in, n_out); biases start at zero


class Result(NamedTuple):
    """What a contestant returns."""

    seconds: float
    final_cost: float  # of the last step's start
    weights: list[Array]
    version: str


def textbook(task: Task) -> Result:
    """Train by the tutorial's own functions."""
    from pellucid.textbook import L_layer_model

    X, Y = np.ascontiguousarray(task.X).T, task.y[None]
    started = time.perf_counter()
    parameters, costs = L_layer_model(
        X, Y, [X.shape[0], *DIMS], learning_rate=task.learning_rate, num_iterations=task.n_steps
    )
    seconds = time.perf_counter() - started
    weights = [parameters[f"W{layer}"].T for layer in range(1, len(DIMS) + 1)]
    return Result(seconds, float(costs[-1]), weights, np.__version__)


def dual(task: Task) -> Result:
    """Train by ``train`` on an ordinary Sequential, dual form."""
    return _ours(task, "dual")


def direct(task: Task) -> Result:
    """Train by ``train`` on an ordinary Sequential, direct form."""
    return _ours(task, "direct")


def _ours(task: Task, form: str) -> Result:
    from pellucid import Dataset, __version__, preset, train
    from pellucid.training.optimizers.sgd import SGD

    model = preset("mlp")
    history = train(
        model,
        Dataset(task.X, task.y),
        optimizer=SGD(task.learning_rate),
        n_epochs=task.n_steps,
        form=form,
    )
    weights = [leaf.params["W"] for leaf in model._leaves() if leaf.params]
    return Result(history.seconds, history.losses[-1], weights, __version__)


def pytorch(task: Task) -> Result:
    """Train by PyTorch's Linear, relu, BCEWithLogitsLoss and SGD, in float64 on the CPU."""
    import torch

    layers: list[Any] = []
    for W in task.weights:
        linear = torch.nn.Linear(W.shape[0], W.shape[1], dtype=torch.float64)
        with torch.no_grad():
            linear.weight.copy_(torch.from_numpy(W.T.copy()))
            linear.bias.zero_()
        layers += [linear, torch.nn.ReLU()]
    network = torch.nn.Sequential(*layers[:-1])
    started = time.perf_counter()
    X, Y = torch.from_numpy(task.X), torch.from_numpy(task.y[:, None].astype(np.float64))
    optimizer = torch.optim.SGD(network.parameters(), lr=task.learning_rate)
    criterion = torch.nn.BCEWithLogitsLoss()
    for _ in range(task.n_steps):
        optimizer.zero_grad()
        loss = criterion(network(X), Y)
        loss.backward()
        optimizer.step()
    seconds = time.perf_counter() - started
    weights = [layer.weight.detach().numpy().T for layer in layers[::2]]
    return Result(seconds, float(loss), weights, torch.__version__)


def jax(task: Task) -> Result:
    """Train by one jitted JAX loop in float64; its compilation is counted."""
    import jax as jax_library
    import jax.numpy as jnp

    jax_library.config.update("jax_enable_x64", True)

    def cost(params: Any, X: Any, Y: Any) -> Any:
        A = X
        for W, b in params[:-1]:
            A = jax_library.nn.relu(A @ W + b)  # whose slope at 0 is 0, as ours; that of maximum is a half
        W, b = params[-1]
        Z = A @ W + b
        return jnp.mean(jnp.logaddexp(0, Z) - Z * Y)  # smooth at 0, where the sum of its pieces is not to JAX

    def step(_: Any, state: Any) -> Any:
        params, _ = state
        value, grads = jax_library.value_and_grad(cost)(params, X, Y)
        moved = jax_library.tree_util.tree_map(lambda p, g: p - task.learning_rate * g, params, grads)
        return moved, value

    started = time.perf_counter()
    X, Y = jnp.asarray(task.X), jnp.asarray(task.y[:, None], dtype=jnp.float64)
    start = [(jnp.asarray(W), jnp.zeros(W.shape[1])) for W in task.weights]
    run = jax_library.jit(lambda p: jax_library.lax.fori_loop(0, task.n_steps, step, (p, jnp.float64(0))))
    params, loss = jax_library.block_until_ready(run(start))
    seconds = time.perf_counter() - started
    return Result(seconds, float(loss), [np.asarray(W) for W, _ in params], jax_library.__version__)


def scikit_learn(task: Task) -> Result:
    """Train by MLPClassifier: solver sgd, full batch, no momentum, no penalty, the same start."""
    import sklearn
    from sklearn.neural_network import MLPClassifier

    options = {"solver": "sgd", "alpha": 0.0, "momentum": 0.0, "learning_rate_init": task.learning_rate}
    network = MLPClassifier(
        DIMS[:-1], batch_size=len(task.X), shuffle=False, warm_start=True, max_iter=1, tol=0.0, **options
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that it has not converged
        network.fit(task.X, task.y)  # makes the arrays that the start is then written into
        for own, W in zip(network.coefs_, task.weights, strict=True):
            own[...] = W
        for bias in network.intercepts_:
            bias[...] = 0
        network.set_params(max_iter=task.n_steps, n_iter_no_change=task.n_steps + 1)
        network.n_iter_, network.t_ = 0, 0
        started = time.perf_counter()
        network.fit(task.X, task.y)
        seconds = time.perf_counter() - started
    return Result(seconds, float(network.loss_), network.coefs_, sklearn.__version__)


def keras(task: Task) -> Result:
    """Train by Keras' Dense layers and fit, in float64, on whichever backend it finds."""
    import keras as keras_library

    keras_library.config.set_floatx("float64")
    if keras_library.backend.backend() == "jax":  # which computes in float32 by default
        import jax as jax_library

        jax_library.config.update("jax_enable_x64", True)
    layers: list[Any] = [keras_library.Input((task.X.shape[1],))]
    layers += [keras_library.layers.Dense(units, activation="relu") for units in DIMS[:-1]]
    network = keras_library.Sequential([*layers, keras_library.layers.Dense(1)])
    network.set_weights([array for W in task.weights for array in (W, np.zeros(W.shape[1]))])
    network.compile(
        optimizer=keras_library.optimizers.SGD(task.learning_rate),
        loss=keras_library.losses.BinaryCrossentropy(from_logits=True),
    )
    started = time.perf_counter()
    history = network.fit(
        task.X, task.y[:, None], batch_size=len(task.X), epochs=task.n_steps, shuffle=False, verbose=0
    )
    seconds = time.perf_counter() - started
    version = f"{keras_library.__version__} on {keras_library.backend.backend()}"
    return Result(seconds, float(history.history["loss"][-1]), network.get_weights()[::2], version)


CONTESTANTS: dict[str, Callable[[Task], Result]] = {
    "textbook": textbook,
    "dual": dual,
    "direct": direct,
    "pytorch": pytorch,
    "jax": jax,
    "scikit-learn": scikit_learn,
    "keras": keras,
}


def write_task(path: Path, task: Task) -> None:
    """Write a task as an .npz file."""
    weights: dict[str, Any] = {f"W{i}": W for i, W in enumerate(task.weights)}
    np.savez(path, X=task.X, y=task.y, n_steps=task.n_steps, learning_rate=task.learning_rate, **weights)


def read_task(path: Path) -> Task:
    """Read a task."""
    with np.load(path) as file:
        weights = [file[f"W{i}"] for i in range(len(DIMS))]
        return Task(file["X"], file["y"], int(file["n_steps"]), float(file["learning_rate"]), weights)


def write_result(path: Path, result: Result) -> None:
    """Write the final cost and the weights as an .npz file."""
    np.savez(path, *result.weights, final_cost=result.final_cost)


def compare(path: Path, ours: Path) -> tuple[float, float]:
    """Return a result's final cost, and the largest difference of a weight to ours."""
    with np.load(path) as file, np.load(ours) as own:
        names = [f"arr_{i}" for i in range(len(DIMS))]
        return float(file["final_cost"]), max(float(np.abs(file[n] - own[n]).max()) for n in names)
