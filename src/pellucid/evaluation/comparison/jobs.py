"""Many trainings of each candidate, side by side."""

import warnings
from collections.abc import Callable, Iterable
from contextlib import closing
from typing import Any, TypeVar

from pellucid.parallel import JobsLost, run_jobs

Result = TypeVar("Result")


def run_for_each(
    function: Callable[[Any, tuple[int, int]], Result],
    task: Any,
    numbers: Iterable[int],
    n_candidates: int,
    *,
    n_jobs: int,
    on_threads: bool,
    least: int,
    show: Callable[[int, int, Result], None],
) -> dict[int, tuple[Result, ...]]:
    """Return ``function(task, (number, candidate))`` for each number, one result a candidate.

    Parameters
    ----------
    function : callable
    task : object
        What all jobs share.
    numbers : iterable of int
        Of folds, or seeds.
    n_candidates : int
    n_jobs : int
        How many at the same time.
    on_threads : bool
        As for :func:`pellucid.parallel.run_jobs`.
    least : int
        After Ctrl-C, or where those who did the jobs are gone, which is warned of: the numbers that are done for
        every candidate are returned, if there are at least this many.
    show : callable
        Called with the number of jobs done, of all, and the last result.
    """
    jobs = [(number, candidate) for number in numbers for candidate in range(n_candidates)]
    done: dict[tuple[int, int], Result] = {}
    stopped_by: BaseException | None = None
    try:
        with closing(run_jobs(function, task, jobs, n_jobs=n_jobs, on_threads=on_threads)) as results:
            for job, result in results:
                done[job] = result
                show(len(done), len(jobs), result)
    except (KeyboardInterrupt, JobsLost) as error:
        stopped_by = error
    rows = {
        number: tuple(done[number, candidate] for candidate in range(n_candidates))
        for number in dict.fromkeys(number for number, _ in jobs)
        if all((number, candidate) in done for candidate in range(n_candidates))
    }
    if stopped_by is not None and len(rows) < least:
        raise stopped_by
    if isinstance(stopped_by, JobsLost):
        warnings.warn(f"{stopped_by} What was finished is kept.", RuntimeWarning, stacklevel=2)
    return rows
