"""Waiting for tasks on a cluster, for as long as it has workers to do them."""

import time
from collections.abc import Iterable
from typing import Any

from pellucid.distributed import cluster
from pellucid.distributed.cluster import ClusterError

LOOK_SECONDS = 2.0  # between looks at whether there are workers
NAP_SECONDS = 0.02  # the longest between looks at whether a task is done


class Tasks:
    """Tasks that run, handed out as they finish, whether well or not.

    Parameters
    ----------
    client : distributed.Client
    futures : iterable of distributed.Future, optional
    """

    def __init__(self, client: Any, futures: Iterable[Any] = ()) -> None:
        from distributed import as_completed

        self.client, self._running = client, as_completed(loop=client.loop)
        self.add(futures)

    def add(self, futures: Iterable[Any]) -> None:
        """Wait for these too."""
        self._running.update(list(futures))

    def next(self) -> Any:
        """Return the next that has finished.

        Raises
        ------
        ClusterError
            If the cluster has had no worker for half a minute, or its scheduler is lost.
        """
        nap, look, last_seen = 1e-3, time.monotonic() + LOOK_SECONDS, time.monotonic()
        while not self._running.has_ready():
            time.sleep(nap)
            nap = min(2 * nap, NAP_SECONDS)
            now = time.monotonic()
            if now >= look:
                look = now + LOOK_SECONDS
                last_seen = now if n_workers(self.client) else last_seen
                if now - last_seen >= cluster.WORKERS_SECONDS:
                    raise ClusterError("cluster: no worker is left. Start some, and begin again.")
        future = next(self._running)
        if future.status not in ("finished", "error", "cancelled"):  # lost with its worker, and made anew
            self.add([future])
            return self.next()
        return future


def n_workers(client: Any) -> int:
    """Return how many workers a client's cluster has.

    Raises
    ------
    ClusterError
        If the client is closed, or its scheduler does not answer.
    """
    try:
        return len(client.nthreads())
    except Exception:  # of a closed client, or of a connection
        raise ClusterError(
            "cluster: its scheduler does not answer, or the client is closed. Connect to it again."
        ) from None
