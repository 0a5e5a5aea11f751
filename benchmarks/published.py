"""The published run, and 100 random starts of it, against the textbook loop and other libraries.

    PELLUCID_DATA_DIR=... python -m benchmarks.published

209 photos, 2,500 full-batch steps, float64. Ours is `pl.train` with its set-up, in a process that has trained once
before; costs are compared with the 26 that the tutorial printed. The rivals are those of `benchmarks/rivals.py`:
PyTorch with denormals flushed on one and two threads, JAX's jitted loop with its compilation, scikit-learn, Keras.
Of each the final cost is printed, and how far its weights are from ours. With `--quick` they and the textbook loop
do 250 steps, which are scaled up, and there are 4 starts.
"""

import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks import harness
from benchmarks.harness import Contestant
from benchmarks.rivals import CONTESTANTS, Task, compare, read_task, write_result, write_task

MODULE = "benchmarks.published"
DATA = "PELLUCID_DATA_DIR"
K_PRODUCT = (209, 209, 20)  # that no step of the dual form can do without


def train(size: str) -> None:
    """Serve one whole training of ours on photos enlarged to a size."""
    import pellucid as pl
    from pellucid.textbook.published import N_ITERATIONS, published_costs

    photos, factor = pl.load_data("catvnoncat").train, int(size) // 64
    data = pl.Dataset(photos.X.repeat(factor, axis=1).repeat(factor, axis=2), photos.y, photos.classes)

    def run() -> list[float]:
        history = pl.train(pl.preset("mlp"), data, n_epochs=N_ITERATIONS, form="dual")
        losses.extend([history.losses])
        return [history.seconds]

    losses: list[list[float]] = []
    run()
    error = max(abs(losses[0][i] / cost - 1) for i, cost in published_costs().items())
    harness.serve(run, error=error)


def rival(name: str, folder: str, n_steps: str, n_threads: str) -> None:
    """Serve one training by a contestant of rivals.py, and write its result; not warmed up, for it is long."""
    if name == "pytorch":
        import torch

        torch.set_num_threads(int(n_threads))
        torch.set_flush_denormal(True)
    task = read_task(Path(folder) / "task.npz")._replace(n_steps=int(n_steps))

    def run() -> list[float]:
        result = CONTESTANTS[name](task)
        write_result(Path(folder) / f"{name}.npz", result)
        return [result.seconds]

    harness.serve(run)


def lottery(n_starts: str) -> None:
    """Serve the published run from some starts, over as many processes as there are cores."""
    import pellucid as pl
    from pellucid.evaluation.comparison.seeds import compare_seeds
    from pellucid.runs.candidates import find_candidate
    from pellucid.textbook.published import N_ITERATIONS

    photos = pl.load_data("catvnoncat")
    candidate = find_candidate("A", "mlp", data=photos.name, n_epochs=N_ITERATIONS, form="dual")

    def run(n: int) -> list[float]:
        started = time.perf_counter()
        compare_seeds(photos, [candidate], n, n_jobs=harness.n_cores())
        return [time.perf_counter() - started]

    run(2)
    harness.serve(lambda: run(int(n_starts)))


WHO: dict[str, Callable[..., None]] = {"train": train, "rival": rival, "lottery": lottery}


def write_photos(folder: str) -> None:
    """Write what the rivals train on: the photos, and the published start."""
    import pellucid as pl
    from pellucid.textbook.published import LEARNING_RATE, N_ITERATIONS

    photos, model = pl.load_data("catvnoncat").train, pl.preset("mlp")
    X = photos.X.reshape(len(photos), -1) / 255.0
    model.initialize(X.shape[1:])
    weights = [leaf.params["W"] for leaf in model._leaves() if leaf.params]
    write_task(Path(folder) / "task.npz", Task(X, photos.y, N_ITERATIONS, LEARNING_RATE, weights))


def rivals(folder: str, n_steps: int, mkl: dict[str, str]) -> dict[str, Contestant]:
    def one(name: str, n_threads: str = "2", **environment: str) -> Contestant:
        return Contestant(("rival", name, folder, str(n_steps), n_threads), environment)

    found = {
        "ours, direct form": one("direct"),
        "ours, dual form": one("dual"),
        "textbook loop": one("textbook"),
        "JAX, one jitted loop": one("jax"),
    }
    for n in ("1", "2"):
        found[f"PyTorch, {n} thr."] = one("pytorch", n, OMP_NUM_THREADS=n)
        if mkl:
            found[f"PyTorch, {n} thr., AVX-512 MKL"] = one("pytorch", n, OMP_NUM_THREADS=n, **mkl)
    backend = os.environ.get("KERAS_BACKEND", "jax")
    return found | {
        "scikit-learn": one("scikit-learn"),
        f"Keras on {backend}": one("keras", KERAS_BACKEND=backend),
    }


def main() -> None:
    """Measure and print."""
    options = harness.arguments(__doc__ or "").parse_args()
    if options.child:
        who, *rest = options.child
        WHO[who](*rest)
        return
    if DATA not in os.environ:
        raise SystemExit(
            f"benchmarks.published: set {DATA} to the folder with the published photos; they are not here."
        )
    lock, n_rounds = harness.Lock(options.lock), 1 if options.quick else options.rounds
    n_steps, n_starts = (250, 4) if options.quick else (2500, 100)
    print(harness.machine("jax", "torch", "scikit-learn"))
    with lock.exclusive():
        small = harness.blas_rate("float64", *K_PRODUCT)
    choices = ("numba", "numpy")
    about: dict[str, dict[str, float]] = {}
    own = {
        f"{kernels}, photos of {size}x{size}": Contestant(("train", str(size)), harness.with_kernels(kernels))
        for size in (64, 256)
        for kernels in choices
    }
    times, _ = harness.contest(MODULE, own, 2 * n_rounds, lock, about=about)
    harness.print_times(
        "the published run, set-up included", times, "numba, photos of 64x64", scale=1, unit="s"
    )
    for name, said in about.items():
        if name.endswith("64x64"):
            print(f"{name}: costs within {said['error']:.1e} of the 26 published")
    m, k, n = K_PRODUCT
    print(
        f"floor: the product with K, {m}x{k} times {k}x{n}, 2,500 times: {2500 * 2 * m * k * n / small:.3f} s"
    )
    with tempfile.TemporaryDirectory() as folder:
        write_photos(folder)
        who = rivals(folder, n_steps, harness.mkl_avx512(folder))
        long, _ = harness.contest(MODULE, who, 1, lock)
        results = {
            path.stem: compare(path, Path(folder) / "dual.npz")
            for name in CONTESTANTS
            if (path := Path(folder) / f"{name}.npz").exists()
        }
    title = f"the same by others, {n_steps:,} steps, and how many times as long as numba"
    scaled = {name: found.scaled(2500 / n_steps) for name, found in long.items()}
    ours = {name: times[name] for name in ("numba, photos of 64x64",) if name in times}
    harness.print_times(title, ours | scaled, "numba, photos of 64x64", scale=1, unit="s")
    for name, (cost, difference) in results.items():
        print(f"{name}: final cost {cost:.10g}, weights within {difference:.1e} of the dual form's")
    starts = {
        kernels: Contestant(("lottery", str(n_starts)), harness.with_kernels(kernels)) for kernels in choices
    }
    found, _ = harness.contest(MODULE, starts, min(2, n_rounds), lock)
    harness.print_times(f"the published run from {n_starts} starts", found, "numba", scale=1, unit="s")


if __name__ == "__main__":
    main()
