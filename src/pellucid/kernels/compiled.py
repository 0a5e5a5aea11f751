"""The compiler of the kernels, Numba: it is imported with the first of them, never before.

A kernel is a plain function of loops over arrays. ``@compiled`` makes machine code of it at its first call for each
combination of dtypes, and keeps that on disk for the next process. It runs without the interpreter's lock, so that
threads work side by side.
"""

import gc
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import numba
from numba import extending
from numba.core import event
from numba.core.compiler_lock import global_compiler_lock

from pellucid.kernels import LOWEST_NUMBA
from pellucid.kernels.disk_cache import careful
from pellucid.progress import ProgressCallback

Function = TypeVar("Function", bound=Callable[..., Any])

if tuple(map(int, numba.__version__.split(".")[:2])) < LOWEST_NUMBA:
    raise ImportError(
        f"numba {numba.__version__} is too old: {'.'.join(map(str, LOWEST_NUMBA))} is the lowest"
    )

# Sums may be reordered and fused with products. Without nnan and ninf: NaN and infinity come through.
FREEDOM = {"reassoc", "contract", "nsz", "arcp", "afn"}
OPTIONS: dict[str, Any] = {
    "nogil": True,
    "cache": True,
    "no_cfunc_wrapper": True,  # for callers in C, of which there are none
    "error_model": "numpy",  # a division by zero gives infinity: a loop that might raise is not vectorized
}


def compiled(kernel: Function) -> Function:
    """Compile a kernel at its first call.

    Sizes that its inner loops run over are best constants: make the kernel within a function of them, which is kept
    under ``functools.lru_cache``. What a kernel calls stands in its own file, maths.py or rows.py, as a global, or
    the copies on disk do not notice when it changes.
    """
    return careful(numba.njit(fastmath=FREEDOM, **OPTIONS)(kernel))


def inlined(function: Function) -> Function:
    """Make a function, of numbers or of arrays, part of each kernel that calls it; its sums keep their order."""
    options = {"fastmath": {"contract", "nsz"}, "error_model": "numpy", "forceinline": True}
    return extending.register_jitable(**options)(function)


def copied(function: Function) -> Function:
    """Copy a short function's statements into each kernel that calls it: nothing is compiled for it alone."""
    return numba.njit(inline="always", fastmath=FREEDOM, error_model="numpy")(function)


def compiled_on_threads(kernel: Function) -> Function:
    """Compile a kernel whose ``numba.prange`` loops are split over threads. It takes several seconds: few of them.

    Never call one in a forked child or from two threads at once.
    """
    return careful(numba.njit(fastmath=FREEDOM, parallel=True, **OPTIONS)(kernel))


@contextmanager
def reporting(progress: ProgressCallback) -> Iterator[None]:
    """Report the kernels that are compiled inside this block, by any thread.

    A compiler makes many objects that stay: to look among them for those in circles takes a tenth of its time.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        with event.install_listener("numba:compile", _Report(progress)):
            yield
    finally:
        if was_enabled:
            gc.enable()


class _Report(event.Listener):
    def __init__(self, progress: ProgressCallback) -> None:
        self.progress, self.n_done = progress, 0

    def on_start(self, event: Any) -> None:
        self.progress("compiling kernels", self.n_done, 0)

    def on_end(self, event: Any) -> None:
        self.n_done += 1
        self.progress("compiling kernels", self.n_done, 0)


@compiled
def _probe() -> int:
    """0. Where no folder for compiled code can be written, Numba says so here, before any work."""
    return 0


# A child that is forked while a thread compiles must not find the lock taken.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=global_compiler_lock.acquire,
        after_in_parent=global_compiler_lock.release,
        after_in_child=global_compiler_lock.release,
    )
