"""One training step, with Adam, of networks of many kinds (benchmarks/zoo.py), against PyTorch at its best.

    python -m benchmarks.networks                       all, some forty minutes, most of it torch.compile's
    python -m benchmarks.networks --only cnn lenet      some
    python -m benchmarks.networks --rivals              PyTorch's ways alone, each with its time
    python -m benchmarks.networks --earlier ../earlier  within `pl.train`, against a checkout of an earlier version

Batches are random; forward, loss, backward and update are timed, in float32 on two cores. Ours takes the threads
that `pl.train` takes by itself, and is measured twice: the bare step, and within `pl.train`, batches gathered and
callbacks called. PyTorch runs eagerly and
compiled (loss and gradient, or the whole step in one graph), with channels_last and its default layout or, for
dense layers, one and two threads, with fused Adam, denormals flushed and glibc's allocator tuned; the way with the
least median counts. On processors that are not Intel's, its MKL leaves AVX-512 unused; with a C compiler at hand it
is told to use it, and both figures are printed.
"""

import itertools
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks import harness
from benchmarks.harness import Contestant, Times

MODULE = "benchmarks.networks"
WAYS = ("eager", "compiled", "whole step compiled")
N_THREADS = 2
SECONDS = {"full": 1.0, "quick": 0.2}  # of a round
TRAINED_BATCHES = 8  # that an epoch of pl.train has


def ours(name: str, way: str, seconds: float) -> None:
    """Serve a step of ours: bare, or by pl.train."""
    from benchmarks.zoo import NETWORKS

    network = NETWORKS[name]
    model = network.build()
    model.initialize(network.shape)
    if way == "step":
        _bare(network, model, seconds)
    else:
        harness.serve(trained_steps(network, model, seconds))


def _bare(network: Any, model: Any, seconds: float) -> None:
    import pellucid as pl
    from pellucid import dispatch
    from pellucid.training.cost import BLAS_OPERATIONS, step_operations, worthwhile_threads
    from pellucid.training.executor.choose import executor_for
    from pellucid.training.options import TrainingOptions

    X, y = network.samples(network.batch, model.output_shape[0])
    model._choose_loss(y)
    Y = model._encode(y)
    optimizer = pl.optimizers.Adam(0.001)
    optimizer.start(model.theta, model._flat_decay_mask())
    numbers = itertools.count()
    n_threads = worthwhile_threads(
        model, len(X), TrainingOptions(1000, network.batch), dispatch.resolve(None)
    )
    held = step_operations(model, network.batch) < BLAS_OPERATIONS
    with executor_for(model, n_threads, optimizer=optimizer, holds_blas=held) as executor:

        def step() -> None:
            executor.seed_step(1, next(numbers))
            executor.loss_and_grad(X, Y)
            executor.update(optimizer)

        harness.serve(harness.steps_for(step, seconds))


def trained_steps(network: Any, model: Any, seconds: float) -> Callable[[], list[float]]:
    """Return a round of steps within `pl.train`, as long as that takes, once it is warm."""
    import pellucid as pl
    from pellucid.training.events import StepEnd

    data = network.samples(TRAINED_BATCHES * network.batch, model.output_shape[0])
    optimizer = pl.optimizers.Adam(0.001)

    def train(n_epochs: int) -> list[float]:
        ends: list[float] = []

        def clock(event: object) -> None:
            if isinstance(event, StepEnd):
                ends.append(time.perf_counter())

        options = {"n_epochs": n_epochs, "batch_size": network.batch}
        pl.train(model, data, optimizer=optimizer, callbacks=[clock], **options)
        return [after - before for before, after in itertools.pairwise(ends[3:])]

    train(1)
    each = min(train(1))
    return lambda: train(max(2, round(seconds / each / TRAINED_BATCHES)))


def pytorch(name: str, way: str, layout: str, n_threads: str, seconds: float) -> None:
    """Serve PyTorch's step."""
    import torch
    from benchmarks.in_pytorch import in_one_graph, to_torch
    from benchmarks.zoo import NETWORKS

    torch.set_num_threads(int(n_threads))
    torch.set_flush_denormal(True)
    network = NETWORKS[name]
    model = network.build()
    model.initialize(network.shape)
    theirs: Any = to_torch(model).train()
    assert sum(tensor.numel() for tensor in theirs.parameters()) == model.theta.size
    n_outputs = model.output_shape[0]
    X, y = (torch.from_numpy(array) for array in network.samples(network.batch, n_outputs))
    if network.is_for_images:
        order = torch.channels_last if layout == "channels_last" else torch.contiguous_format
        X, theirs = X.permute(0, 3, 1, 2).contiguous(memory_format=order), theirs.to(memory_format=order)
    criterion: Any = torch.nn.CrossEntropyLoss()
    if n_outputs == 1:
        criterion, y = torch.nn.BCEWithLogitsLoss(), y[:, None].float()

    def loss(X: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        cost: torch.Tensor = criterion(theirs(X), y)
        return cost

    if way == "whole step compiled":
        step = in_one_graph(loss, [*theirs.parameters()])
    else:
        optimizer = torch.optim.Adam(theirs.parameters(), lr=0.001, fused=True)
        loss = torch.compile(loss) if way == "compiled" else loss

        def step(X: torch.Tensor, y: torch.Tensor) -> None:
            optimizer.zero_grad()
            loss(X, y).backward()
            optimizer.step()

    harness.serve(harness.steps_for(lambda: step(X, y), seconds))


def contestants(name: str, seconds: float, mkl: Mapping[str, str]) -> dict[str, Contestant]:
    """Return PyTorch's ways; with ``mkl``, those whose MKL is told to use AVX-512."""
    from benchmarks.zoo import NETWORKS

    images, two = NETWORKS[name].is_for_images, str(N_THREADS)
    if images:
        ways = [(way, layout, two) for way in WAYS for layout in ("channels_last", "default")][:-1]
    else:
        ways = [(way, "default", n) for way in WAYS for n in ("1", two) if (way, n) != ("compiled", "1")]
    found = {}
    for way, layout, n_threads in ways:
        detail = layout if images else f"{n_threads} thr."
        label = f"{way}, {detail}{', AVX-512 MKL' if mkl else ''}"
        environment = {**harness.TUNED_ALLOCATOR, "OMP_NUM_THREADS": n_threads, **mkl}
        found[label] = Contestant(("pytorch", name, way, layout, n_threads, str(seconds)), environment)
    return found


def is_tricked(name: str) -> bool:
    """Return whether this is a way of PyTorch's with AVX-512 in MKL."""
    return name.endswith("MKL")


def best_of(times: Mapping[str, Times], *, tricked: bool = False) -> tuple[str, Times] | None:
    """Return PyTorch's fastest way and its times; None where there is none."""
    ways = {
        name: time for name, time in times.items() if name.startswith(WAYS) and is_tricked(name) == tricked
    }
    return min(ways.items(), key=lambda item: item[1].median, default=None)


def measure(name: str, options: Any, lock: harness.Lock, mkl: Mapping[str, str]) -> dict[str, Times]:
    """Return the times of every contestant of a network, which are printed."""
    seconds = SECONDS["quick" if options.quick else "full"]
    own = {
        f"{kernels}, {way}": Contestant(("ours", name, way, str(seconds)), harness.with_kernels(kernels))
        for kernels in ([] if options.rivals else options.kernels)
        for way in ("step", "train")
    }
    rivals = contestants(name, seconds / 2, {}) | (contestants(name, seconds / 2, mkl) if mkl else {})
    times, rate = harness.contest(MODULE, own | rivals, 1 if options.quick else options.rounds, lock)
    print_network(name, times, rate)
    return times


def operations_of(name: str) -> float:
    """Return the multiplications and additions of a step's products, by the plain algorithms."""
    from benchmarks.zoo import NETWORKS

    network = NETWORKS[name]
    model = network.build()
    model.initialize(network.shape)
    products = [row.n_operations for row in model.summary().layers if row.kind in ("Conv2D", "Dense")]
    return float(network.batch * (3 * sum(products) - products[0]))  # the first needs no input gradient


def print_network(name: str, times: Mapping[str, Times], rate: float) -> None:
    """Print everybody's milliseconds a step, the best rival last."""
    from benchmarks.zoo import NETWORKS

    network = NETWORKS[name]
    shape = "x".join(map(str, network.shape))
    title = f"{name}: {network.what}; a step on {network.batch} of {shape}"
    harness.print_times(title, times, "numba, train")
    harness.print_floor(operations_of(name), rate)


def print_ratios(results: Mapping[str, Mapping[str, Times]], kernels: str, way: str) -> None:
    """Print how many times as long PyTorch's best takes, for each network, and the mean and the least."""
    for tricked in (False, True):
        ratios = {}
        for name, times in results.items():
            mine, best = times.get(f"{kernels}, {way}"), best_of(times, tricked=tricked)
            if mine is not None and best is not None:
                ratios[name] = best[1].median / mine.median
        if not ratios:
            continue
        least = min(ratios, key=lambda name: ratios[name])
        rival = "PyTorch's best" + (" with AVX-512 in MKL" if tricked else "")
        print(f"\n{rival} over {kernels}, {way}")
        print("  " + ", ".join(f"{name} {ratio:.2f}" for name, ratio in ratios.items()))
        mean = harness.geometric_mean([*ratios.values()])
        print(f"  geometric mean of {len(ratios)}: {mean:.2f}; least: {ratios[least]:.2f}, {least}")


def compare_versions(names: Sequence[str], earlier: Path, options: Any, lock: harness.Lock) -> None:
    """Print a step within `pl.train` in this version and in an earlier one, in turns, and their ratio."""
    seconds = str(SECONDS["quick" if options.quick else "full"])
    here = Path(__file__).resolve().parents[1] / "src"
    ratios: dict[str, float] = {}
    for name in names:
        versions = {
            f"{kernels}, {version}": Contestant(
                ("ours", name, "train", seconds), {**harness.with_kernels(kernels), "PYTHONPATH": str(source)}
            )
            for kernels in options.kernels
            for version, source in (("now", here), ("earlier", earlier / "src"))
        }
        times, _ = harness.contest(MODULE, versions, 1 if options.quick else options.rounds, lock)
        harness.print_times(name, times)
        for kernels in options.kernels:
            now, then = (times[f"{kernels}, {version}"].median for version in ("now", "earlier"))
            ratios[f"{name}, {kernels}"] = then / now
            print(f"{kernels}: {then / now:.2f} times as fast as the earlier version", flush=True)
    least = min(ratios, key=lambda name: ratios[name])
    mean = harness.geometric_mean([*ratios.values()])
    print(f"\ngeometric mean of {len(ratios)}: {mean:.2f}; least: {ratios[least]:.2f}, {least}")


def main() -> None:
    """Measure and print."""
    parser = harness.arguments(__doc__ or "")
    parser.add_argument("--earlier", type=Path, help="a checkout of an earlier version to compare with")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="networks of benchmarks/zoo.py")
    parser.add_argument("--rivals", action="store_true", help="PyTorch alone")
    parser.add_argument("--kernels", nargs="+", default=["numba", "numpy"], choices=["numba", "numpy"])
    options = parser.parse_args()
    if options.child:
        who, *rest, seconds = options.child
        run: dict[str, Callable[..., None]] = {"ours": ours, "pytorch": pytorch}
        run[who](*rest, float(seconds))
        return
    from benchmarks.zoo import NETWORKS

    names = options.only or [*NETWORKS]
    if unknown := [name for name in names if name not in NETWORKS]:
        parser.error(f"--only: unknown network {unknown[0]}. Known: {', '.join(NETWORKS)}.")
    lock = harness.Lock(options.lock)
    print(harness.machine("torch"))
    if options.earlier:
        compare_versions(names, options.earlier, options, lock)
        return
    with tempfile.TemporaryDirectory() as folder:
        mkl = harness.mkl_avx512(folder)
        results = {name: measure(name, options, lock, mkl) for name in names}
    for kernels in [] if options.rivals else options.kernels:
        for way in ("step", "train"):
            print_ratios(results, kernels, way)


if __name__ == "__main__":
    main()
