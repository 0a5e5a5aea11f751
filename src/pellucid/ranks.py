"""The processes of one training, called ranks, that ``mpiexec`` started, and what they say to one another.

Each runs the same program, so that each calls these functions in the same order. A process alone, which nearly
every one is, imports no MPI, and they return at once.
"""

import atexit
import os
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from math import inf
from typing import Any, NamedTuple, TypeVar

import numpy as np

from pellucid.blas_threads import limit_blas
from pellucid.errors import MissingExtraError, OptionError, PellucidError
from pellucid.launched import forget_launch, launched
from pellucid.text import first_line
from pellucid.threads import cut, is_child, is_side_by_side, limit_cores, own_cores
from pellucid.types import Array

Value = TypeVar("Value")
MEET_SECONDS = 2.0  # that a rank with an error waits whether all others have it, too
NAP_SECONDS = 0.01


class Done(Exception):
    """This rank has done its part of a command; the first rank alone goes on."""


class World(NamedTuple):
    """All ranks.

    Attributes
    ----------
    mpi : module
        ``mpi4py.MPI``.
    comm : mpi4py.MPI.Comm
        Of what a training sums.
    side : mpi4py.MPI.Comm
        Of meetings: a rank that waits there disturbs no sum.
    """

    mpi: Any
    comm: Any
    side: Any


_opened: list[World | None] = []  # once it has been looked for


def world() -> World | None:
    """Return all ranks; None in a process alone, in its children, and where trainings run side by side.

    Raises
    ------
    MissingExtraError
        If several were started, and mpi4py is missing.
    OptionError
        If mpi4py has another MPI than the one that started them.
    """
    if not _opened:
        n = launched()[1]
        _opened.append(_open(n) if n > 1 and not is_child() else None)
    return None if _opened[0] is None or is_side_by_side() else _opened[0]


def rank() -> int:
    """Return the number of this process among the ranks, 0 in a process alone: the one that prints and writes."""
    found = world()
    return 0 if found is None else int(found.comm.rank)


def n_ranks() -> int:
    """Return how many ranks there are."""
    found = world()
    return 1 if found is None else int(found.comm.size)


def part(m: int) -> slice:
    """Return which of m samples, or columns, are this rank's.

    Examples
    --------
    >>> part(5)
    slice(0, 5, None)
    """
    return cut(m, n_ranks())[rank()]


def all_sum(array: Array) -> Array:
    """Replace an array by the sum of all ranks' arrays, and return it."""
    if (found := world()) is not None:
        found.comm.Allreduce(found.mpi.IN_PLACE, array)
    return array


def most(number: int) -> int:
    """Return the largest of all ranks' numbers."""
    found = world()
    return number if found is None else int(found.comm.allreduce(number, found.mpi.MAX))


def of_all(value: Value) -> list[Value]:
    """Return the values of all ranks, in their order."""
    found = world()
    return [value] if found is None else found.comm.allgather(value)


def meet(seconds: float = inf, *, is_leaving: bool = False) -> bool:
    """Wait, without a core, until all ranks are here; return False if some are not within the time.

    A rank that is leaving, since its program ends, waits until all are.
    """
    if (found := world()) is None:
        return True
    until = time.monotonic() + seconds
    while True:
        are_leaving = np.array([int(is_leaving)])
        everyone = found.side.Iallreduce(found.mpi.IN_PLACE, are_leaving, found.mpi.MIN)
        while not everyone.Test():
            if time.monotonic() > until:
                return False
            time.sleep(NAP_SECONDS)
        if are_leaving[0] >= is_leaving:
            return True


@contextmanager
def together() -> Iterator[None]:
    """Raise an error of this block where all ranks raise one; else end all: the others would wait for ever."""
    try:
        yield
    except Done:
        raise
    except BaseException as error:
        if world() is not None and not meet(MEET_SECONDS):
            end_all(error)
        raise


def end_all(error: BaseException) -> None:
    """Write, as this rank, which error it has, and end all ranks."""
    words = next(iter(str(error).splitlines()), "") or type(error).__name__
    if not isinstance(error, PellucidError | OSError | MemoryError | KeyboardInterrupt):
        traceback.print_exception(error, file=sys.__stderr__)  # a fault of the program
        words = f"{type(error).__name__}: {words}"
    abort(f"pellucid: rank {rank()}: {words}")


def abort(line: str, code: int = 1) -> None:
    """Write a line to stderr, and end all ranks."""
    sys.stderr.flush()
    if line:
        os.write(2, f"{line}\n".encode(errors="replace"))
    if (found := world()) is not None:
        with open(os.devnull, "wb") as nothing:
            os.dup2(nothing.fileno(), 2)  # MPI has words of its own
        found.comm.Abort(code)


def _open(n: int) -> World:
    """Return the n ranks that were started, with this one's share of the machine's cores."""
    try:
        from mpi4py import MPI
    except (ImportError, RuntimeError) as error:
        raise MissingExtraError(
            f"mpiexec started {n} processes, and this Python has no mpi4py that works ({first_line(error)}). Try "
            "pip install 'pellucid[mpi]', or start one process."
        ) from None
    if MPI.COMM_WORLD.size != n:
        raise OptionError(
            f"mpiexec started {n} processes, and mpi4py's MPI ({first_line(Exception(MPI.Get_library_version()))}) "
            f"sees {MPI.COMM_WORLD.size}: they are of different MPIs. Take the mpiexec of that one."
        )
    comm = MPI.COMM_WORLD.Dup()
    forget_launch()
    here = comm.Split_type(MPI.COMM_TYPE_SHARED)
    cores = set().union(*here.allgather(own_cores()))
    share = max(1, len(cores) // here.size)
    limit_cores(share)
    limit_blas(share)
    atexit.register(meet, is_leaving=True)  # in MPI's own end, ranks wait with a core each
    sys.excepthook = partial(_hook, sys.excepthook)
    return World(MPI, comm, comm.Dup())


def _hook(before: Callable[..., Any], kind: Any, error: Any, trace: Any) -> None:
    """Show an error that ends the program, once where all ranks have it; else end all ranks."""
    are_all_here = meet(MEET_SECONDS)
    if not are_all_here or rank() == 0:
        before(kind, error, trace)
    if not are_all_here:
        abort("")


def _leave() -> None:
    """Have a forked child be a process alone."""
    _opened[:] = [None]


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_leave)
