"""A value that each worker of a cluster has once, those that join later too."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from typing import Any

from pellucid.dispatch import asked, use

_KEPT: dict[str, Any] = {}  # in a worker's process


@contextmanager
def kept_by_workers(client: Any, value: Any) -> Iterator[str]:
    """Send a value to each worker, and yield the key under which tasks find it there, by :func:`kept`.

    Parameters
    ----------
    client : distributed.Client
    value : object
        Anything that can be pickled: it is sent once to each worker, and to one that joins or comes back before its
        first task.
    """
    from distributed import WorkerPlugin

    class Keep(WorkerPlugin):  # type: ignore[misc, unused-ignore] # in a function, it is sent itself
        def __init__(self, key: str, value: Any) -> None:
            self.name, self.value = key, value

        def setup(self, worker: Any) -> None:
            from pellucid.distributed.kept import _KEPT

            _KEPT[self.name] = self.value

        def teardown(self, worker: Any) -> None:
            from pellucid.distributed.kept import _KEPT

            _KEPT.pop(self.name, None)

    key = f"pellucid-{uuid.uuid4().hex}"
    client.register_plugin(Keep(key, (value, asked(None))), name=key)
    try:
        yield key
    finally:
        if client.status == "running":
            with suppress(Exception):  # the cluster may be going down
                client.unregister_worker_plugin(key)


@contextmanager
def kept(key: str) -> Iterator[Any]:
    """Give, in a task, the value of a key; the block runs the kernels that were chosen where it was sent."""
    value, kernels = _KEPT[key]
    with nullcontext() if kernels == "auto" else use(kernels):
        yield value
