"""Programs of compiled calls: in order, on all threads, between tasks, and from where they stopped."""

import time

import numpy as np
import pytest
from tests.every import every
from tests.test_threads import alarm

from pellucid.threads import Workers, pooled_workers
from pellucid.types import Array

pytest.importorskip("numba", reason="kernels are compiled by Numba, which is not installed")

from pellucid.kernels import waits
from pellucid.kernels.programs import CopyCall, address_of, copy_rows

ROWS, NUMBERS = 3, 1000


def copying(*pairs: tuple[Array, Array | None]) -> list[CopyCall]:
    """Return calls that copy arrays (or zeros) into others, one after another."""
    loop, calls = address_of(copy_rows), []
    for to, given in pairs:
        at, step = (0, 0) if given is None else (given.ctypes.data, given.strides[0])
        sizes = 1, len(to), to[0].nbytes, to.nbytes, to.strides[0], to.nbytes, step
        calls.append(CopyCall(*(loop, to.ctypes.data, at, *sizes)))
    return calls


def arrays() -> list[Array]:
    rng = np.random.default_rng(0)
    return [rng.random((ROWS, NUMBERS)) for _ in range(4)]


def test_rows_are_copied_and_set_to_zero() -> None:
    a, b, c, _ = arrays()
    whole = np.ones((ROWS, NUMBERS + 9))
    waits.Programs([copying((b, a), (c, None), (whole[:, 4:-5], a))]).play(None)
    np.testing.assert_array_equal(b, a)
    assert not c.any()
    np.testing.assert_array_equal(whole, np.pad(a, ((0, 0), (4, 5)), constant_values=1))


def test_what_one_thread_makes_the_other_reads_after_they_met() -> None:
    a, b, c, d = arrays()
    programs = waits.Programs([copying((b, a), (b, a), (d, c)), copying((d, a), (c, b), (a, b))], meet=True)
    seen: list[int] = []
    with Workers(2, waits.WAITS) as workers:
        for turn in range(30):
            a[...] = turn
            programs.play(workers)
            assert (c == turn).all()
            assert (d == turn).all()
            if turn % 7 == 0:
                workers.run(seen.append)
                time.sleep(0.01)  # they fall asleep
    assert sorted(seen) == [0] * 5 + [1] * 5


def test_programs_need_not_have_as_many_calls_where_nobody_meets() -> None:
    a, b, c, d = arrays()
    calls = [copying((b, a), (b, a), (b, a)), copying((d, c))]
    with Workers(2, waits.WAITS) as workers:
        for meet in (False, True, False):
            waits.Programs([own[:1] for own in calls] if meet else calls, meet=meet).play(workers)
    np.testing.assert_array_equal(b, a)
    np.testing.assert_array_equal(d, c)


def test_a_program_goes_on_where_it_stopped() -> None:
    a, b, c, _ = arrays()
    progress, counts = np.zeros((2, 2, waits.PROGRESS), np.int64)
    programs = waits.Programs([copying((b, a), (c, b))] * 2, meet=True)
    progress[:, : programs.rows.shape[1]] = programs.rows
    assert not waits.play(progress, counts, 0, 3)  # the other does not come
    assert (b == a).all()
    b[...] = 7  # is not written again
    assert not waits.play(progress, counts, 0, 3)
    assert (b == 7).all()
    counts[1, 0] = 2  # the other has met twice
    assert waits.play(progress, counts, 0, 3)
    assert (c == 7).all()


@every("is_late", [False, True])
def test_an_interrupt_ends_workers_that_play(is_late: bool) -> None:
    a, b, _, _ = arrays()
    calls = copying(*[(b, a)] * 100)
    programs = waits.Programs([calls, calls], meet=True)
    workers = Workers(2, waits.WAITS)

    def play_on() -> None:
        while True:
            programs.play(workers)
            time.sleep(0.01 * is_late)

    with pytest.raises(KeyboardInterrupt), alarm(0.2):
        play_on()
    workers.close()
    assert not workers._threads[0].is_alive()


def test_workers_stand_by_for_the_next() -> None:
    found = ["", ""]

    def note(i: int) -> None:
        found[i] = np.geterr()["over"]

    with pooled_workers(2, waits.WAITS) as workers, pooled_workers(2, waits.WAITS) as others:
        assert others is not workers  # at the same time: two pairs
    with pooled_workers(2, waits.WAITS) as first:
        pass
    with pooled_workers(2, waits.WAITS) as again:
        assert again is first
        for how in ("ignore", "raise"):
            with np.errstate(over=how):
                again.run(note)
            assert found == [how] * 2  # as it is now, not as it was when they began
        again.is_over = True
    with pooled_workers(2, waits.WAITS) as workers:
        assert workers is not again
        workers.run(note)
