"""The dual form's products on one worker of a Dask cluster and on more, against one process.

    python -m benchmarks.cluster_gram [--photos 3000] [--side 64] [--workers 1 2] [--repeat 3]    two minutes

Random photos lie in shards on the workers, each a process with one thread. What is timed are the Gram matrix with
X W_0, and X^T D: what a training in the dual form computes of its samples, however many steps it has. The numbers
of workers take turns, and so does one process with BLAS on one thread; the best time of each counts. Bytes are what
workers sent to one another and to the client, beside what :mod:`pellucid.distributed.gram` says of it.
"""

import argparse
import time
from contextlib import ExitStack
from typing import Any

import numpy as np
from benchmarks.harness import machine
from threadpoolctl import threadpool_limits

from pellucid.data.preprocess import Preprocessing
from pellucid.distributed import open_cluster
from pellucid.distributed.factors import factors_of
from pellucid.distributed.gram import ClusterRows
from pellucid.training.dual.rows import SlicedRows
from pellucid.types import Array

SHARDS_EACH = 4  # of a worker, as in a training


def sent(dask_worker: Any = None) -> int:
    """Return the bytes that a worker has sent to others and to clients."""
    n: int = dask_worker.transfer_outgoing_bytes_total
    return n


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--photos", type=int, default=3000)
    parser.add_argument("--side", type=int, default=64, help="pixels")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--repeat", type=int, default=3)
    options = parser.parse_args()
    print(machine("dask", "distributed"))
    m, n_out = options.photos, 20
    rng = np.random.default_rng(0)
    X = rng.integers(0, 256, (m, options.side, options.side, 3), dtype=np.uint8)
    n_in = X[0].size
    W_0, D, rule = rng.normal(size=(n_in, n_out)), rng.normal(size=(m, n_out)), Preprocessing.for_data(X)
    print(
        f"{m:,} photos of {n_in:,} bytes, {X.nbytes / 1e6:.0f} MB; {n_out} units; {SHARDS_EACH} shards a worker"
    )

    def alone() -> tuple[Array, Array, Array]:
        rows = SlicedRows(rule.apply(X, "float64"))
        return *rows.first_products(W_0), rows.transposed_product(D)

    def on(rows: ClusterRows) -> tuple[Array, Array, Array]:
        return *rows.first_products(W_0), rows.transposed_product(D)

    with ExitStack() as stack:
        rows = {}
        for n in options.workers:
            client = stack.enter_context(open_cluster(n_workers=n))
            training = factors_of(X, client, SHARDS_EACH * n, rule=rule, dtype="float64")
            rows[n] = ClusterRows(client, training, [], lambda some: X[some])
        seconds: dict[int, list[float]] = {0: [], **{n: [] for n in rows}}
        found: dict[int, Any] = {}
        for _ in range(options.repeat):
            for n in seconds:
                before = sum(rows[n].client.run(sent).values()) if n else 0
                start = time.perf_counter()
                with threadpool_limits(1, "blas"):
                    now = on(rows[n]) if n else alone()
                seconds[n].append(time.perf_counter() - start)
                if n and n in found:
                    same = all(np.array_equal(a, b) for a, b in zip(now, found[n], strict=True))
                    print(f"{n} workers again: {'the same bits' if same else 'OTHER BITS'}")
                found[n] = now
                if n:
                    moved = sum(rows[n].client.run(sent).values()) - before
                    between = (n - 1) * (X.nbytes + 2 * W_0.nbytes)
                    to_client = 4 * m * m * (1 + 1 / SHARDS_EACH / n) + W_0.nbytes + D.nbytes
                    print(
                        f"{n} workers sent {moved / 1e6:.0f} MB; expected: {between / 1e6:.0f} MB to one another, "
                        f"{to_client / 1e6:.0f} MB to the client"
                    )
    best = {n: min(each) for n, each in seconds.items()}
    print(f"one process, one thread: {best[0]:.2f} s")
    for n in rows:
        off = max(abs(a - b).max() / abs(b).max() for a, b in zip(found[n], found[0], strict=True))
        print(
            f"{n} workers: {best[n]:.2f} s, {best[0] / best[n]:.2f} times as fast; differs by {off:.1e} at most"
        )


if __name__ == "__main__":
    main()
