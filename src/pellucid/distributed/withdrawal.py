"""One job on a worker of the cluster, which ends early where it is withdrawn."""

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

from pellucid import dispatch
from pellucid.job_threads import Stopped, stopped_by


def withdrawn() -> Callable[[], bool]:
    """Return what says whether the job of this thread was withdrawn, as the worker knows."""
    from distributed import get_worker

    worker = get_worker()
    tasks, key = worker.state.tasks, worker.get_current_task()

    def is_withdrawn() -> bool:
        task = tasks.get(key)
        return task is None or task.state == "cancelled"

    return is_withdrawn


def do_job(function: Callable[[Any, Any], Any], shared: Any, job: Any, kernels: str | None) -> Any:
    """Do a job on a worker, by the kernels that the command was asked for."""
    with nullcontext() if kernels is None else dispatch.use(kernels), stopped_by(withdrawn()):
        try:
            return function(shared, job)
        except Stopped:
            return None
