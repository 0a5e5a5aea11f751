"""Mini-batch training of a 784-128-64-10 network with Adam, float32, some 20,000 rows an epoch, against its rivals.

    python -m benchmarks.minibatch

Same data, shapes and order of work: a shuffled epoch of mini-batches, loss, gradient, Adam; seconds an epoch, the
first of each process not counted. Rivals as their experts tune them: JAX with a whole epoch in one compiled scan,
its arrays donated; PyTorch with fused Adam or the whole step in one compiled graph, denormals flushed (on random
labels Adam's moments fade into them, with which processors are slow); Keras on JAX with many steps a call. Then
`pl.estimators.MLPClassifier` on scikit-learn's digits against its own, each with its defaults.
"""

import importlib
import os
import tempfile
import time
import warnings
from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any

import numpy as np
from benchmarks import harness
from benchmarks.harness import Contestant

MODULE = "benchmarks.minibatch"
M, DIMS = 19_968, (784, 128, 64, 10)  # 624 batches of 32, 156 of 128
BATCHES = (32, 128)
EPOCHS = 2  # of a round


def data() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    return rng.random((M, DIMS[0]), dtype=np.float32), rng.integers(0, DIMS[-1], M)


def pellucid(batch: int, n_threads: str) -> None:
    import pellucid as pl
    from pellucid.training.callbacks.base import Callback

    samples = pl.Dataset(*data())
    layers = [pl.Dense(width, activation="relu") for width in DIMS[1:-1]]
    model, optimizer = pl.Sequential([*layers, pl.Dense(DIMS[-1])]), pl.optimizers.Adam(0.001)

    def train(n_epochs: int) -> list[float]:
        ends: list[float] = []

        class Clock(Callback):
            def epoch_end(self, event: object) -> None:
                ends.append(time.perf_counter())

        options: dict[str, Any] = {"n_epochs": n_epochs, "batch_size": batch}
        options["n_threads"] = None if n_threads == "default" else int(n_threads)
        pl.train(model, samples, optimizer=optimizer, callbacks=[Clock()], **options)
        return [after - before for before, after in pairwise(ends)]

    train(2)
    harness.serve(lambda: train(1 + EPOCHS))


def epochs(epoch: Callable[[], Any]) -> None:
    """Serve rounds of epochs, after one to warm up."""
    epoch()
    harness.serve(lambda: [harness.seconds_of(epoch) for _ in range(EPOCHS)])


def pytorch(batch: int, way: str, n_threads: str) -> None:
    import torch
    from benchmarks.in_pytorch import in_one_graph

    torch.set_num_threads(int(n_threads))
    torch.set_flush_denormal(True)
    X, y = (torch.from_numpy(array) for array in data())
    layers: list[torch.nn.Module] = []
    for n_in, n_out in pairwise(DIMS):
        layers += [torch.nn.Linear(n_in, n_out), torch.nn.ReLU(inplace=True)]
    network, criterion = torch.nn.Sequential(*layers[:-1]), torch.nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(network.parameters(), lr=0.001, fused=True)

    def step(X: torch.Tensor, y: torch.Tensor) -> None:
        optimizer.zero_grad()
        criterion(network(X), y).backward()
        optimizer.step()

    if way == "graph":
        step = in_one_graph(lambda X, y: criterion(network(X), y), [*network.parameters()])

    def epoch() -> None:
        for rows in torch.randperm(M).split(batch):
            step(X[rows], y[rows])

    epochs(epoch)


def scikit_learn(batch: int, n_epochs: int = EPOCHS) -> None:
    from sklearn.neural_network import MLPClassifier

    X, y = data()

    def fit() -> list[float]:
        options = {"max_iter": n_epochs, "tol": 0.0, "n_iter_no_change": n_epochs}
        network = MLPClassifier(DIMS[1:-1], batch_size=batch, **options)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return [harness.seconds_of(lambda: network.fit(X, y)) / n_epochs]

    fit()
    harness.serve(fit)


def keras(batch: int, steps_a_call: str) -> None:
    import keras as library

    X, y = data()
    layers = [library.Input((DIMS[0],)), *(library.layers.Dense(n, activation="relu") for n in DIMS[1:-1])]
    network = library.Sequential([*layers, library.layers.Dense(DIMS[-1])])
    loss = library.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile("adam", loss, steps_per_execution=int(steps_a_call))
    epochs(lambda: network.fit(X, y, batch_size=batch, verbose=0))


def jax(batch: int, way: str, n_threads: str) -> None:
    if n_threads == "1" and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    import jax as library
    import jax.numpy as jnp

    X, y = map(jnp.asarray, data())
    rng = np.random.default_rng(1)
    params = [
        (jnp.asarray(rng.standard_normal((a, b)).astype("f") * (2 / a) ** 0.5), jnp.zeros(b))
        for a, b in pairwise(DIMS)
    ]

    def cost(params: Any, X: Any, y: Any) -> Any:
        A = X
        for W, b in params[:-1]:
            A = library.nn.relu(A @ W + b)
        Z = A @ params[-1][0] + params[-1][1]
        return -jnp.take_along_axis(library.nn.log_softmax(Z), y[:, None], 1).mean()

    def step(state: Any, batch: Any) -> Any:
        params, m, v, t = state
        t = t + 1
        g = library.grad(cost)(params, *batch)
        m = library.tree.map(lambda m, g: 0.9 * m + 0.1 * g, m, g)
        v = library.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, v, g)
        rate = 0.001 * jnp.sqrt(1 - 0.999**t) / (1 - 0.9**t)
        moved = library.tree.map(lambda p, m, v: p - rate * m / (jnp.sqrt(v) + 1e-8), params, m, v)
        return (moved, m, v, t), None

    def scan(state: Any, order: Any) -> Any:
        rows = order.reshape(-1, batch)
        return library.lax.scan(
            lambda s, r: step(s, (X[r], y[r])), state, rows, unroll=4 if "4" in way else 1
        )[0]

    one_epoch = library.jit(scan, donate_argnums=0)
    one_step = library.jit(lambda state, rows: step(state, (X[rows], y[rows]))[0], donate_argnums=0)
    zeros = library.tree.map(jnp.zeros_like, params)
    state = (params, zeros, library.tree.map(jnp.copy, zeros), jnp.zeros(()))

    def epoch() -> None:
        nonlocal state
        order = rng.permutation(M).astype(np.int32)
        if way == "step":
            for rows in order.reshape(-1, batch):
                state = one_step(state, rows)
        else:
            state = one_epoch(state, order)
        library.block_until_ready(state)

    epochs(epoch)


def digits(whose: str) -> None:
    """Serve a fit of MLPClassifier on the digits, standardized."""
    from sklearn.datasets import load_digits
    from sklearn.preprocessing import StandardScaler

    module = "pellucid.estimators" if whose == "pellucid" else "sklearn.neural_network"
    kind = importlib.import_module(module).MLPClassifier
    X, y = load_digits(return_X_y=True)
    X = StandardScaler().fit_transform(X)

    def fit() -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that it has not converged
            kind(random_state=0).fit(X, y)

    fit()
    harness.serve(lambda: [harness.seconds_of(fit)])


WHO: dict[str, Callable[..., None]] = {
    "pellucid": pellucid,
    "pytorch": pytorch,
    "scikit-learn": scikit_learn,
    "keras": keras,
    "jax": jax,
}


def contestants(batch: int, mkl: Mapping[str, str]) -> dict[str, Contestant]:
    def one(who: str, *arguments: str, **environment: str) -> Contestant:
        return Contestant((who, str(batch), *arguments), environment)

    numba, numpy = (harness.with_kernels(kernels) for kernels in ("numba", "numpy"))
    found = {"pellucid, numba": one("pellucid", "default", **numba)}
    found["pellucid, numba, 1 thread"] = one("pellucid", "1", **numba)
    found["pellucid, numpy"] = one("pellucid", "default", **numpy)
    for n in ("2", "1"):
        threads = f"{n} thread{'s' * (n == '2')}"
        found[f"JAX, an epoch in one scan, {threads}"] = one("jax", "scan", n)
        for extra, more in (("", {}), (", AVX-512 MKL", mkl)):
            if more or not extra:
                environment = {"OMP_NUM_THREADS": n, **more}
                found[f"PyTorch fused, {threads}{extra}"] = one("pytorch", "eager", n, **environment)
                found[f"PyTorch, a step in one graph, {threads}{extra}"] = one(
                    "pytorch", "graph", n, **environment
                )
    found["JAX, an epoch in one scan, unrolled 4 times"] = one("jax", "scan of 4", "2")
    found["JAX, a call a step"] = one("jax", "step", "2")
    for steps in ("1", "39"):
        name = f"Keras on JAX, {steps} step{'s' * (steps != '1')} a call"
        found[name] = one("keras", steps, KERAS_BACKEND="jax")
    for n in ("2", "1"):
        found[f"scikit-learn, BLAS on {n}"] = one("scikit-learn", OPENBLAS_NUM_THREADS=n)
    return found


def main() -> None:
    """Measure and print."""
    options = harness.arguments(__doc__ or "").parse_args()
    if options.child:
        who, first, *rest = options.child
        WHO[who](int(first), *rest) if who in WHO else digits(first)
        return
    n_rounds, lock = 1 if options.quick else options.rounds, harness.Lock(options.lock)
    print(harness.machine("jax", "keras", "torch", "scikit-learn"))
    operations = M * (6 * sum(a * b for a, b in pairwise(DIMS)) - 2 * DIMS[0] * DIMS[1])
    with tempfile.TemporaryDirectory() as folder:
        mkl = harness.mkl_avx512(folder)
        for batch in BATCHES:
            times, rate = harness.contest(MODULE, contestants(batch, mkl), n_rounds, lock)
            title = f"an epoch of {M:,} rows in batches of {batch}"
            harness.print_times(title, times, "pellucid, numba")
            harness.print_floor(operations, rate)
    fits = {
        f"pellucid, {kernels}": Contestant(("digits", "pellucid"), harness.with_kernels(kernels))
        for kernels in ("numba", "numpy")
    }
    for n in ("2", "1"):
        environment = {"OPENBLAS_NUM_THREADS": n}
        fits[f"scikit-learn, BLAS on {n}"] = Contestant(("digits", "scikit-learn"), environment)
    times, _ = harness.contest(MODULE, fits, 2 * n_rounds, lock)
    harness.print_times("MLPClassifier on digits, a fit", times, "pellucid, numba")


if __name__ == "__main__":
    main()
