"""The cost model of docs/scaling.md against steps of real trainings, and carried on to machines on a network.

    python -m benchmarks.cluster_cost [--rounds 3] [--quick]      about five minutes

C and U come of steps of one process on one thread with batches of m and of 2m: what grows with the batch is C.
L and B are those of TCP on loopback: half the time there and back of 8 bytes, and of the parameters. Then T(n)
= C / n + U + 2 (L + V / B) + 2 d (L + k V / B), with d levels of workers below the first and k of them below
one worker, for one and for two workers beside what their steps take, and for networks beyond this machine. On
one machine the copies are made by the processors that compute, and two workers and their client share two
cores, which the model leaves out.
"""

import math
import socket
import statistics
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any, NamedTuple

import numpy as np
from benchmarks import harness

import pellucid as pl
from pellucid.data.dataset import Dataset
from pellucid.distributed import open_cluster, train
from pellucid.training.events import StepEnd

WARM_UP = 5  # steps
NETWORKS = {"1 Gbit/s": (1e-4, 1.1e8), "10 Gbit/s": (5e-5, 1.1e9), "100 Gbit/s": (2e-5, 1.1e10)}  # L, B
WORKERS = (1, 2, 4, 8, 16, 32, 64, 128)


class Cost(NamedTuple):
    """What the model is made of: seconds, bytes, and bytes a second."""

    C: float
    U: float
    V: float
    L: float
    B: float

    def seconds(self, n: int) -> float:
        """Return how long a step takes on n workers."""
        depth, below = int(math.log2(n)), min(2, n - 1)
        return (
            self.C / n
            + self.U
            + 2 * (self.L + self.V / self.B)
            + 2 * depth * (self.L + below * self.V / self.B)
        )

    @property
    def most(self) -> float:
        """The number of workers from which twice as many gain nothing."""
        return self.C / (4 * (self.L + 2 * self.V / self.B))


def step_seconds(name: str, batch: int, data: Dataset, n_steps: int, run: Callable[..., Any]) -> list[float]:
    """Return the seconds of steps of a training."""
    ends: list[float] = []

    def note(event: Any) -> None:
        if isinstance(event, StepEnd):
            ends.append(time.perf_counter())

    n_epochs = -(-(n_steps + WARM_UP) * batch // len(data))
    options: dict[str, Any] = {"form": "direct", "callbacks": [note], "progress": False, "augment": None}
    run(pl.preset(name), data, n_epochs=n_epochs, batch_size=batch, **options)
    return [stop - start for start, stop in zip(ends[WARM_UP:-1], ends[WARM_UP + 1 :], strict=True)]


def loopback(n_bytes: int) -> tuple[float, float]:
    """Return L and B of TCP on loopback, with messages of 8 bytes and of that many."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        there = threading.Thread(target=_echo, args=(server,), daemon=True)
        there.start()
        with socket.create_connection(server.getsockname()) as here:
            here.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            small, large = (_there_and_back(here, bytes(n)) / 2 for n in (8, n_bytes))
        there.join()
    return small, n_bytes / max(large - small, 1e-9)


def _echo(server: socket.socket) -> None:
    with server.accept()[0] as here:
        here.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while head := here.recv(8, socket.MSG_WAITALL):
            n = int.from_bytes(head, "big")
            here.sendall(here.recv(n, socket.MSG_WAITALL))


def _there_and_back(here: socket.socket, content: bytes) -> float:
    found = []
    for _ in range(50):
        start = time.perf_counter()
        here.sendall(len(content).to_bytes(8, "big") + content)
        here.recv(len(content), socket.MSG_WAITALL)
        found.append(time.perf_counter() - start)
    return statistics.median(found)


def report(name: str, batch: int, cost: Cost, measured: dict[int, float]) -> None:
    """Print the model beside the measurement, and beyond this machine."""
    print(
        f"\n{name}, batches of {batch}: C {1e3 * cost.C:.2f} ms, U {1e3 * cost.U:.2f} ms, V {cost.V / 1e6:.2f} MB"
    )
    print(f"  loopback: L {1e6 * cost.L:.0f} us, B {cost.B / 1e9:.2f} GB/s")
    for n, seconds in measured.items():
        model = cost.seconds(n)
        print(
            f"  {n} workers: model {1e3 * model:.2f} ms, measured {1e3 * seconds:.2f} ms ({seconds / model:.2f})"
        )
    print(
        "  how many times as fast as one process, by the model, and where twice as many workers gain nothing:"
    )
    print("    " + " ".join(f"{n:>7}" for n in WORKERS) + "    no gain from")
    for network, (L, B) in NETWORKS.items():
        there = cost._replace(L=L, B=B)
        gains = " ".join(f"{(cost.C + cost.U) / there.seconds(n):7.2f}" for n in WORKERS)
        print(f"    {gains}    {max(1.0, there.most):.0f} workers on {network}")


def main() -> None:
    """Measure and print."""
    options = harness.arguments(__doc__ or "").parse_args()
    n_rounds, n_steps = (1, 10) if options.quick else (options.rounds, 40)
    print(harness.machine("dask", "distributed"))
    X = pl.load_data("drawn-cats").train
    data = X.take(np.arange(len(X)).repeat(4))
    with ExitStack() as stack:
        clients = {n: stack.enter_context(open_cluster(n_workers=n)) for n in (1, 2)}
        for name, batch in (("cnn", 64), ("mlp", 64)):
            runs: dict[Any, tuple[int, Callable[..., Any]]] = {
                n: (batch, lambda *args, client=client, **given: train(*args, client=client, **given))
                for n, client in clients.items()
            }
            for key, size in (("m", batch), ("2m", 2 * batch)):
                runs[key] = size, lambda *args, **given: pl.train(*args, n_threads=1, **given)
            found: dict[Any, list[float]] = {key: [] for key in runs}
            for i in range(n_rounds + 1):
                for key in list(runs)[:: -1 if i % 2 else 1]:
                    size, run = runs[key]
                    seconds = step_seconds(name, size, data, n_steps if i else 3, run)
                    if i:  # the first round compiles
                        found[key] += seconds
            once = {key: statistics.median(seconds) for key, seconds in found.items()}
            C = min(max(once["2m"] - once["m"], 0.0), once["m"])
            model = pl.preset(name)
            model.initialize(data.X.shape[1:])
            V = float(model.theta.nbytes)
            cost = Cost(C, once["m"] - C, V, *loopback(int(V)))
            report(name, batch, cost, {n: once[n] for n in clients})


if __name__ == "__main__":
    main()
