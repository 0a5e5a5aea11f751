"""Mini-batch training of a 784-128-64-10 network with Adam, float32, 20,000 rows an epoch, against other libraries.

    python benchmarks/minibatch.py

Same data, shapes and order of work: a shuffled epoch of mini-batches, loss, gradient, Adam. Each runs in a process
of its own, in turn, several rounds; the least and the median seconds an epoch are printed.
"""

import json
import os
import platform
import subprocess
import sys
import time
import warnings
from itertools import pairwise

import numpy as np

M, DIMS = 20_000, (784, 128, 64, 10)
ROUNDS, EPOCHS = 2, 4  # the first epoch of each is not counted
BATCHES = (32, 128)


def data() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    return rng.random((M, DIMS[0]), dtype=np.float32), rng.integers(0, DIMS[-1], M)


def pellucid(batch: int, n_threads: int | None) -> list[float]:
    import pellucid as pl
    from pellucid.training.events import EpochEnd

    X, y = data()
    layers = [pl.Dense(width, activation="relu") for width in DIMS[1:-1]]
    times: list[float] = []

    def clock(event: object) -> None:
        if isinstance(event, EpochEnd):
            times.append(time.perf_counter())

    model = pl.Sequential([*layers, pl.Dense(DIMS[-1])])
    options = {"n_epochs": EPOCHS, "batch_size": batch, "n_threads": n_threads}
    pl.train(model, pl.Dataset(X, y), optimizer=pl.optimizers.Adam(0.001), callbacks=[clock], **options)
    return np.diff(times).tolist()


def pytorch(batch: int, n_threads: int, fused: bool, flushes: bool = False) -> list[float]:
    import torch

    torch.set_num_threads(n_threads)
    torch.set_flush_denormal(
        flushes
    )  # Adam's moments fade into denormal numbers, with which processors are slow
    X, y = (torch.from_numpy(array) for array in data())
    layers: list[torch.nn.Module] = []
    for n_in, n_out in pairwise(DIMS):
        layers += [torch.nn.Linear(n_in, n_out), torch.nn.ReLU()]
    network = torch.nn.Sequential(*layers[:-1])
    optimizer = torch.optim.Adam(network.parameters(), lr=0.001, fused=fused)
    criterion = torch.nn.CrossEntropyLoss()
    times = []
    for _ in range(EPOCHS):
        started = time.perf_counter()
        for rows in torch.randperm(M).split(batch):
            optimizer.zero_grad()
            criterion(network(X[rows]), y[rows]).backward()
            optimizer.step()
        times.append(time.perf_counter() - started)
    return times[1:]


def scikit_learn(batch: int) -> list[float]:
    from sklearn.neural_network import MLPClassifier

    X, y = data()
    network = MLPClassifier(DIMS[1:-1], batch_size=batch, max_iter=1, warm_start=True)
    times = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for _ in range(EPOCHS):
            started = time.perf_counter()
            network.fit(X, y)
            times.append(time.perf_counter() - started)
    return times[1:]


def keras(batch: int) -> list[float]:
    import keras as library

    X, y = data()
    layers = [library.Input((DIMS[0],)), *(library.layers.Dense(n, activation="relu") for n in DIMS[1:-1])]
    network = library.Sequential([*layers, library.layers.Dense(DIMS[-1])])
    network.compile("adam", library.losses.SparseCategoricalCrossentropy(from_logits=True))
    times = []
    for _ in range(EPOCHS):
        started = time.perf_counter()
        network.fit(X, y, batch_size=batch, verbose=0)
        times.append(time.perf_counter() - started)
    return times[1:]


def jax(batch: int, one_scan: bool = False) -> list[float]:
    import jax as library
    import jax.numpy as jnp

    X, y = data()
    rng = np.random.default_rng(1)
    params = [
        (jnp.asarray(rng.standard_normal((a, b)).astype("f") * (2 / a) ** 0.5), jnp.zeros(b))
        for a, b in pairwise(DIMS)
    ]

    def cost(params, X, y):
        A = X
        for W, b in params[:-1]:
            A = jnp.maximum(A @ W + b, 0)
        Z = A @ params[-1][0] + params[-1][1]
        return -jnp.take_along_axis(library.nn.log_softmax(Z), y[:, None], 1).mean()

    def step(params, m, v, t, X, y):
        g = library.grad(cost)(params, X, y)
        m = library.tree.map(lambda m, g: 0.9 * m + 0.1 * g, m, g)
        v = library.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, v, g)
        rate = 0.001 * jnp.sqrt(1 - 0.999**t) / (1 - 0.9**t)
        return library.tree.map(lambda p, m, v: p - rate * m / (jnp.sqrt(v) + 1e-8), params, m, v), m, v

    @library.jit
    def epoch(params, m, v, t, X, y):
        def body(carry, batch):
            params, m, v, t = carry
            params, m, v = step(params, m, v, t + 1, *batch)
            return (params, m, v, t + 1), None

        return library.lax.scan(body, (params, m, v, t), (X, y))[0]

    compiled = library.jit(step)
    m = v = library.tree.map(jnp.zeros_like, params)
    times, t, n_steps = [], 0, M // batch
    for _ in range(EPOCHS):
        started = time.perf_counter()
        order = rng.permutation(M)
        if one_scan:
            rows = order[: n_steps * batch].reshape(n_steps, batch)
            params, m, v, t = epoch(params, m, v, float(t), X[rows], y[rows])
        else:
            for start in range(0, M - batch + 1, batch):
                rows, t = order[start : start + batch], t + 1
                params, m, v = compiled(params, m, v, float(t), X[rows], y[rows])
        library.block_until_ready(params)
        times.append(time.perf_counter() - started)
    return times[1:]


ONE = {"OPENBLAS_NUM_THREADS": "1"}
CONTESTANTS = {
    "pellucid": (lambda batch: pellucid(batch, None), {}),
    "pellucid, 1 core": (lambda batch: pellucid(batch, 1), ONE),
    "pellucid, 2 processes": (lambda batch: pellucid(batch, 2), {}),
    "PyTorch, 1 thread": (lambda batch: pytorch(batch, 1, False), {}),
    "PyTorch, 2 threads": (lambda batch: pytorch(batch, 2, False), {}),
    "PyTorch fused, 1 thread": (lambda batch: pytorch(batch, 1, True), {}),
    "PyTorch fused, 2 threads": (lambda batch: pytorch(batch, 2, True), {}),
    "PyTorch fused, 1 thread, denormals flushed": (lambda batch: pytorch(batch, 1, True, True), {}),
    "PyTorch fused, 2 threads, denormals flushed": (lambda batch: pytorch(batch, 2, True, True), {}),
    "scikit-learn": (scikit_learn, {}),
    "Keras on TensorFlow": (keras, {"KERAS_BACKEND": "tensorflow"}),
    "Keras on JAX": (keras, {"KERAS_BACKEND": "jax"}),
    "Keras on PyTorch": (keras, {"KERAS_BACKEND": "torch"}),
    "JAX, a call a step": (jax, {}),
    "JAX, an epoch in one scan": (lambda batch: jax(batch, one_scan=True), {}),
}


def main() -> None:
    if len(sys.argv) > 1:
        print(json.dumps(CONTESTANTS[sys.argv[1]][0](int(sys.argv[2]))))
        return
    print(
        f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, NumPy {np.__version__}"
    )
    for batch in BATCHES:
        times: dict[str, list[float]] = {name: [] for name in CONTESTANTS}
        for _ in range(ROUNDS):
            for name, (_, environment) in CONTESTANTS.items():
                command = [sys.executable, __file__, name, str(batch)]
                done = subprocess.run(
                    command, capture_output=True, text=True, env={**os.environ, **environment}
                )
                if done.returncode == 0:
                    times[name] += json.loads(done.stdout.splitlines()[-1])
        medians = {name: float(np.median(seconds)) for name, seconds in times.items() if seconds}
        print(f"\nbatch {batch}: seconds an epoch{'':14}    min  median")
        for name, median in medians.items():
            print(f"{name:46} {min(times[name]):6.3f}  {median:6.3f}")
        ours = min(median for name, median in medians.items() if name.startswith("pellucid"))
        rival = min(median for name, median in medians.items() if name.startswith("PyTorch"))
        print(f"PyTorch's best over our best: {rival / ours:.2f}")
        for name in medians:
            if not name.startswith("pellucid"):
                print(f"{name} over our default: {medians[name] / medians['pellucid']:.2f}")
        print(f"absent: {', '.join(name for name in CONTESTANTS if name not in medians) or 'none'}")


if __name__ == "__main__":
    main()
