"""What a worker does in a step of a training on a cluster: computing, sums for batch norm, the next batch.

    python -m benchmarks.cluster_step [--workers 1 2] [--epochs 20]      half a minute

`cnn` trains on drawn-cats in batches of 32, on processes of this machine with one thread each. Printed are medians
of the first worker's milliseconds a step; the first twenty steps, which compile, are left out. "Sums" is
the waiting for what other workers have of batch norm's sums, in the middle of "computing", given without it.
"""

import argparse
import statistics
import time
from typing import Any

from benchmarks.harness import machine

import pellucid as pl
from pellucid.distributed.cluster import open_cluster
from pellucid.distributed.training import train
from pellucid.training.events import StepEnd

WARM_UP = 20  # steps
PARTS = ("computing", "sums", "next batch")


def watch() -> None:
    """Have a worker measure its parts of each step; it is sent there itself."""
    import time

    from pellucid.distributed import tree
    from pellucid.distributed.batch_parts import Shares

    taken: dict[str, list[float]] = {"computing": [], "sums": [], "next batch": []}
    tree.__dict__["taken"] = taken

    def timed(owner: Any, name: str, note: Any) -> None:
        plain = getattr(owner, name)

        def measured(*arguments: Any) -> Any:
            start = time.perf_counter()
            result = plain(*arguments)
            note(1e3 * (time.perf_counter() - start))
            return result

        setattr(owner, name, measured)

    waited = [0.0]

    def wait(milliseconds: float) -> None:
        waited[0] += milliseconds

    def compute(milliseconds: float) -> None:
        taken["computing"].append(milliseconds - waited[0])
        taken["sums"].append(waited[0])
        waited[0] = 0.0

    timed(tree.Steps, "_sum", wait)
    timed(tree.Steps, "_compute", compute)
    timed(Shares, "prepare_next", taken["next batch"].append)


def found() -> dict[str, list[float]]:
    """Return what a worker has measured; it is sent there itself."""
    from pellucid.distributed import tree

    taken: dict[str, list[float]] = tree.__dict__["taken"]
    return taken


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--epochs", type=int, default=20)
    asked = parser.parse_args()
    print(machine("dask", "distributed"))
    data = pl.load_data("drawn-cats").train
    print(
        f"\n{'workers':>8}{'a step':>12}{''.join(f'{part:>14}' for part in PARTS)}      milliseconds, medians"
    )
    for n in asked.workers:
        ends = list[float]()

        def note(event: Any, ends: list[float] = ends) -> None:
            if isinstance(event, StepEnd):
                ends.append(time.perf_counter())

        with open_cluster(n_workers=n) as client:
            client.run(watch)
            options: dict[str, Any] = {"n_epochs": asked.epochs, "batch_size": 32, "form": "direct"}
            train(pl.preset("cnn"), data, client=client, callbacks=[note], progress=False, **options)
            taken = next(iter(client.run(found).values()))
        steps = [1e3 * (b - a) for a, b in zip(ends[WARM_UP:-1], ends[WARM_UP + 1 :], strict=True)]
        parts = "".join(f"{statistics.median(taken[part][WARM_UP:]):14.2f}" for part in PARTS)
        print(f"{n:8}{statistics.median(steps):12.2f}{parts}")


if __name__ == "__main__":
    main()
