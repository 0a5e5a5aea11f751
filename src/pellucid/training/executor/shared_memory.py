"""Arrays, counters and messages in memory that a process shares with those that it forks."""

import math
import mmap
import os
import pickle
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from pellucid.types import Array, Shape

LOOKS = 2_000  # at a counter, one after another, before others may have the core: about 0.1 ms
YIELD_SECONDS = 0.002  # for which a core is offered to others between looks; then there are naps
NAP_SECONDS = 0.001  # the longest
MESSAGE_BYTES = 65_536
APART = 8  # numbers of 8 bytes in a line of the cache: no two processes write into the same


class WorkerLost(Exception):
    """Whoever was waited for will not come."""


class _Memory(mmap.mmap):
    """Told apart from files that are mapped, which others may not see change."""


def shared_array(shape: Shape, dtype: Any) -> Array:
    """Return an array of zeros that processes forked later share with this one.

    Examples
    --------
    >>> shared_array((2, 3), np.float32).sum()
    np.float32(0.0)
    """
    size = math.prod(shape)
    memory = _Memory(-1, max(1, size * np.dtype(dtype).itemsize))
    return np.frombuffer(memory, dtype, size).reshape(shape)


def is_shared(array: Array) -> bool:
    """Return whether an array lies in memory that ``shared_array`` made.

    Examples
    --------
    >>> is_shared(shared_array((2, 3), np.float32)[1:]), is_shared(np.zeros(2))
    (True, False)
    """
    base: Any = array
    while isinstance(base, np.ndarray):
        base = base.base
    return isinstance(base.obj if isinstance(base, memoryview) else base, _Memory)


def shared_copy(array: Array) -> Array:
    """Return a copy that processes forked later share with this one."""
    copy = shared_array(array.shape, array.dtype)
    copy[...] = array
    return copy


class Counters:
    """Numbers that only grow: each is written by one process, and looked at by others until it is high enough.

    Waking a process that sleeps takes longer than a small step, so that who waits looks again and again; after a
    while between naps. What was written before a counter grew is seen by who saw it grow: x86 keeps the order of
    stores (which is why :data:`pellucid.training.executor.process_shards.CAN_FORK` asks for one).

    Parameters
    ----------
    n : int
    check : callable
        Called between naps; raises :class:`WorkerLost` where waiting has become vain.

    Examples
    --------
    >>> counters = Counters(2, check=lambda: None)
    >>> counters.add(1)
    >>> counters.wait(1, 1)
    """

    def __init__(self, n: int, check: Callable[[], None]) -> None:
        self._counts = memoryview(mmap.mmap(-1, 8 * APART * n)).cast("q")
        self.check = check

    def add(self, i: int) -> None:
        """Let a counter of this process's own grow by one."""
        self._counts[i * APART] += 1

    def wait(self, i: int, value: int) -> None:
        """Return when a counter has come to a value."""
        counts, at = self._counts, i * APART
        for _ in range(LOOKS):
            if counts[at] >= value:
                return
        started = time.monotonic()
        while counts[at] < value:
            waited = time.monotonic() - started
            if waited < YIELD_SECONDS:
                os.sched_yield()
            else:
                self.check()
                time.sleep(min(waited / 20, NAP_SECONDS))


class Mailbox:
    """One message for all, written by one process and read by the others.

    Examples
    --------
    >>> letter = Mailbox()
    >>> letter.write("step", {"rate": 0.1})
    >>> letter.read()
    ('step', {'rate': 0.1})
    """

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, MESSAGE_BYTES)

    def write(self, *message: Any) -> None:
        """Put a message in the place of the last one; it is small, and can be pickled."""
        self._memory.seek(0)
        self._memory.write(pickle.dumps(message, pickle.HIGHEST_PROTOCOL))

    def read(self) -> tuple[Any, ...]:
        """Return the message."""
        message: tuple[Any, ...] = pickle.loads(memoryview(self._memory))
        return message
