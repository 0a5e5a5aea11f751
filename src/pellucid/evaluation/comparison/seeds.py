"""Use case: the seed lottery. The same network, trained from many starts: how much of its score is luck?"""

import hashlib
from collections.abc import Callable, Sequence
from contextlib import closing
from typing import NamedTuple

from pellucid.data.dataset import Split
from pellucid.errors import OptionError, PellucidError, TrainingError
from pellucid.evaluation.comparison.candidates import (
    Candidate,
    answers,
    check_beginning,
    check_labels,
    check_untrained,
    noun_for,
    train_candidate,
)
from pellucid.evaluation.comparison.seed_records import Draws, Lottery, Start
from pellucid.evaluation.scores.confusion import confusion_matrix
from pellucid.parallel import run_jobs


class _Task(NamedTuple):
    """What every start needs; given to each process once."""

    split: Split
    candidates: Sequence[Candidate]
    threads: int


def seed_lottery(
    split: Split,
    candidates: Sequence[Candidate],
    n_seeds: int,
    *,
    first_seed: int = 1,
    n_jobs: int = 1,
    progress: Callable[[int, Start], None] = lambda which, start: None,
) -> Lottery:
    """Train each candidate from many starts and test what comes out.

    Parameters
    ----------
    split : Split
        Every start is trained on the training part and tested on the test part.
    candidates : sequence of Candidate
        One or two, none trained already.
    n_seeds : int, at least 2
        Starts of each, from ``first_seed`` on.
    n_jobs : int, optional
        Processes. Each start gives the same network bit for bit as ``train(..., seed=seed)`` alone does (with BLAS
        held to one thread, and one thread where the recipe leaves them open), however many there are.
    tell : callable, optional
        Told the number of the candidate and what came of a start, when it is there.

    Returns
    -------
    Lottery
        After Ctrl-C, with those seeds that are done for every candidate.

    Raises
    ------
    OptionError, DataError
        If a candidate is a trained model, or fits the data not at all.
    TrainingError
        If every start of a candidate breaks.

    Notes
    -----
    A network that begins from the tutorial's published start would begin every time from the same; here it draws
    from ``numpy.random.RandomState(seed)``, as the tutorial would with another number in ``np.random.seed(1)``.
    """
    _check(split, candidates, n_seeds, first_seed)
    jobs = [
        (seed, which) for seed in range(first_seed, first_seed + n_seeds) for which in range(len(candidates))
    ]
    threads = 1
    done: dict[tuple[int, int], Start] = {}
    try:
        task = _Task(split, candidates, threads)
        with closing(run_jobs(_one_start, task, jobs, n_jobs=n_jobs)) as results:
            for job, start in results:
                done[job] = start
                progress(job[1], start)
    except KeyboardInterrupt:
        if not any(all((seed, which) in done for which in range(len(candidates))) for seed, _ in jobs):
            raise
    seeds = [
        seed
        for seed, which in jobs
        if which == 0 and (seed, len(candidates) - 1) in done and (seed, 0) in done
    ]
    draws = tuple(
        Draws(candidate.letter, candidate.source, tuple(done[seed, which] for seed in seeds))
        for which, candidate in enumerate(candidates)
    )
    for drawn in draws:
        if not len(drawn.accuracies):
            raise TrainingError(
                f"{drawn.letter} ({drawn.source}): every start broke. {drawn.starts[0].fault}"
            )
    guess = confusion_matrix(split.test.y, split.test.y, split.classes)
    return Lottery(
        data=split.name,
        things=noun_for(split.test),
        n_test=len(split.test),
        baseline=guess.baseline,
        most_common=guess.majority_class,
        n_seeds=n_seeds,
        is_published=split.name == "catvnoncat",
        draws=draws,
    )


def _check(split: Split, candidates: Sequence[Candidate], n_seeds: int, first_seed: int) -> None:
    if n_seeds < 2:
        raise OptionError(
            f"--seeds: expected 2 starts or more, got {n_seeds}. One start has no spread; try 100."
        )
    if not 0 <= first_seed <= 2**32 - n_seeds:
        raise OptionError(f"--seed: expected a whole number from 0 to {2**32 - n_seeds}, got {first_seed}.")
    check_untrained(candidates, "--seeds", "its start cannot be drawn again")
    check_labels(split)
    for candidate in candidates:
        check_beginning(candidate, split)


def _one_start(task: _Task, job: tuple[int, int]) -> Start:
    seed, which = job
    candidate = task.candidates[which]
    try:
        model, history = train_candidate(
            candidate, task.split, seed=seed, threads=task.threads, draws_start=True
        )
        predicted = answers(candidate, model, task.split.test)
    except PellucidError as error:
        return Start(seed, None, None, None, None, 0.0, "", "", str(error))
    result = confusion_matrix(task.split.test.y, predicted, task.split.classes)
    return Start(
        seed=seed,
        accuracy=result.accuracy,
        balanced_accuracy=result.balanced_accuracy,
        n_correct=result.n_correct,
        final_loss=history.losses[-1] if history.losses else None,
        seconds=history.seconds,
        form=history.form,
        theta_sha256=hashlib.sha256(model.theta.tobytes()).hexdigest(),
    )
