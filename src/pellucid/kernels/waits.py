"""How threads wait for each other between kernels: they look at counters, without the interpreter's lock.

Who sleeps by a lock needs 50 to 200 microseconds to wake, as long as a convolution of one photo takes. And who
wakes while another holds the interpreter's lock sleeps again: so all but the first pause a little before they go
on, each longer than the one before, until that one is in its next kernel.
"""

import platform
from typing import Any

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

from pellucid.kernels.compiled import compiled
from pellucid.threads import Waits

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


WAITS = Waits(meet, wait_for)
