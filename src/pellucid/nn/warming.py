"""When predictions change over to compiled kernels: once a process has predicted enough; no call waits for it."""

import atexit
import threading
from collections.abc import Callable
from typing import Any, TypeVar

from pellucid import dispatch
from pellucid.threads import allowed_threads

WORTH = 5e10  # multiplications and additions, a second or two of NumPy's: from then on kernels are made ready
Result = TypeVar("Result")


class Cancelled(Exception):
    """The process ends: what is not compiled yet is left."""


class Warming:
    """How far a model's kernels for predictions are, in a process where no choice of kernels was made.

    Examples
    --------
    >>> warming = Warming()
    >>> warming.count(1e6, lambda: print("compiling")), warming.is_ready
    (None, False)
    """

    def __init__(self) -> None:
        self.n_operations, self.is_ready = 0.0, False
        self._thread: threading.Thread | None = None
        self._is_cancelled = False

    def __reduce__(self) -> tuple[type, tuple[()]]:
        return Warming, ()  # a copy of a model begins cold: it has other arrays

    def run(
        self, n_operations: float, rehearsal: Callable[[], Callable[[], Any]], predict: Callable[[], Result]
    ) -> Result:
        """Return what ``predict`` does, on kernels where they are ready and nothing else was chosen.

        Parameters
        ----------
        n_operations : float
            Of this prediction.
        rehearsal : callable
            Returns a function that predicts a few samples like these, for another thread.
        predict : callable
        """
        if not dispatch.is_open():
            return predict()
        if not self.is_ready:
            self.count(n_operations, rehearsal)
            return predict()
        with dispatch.use("numba"):
            return predict()

    def count(self, n_operations: float, rehearsal: Callable[[], Callable[[], Any]]) -> None:
        """Add to what was predicted; from ``WORTH`` on compile what predictions need, or read it, in a thread."""
        self.n_operations += n_operations
        if self.n_operations < WORTH or self._thread is not None or allowed_threads() < 2:
            return
        self._thread = threading.Thread(
            target=self._warm, args=(rehearsal(),), name="pellucid-warming", daemon=True
        )
        atexit.register(self._cancel)
        self._thread.start()

    def _warm(self, rehearse: Callable[[], Any]) -> None:
        try:
            with dispatch.use("numba"), dispatch.compiling(self._check), dispatch.giving_up():
                rehearse()
                self.is_ready = dispatch.current() == "numba"
        except Cancelled:
            pass

    def _check(self, stage: str, done: int, total: int) -> None:
        if self._is_cancelled and threading.current_thread() is self._thread:
            raise Cancelled

    def _cancel(self) -> None:
        """Wait for the kernel that is being compiled: a compiler must not outlive the process."""
        self._is_cancelled = True
        if self._thread is not None:
            self._thread.join()
