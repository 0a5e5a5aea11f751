"""Many trainings: one rule for what is kept after Ctrl-C or a loss of workers, and for what fails."""

from collections.abc import Iterator
from typing import Any

import pytest

from pellucid.errors import OptionError
from pellucid.parallel import JobsLost, jobs_run_by
from pellucid.runs.candidates import Candidate
from pellucid.runs.train_many import TrainingJob, Trainings, train_all, train_many


def square(job: int) -> int:
    return job * job


def is_enough(done: dict[int, int]) -> bool:
    return len(done) > 1


def test_after_ctrl_c_what_is_done_is_kept_where_it_is_enough() -> None:
    def press_at(last: int) -> Any:
        def on_done(n: int, job: int, result: int) -> None:
            if n == last:
                raise KeyboardInterrupt

        return on_done

    assert train_many(square, [3, 1, 2], on_done=press_at(2), is_enough=is_enough) == {3: 9, 1: 1}
    for options in ({"on_done": press_at(1), "is_enough": is_enough}, {"on_done": press_at(2)}):
        with pytest.raises(KeyboardInterrupt):
            train_many(square, [3, 1, 2], **options)


def test_where_workers_are_lost_what_is_done_is_kept_with_a_warning() -> None:
    def losing(function: Any, shared: Any, jobs: Any) -> Iterator[tuple[Any, Any]]:
        yield from ((job, function(shared, job)) for job in jobs[:2])
        raise JobsLost("a process ended.")

    with jobs_run_by(losing):  # type: ignore[arg-type]
        with pytest.warns(RuntimeWarning, match=r"a process ended\. What was finished is kept"):
            assert train_many(square, [3, 1, 2], is_enough=is_enough) == {3: 9, 1: 1}
        with pytest.raises(JobsLost):
            train_many(square, [3, 1, 2])


def test_what_is_raised_on_the_way_ends_the_rest() -> None:
    done: list[int] = []

    def refuse(n: int, job: int, result: int) -> None:
        done.append(job)
        raise OptionError("no.")

    with pytest.raises(OptionError):
        train_many(square, [3, 1, 2], on_done=refuse, is_enough=lambda done: True)
    assert done == [3]


class Named(Trainings):
    def ready(self, n_trainings: int) -> "Named":
        return self

    def __call__(self, job: TrainingJob) -> str:
        return f"{job.candidate}{job.seed}"


def test_a_seed_counts_where_it_is_done_for_every_candidate() -> None:
    def press_at_5(n: int, job: TrainingJob, result: str) -> None:
        if n == 5:
            raise KeyboardInterrupt

    two: Any = [Candidate("A", "mlp"), Candidate("B", "mlp")], None, None
    options: dict[str, Any] = {"seed": 7, "on_done": press_at_5}
    assert train_all(Named(*two), 3, **options, least=2) == {7: ("07", "17"), 8: ("08", "18")}
    with pytest.raises(KeyboardInterrupt):
        train_all(Named(*two), 3, **options, least=3)
