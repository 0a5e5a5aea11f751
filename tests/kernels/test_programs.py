"""Programs of compiled calls: in order, on all threads, between tasks, and from where they stopped."""

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from tests.every import every

from pellucid.threads import Program, Workers, programs_of
from pellucid.types import Array

pytest.importorskip("numba", reason="kernels are compiled by Numba, which is not installed")

from pellucid.kernels import waits
from pellucid.kernels.programs import CopyCall, address_of, copy_rows, table_of

ROWS, NUMBERS = 3, 1000


def copying(pairs: list[tuple[Array, Array | None]]) -> Array:
    """Return a program that copies arrays (or zeros) into others, one after another."""
    loop = address_of(copy_rows)
    return table_of(
        [
            CopyCall(
                loop, to.ctypes.data, 0 if given is None else given.ctypes.data, 1, len(to), to[0].nbytes,
                to.nbytes, to.strides[0], to.nbytes, 0 if given is None else given.strides[0],
            )
            for to, given in pairs
        ]
    )  # fmt: skip


def arrays() -> list[Array]:
    rng = np.random.default_rng(0)
    return [rng.random((ROWS, NUMBERS)) for _ in range(4)]


def test_rows_are_copied_and_set_to_zero() -> None:
    a, b, c, _ = arrays()
    whole = np.ones((ROWS, NUMBERS + 9))
    table = copying([(b, a), (c, None), (whole[:, 4:-5], a)])
    waits.play_one(programs_of([Program(table.ctypes.data, len(table))], meet=False))
    np.testing.assert_array_equal(b, a)
    assert not c.any()
    np.testing.assert_array_equal(whole, np.pad(a, ((0, 0), (4, 5)), constant_values=1))


def ways() -> list[tuple[str, Callable[[], Workers], Callable[[Workers, Any], None]]]:
    return [
        ("locks", lambda: Workers(2), lambda workers, programs: waits.play_together(programs, workers)),
        ("looks", lambda: Workers(2, waits.WAITS), Workers.play),
    ]


@every(("how", "start", "play"), ways())
def test_what_one_thread_makes_the_other_reads_after_they_met(how: str, start: Any, play: Any) -> None:
    a, b, c, d = arrays()
    tables = [copying([(b, a), (b, a), (d, c)]), copying([(d, a), (c, b), (a, b)])]
    programs = programs_of([Program(table.ctypes.data, len(table)) for table in tables], meet=True)
    seen: list[int] = []
    with start() as workers:
        for turn in range(30):
            a[...] = turn
            play(workers, programs)
            assert (c == turn).all()
            assert (d == turn).all()
            if turn % 7 == 0:
                workers.run(seen.append)
                time.sleep(0.01)  # they fall asleep
    assert sorted(seen) == [0] * 5 + [1] * 5


def test_programs_need_not_have_as_many_calls_where_nobody_meets() -> None:
    a, b, c, d = arrays()
    tables = [copying([(b, a)] * 3), copying([(d, c)])]
    with Workers(2, waits.WAITS) as workers:
        for meet in (False, True, False):
            given = [table[:1] for table in tables] if meet else tables
            workers.play(programs_of([Program(t.ctypes.data, len(t)) for t in given], meet=meet))
    np.testing.assert_array_equal(b, a)
    np.testing.assert_array_equal(d, c)


def test_a_program_goes_on_where_it_stopped() -> None:
    a, b, c, _ = arrays()
    tables = [copying([(b, a), (c, b)])] * 2
    progress, counts = np.zeros((2, 2, 16), np.int64)
    programs = programs_of([Program(table.ctypes.data, len(table)) for table in tables], meet=True)
    progress[:, : programs.shape[1]] = programs
    assert not waits.play(progress, counts, 0, 3)  # the other does not come
    assert (b == a).all()
    b[...] = 7  # is not written again
    assert not waits.play(progress, counts, 0, 3)
    assert (b == 7).all()
    counts[1, 0] = 2  # the other has met twice
    assert waits.play(progress, counts, 0, 3)
    assert (c == 7).all()
