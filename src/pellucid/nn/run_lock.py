"""Who runs a model: one thread at a time, and during a training its thread alone."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from pellucid.errors import PellucidError

COPY = "work on a copy made before: copy.deepcopy(model)"


class RunLock:
    """Held by the thread that runs a model, since its layers write into arrays of their own: others wait.

    Structures inside a model, and models made of some of its layers, have the same.

    Examples
    --------
    >>> lock = RunLock()
    >>> with lock, lock:
    ...     "one thread may take it again"
    'one thread may take it again'
    """

    __slots__ = ("_lock", "_n_trainings", "_trainer")

    def __init__(self) -> None:
        self._lock, self._trainer, self._n_trainings = threading.RLock(), 0, 0

    def __reduce__(self) -> tuple[type, tuple[()]]:
        return RunLock, ()  # a copy of a model has arrays of its own

    def __enter__(self) -> None:
        self._lock.acquire()
        if self._trainer and self._trainer != threading.get_ident():
            self._lock.release()
            raise PellucidError(
                f"the model is being trained in another thread. Wait until that has ended, or {COPY}."
            )

    def __exit__(self, *error: object) -> None:
        self._lock.release()

    @contextmanager
    def training(self) -> Iterator[None]:
        """Let this thread alone run the model within the block.

        Raises
        ------
        PellucidError
            If another thread is running it, or training it.
        """
        if not self._lock.acquire(blocking=False):
            raise PellucidError(
                f"train: the model is in use by another thread. Wait until that has ended, or {COPY}."
            )
        try:
            with self:  # refuses a second training
                self._trainer, self._n_trainings = threading.get_ident(), self._n_trainings + 1
        finally:
            self._lock.release()
        try:
            yield
        finally:
            self._n_trainings -= 1
            if not self._n_trainings:
                self._trainer = 0
