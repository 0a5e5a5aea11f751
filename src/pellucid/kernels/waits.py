"""How threads wait for each other, and for programs of kernels: they look at counters, without the interpreter.

Who sleeps by a lock needs 50 to 200 microseconds to wake, as long as a convolution of one photo takes. And who
wakes while another holds the interpreter's lock sleeps again: so all but the first pause a little before they go
on, each longer than the one before, until that one is in its next kernel.
"""

import platform
from collections.abc import Sequence
from typing import Any

import numpy as np
from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

from pellucid.kernels.compiled import compiled
from pellucid.kernels.programs import ROW_BYTES, call, table_of
from pellucid.threads import (
    LATE,
    NOTHING,
    TASK,
    Waits,
    Workers,
)

BORROWED_FROM = ("programs.py",)
ADDRESS, CALLS, MEETING, DONE, MADE, MET = range(6)  # of a row of programs
_HAS_PAUSE = platform.machine().lower() in ("x86_64", "amd64")


@intrinsic
def _look(typing: Any, counts: Any, at: Any) -> Any:
    """Return counts[at], flat, as other threads have it by now."""

    def write(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array = context.make_array(signature.args[0])(context, builder, arguments[0])
        return builder.load_atomic(builder.gep(array.data, [arguments[1]]), "acquire", 8)

    return types.int64(counts, types.intp), write


@intrinsic
def _tell(typing: Any, counts: Any, at: Any, number: Any) -> Any:
    """counts[at] <- number, for other threads to see."""

    def write(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array = context.make_array(signature.args[0])(context, builder, arguments[0])
        builder.store_atomic(arguments[2], builder.gep(array.data, [arguments[1]]), "release", 8)
        return context.get_dummy_value()

    return types.none(counts, types.intp, types.int64), write


@intrinsic
def _pause(typing: Any) -> Any:
    """Do nothing for some tens of cycles, where there is such an instruction."""

    def write(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        if _HAS_PAUSE:
            kind = ir.FunctionType(ir.VoidType(), [])
            builder.call(cgutils.get_or_insert_function(builder.module, kind, "llvm.x86.sse2.pause"), [])
        return context.get_dummy_value()

    return types.none(), write


@compiled
def tell(counts: Any, i: int, number: int) -> None:
    """counts[i, 0] <- number, for other threads to see, after all that was written before."""
    _tell(counts, i * counts.shape[1], number)


@compiled
def meet(counts: Any, i: int, number: int, n_looks: int, n_pauses: int) -> bool:
    """counts[i, 0] <- number; return whether all rows have it after so many looks, and so many pauses then."""
    width = counts.shape[1]
    _tell(counts, i * width, number)
    for _ in range(n_looks):
        n_here = 0
        for j in range(len(counts)):
            n_here += _look(counts, j * width) >= number
        if n_here == len(counts):
            for _ in range(n_pauses):
                _pause()
            return True
        _pause()
    return False


@compiled
def wait_for(counts: Any, i: int, number: int, n_looks: int, n_pauses: int) -> bool:
    """Return whether counts[i, 0] is at least a number after so many looks, and so many pauses then."""
    for _ in range(n_looks):
        if _look(counts, i * counts.shape[1]) >= number:
            for _ in range(n_pauses):
                _pause()
            return True
        _pause()
    return False


@compiled
def play(progress: Any, counts: Any, i: int, n_looks: int) -> bool:
    """Make the calls of program i from where it stopped; return False where a thread is late for so many looks.

    A row of ``progress`` begins with one of :class:`Programs`.
    """
    own = progress[i]
    while own[DONE] < own[CALLS]:
        if not own[MADE]:
            call(own[ADDRESS] + own[DONE] * ROW_BYTES)
            own[MADE], own[MET] = 1, own[MET] + own[MEETING]
        if own[MEETING] and not meet(counts, i, own[MET], n_looks, 0):
            return False
        own[DONE], own[MADE] = own[DONE] + 1, 0
    return True


@compiled
def follow(
    ordered: Any, finished: Any, progress: Any, counts: Any, i: int, number: int, n_looks: int, n_pauses: int
) -> Any:
    """Play, as thread i, the programs that are ordered from a number on; return where it ended, and what is next.

    ``ordered`` has the number of the last order, and whether it is a program.
    """
    while wait_for(ordered, 0, number, n_looks, 0):
        if ordered[0, 1] == 0:
            for _ in range(n_pauses):
                _pause()
            return number, TASK
        if not play(progress, counts, i, n_looks):
            return number, LATE
        tell(finished, i, number)
        number += 1
    return number, NOTHING


PROGRESS = 16  # numbers of a thread's row: lines of the cache of its own
_NOBODY = np.zeros((1, PROGRESS), np.int64)
WAITS = Waits(meet, wait_for, tell, play, follow)


class Programs:
    """Calls that are written down once, a table for each thread, and made again and again.

    Parameters
    ----------
    calls : sequence of sequence of tuple
        For each thread its calls: :mod:`pellucid.kernels.programs`.
    keep : object
        What has the arrays whose addresses are in the calls: they stay as long as a thread may play.
    meet : bool
        Whether the threads wait for each other after each call: then they have as many.
    """

    def __init__(
        self, calls: Sequence[Sequence[tuple[int, ...]]], *, keep: Any = None, meet: bool = False
    ) -> None:
        self._keep = keep
        self.tables = [table_of(own) for own in calls]
        self.rows = np.array([[table.ctypes.data, len(table), meet, 0, 0] for table in self.tables])

    def play(self, workers: Workers | None) -> None:
        """Make the calls, each thread's on its own; without workers there is one."""
        if workers is None:
            progress = np.zeros((1, PROGRESS), np.int64)
            progress[:, : self.rows.shape[1]] = self.rows
            play(progress, _NOBODY, 0, 0)
        else:
            workers.play(self)
