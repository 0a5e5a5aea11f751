"""How many threads BLAS may use: a limit of the whole process."""

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Hold BLAS to one thread in this block, in all threads: the limit is the process's."""
    _BLAS.hold()
    try:
        yield
    finally:
        _BLAS.release()


def limit_blas(n: int) -> None:
    """Hold BLAS to n threads for good, where it has more."""
    _let_this_thread_set_limits()
    for library in _libraries("scipy.linalg.cython_blas" in sys.modules).lib_controllers:
        if library.user_api == "blas" and library.num_threads > n:
            library.set_num_threads(n)


class BlasLimit:
    """The limit of BLAS's threads, from the first that asks for it to the last that no longer needs it.

    If each block put back what it found, two that overlap would leave BLAS with one thread for good.
    """

    def __init__(self) -> None:
        self._n, self._limits = 0, dict[bool, Any]()
        self.renew_lock()

    def renew_lock(self) -> None:
        """Make the lock again: in a forked child, a thread that is not there may hold it."""
        self._lock = threading.Lock()

    def hold(self) -> None:
        """Begin to need the limit."""
        has_scipy = "scipy.linalg.cython_blas" in sys.modules
        with self._lock:
            if has_scipy not in self._limits:
                _let_this_thread_set_limits()
                self._limits[has_scipy] = _libraries(has_scipy).limit(limits=1, user_api="blas")
            self._n += 1

    def release(self) -> None:
        """No longer need it."""
        with self._lock:
            self._n -= 1
            _let_this_thread_set_limits()
            while not self._n and self._limits:
                self._limits.popitem()[1].restore_original_limits()  # the last first


def _let_this_thread_set_limits() -> None:
    """Have threadpoolctl obey this thread: from 3.7 on it ignores all but the first that limited OpenBLAS."""
    import threadpoolctl

    forget = getattr(threadpoolctl.OpenBLASController, "clear_controlling_thread", None)
    if forget is not None:
        forget(force=True)


_BLAS = BlasLimit()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_BLAS.renew_lock)


@lru_cache
def _libraries(has_scipy: bool) -> Any:
    """Return what limits the threads of libraries: found once, which takes longer than a short training.

    Parameters
    ----------
    has_scipy : bool
        Whether SciPy's BLAS has been loaded, another one than NumPy's.
    """
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()
